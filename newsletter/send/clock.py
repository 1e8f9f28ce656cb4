"""Time as sending knows it; tests pass one that stands still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """The time and waiting for it: `now` in UTC, `sleep` in seconds, `jitter` a random part of some seconds."""

    now: Callable[[], dt.datetime]
    sleep: Callable[[float], None]
    jitter: Callable[[float], float]
