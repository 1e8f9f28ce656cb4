"""One sender a campaign: a lock that the system takes back by itself when its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout
from sqlalchemy import text

from newsletter.errors import SendError
from newsletter.store import Store


@contextmanager
def sole_sender(store: Store, campaign: str) -> Iterator[None]:
    """Hold the right to send; SendError when another process has it.

    A lock file beside a SQLite database, an advisory lock of the connection on PostgreSQL.
    """
    busy = SendError("is being sent by another process", where=campaign, hint="wait for it, or end it first")
    if store.is_sqlite:
        try:
            with FileLock(f"{store.name}.sending", timeout=0):
                yield
        except Timeout:
            raise busy from None
        return
    with store.engine.connect() as connection:
        key = {"name": f"newsletter:{campaign}"}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), key):
            raise busy
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)
