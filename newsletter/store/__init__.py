"""What has happened: items, people, approvals, campaigns. SQLite by default, PostgreSQL by URL.

    with store.read() as session: ...     a consistent view
    with store.write() as session: ...    one transaction: all of it, or nothing
    store.transact(work)                  the same, again from its beginning where others were in the way

The SQLAlchemy Session is the unit of work; the records are in `newsletter.store.records`.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from newsletter import private
from newsletter.errors import StoreError
from newsletter.store.faults import collided, explained, keep_values_out, locked
from newsletter.store.folding import fold
from newsletter.store.records import Base

#: The newest migration. A test holds it against Alembic's own answer, so that opening needs no Alembic.
HEAD = "0009"
#: For so many seconds a write waits until others have finished theirs; what a reader asked for waits longer.
_PATIENCE = 5.0
PATIENCE = 25.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """An open database."""

    engine: Engine
    #: SQLite has one writer at a time, and one that waits for it sleeps for longer and longer: threads queue here.
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether one file on this machine is all there is."""
        return self.engine.dialect.name == "sqlite"

    @property
    def name(self) -> str:
        """The database for messages: its file, or its address without a password."""
        return self.engine.url.database or "" if self.is_sqlite else self.engine.url.render_as_string()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and keeps nothing."""
        with explained(self.name), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, patience: float | None = None) -> Iterator[Session]:
        """A session committed at the end, rolled back on any error. On SQLite it takes the write lock at once.

        Where somebody else is writing it waits for `patience` seconds: on SQLite 5 unless given, on PostgreSQL, where
        one waits for rows only, for as long as it takes.
        """
        with (
            self._turn_within(_PATIENCE if patience is None else patience) as left,
            explained(self.name),
            Session(self._writing(left if self.is_sqlite else patience), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def transact(self, work: Callable[[Session], T], *, patience: float = PATIENCE) -> T:
        """Do some work in one transaction, and again from its beginning where another transaction was in the way (the
        same new address, say, or rows taken in another order); StoreError when that has lasted too long.
        """
        until = time.monotonic() + patience
        while True:
            try:
                with self.write(max(until - time.monotonic(), 0.01)) as session:
                    return work(session)
            except DBAPIError as fault:
                if not collided(fault):
                    raise
                if time.monotonic() > until:
                    raise locked(self.name) from None
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 (so that the two don't meet again)

    def _writing(self, patience: float | None) -> Engine:
        return self.engine.execution_options(immediate=True, patience=patience)

    @contextmanager
    def _turn_within(self, patience: float) -> Iterator[float]:
        """The thread's turn to write, where there's one writer at a time, and the seconds that are left."""
        if not self.is_sqlite:
            yield patience
            return
        until = time.monotonic() + patience
        if not self._turn.acquire(timeout=patience):
            raise locked(self.name)
        try:
            yield max(until - time.monotonic(), 0.01)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def connect(url: str, folder: Path) -> Store:
    """Open without looking at the schema. A relative SQLite path is relative to `folder`."""
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database and address.database != ":memory:":
            address = address.set(database=str(folder / address.database))
        # Of several machines, the database's may be restarted: a connection is looked at before it's used.
        pings = address.get_backend_name() == "postgresql"
        engine = create_engine(address, pool_pre_ping=pings, hide_parameters=True)
    except (ArgumentError, ModuleNotFoundError) as fault:
        hint = 'use "sqlite:///newsletter.db", or "postgresql+psycopg://…" with the extra newsletter-desk[postgres]'
        raise StoreError(f"can't use the database address: {type(fault).__name__}", hint=hint) from None
    keep_values_out(engine)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    elif engine.dialect.name == "postgresql":
        _prepare_postgresql(engine)
    else:
        raise StoreError(f"{engine.dialect.name} is not supported", hint="use SQLite or PostgreSQL")
    return Store(engine)


def open_store(url: str, folder: Path) -> Store:
    """Open and check the schema; a SQLite file that doesn't exist yet is made."""
    store = connect(url, folder)
    file = Path(store.engine.url.database or "")
    if store.is_sqlite and not (file.exists() and file.stat().st_size):
        upgrade(store)
        return store
    with store.read() as session:
        connection = session.connection()
        found = revision(connection)
    if found != HEAD:
        store.close()
        what = "was made by a newer version" if found and found > HEAD else "is not up to date"
        hint = "install the newer version" if found and found > HEAD else "run: newsletter db upgrade"
        raise StoreError(f"the database {what}", where=store.name, hint=hint)
    return store


def revision(connection: Connection) -> str:
    """The migration that a database stands at; empty when it has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def upgrade(store: Store, to: str = "head") -> None:
    """Bring the schema up to a revision, with all data kept."""
    from alembic import command
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with explained(store.name), _unguarded(store) as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, to)


@contextmanager
def _unguarded(store: Store) -> Iterator[Connection]:
    """A transaction in which a table that others refer to can be made anew: SQLite's own procedure
    (https://www.sqlite.org/lang_altertable.html#otheralter) needs foreign keys off before, and looked at after.
    """
    with store.engine.execution_options(immediate=True).connect() as connection:
        raw: Any = connection.connection.driver_connection
        if store.is_sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = store.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken:
                    raise StoreError(f"a row of {broken[0]} refers to nothing", where=store.name)
        finally:
            if store.is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")


def backup(store: Store, target: Path) -> int:
    """Copy the whole database into a new SQLite file; returns its size in bytes.

    Works while others read and write: SQLite's own online backup, or one repeatable-read transaction on
    PostgreSQL. The file appears under its name only when it is whole.
    """
    if target.exists():
        raise StoreError("the file exists already", where=target, hint="name a new one")
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        private.touch(partial)
        if store.is_sqlite:
            _copy_sqlite(store, partial)
        else:
            _copy_rows(store, partial)
        partial.replace(target)
    except (OSError, sqlite3.Error) as fault:
        raise StoreError(f"can't write the backup: {fault}", where=target) from None
    return target.stat().st_size


def _copy_sqlite(store: Store, target: Path) -> None:
    with store.engine.connect() as connection, sqlite3.connect(target) as copy:
        raw: Any = connection.connection.driver_connection
        raw.backup(copy)
    copy.close()


def _copy_rows(store: Store, target: Path) -> None:
    copy = connect(f"sqlite:///{target}", target.parent)
    upgrade(copy)
    source = store.engine.execution_options(isolation_level="REPEATABLE READ")
    with source.connect() as reader, copy.engine.begin() as writer:
        for table in Base.metadata.sorted_tables:
            rows = reader.execution_options(yield_per=1_000).execute(table.select()).mappings()
            for page in rows.partitions(1_000):
                writer.execute(table.insert(), [dict(row) for row in page])
    copy.close()


def insert_new(session: Session, record: type[Base]) -> Any:
    """The statement that inserts rows and leaves out those that are there already, by any unique constraint."""
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(record).on_conflict_do_nothing()


def _prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, durable commits, transactions that we begin ourselves, a file that others may not read, and
    letters of all alphabets folded.
    """

    @event.listens_for(engine, "do_connect")
    def _private(_dialect: object, _record: object, _arguments: object, _options: object) -> None:
        if engine.url.database and engine.url.database != ":memory:":
            # What isn't a file, or is in a folder that isn't there, SQLite itself explains.
            with suppress(OSError):
                private.touch(Path(engine.url.database))
            private.tighten(Path(engine.url.database))

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_PATIENCE * 1_000:.0f}")
        connection.execute("PRAGMA journal_mode=WAL")
        # A batch must be on disk before it is on the wire, power cut or not.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.create_function("folded", 1, fold, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("immediate"):
            seconds = options.get("patience") or _PATIENCE
            connection.exec_driver_sql(f"PRAGMA busy_timeout={seconds * 1_000:.0f}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")


def _prepare_postgresql(engine: Engine) -> None:
    """Rows that others have taken are waited for no longer than a transaction's patience."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        seconds = connection.get_execution_options().get("patience")
        if seconds:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(seconds * 1_000, 1):.0f}")
