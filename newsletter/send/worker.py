"""A worker process: takes batches from the queue, and sweeps up after workers that died."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.errors import NewsletterError, StoreError
from newsletter.send import control, ledger, queue
from newsletter.send.batch_sender import BatchSender, Providers
from newsletter.send.heartbeat import Heartbeat, heartbeat
from newsletter.send.rate_limiter import Wait
from newsletter.send.service import CampaignService
from newsletter.store.records import CampaignRecord

#: A job waits this long in its place for the provider, in seconds; if it's longer, a later sweep queues it again.
_PATIENCE = 5.0
#: Seconds until a lost connection to the database is tried again.
_RECONNECT = 2.0
_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """What the threads of a worker share: a sender for each campaign, and providers that nobody uses just now."""

    service: CampaignService
    heartbeat: Heartbeat
    _senders: dict[tuple[int, str], BatchSender] = field(default_factory=dict)
    _idle: list[Providers] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, campaign: int, number: int) -> None:
        """Submit a batch, unless another worker has or it must wait for long. The next sweep sees what is left."""
        with _logged():
            sender = self._sender(campaign)
            with self._providers() as providers:
                provider = providers(sender.campaign.provider)
                while isinstance(turn := sender.claim(provider, number), Wait):
                    if turn.seconds > _PATIENCE:
                        return
                    self.service.clock.sleep(turn.seconds)
                if turn is not None:
                    sender.submit(providers, turn)

    def sweep(self) -> None:
        """Find out what dead workers left and what is unknown, and queue what is ready and isn't queued yet. One
        campaign's fault doesn't stop the others.
        """
        with _logged():
            store = self.service.store
            queue.forget_stalled(store, self.heartbeat.dead_after)
            with store.write() as session:
                now = self.service.clock.at(session)
                found = control.due(session, now)
                for record in found:
                    control.pick_by_clicks(session, record, now)
                due = [record.id for record in found]
            for campaign in due:
                with _logged():
                    self._resolve(campaign, now)
            with store.read() as session:
                ready = [(campaign, number) for campaign in due for number in ledger.ready(session, campaign, now)]
            queued = queue.waiting(store) if ready else set()
            queue.enqueue(store, [job for job in ready if job not in queued])

    def _resolve(self, campaign: int, now: datetime) -> None:
        sender = self._sender(campaign)
        sender.write_spooled()
        with self._providers() as providers:
            sender.resolve(providers, asked_before=now - timedelta(seconds=self.heartbeat.dead_after / 2))

    def _sender(self, campaign: int) -> BatchSender:
        with self._lock:
            with self.service.store.read() as session:
                record = session.get_one(CampaignRecord, campaign)
            key = (campaign, record.provider)
            if key not in self._senders:
                self._senders[key] = self.service.sender(record, self.heartbeat)
            return self._senders[key]

    @contextmanager
    def _providers(self) -> Iterator[Providers]:
        """Providers for one thread alone; connections are kept from one job to the next."""
        with self._lock:
            providers = self._idle.pop() if self._idle else Providers(self.service.provider)
        try:
            yield providers
        finally:
            with self._lock:
                self._idle.append(providers)


@contextmanager
def _logged() -> Iterator[None]:
    """Log a database that is away, and a fault of a provider or the workspace, in one line."""
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


def work(service: CampaignService, concurrency: int, say: Callable[[str], None]) -> None:
    """Be a worker until SIGINT or SIGTERM; calls under way end first. Waits for a database that is away."""
    from procrastinate.exceptions import ConnectorException
    from psycopg import Error

    queue.require(service.store)
    _log_in_lines()
    queue.prepare(service.store)
    dead_after = service.config.cluster.dead_after
    with heartbeat(service.store, service.clock, kind="worker", dead_after=dead_after) as mine:
        worker = Worker(service, mine)
        say(f"{mine.name} works on up to {concurrency} batches at a time; end with Ctrl-C.")
        while True:
            try:
                queue.app(service.store, worker.submit, worker.sweep).run_worker(
                    name=mine.name,
                    concurrency=concurrency + 1,
                    delete_jobs="always",
                    fetch_job_polling_interval=2.0,
                    update_heartbeat_interval=dead_after / 12,
                    stalled_worker_timeout=dead_after,
                )
            except (ConnectorException, Error, StoreError) as fault:
                _log.warning("the database is away: %s", type(fault).__name__)
                service.clock.sleep(_RECONNECT)
            else:
                return
