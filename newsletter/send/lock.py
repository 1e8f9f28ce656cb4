"""One sender a SQLite database: a lock that the system takes back by itself when its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from newsletter.errors import SendError
from newsletter.store import Store


@contextmanager
def sole_sender(store: Store, campaign: str) -> Iterator[None]:
    """Hold the right to send; SendError when another process has it. On PostgreSQL there may be many."""
    if not store.is_sqlite:
        yield
        return
    try:
        with FileLock(f"{store.name}.sending", timeout=0):
            yield
    except Timeout:
        what, hint = "is being sent by another process", "wait for it, or end it first"
        raise SendError(what, where=campaign, hint=hint) from None
