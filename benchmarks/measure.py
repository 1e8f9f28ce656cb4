"""Timing that can be believed: medians of several runs, product and floor in turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Result:
    """`value` and `floor` in `unit`; `ratio` is what's judged against `want`, such as "<= 40 ms". `beside` is
    another program's figure, for comparison.
    """

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    want: str
    ok: bool
    beside: str = ""

    def plain(self) -> dict[str, object]:
        """The result for JSON."""
        return asdict(self)

    def line(self) -> str:
        """The result for people."""
        mark = "ok   " if self.ok else "SHORT"
        figures = f"{self.value:,.4g} {self.unit}, floor {self.floor:,.4g} {self.unit}, ratio {self.ratio:.3g}"
        beside = f" ({self.beside})" if self.beside else ""
        return f"{mark} {self.name:<8} {figures}; wanted: {self.want}{beside}"


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes, with no garbage collection in between."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    finally:
        gc.enable()


def in_turn(product: Callable[[], object], floor: Callable[[], object], *, runs: int) -> tuple[float, float]:
    """The median seconds of both, run in turn, after one run of each that doesn't count."""
    product()
    floor()
    pairs = [(seconds(product), seconds(floor)) for _ in range(runs)]
    return statistics.median(p for p, _ in pairs), statistics.median(f for _, f in pairs)


def peak() -> float:
    """The most memory that this process has held, in MB; getrusage would tell of its parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
