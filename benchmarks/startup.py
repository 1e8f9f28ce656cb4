"""How soon the command line answers."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Result, in_turn

_LIMIT = 0.25


def startup() -> Result:
    """`newsletter --help` as a whole process; the floor is an interpreter that does nothing."""
    value, floor = in_turn(
        lambda: subprocess.run([sys.executable, "-m", "newsletter", "--help"], check=True, stdout=subprocess.DEVNULL),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        runs=9,
    )
    return Result(
        name="startup",
        value=value,
        unit="s",
        floor=floor,
        ratio=value / floor,
        want=f"under {_LIMIT:g} s",
        ok=value < _LIMIT,
    )
