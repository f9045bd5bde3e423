#!/usr/bin/env bash
# DuckDB adds 64-bit amounts exactly and writes the sum to Parquet as a double.
#
# Guess: what a query answers is what COPY ... TO writes; or 128 bits, which Parquet can hold as a decimal, become one.
# Seen:  sum() over UBIGINT is a HUGEINT, and exact on the screen: 18446744073709551615 + 2 = 18446744073709551617. COPY writes the
#        column as DOUBLE without a word, as it does with any HUGEINT: 2^64 + 1 comes back as 2^64. A decimal of 38 digits, which is
#        what the sum has to be cast to, stays exact. CSV has all digits.
# With:  duckdb 2.0.1, pyarrow 26.0.1 as the other reader (PyPI), python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
python3 -m venv venv && venv/bin/pip install --quiet duckdb==2.0.1 pyarrow==26.0.1 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.py <<'PY'
import duckdb
import pyarrow.parquet as parquet

duckdb.sql("create table paid (amount ubigint)")
duckdb.sql("insert into paid values (18446744073709551615), (2)")
answer = duckdb.sql("select sum(amount) from paid").fetchall()[0][0]
print("the query:   ", answer)
assert answer == 2**64 + 1

duckdb.sql("copy (select sum(amount) as plain, sum(amount)::decimal(38, 0) as cast_first from paid) to 'sums.parquet'")
written = parquet.read_table("sums.parquet")
print("the file:    ", written.schema.types, written.to_pylist()[0])
assert [str(kind) for kind in written.schema.types] == ["double", "decimal128(38, 0)"]
assert int(written["plain"][0].as_py()) == 2**64 and written["cast_first"][0].as_py() == 2**64 + 1

duckdb.sql("copy (select sum(amount) from paid) to 'sums.csv' (header false)")
text = open("sums.csv").read().strip()
print("as text:     ", text)
assert text == str(2**64 + 1)
PY
venv/bin/python run.py
