"""Time as sending knows it; tests pass one that stands still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Clock:
    """The time and waiting for it: `now` in UTC, `sleep` in seconds, `jitter` a random part of some seconds. `system`
    says that it's this machine's own.
    """

    now: Callable[[], dt.datetime]
    sleep: Callable[[float], None]
    jitter: Callable[[float], float]
    system: bool = False

    def at(self, session: Session) -> dt.datetime:
        """The time that all who share a database agree on: PostgreSQL's own, whatever the machines' clocks say."""
        if not self.system or session.get_bind().dialect.name == "sqlite":
            return self.now()
        found: dt.datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return found.astimezone(dt.UTC)
