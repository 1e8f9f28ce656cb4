"""How fast people come in."""

from __future__ import annotations

import csv
import itertools
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Result, peak
from newsletter.demo import begin
from newsletter.demo.people import people_csv
from newsletter.store import connect
from newsletter.workspace import Workspace, system_clock

_ROWS = 1_000_000
_PAGE = 1_000
_LIMIT = 3.0
_MEMORY = 200
_SLUGS = {
    "Network Download": "network-download",
    "Workers' Rights Round Up": "workers-rights",
    "Federal Advocacy": "federal-advocacy",
}


def people() -> Result:
    """Import a million people into an empty store. The floor is `csv` and `executemany` that write the same rows into
    the same tables in one transaction, with no rules: nothing is understood, compared or refused. Each is a process
    of its own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "people.csv").write_text(people_csv(_ROWS), encoding="utf-8")
        floor = _measured("floor", folder)
        ours = _measured("ours", folder)
    ratio = ours["seconds"] / floor["seconds"]
    return Result(
        name="import",
        value=ours["seconds"],
        unit="s",
        floor=floor["seconds"],
        ratio=ratio,
        want=f"{_ROWS:,} rows in at most {_LIMIT:g} times the floor, with at most {_MEMORY} MB",
        ok=ratio <= _LIMIT and ours["megabytes"] <= _MEMORY,
        beside=f"peak {ours['megabytes']:.0f} MB; floor's {floor['megabytes']:.0f} MB",
    )


def _measured(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.importing", what, str(folder)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def _ours(folder: Path) -> float:
    begin(folder / "desk")
    space = Workspace.open(folder / "desk" / "config.toml", system_clock())
    began = time.perf_counter()
    report = space.import_people(folder / "people.csv")
    took = time.perf_counter() - began
    space.close()
    assert (report.imported, report.rejected) == (_ROWS, 0)
    return took


def _floor(folder: Path) -> float:
    begin(folder / "floor")
    Workspace.open(folder / "floor" / "config.toml", system_clock()).store.close()
    store = connect("sqlite:///newsletter.db", folder / "floor")
    connection = sqlite3.connect(store.engine.url.database or "", isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    with (folder / "people.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        number = 1
        while page := list(itertools.islice(rows, _PAGE)):
            _write(connection, page, number)
            number += len(page)
    connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    store.close()
    return took


def _write(connection: sqlite3.Connection, page: list[list[str]], first: int) -> None:
    now = "2026-01-01 00:00:00.000000"
    people = (
        (number, row[0], row[1], row[2], row[3], row[4], row[5], f"{row[8]} 00:00:00.000000", now, now)
        for number, row in enumerate(page, first)
    )
    connection.executemany(
        "INSERT INTO subscribers (id, email, first_name, last_name, state, locality, role, consented_at, created_at, "
        "updated_at, chapter, language, note, attributes, frequency) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '{}', '')",
        people,
    )
    standings = [
        (number, _SLUGS[name], row[7], row[8], now)
        for number, row in enumerate(page, first)
        for name in row[6].split("; ")
    ]
    connection.executemany(
        "INSERT INTO subscriptions (subscriber_id, list, status, confirmed_at, changed_at) VALUES (?, ?, ?, ?, ?)",
        ((number, name, status, f"{at} 00:00:00.000000", now) for number, name, status, at, _ in standings),
    )
    connection.executemany(
        "INSERT INTO consents (subscriber_id, list, status, at, source, evidence, tell) "
        "VALUES (?, ?, ?, ?, 'import: people.csv', ?, 0)",
        (
            (number, name, status, now, f'{{"line": {number + 1}, "confirmed": "{at}T00:00:00+00:00"}}')
            for number, name, status, at, _ in standings
        ),
    )


if __name__ == "__main__":
    seconds = {"floor": _floor, "ours": _ours}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"seconds": seconds, "megabytes": peak()}))
