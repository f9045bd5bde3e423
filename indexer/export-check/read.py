"""What joule-indexer exports, read by DuckDB, pyarrow and Python, against the database, read by SQLite."""

import csv
import datetime as dt
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

TABLES = ["jobs", "providers", "disputes", "models", "channels", "plans", "distributions"]
# Where doubles, signed and unsigned numbers end.
EDGES = [2**53 + 1, 2**63, 2**64 - 1]
LAST = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.timezone.utc)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def kept(number):
    """As the tables keep it: an integer, or decimal text beyond 2^63 - 1."""
    return number if number < 2**63 else f"{number:020}"


class Database:
    """The demo's, with amounts at the edges."""

    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.row_factory = sqlite3.Row
        self.turn = 0

    def columns(self, table):
        return {row["name"]: row for row in self.db.execute(f"pragma table_info({table})")}

    def raise_amounts(self):
        plan = {"address": b"\1" * 32, "channel": b"\2" * 32, "payer": b"\3" * 32, "status": "running"}
        blank = {name: 0 for name, column in self.columns("plans").items() if column["notnull"]}
        plan = blank | plan
        self.db.execute(f"insert into plans ({', '.join(plan)}) values ({', '.join('?' * len(plan))})", list(plan.values()))
        lists = [row[0] for row in self.db.execute("select name from sqlite_schema where type = 'table'")]
        lists = [name for name in lists if any(name.startswith(f"{table}_") for table in TABLES)]
        for table in TABLES + lists:
            amounts = [name for name, column in self.columns(table).items() if column["type"].lower() == "any"]
            keys = [name for name, column in self.columns(table).items() if column["pk"]]
            for row in self.db.execute(f"select * from {table}").fetchall():
                for name in amounts:
                    self.turn += 1
                    where = " and ".join(f"{key} = ?" for key in keys)
                    sql = f"update {table} set {name} = ? where {where}"
                    self.db.execute(sql, [kept(EDGES[self.turn % 3])] + [row[key] for key in keys])
        # A time that no calendar has.
        self.db.execute("update jobs set settle_after = ?", [2**63 - 1])
        self.db.commit()

    def rows(self, table):
        return self.db.execute(f"select * from {table}").fetchall()


def natural(value, unit):
    """A cell of the database, as it is meant."""
    if value is None:
        return None
    match unit:
        case "address" | "signature":
            return base58(value)
        case "sha-256":
            return value.hex()
        case "flag":
            return bool(value)
        case "time":
            return min(LAST, EPOCH + dt.timedelta(seconds=value)) if value < 2**40 else LAST
        case "name":
            return value
        case _:
            return int(value)


def of_csv(text, unit):
    """A cell of a CSV file, as it is meant."""
    if text is None or text == "":
        return None
    match unit:
        case "flag":
            return {"true": True, "false": False}.get(text, text)
        case "time":
            return dt.datetime.fromisoformat(text)
        case "address" | "signature" | "sha-256" | "name":
            return text
        case _:
            return int(text)


class Exports:
    def __init__(self, indexer, database, folder):
        self.indexer, self.database, self.folder = indexer, database, folder

    def file(self, end, *what):
        path = self.folder / f"{what[0]}.{end}"
        subprocess.run(
            [self.indexer, "export", *what, "--database", self.database, "--out", path],
            check=True, stdout=subprocess.DEVNULL,
        )
        return str(path)


def check_table(database, exports, table):
    parquet = exports.file("parquet", table)
    said = pyarrow.parquet.read_metadata(parquet).metadata
    columns = json.loads(said[b"joule.columns"])
    assert all(about["meaning"] for about in columns.values()), columns
    units = {name: about["unit"] for name, about in columns.items() if "." not in name}
    lists = {name for name, unit in units.items() if unit == "list"}
    expected = []
    for row in database.rows(table):
        line = {name: natural(row[name], unit) for name, unit in units.items() if name not in lists}
        for name in lists:
            of = {key.split(".")[1]: about["unit"] for key, about in columns.items() if key.startswith(f"{name}.")}
            items = database.db.execute(f"select * from {table}_{name} where of = ? order by place", [row["address"]])
            line[name] = [{key: natural(item[key], unit) for key, unit in of.items()} for item in items]
        expected.append(line)
    by_address = lambda lines: sorted(lines, key=lambda line: line["address"])
    expected = by_address(expected)
    assert expected, f"{table} has no rows to compare"

    assert by_address(pyarrow.parquet.read_table(parquet).to_pylist()) == expected, f"pyarrow reads other {table}"

    duck = duckdb.connect()
    duck.execute("set timezone = 'UTC'")
    asked = duck.execute(f"select * from '{parquet}'")
    names = [name for name, *_ in asked.description]
    assert by_address(dict(zip(names, row)) for row in asked.fetchall()) == expected, f"DuckDB reads other {table}"
    amounts = [name for name, unit in units.items() if unit in ("count", "base units")]
    for name in amounts:
        ours = [line[name] for line in expected if line[name] is not None]
        # By statistics too: a group that cannot match is not read.
        for edge in EDGES:
            found = duck.execute(f"select count(*) from '{parquet}' where {name} = {edge}").fetchall()[0][0]
            assert found == ours.count(edge), f"{table}.{name} = {edge}: {found}"
        total = duck.execute(f"select sum({name}), sum({name}) filter ({name} >= {2**63}) from '{parquet}'").fetchall()[0]
        assert total[0] == (sum(ours) if ours else None), f"the sum of {table}.{name} is {total[0]}"
        assert (total[1] or 0) == sum(one for one in ours if one >= 2**63)

    text = exports.file("csv", table)
    with open(text, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        for name, value in line.items():
            assert value[:1] not in ("=", "+", "-", "@", "\t", "\r"), f"{table}.{name} begins a formula: {value}"
            if name in lists:
                of = {key.split(".")[1]: about["unit"] for key, about in columns.items() if key.startswith(f"{name}.")}
                line[name] = [
                    {key: value if isinstance(value, (bool, int, type(None))) else of_csv(value, of[key])
                     for key, value in item.items()}
                    for item in json.loads(value)
                ]
            else:
                line[name] = of_csv(value, units[name])
    assert by_address(lines) == expected, f"Python reads other {table} from CSV"
    kinds = {name: pa.uint64() for name in amounts}
    options = pyarrow.csv.ConvertOptions(column_types=kinds)
    read = pyarrow.csv.read_csv(text, convert_options=options).sort_by("address")
    kinds = ", ".join(f"'{name}': 'UBIGINT'" for name in amounts)
    duck_csv = duck.execute(f"select {', '.join(amounts)} from read_csv('{text}', types = {{{kinds}}}) order by address").fetchall()
    for place, name in enumerate(amounts):
        ours = [line[name] for line in expected]
        assert read[name].to_pylist() == ours, f"pyarrow reads other {table}.{name} from CSV"
        assert [row[place] for row in duck_csv] == ours, f"DuckDB reads other {table}.{name} from CSV"
    return len(expected)


def check_others(database, exports):
    events = pyarrow.parquet.read_table(exports.file("parquet", "events")).to_pylist()
    stored = {(base58(row["signature"]), row["instruction"], row["inner"]): row for row in database.rows("events")}
    assert len(events) == len(stored)
    assert [event["slot"] for event in events] == sorted(row["slot"] for row in stored.values())
    for event in events:
        row = stored[event["signature"], event["instruction"], event["inner"]]
        assert (event["name"], event["slot"], event["time"]) == (row["name"], row["slot"], natural(row["block_time"], "time"))
        assert json.loads(event["fields"])
        named = {account["address"] for account in event["accounts"]}
        sql = "select address from event_accounts where signature = ? and instruction = ? and inner = ?"
        linked = database.db.execute(sql, [row["signature"], row["instruction"], row["inner"]])
        assert named == {base58(account["address"]) for account in linked}
    accounts = {row["address"]: row for row in pyarrow.parquet.read_table(exports.file("parquet", "accounts")).to_pylist()}
    rows = database.rows("accounts")
    assert len(accounts) == len(rows)
    for row in rows:
        account = accounts[base58(row["address"])]
        assert (account["data"], account["kind"]) == (bytes(row["data"]), row["kind"])
        assert (account["closed"], account["lamports"], account["slot"]) == (bool(row["closed"]), row["lamports"], row["slot"])
        assert (account["fields"] is None) == (account["data"] == b"")
    # The account that most has happened to.
    [most] = database.db.execute("select address from event_accounts group by address order by count(*) desc limit 1").fetchall()
    address = base58(most["address"])
    trail = duckdb.connect().execute(f"select what, signature, fields from '{exports.file('parquet', 'trail', address)}'").fetchall()
    happened = [event["signature"] for event in events if address in {account["address"] for account in event["accounts"]}]
    assert [signature for what, signature, _ in trail if what == "event"] == happened
    return len(events) + len(accounts) + len(trail)


def main(indexer, fixture):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path = folder / "indexer.sqlite"
        with pa.CompressedInputStream(fixture, "zstd") as packed:
            path.write_bytes(packed.read())
        exports = Exports(indexer, path, folder)
        # Brings the database up to date.
        exports.file("csv", "plans")
        database = Database(path)
        database.raise_amounts()
        lines = sum(check_table(database, exports, table) for table in TABLES)
        lines += check_others(database, exports)
    print(f"[export] {lines} lines, as they are in the database to the last unit, by pyarrow {pa.__version__}, DuckDB {duckdb.__version__} and Python")


main(*sys.argv[1:])
