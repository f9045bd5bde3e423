#!/usr/bin/env bash
# pyarrow's CSV reader makes a column of whole numbers double as soon as one of them is above 2^63 - 1.
#
# Guess: whole numbers stay whole: int64, uint64 where that is too small, or an error.
# Seen:  types are tried in an order that has int64 and float64, and no uint64. One amount of 2^63 among small ones turns the whole column
#        into double, without a warning: 2^53 + 1 in another row is read as 2^53. With the column's type given it is exact.
#        Parquet from the same library has uint64, so that the same rows are exact in one format and rounded in the other.
# With:  pyarrow 26.0.1 (PyPI), python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
python3 -m venv venv && venv/bin/pip install --quiet pyarrow==26.0.1 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.py <<'PY'
import io
import pyarrow
from pyarrow import csv

def read(rows, **options):
    text = "amount\n" + "\n".join(str(row) for row in rows) + "\n"
    column = csv.read_csv(io.BytesIO(text.encode()), **options)["amount"]
    return str(column.type), [int(value.as_py()) for value in column]

small = read([2**53 + 1, 2**63 - 1])
print("up to 2^63 - 1:", small)
assert small == ("int64", [2**53 + 1, 2**63 - 1])

large = read([2**53 + 1, 2**63])
print("with 2^63:     ", large)
assert large == ("double", [2**53, 2**63])

said = read([2**53 + 1, 2**63, 2**64 - 1], convert_options=csv.ConvertOptions(column_types={"amount": pyarrow.uint64()}))
print("with its type: ", said)
assert said == ("uint64", [2**53 + 1, 2**63, 2**64 - 1])
PY
venv/bin/python run.py
