"""A worker process: takes batches from the queue, and sweeps up after workers that died."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from newsletter.errors import NewsletterError, Refused, StoreError
from newsletter.model import Batch
from newsletter.providers import Provider
from newsletter.send import control, ledger, queue
from newsletter.send.mailing import Mailing
from newsletter.send.submit import Courier
from newsletter.send.workers import Worker, at_work
from newsletter.store.records import CampaignRecord

#: A job waits this long in its place for the provider, in seconds; if it's longer, a later sweep queues it again.
_PATIENCE = 5.0
#: Seconds until a lost connection to the database is tried again.
_RECONNECT = 2.0
_log = logging.getLogger(__name__)


@dataclass
class Crew:
    """What the threads of a worker share: a courier for each campaign, and providers that nobody uses just now."""

    mailing: Mailing
    worker: Worker
    _couriers: dict[int, Courier] = field(default_factory=dict)
    _idle: dict[str, list[Provider]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, campaign: int, number: int) -> None:
        """Submit a batch, unless somebody has or it must wait for long. What is left undone, the next sweep sees."""
        with _told():
            self._submit(campaign, number)

    def sweep(self) -> None:
        """Settle what dead workers left and what is unknown, and queue what is ready and isn't queued yet."""
        with _told():
            self._sweep()

    def _submit(self, campaign: int, number: int) -> None:
        courier = self._courier(campaign)
        while isinstance(turn := courier.claim(number), float):
            if turn > _PATIENCE:
                return
            self.mailing.clock.sleep(turn)
        if turn is not None:
            self._carry(courier, turn)

    def _sweep(self) -> None:
        now, store = self.mailing.clock.now(), self.mailing.store
        queue.forget_stalled(store, self.worker.dead_after)
        with store.write() as session:
            found = control.due(session, now)
            for record in found:
                control.pick_by_clicks(session, record, now)
            due = [record.id for record in found]
        for campaign in due:
            courier = self._courier(campaign)
            with self._provider(courier) as provider:
                courier.settle(provider, unasked_for=self.worker.dead_after / 2)
        with store.read() as session:
            ready = [(campaign, number) for campaign in due for number in ledger.ready(session, campaign, now)]
        queued = queue.waiting(store) if ready else set()
        queue.enqueue(store, [job for job in ready if job not in queued])

    def _carry(self, courier: Courier, batch: Batch) -> None:
        with self._provider(courier) as provider:
            try:
                courier.submit(provider, batch)
            except Refused as fault:
                with self.mailing.store.write() as session:
                    control.pause(session, courier.campaign.id, str(fault), self.mailing.clock.now())

    def _courier(self, campaign: int) -> Courier:
        with self._lock:
            if campaign not in self._couriers:
                with self.mailing.store.read() as session:
                    record = session.scalars(select(CampaignRecord).where(CampaignRecord.id == campaign)).one()
                self._couriers[campaign] = self.mailing.courier(record, self.worker)
            return self._couriers[campaign]

    @contextmanager
    def _provider(self, courier: Courier) -> Iterator[Provider]:
        """A provider for one thread alone; connections are kept from one job to the next."""
        slug = courier.campaign.provider
        with self._lock:
            idle = self._idle.setdefault(slug, [])
            provider = idle.pop() if idle else self.mailing.provider(slug)
        try:
            yield provider
        finally:
            with self._lock:
                idle.append(provider)


@contextmanager
def _told() -> Iterator[None]:
    """Tell of a database that is away, and of a fault of the workspace, in one line."""
    try:
        yield
    except NewsletterError as fault:
        _log.warning("%s", fault)


class _OneLine(logging.Formatter):
    """No traceback: what went wrong in a job is in the ledger, or comes again with the next sweep."""

    def format(self, record: logging.LogRecord) -> str:
        """Time and the message's first line."""
        return f"{self.formatTime(record)} {record.getMessage().strip().splitlines()[0]}"


def _log_in_lines() -> None:
    """Everything that the queue's parts say goes to standard error, a line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    for name in ("newsletter", "procrastinate", "psycopg.pool", "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False


def work(mailing: Mailing, concurrency: int, say: Callable[[str], None]) -> None:
    """Be a worker until SIGINT or SIGTERM; calls under way end first. Waits for a database that is away."""
    from procrastinate.exceptions import ConnectorException
    from psycopg import Error

    queue.require(mailing.store)
    _log_in_lines()
    queue.prepare(mailing.store)
    with at_work(mailing.store, mailing.clock, kind="worker", dead_after=mailing.config.cluster.dead_after) as worker:
        crew = Crew(mailing, worker)
        say(f"{worker.name} works on up to {concurrency} batches at a time; end with Ctrl-C.")
        while True:
            try:
                queue.app(mailing.store, crew.submit, crew.sweep).run_worker(
                    name=worker.name,
                    concurrency=concurrency + 1,
                    delete_jobs="always",
                    fetch_job_polling_interval=2.0,
                    update_heartbeat_interval=worker.dead_after / 12,
                    stalled_worker_timeout=worker.dead_after,
                )
            except (ConnectorException, Error, StoreError) as fault:
                _log.warning("the database is away: %s", type(fault).__name__)
                mailing.clock.sleep(_RECONNECT)
            else:
                return
