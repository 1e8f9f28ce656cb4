"""A time for whatever comes from outside: nobody waits longer for one letter, page or feed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from newsletter.errors import InputError


class _Late(BaseException):
    """The time is over; not an Exception, which a library might take for one of its own."""


@contextmanager
def time_limit(seconds: float, where: str | Path) -> Iterator[None]:
    """InputError when what is done within takes longer than so many seconds.

    It's the system's alarm, which only the main thread of a Unix process has; elsewhere the limits of size have to do.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Late:
        raise InputError(f"takes longer than {seconds:g} seconds to read", where=where) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
