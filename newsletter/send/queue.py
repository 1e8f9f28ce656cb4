"""The queue for several machines: Procrastinate, in PostgreSQL. It carries numbers of batches and nothing else.

The ledger is the truth. A job that is lost is made anew by the next sweep, and one that comes twice finds nothing to
claim; so the queue's tables, in a schema of their own, may be thrown away at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from newsletter.errors import StoreError
from newsletter.store import Store

if TYPE_CHECKING:
    from procrastinate import App

Job = tuple[int, int]
_SCHEMA = "newsletter_queue"
_SUBMIT, _SWEEP = "newsletter.submit", "newsletter.sweep"


def require(store: Store) -> None:
    """StoreError where there can be no queue: on SQLite, or without Procrastinate."""
    if store.is_sqlite:
        hint = 'set "database" in config.toml to a PostgreSQL address, on every machine'
        raise StoreError("workers need PostgreSQL; on SQLite one process sends", where=store.name, hint=hint)
    try:
        import procrastinate  # noqa: F401 (whether it's there)
    except ImportError:
        hint = "pip install 'newsletter-desk[cluster]'"
        raise StoreError("workers need the package procrastinate", where=store.name, hint=hint) from None


def prepare(store: Store) -> None:
    """Make the queue's tables, anew where they are of another version of Procrastinate."""
    from procrastinate.schema import SchemaManager

    wanted = version("procrastinate")
    with store.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": _SCHEMA})
        found = connection.scalar(text(f"SELECT obj_description(to_regnamespace('{_SCHEMA}'), 'pg_namespace')"))
        if found == wanted:
            return
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {_SCHEMA}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {_SCHEMA}")
        driver: Any = connection.connection.driver_connection
        driver.execute(SchemaManager.get_schema())  # past SQLAlchemy, which would read its "%" as parameters
        connection.exec_driver_sql(f"COMMENT ON SCHEMA {_SCHEMA} IS '{wanted}'")


def enqueue(store: Store, jobs: Iterable[Job]) -> None:
    """Put batches, each as (campaign, number), into the queue."""
    from procrastinate import App, SyncPsycopgConnector

    rows: list[dict[str, Any]] = [{"campaign": campaign, "number": number} for campaign, number in jobs]
    if not rows:
        return
    app = App(connector=SyncPsycopgConnector(**_address(store), min_size=1, max_size=1))
    with app.open():
        app.configure_task(_SUBMIT, allow_unknown=True).batch_defer(*rows)


def waiting(store: Store) -> set[Job]:
    """The batches that wait in the queue or are being worked on."""
    query = (
        f"SELECT args FROM {_SCHEMA}.procrastinate_jobs"  # noqa: S608 (a constant)
        f" WHERE task_name = '{_SUBMIT}' AND status IN ('todo', 'doing')"
    )
    with store.engine.connect() as connection:
        return {(args["campaign"], args["number"]) for args in connection.scalars(text(query))}


def forget_stalled(store: Store, seconds: float) -> None:
    """Drop the jobs of workers that haven't been heard of for so long; the ledger knows what they were about."""
    silent = "SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => :age)"
    query = f"DELETE FROM procrastinate_jobs WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN ({silent}))"  # noqa: S608
    with store.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {_SCHEMA}"))  # its triggers want it
        connection.execute(text(query), {"age": seconds})


def app(store: Store, submit: Callable[[int, int], None], sweep: Callable[[], None]) -> App:
    """Procrastinate's application for a worker: what a job does, and what is looked after every ten seconds."""
    from procrastinate import App, PsycopgConnector

    made = App(connector=PsycopgConnector(**_address(store)))

    @made.task(name=_SUBMIT)
    def _submit(campaign: int, number: int) -> None:
        submit(campaign, number)

    @made.periodic(cron="* * * * * */10")
    @made.task(name=_SWEEP, queueing_lock=_SWEEP)
    def _sweep(timestamp: int) -> None:
        del timestamp
        sweep()

    return made


def _address(store: Store) -> dict[str, Any]:
    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return {"conninfo": url, "kwargs": {"options": f"-c search_path={_SCHEMA}"}}
