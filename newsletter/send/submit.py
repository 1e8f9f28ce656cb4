"""The loop: claim a batch, call, write down the answer; settle first what an earlier run left in question."""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field

from newsletter.errors import OutcomeUnknown, Refused, StoreError, Unavailable
from newsletter.model import Batch, DeliveryState, Outcome, Receipt
from newsletter.providers import Provider
from newsletter.send import control, ledger
from newsletter.send.clock import Clock
from newsletter.send.ledger import Envelope
from newsletter.send.lock import sole_sender
from newsletter.send.pace import CIRCUIT, Bucket
from newsletter.send.workers import Worker, at_work
from newsletter.store import Store
from newsletter.store.records import CampaignRecord

#: A run ends, with the rest pending, rather than wait longer than this for the provider. In seconds.
LONGEST_WAIT = 600.0
#: What was deferred this often isn't tried again soon: a mail server that greylists wants a quarter of an hour.
_TRIES, _LATER = 5, 900.0
#: So often is it tried to write an answer down, a second apart, while the database is away or locked.
_WRITES = 300
#: A claim this old, in seconds, isn't sent: the process slept, and others may have taken it over.
_STALE = 60.0


@dataclass
class Courier:
    """Carries one campaign's batches, from several threads if wanted, each with a provider of its own."""

    store: Store
    campaign: CampaignRecord
    envelope: Envelope
    bucket: Bucket
    clock: Clock
    worker: Worker
    progress: Callable[[int], None] = lambda _: None
    stopped: threading.Event = field(default_factory=threading.Event)
    step: float = math.inf
    _busy: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, provider: Provider, unasked_for: float = 0.0) -> None:
        """Ask the provider what became of each batch that was left without an answer, but for those that it was
        asked about less than so many seconds ago.
        """
        now = self.clock.now()
        before = now - dt.timedelta(seconds=unasked_for) if unasked_for else None
        with self._lock, self.store.read() as session:
            # Of this process only what it knows to be under way is; of another one, all, as long as it lives.
            living = self.worker.living(session, now) - {self.worker.name}
            numbers = ledger.interrupted(session, self.campaign.id, living, before=before)
            numbers = [number for number in numbers if number not in self._busy]
        for number in numbers:
            with self.store.write() as session:
                batch = ledger.take_over(session, self.campaign, number, self.envelope, worker=self.worker.name)
            if batch is None or not batch.recipients:
                continue
            try:
                receipts = provider.settle(batch)
            except (OutcomeUnknown, Unavailable) as fault:
                receipts = _all(batch, Outcome.UNKNOWN, fault.what)
            self._record(batch, receipts)

    def carry(self, provider: Provider) -> None:
        """Claim and submit until there's nothing left that could go within LONGEST_WAIT."""
        while not self.stopped.is_set():
            turn = self.claim()
            if isinstance(turn, Batch):
                self.submit(provider, turn)
            elif turn is None or turn > LONGEST_WAIT:
                return
            else:
                self._rest(turn)

    def claim(self, number: int | None = None) -> Batch | float | None:
        """The next batch, or the seconds until there may be one, or None when there's nothing more to claim."""
        self.worker.wake()
        now = self.clock.now()
        with self._lock:
            turn = self._turn(number, now)
            if isinstance(turn, Batch):
                self._busy.add(turn.id)
        return turn

    def _turn(self, number: int | None, now: dt.datetime) -> Batch | float | None:
        with self.store.write() as session:
            if control.is_paused(session, self.campaign.id):
                return None
            ready_at = ledger.next_ready(session, self.campaign.id, number)
            if ready_at is None:
                return None
            seconds = max((ready_at - now).total_seconds(), self.bucket.wait(session, now))
            if seconds > 0:
                return seconds
            batch = ledger.claim(session, self.campaign, self.envelope, now, worker=self.worker.name, number=number)
            if batch is not None and batch.recipients:
                self.bucket.take(session, len(batch.recipients), now)
        return batch

    def submit(self, provider: Provider, batch: Batch) -> None:
        """Call, and write down what came of it. Refused is raised with everybody pending: the provider won't have
        us or what we send, so nobody is to blame on the list, and it's for a person to mend.
        """
        try:
            if batch.recipients:
                self._call(provider, batch)
        finally:
            self._busy.discard(batch.id)

    def _call(self, provider: Provider, batch: Batch) -> None:
        if (self.clock.now() - batch.date).total_seconds() > _STALE:
            self._record(batch, _all(batch, Outcome.DEFERRED, "the program slept between claim and call"))
            return
        try:
            self._record(batch, provider.send(batch))
        except Unavailable as fault:
            self._record(batch, _all(batch, Outcome.DEFERRED, fault.what), failure=fault)
        except OutcomeUnknown as fault:
            try:
                self._record(batch, provider.settle(batch))
            except (OutcomeUnknown, Unavailable):
                self._record(batch, _all(batch, Outcome.UNKNOWN, fault.what), failure=fault)
        except Refused as fault:
            with self.store.write() as session:
                receipts = _all(batch, Outcome.DEFERRED, fault.what)
                ledger.record(session, self.campaign.id, batch, receipts, self.clock.now(), _at_once)
            raise

    def _record(
        self, batch: Batch, receipts: list[Receipt], failure: Unavailable | OutcomeUnknown | None = None
    ) -> None:
        """Write down what came of a call, however long the database may be away: nobody else can know."""
        for attempt in range(_WRITES):
            try:
                self._write(batch, receipts, failure)
                break
            except StoreError:
                if attempt == _WRITES - 1:
                    raise
                self._rest(1.0)
        self.progress(sum(receipt.outcome is not Outcome.DEFERRED for receipt in receipts))

    def _write(self, batch: Batch, receipts: list[Receipt], failure: Unavailable | OutcomeUnknown | None) -> None:
        now = self.clock.now()
        deferred = Counter(receipt.outcome for receipt in receipts)[Outcome.DEFERRED]
        with self.store.write() as session:
            ledger.record(session, self.campaign.id, batch, receipts, now, self._retry if failure is None else _at_once)
            if deferred:
                self.bucket.give_back(session, deferred)
            if failure is None:
                self.bucket.went_well(session)
            else:
                rest = failure.retry_after if isinstance(failure, Unavailable) else None
                if self.bucket.failed(session, rest, self.clock.jitter(1.0), now):
                    why = f"{CIRCUIT} calls in a row weren't taken; the last one: {failure.what}"
                    control.pause(session, self.campaign.id, why, now)

    def _retry(self, attempts: int) -> float:
        """Seconds until those are tried again whom the provider put off one by one."""
        return self.clock.jitter(2.0**attempts) if attempts < _TRIES else _LATER

    def _rest(self, seconds: float) -> None:
        """Wait, in steps that let Ctrl-C through where other threads wait, too."""
        while seconds > 0 and not self.stopped.is_set():
            step = min(seconds, self.step)
            self.clock.sleep(step)
            seconds -= step


def _at_once(_attempts: int) -> float:
    return 0.0


def submit(
    store: Store,
    campaign: CampaignRecord,
    envelope: Envelope,
    provider: Callable[[], Provider],
    clock: Clock,
    *,
    bucket: Bucket | None = None,
    parallel: int = 1,
    dead_after: float = 120.0,
    progress: Callable[[int], None] = lambda _: None,
) -> Counter[DeliveryState]:
    """Submit what is pending, after settling what an earlier run left open; the counts by state at the end.

    Run again, it continues. `provider` is called once for each of `parallel` threads. Refused is raised, with
    everything written, when the provider takes nothing from us for good. `progress` is told how many deliveries
    each step has dealt with.
    """
    bucket = bucket or Bucket(provider=campaign.provider)
    with sole_sender(store, campaign.name), at_work(store, clock, dead_after=dead_after) as worker:
        courier = Courier(store, campaign, envelope, bucket, clock, worker, progress)
        with store.write() as session:
            control.hurry(session, campaign.id, clock.now())
        with closing(provider()) as first:
            courier.settle(first)
            if parallel == 1:
                courier.carry(first)
        if parallel > 1:
            _in_parallel(courier, provider, parallel)
    with store.read() as session:
        return ledger.counts(session, campaign.id)


def _in_parallel(courier: Courier, provider: Callable[[], Provider], parallel: int) -> None:
    """As many threads as wanted. The first that fails, and Ctrl-C, let the others end their calls."""

    def carry() -> None:
        with closing(provider()) as own:
            courier.carry(own)

    courier.step = 1.0
    with ThreadPoolExecutor(parallel) as pool:
        running = [pool.submit(carry) for _ in range(parallel)]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            courier.stopped.set()
    for future in running:
        future.result()


def _all(batch: Batch, outcome: Outcome, detail: str) -> list[Receipt]:
    return [Receipt(delivery=r.delivery, outcome=outcome, detail=detail) for r in batch.recipients]
