"""One sender a SQLite database: a lock that the system takes back by itself when its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from newsletter.errors import SendError
from newsletter.store import Store


@contextmanager
def sole_sender(store: Store, campaign: str, *, queued: bool = False) -> Iterator[None]:
    """Hold the right to send; SendError with the campaign that is being sent, when another process has it. A campaign
    that is `queued` goes out without anybody asking again. On PostgreSQL there may be many senders.
    """
    if not store.is_sqlite:
        yield
        return
    # Beside the lock, not in it: whoever tries to take the lock empties its file.
    note = Path(f"{store.name}.sending.campaign")
    try:
        with FileLock(f"{store.name}.sending", timeout=0):
            _write(note, campaign)
            try:
                yield
            finally:
                _write(note, "")
    except Timeout:
        raise _busy(campaign, _read(note), queued=queued) from None


def _busy(campaign: str, holder: str, *, queued: bool) -> SendError:
    if holder == campaign:
        return SendError("is being sent by another process", where=campaign, hint="wait for it, or end it first")
    what = f"{holder or 'another campaign'} is being sent by another process"
    if queued:
        hint = "newsletter run-due sends it once that has ended"
        return SendError(f"is queued: {what}", where=campaign, hint=hint)
    return SendError(what, where=campaign, hint="wait for it, or end it first")


def _write(note: Path, campaign: str) -> None:
    """The note only serves a message: that it can't be written stops nobody."""
    with suppress(OSError):
        note.write_text(campaign, encoding="utf-8")


def _read(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
