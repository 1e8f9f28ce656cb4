"""Whether something takes time in proportion to its size."""

from __future__ import annotations

import time
from collections.abc import Callable


def is_linear(run: Callable[[int], object], size: int = 4_000) -> bool:
    """Whether ten times the input takes at most fifteen times as long, or hardly any time at all. Other programs may
    have the machine for a moment, so that it's measured up to three times.
    """
    return any(_once(run, size) for _ in range(3))


def _once(run: Callable[[int], object], size: int) -> bool:
    short, long = (min(_seconds(run, n) for _ in range(3)) for n in (size, 10 * size))
    return long < 0.05 or long <= 15 * short


def _seconds(run: Callable[[int], object], size: int) -> float:
    begun = time.perf_counter()
    run(size)
    return time.perf_counter() - begun
