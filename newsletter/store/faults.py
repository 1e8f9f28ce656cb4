"""What a database says when something goes wrong: one line, and no value that it was given.

PostgreSQL's DETAIL lines name the row that was in the way, with the address in it, and a message about a value that
it can't read quotes the value (https://www.postgresql.org/docs/current/errcodes-appendix.html, class 22).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from newsletter.errors import StoreError

#: Unique violation, serialization failure, deadlock: another transaction was in the way.
_COLLISIONS = ("23505", "40001", "40P01")
_LOCKED = "55P03"
_DATA = "22"


def collided(fault: BaseException | None) -> bool:
    """Whether another transaction was in the way, so that the same may succeed from the beginning. On SQLite, where one
    writes at a time, none ever is.
    """
    return isinstance(fault, DBAPIError) and getattr(fault.orig, "sqlstate", None) in _COLLISIONS


def keep_values_out(engine: Engine) -> None:
    """Cut every error of the engine's down to what it says without values."""

    @event.listens_for(engine, "handle_error")
    def _cut(context: Any) -> None:
        state = str(getattr(context.original_exception, "sqlstate", None) or "")
        for fault in (context.original_exception, context.sqlalchemy_exception):
            if fault is not None and fault.args and isinstance(fault.args[0], str):
                fault.args = (_plain(fault.args[0], state), *fault.args[1:])


def _plain(said: str, state: str) -> str:
    line = said.partition("\n")[0]
    return re.sub(r'(: )?".*"', r"\1…", line) if state.startswith(_DATA) else line


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what a database says of its surroundings (not of our statements) into one line."""
    try:
        yield
    except OperationalError as fault:
        if collided(fault):
            raise
        said = str(fault.orig).splitlines()[0] if fault.orig else "no answer"
        if "locked" in said or getattr(fault.orig, "sqlstate", None) == _LOCKED:
            raise locked(name) from None
        if "no such table" in said:
            raise StoreError("the database is not set up", where=name, hint="run: newsletter db upgrade") from None
        raise StoreError(f"the database can't be used: {said}", where=name) from None
    except DBAPIError as fault:
        if "not a database" in str(fault.orig):
            raise StoreError("not a database", where=name, hint='check "database" in config.toml') from None
        raise


def locked(name: str) -> StoreError:
    """Somebody else has been writing for longer than was waited."""
    hint = "another program is writing to it; try again when it has finished"
    return StoreError("the database is locked", where=name, hint=hint)
