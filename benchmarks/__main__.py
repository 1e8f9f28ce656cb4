"""Runs benchmarks by name (all without one); exit code 1 when one falls short of what's wanted."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import importing, messages, million, rendering, sending, startup, studio
from benchmarks.measure import Result

BENCHMARKS = {
    "render": rendering.render,
    "variants": rendering.variants,
    "startup": startup.startup,
    "studio": studio.studio,
    "import": importing.people,
    "files": sending.files,
    "mime": messages.mime,
    "smtp": messages.smtp,
    "million": million.million,
}


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
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
    if given.json:
        print(json.dumps([result.plain() for result in results], indent=2))
    return 0 if all(result.ok for result in results) else 1


sys.exit(main())
