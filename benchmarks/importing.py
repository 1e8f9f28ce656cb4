"""How fast people come in."""

from __future__ import annotations

import csv
import sqlite3
import tempfile
from pathlib import Path

from benchmarks.measure import Result, in_turn
from newsletter.demo import begin
from newsletter.demo.people import people_csv
from newsletter.workspace import Workspace, system_clock

_ROWS = 5_000
_LIMIT = 5.0


def people() -> Result:
    """Import 5,000 people into an empty store; the floor is `csv` and `executemany` with no rules at all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = folder / "people.csv"
        export.write_text(people_csv(_ROWS), encoding="utf-8")
        runs = iter(range(100))

        def product() -> None:
            _import(folder / f"w{next(runs)}", export)

        def floor() -> None:
            _bare(folder / f"floor{next(runs)}.db", export)

        value, bare = in_turn(product, floor, runs=5)
    return Result(
        name="import",
        value=value,
        unit="s",
        floor=bare,
        ratio=value / bare,
        want=f"{_ROWS:,} rows in under {_LIMIT:g} s",
        ok=value < _LIMIT,
    )


def _import(folder: Path, export: Path) -> None:
    begin(folder)
    space = Workspace.open(folder / "config.toml", system_clock())
    report = space.import_people(export)
    space.close()
    assert report.imported == _ROWS


def _bare(path: Path, export: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (a, b, c, d, e, f, g, h, i)")
    with export.open(encoding="utf-8", newline="") as file:
        connection.executemany("INSERT INTO people VALUES (?,?,?,?,?,?,?,?,?)", csv.reader(file))
    connection.commit()
    connection.close()
