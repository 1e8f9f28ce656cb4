"""Rows by the hundred thousand: values go to the driver as it takes them, past the ORM, which would cost more than the
database itself. Tables and columns are named by the records, never by anything from outside.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from newsletter.store.records import Base

#: How much of a SQLite file is kept in memory meanwhile, in KiB.
_ROOM = 65_536


class Bulk:
    """Inserts within a session's transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()
        self._sqlite = self._connection.dialect.name == "sqlite"

    @contextmanager
    def room(self) -> Iterator[None]:
        """Let SQLite keep more of the file in memory for a while: looking people up and writing them by turns would
        read the same pages from the disk again and again.
        """
        if not self._sqlite:
            yield
            return
        before = self._connection.exec_driver_sql("PRAGMA cache_size").scalar()
        self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_ROOM}")
        try:
            yield
        finally:
            self._connection.exec_driver_sql(f"PRAGMA cache_size = {before}")

    def savepoint(self) -> AbstractContextManager[Any]:
        """What is done within can fail alone: the transaction goes on as it was before. A session's own savepoint would
        only begin with its first statement, and not with one of these.
        """
        return self._connection.begin_nested()

    def insert(self, record: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of values in the order of the columns, in the forms that `moment` and `json` give."""
        if rows:
            marks = ", ".join(["?" if self._sqlite else "%s"] * len(columns))
            names = ", ".join(f'"{name}"' for name in columns)
            statement = f"INSERT INTO {record.__tablename__} ({names}) VALUES ({marks})"  # noqa: S608 (see above)
            self._connection.exec_driver_sql(statement, list(rows))

    def find(
        self, record: type[Base], columns: Sequence[str], by: str, values: Sequence[Any]
    ) -> Iterable[dict[str, Any]]:
        """The rows whose column `by` is one of the values, which travel as one parameter, however many they are."""
        table = record.__table__
        wanted = "IN (SELECT value FROM json_each(:values))" if self._sqlite else "= ANY(:values)"
        given = json.dumps(values) if self._sqlite else list(values)
        query = select(*(table.c[name] for name in columns)).where(text(f"{record.__tablename__}.{by} {wanted}"))
        return (dict(row) for row in self._connection.execute(query, {"values": given}).mappings())

    def numbers(self, record: type[Base], count: int) -> Iterable[int]:
        """So many new ids of a table, that nothing else will get. On SQLite the transaction has to be a writing one."""
        table = record.__tablename__
        if self._sqlite:
            last = self._connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar()
            return range((last or 0) + 1, (last or 0) + 1 + count)
        ids = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        return list(self._connection.exec_driver_sql(ids, (table, count)).scalars())

    def moment(self, value: dt.datetime | None) -> Any:
        """An aware time as the driver takes it; see `newsletter.store.records.UtcDateTime`."""
        return value if value is None or not self._sqlite else _sqlite_moment(value)

    @staticmethod
    def json(value: Any) -> str:
        """A small structure as the driver takes it."""
        return json.dumps(value) if value else "{}"


@lru_cache(10_000)
def _sqlite_moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
