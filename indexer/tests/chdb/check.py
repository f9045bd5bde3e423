"""Asks today's ClickHouse, which is chdb, what the indexer has asked the servers of the tests, on the same rows, and compares the answers.

Arguments: the migrations, and the folder that the test `what_is_asked_and_answered_is_written_for_another_engine` has filled."""

import json
import sys
import tempfile
from pathlib import Path

from chdb import session

migrations, folder = Path(sys.argv[1]), Path(sys.argv[2])
with tempfile.TemporaryDirectory() as place:
    server = session.Session(place)
    server.query("create database joule")
    server.query("use joule")
    for step in sorted(migrations.glob("*.sql")):
        for statement in step.read_text().split(";\n"):
            if statement.strip():
                server.query(statement)
    loaded = 0
    for rows in sorted(folder.glob("*.rowbinary")):
        if rows.stat().st_size:
            server.query(f"insert into {rows.stem} select * from file('{rows}', 'RowBinary')")
            loaded += 1
    wrong = []
    asked = [json.loads(line) for line in (folder / "asked.jsonl").read_text().splitlines()]
    for question in asked:
        answer, wanted = server.query(question["sql"], "TabSeparated").bytes(), bytes.fromhex(question["answer"])
        found = [rows.split(b"\n") for rows in (answer, wanted)]
        if " order by " not in question["sql"]:
            found = [sorted(rows) for rows in found]
        if found[0] != found[1]:
            wrong.append((question["sql"], answer[:300], wanted[:300]))
    answered = sum(1 for question in asked if question["answer"])
    print(f"{server.query('select version()', 'TabSeparated').bytes().decode().strip()}: {loaded} tables, {len(asked)} questions, "
          f"{answered} with rows, {len(wrong)} answered otherwise")
    for sql, answer, wanted in wrong:
        print(f"\n{sql[:2000]}\n  answered: {answer}\n  wanted:   {wanted}")
    sys.exit(1 if wrong or answered < 20 else 0)
