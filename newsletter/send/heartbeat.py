"""Which workers are alive: every process that submits writes a heartbeat, and one whose heartbeat has stopped is dead.

What a dead one had under way is resolved by whoever sees it. On SQLite there's one sender at a time, so that any
other is dead.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.errors import StoreError
from newsletter.send.clock import Clock
from newsletter.store import Store
from newsletter.store.records import WorkerRecord

#: A heartbeat comes this often in the time after which a worker counts as dead.
_BEATS = 12


@dataclass
class Heartbeat:
    """The heartbeat of this process. A worker without one for `dead_after` seconds counts as dead; that has to be
    longer than any call may take. Times are the database's, so that no machine's clock can bury another.
    """

    store: Store
    clock: Clock
    dead_after: float = 120.0
    kind: str = "send"
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}")
    beaten_at: datetime | None = None

    def __post_init__(self) -> None:
        self.name = f"{self.kind}@{self.name}"

    def beat(self) -> None:
        """Say that this worker is alive."""
        with self.store.write() as session:
            session.merge(WorkerRecord(name=self.name, seen_at=self.clock.at(session)))
        self.beaten_at = self.clock.now()

    def keep_alive(self) -> None:
        """Beat, if that's overdue: others may think this worker dead, and what it claims now mustn't be taken over."""
        overdue = timedelta(seconds=self.dead_after / 2)
        if not self.store.is_sqlite and (self.beaten_at is None or self.clock.now() - self.beaten_at >= overdue):
            self.beat()

    def living(self, session: Session) -> set[str]:
        """The names of all workers that are alive, this one among them."""
        if self.store.is_sqlite:
            return {self.name}
        return {*alive(session, self.clock.at(session), self.dead_after), self.name}


def alive(session: Session, now: datetime, dead_after: float) -> set[str]:
    """The names of the workers that have a heartbeat; on SQLite there are none."""
    beating = WorkerRecord.seen_at > now - timedelta(seconds=dead_after)
    return {*session.scalars(select(WorkerRecord.name).where(beating))}


def serving(session: Session, now: datetime, dead_after: float) -> int:
    """How many workers serve the queue now."""
    return sum(name.startswith("worker@") for name in alive(session, now, dead_after))


@contextmanager
def heartbeat(store: Store, clock: Clock, *, kind: str = "send", dead_after: float = 120.0) -> Iterator[Heartbeat]:
    """Have a heartbeat until the block ends; `kind` is "worker" for a worker that serves the queue."""
    mine = Heartbeat(store, clock, dead_after, kind)
    if store.is_sqlite:
        yield mine
        return
    mine.beat()
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(mine, ended), daemon=True)
    heart.start()
    try:
        yield mine
    finally:
        ended.set()
        heart.join()
        with suppress(StoreError), store.write() as session:
            session.execute(delete(WorkerRecord).where(WorkerRecord.name == mine.name))


def _beat(mine: Heartbeat, ended: threading.Event) -> None:
    while not ended.wait(mine.dead_after / _BEATS):
        with suppress(StoreError):  # the database is away for a while
            mine.beat()
