"""Runs benchmarks by name (all without one); exit code 1 when one falls short of what's wanted."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sqlite3
import sys
from pathlib import Path

from benchmarks import (
    importing,
    leaving,
    messages,
    million,
    publishing,
    rendering,
    sending,
    startup,
    studio,
    timing,
    webhooks,
)
from benchmarks.measure import Result
from newsletter import VERSION

BENCHMARKS = {
    "render": rendering.render,
    "variants": rendering.variants,
    "startup": startup.startup,
    "studio": studio.studio,
    "import": importing.people,
    "leaving": leaving.leaving,
    "leaving-cluster": leaving.leaving_cluster,
    "files": sending.files,
    "mime": messages.mime,
    "smtp": messages.smtp,
    "million": million.million,
    "publish": publishing.publish,
    "webhooks": webhooks.webhooks,
    "timing": timing.timing,
}


RESULTS = Path(__file__).parent / "RESULTS.md"


def _page(results: list[Result], below: str) -> str:
    """The results as a page, with what they were measured on, and what stands below them."""
    cpu = next((row.partition(":")[2].strip() for row in _lines("/proc/cpuinfo") if row.startswith("model name")), "?")
    memory = next((int(row.split()[1]) for row in _lines("/proc/meminfo") if row.startswith("MemTotal")), 0)
    facts = (
        f"{os.cpu_count()} cores ({cpu}), {memory / 2**20:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, newsletter desk {VERSION}"
    )
    rows = [
        f"| `{r.name}` | {r.value:,.4g} {r.unit} | {r.floor:,.4g} {r.unit} | {r.ratio:.3g} | {r.want} | "
        f"{'yes' if r.ok else '**no**'} | {r.beside} |"
        for r in results
    ]
    head = [
        "# What was measured",
        "",
        f"On {dt.datetime.now(dt.UTC):%Y-%m-%d}, with `python -m benchmarks --save`: {facts}.",
        "",
        "Each line's floor, or peer, ran in turn with it in the same run; what each is, its docstring says.",
        "",
        "| | value | floor | ratio | wanted | reached | beside |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""]) + below


def _lines(path: str) -> list[str]:
    """The lines of one of the system's own files; none where there is no such file."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--save", action="store_true", help="write benchmarks/RESULTS.md with the machine's facts")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    results: list[Result] = []
    for name in given.names or BENCHMARKS:
        result = BENCHMARKS[name]()
        results.append(result)
        if not given.json:
            print(result.line(), flush=True)
    if given.save:
        _, mark, below = RESULTS.read_text(encoding="utf-8").partition("\n## ")
        RESULTS.write_text(_page(results, mark + below), encoding="utf-8")
    if given.json:
        print(json.dumps([result.plain() for result in results], indent=2))
    return 0 if all(result.ok for result in results) else 1


sys.exit(main())
