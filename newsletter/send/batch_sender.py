"""Sends one campaign's batches: claim one, call the provider, record the answers as they become certain."""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from newsletter.audience.wishes import Wishes, drop
from newsletter.errors import BadRecipient, Later, NewsletterError, NotSent, Ours, OutcomeUnknown, StoreError
from newsletter.model import Call, DeliveryState, Outcome, Receipt
from newsletter.providers import How, Provider
from newsletter.send import control, interrupted, ledger, resolve
from newsletter.send.clock import Clock
from newsletter.send.heartbeat import Heartbeat
from newsletter.send.rate_limiter import CIRCUIT, RateLimiter, Wait
from newsletter.send.refusals import RefusalsInARow
from newsletter.send.spool import Spool
from newsletter.send.stored_calls import Envelope
from newsletter.store import Store
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord

#: A run ends, with the rest pending, rather than wait longer than this for the provider. In seconds.
LONGEST_WAIT = 600.0
#: What was deferred this often isn't tried again soon: a mail server that greylists wants a quarter of an hour.
_TRIES, _LATER = 5, 900.0
#: For so many seconds it's tried to record an answer while the database is away, with a word now and then.
_PATIENCE, _WORD_EVERY = 300, 30
#: A claim this old, in seconds, isn't sent: the process slept, and others may have taken it over.
_STALE = 60.0
#: Answers that come one by one are recorded after so many seconds at the latest.
_FLUSH = 0.25
#: How often a call whose answer never came is made again at the end of a run, where that's harmless.
_REPLAYS = 5
_UNNAMED = "the provider's answer doesn't name it"
_log = logging.getLogger(__name__)


class Providers:
    """One thread's providers by slug, opened when they're needed."""

    def __init__(self, load: Callable[[str], Provider]) -> None:
        self._load = load
        self._opened: dict[str, Provider] = {}

    def __call__(self, slug: str) -> Provider:
        """The provider of that slug; ConfigError or SendError where there can't be one."""
        if slug not in self._opened:
            self._opened[slug] = self._load(slug)
        return self._opened[slug]

    def close(self) -> None:
        """Close all of them."""
        for provider in self._opened.values():
            provider.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a call brought nothing, and for how long the provider wants to be left alone."""

    what: str
    rest: float | None = None
    pauses: bool = False


@dataclass
class BatchSender:
    """Sends one campaign's batches, from several threads if wanted, each with providers of its own. A call has `size`
    messages at most, however large the batches were made. `suppress` is called for addresses that a provider certainly
    says don't exist, `forgive` for those of whom that turns out to be hardly so, `tell` with what a person should know
    at once.
    """

    store: Store
    campaign: CampaignRecord
    envelope: Envelope
    limiter: RateLimiter
    clock: Clock
    heartbeat: Heartbeat
    spool: Spool
    wishes: Wishes
    size: int
    mark: Callable[[str, int], str]
    suppress: Callable[[Session, str, str, dt.datetime], None]
    forgive: Callable[[Session, str], object]
    progress: Callable[[int], None] = lambda _: None
    tell: Callable[[str], None] = _log.warning
    stopped: threading.Event = field(default_factory=threading.Event)
    step: float = math.inf
    accepted: int = 0
    #: Batches under way in this process, and when they were claimed by its own clock.
    _busy: dict[int, dt.datetime] = field(default_factory=dict)
    _refusals: RefusalsInARow = field(default_factory=RefusalsInARow)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write_spooled(self) -> None:
        """Record the answers that an earlier run couldn't, and the wishes to leave that the service couldn't."""
        self.wishes.settle(self.store)
        for answers in self.spool.of(self.campaign.id):
            with self.store.write() as session:
                now = self.clock.at(session)
                if session.get(BatchRecord, (self.campaign.id, answers.batch)) is None:
                    self.tell(f"{answers.path} is about a batch that isn't in this store; it's left there")
                    continue
                call = ledger.named(session, self.campaign.id, answers.batch, answers.key, self.envelope)
                ledger.record(session, self.campaign.id, call, answers.receipts, now, self._retry)
            answers.path.unlink(missing_ok=True)

    def resolve(self, providers: Providers, *, asked_before: dt.datetime | None = None) -> None:
        """Find out what became of each call whose answer never came, as far as it can be proved."""
        with self._lock, self.store.read() as session:
            # Of this process only what it knows to be under way is; of another one, all, as long as it lives.
            living = self.heartbeat.living(session) - {self.heartbeat.name}
            numbers = interrupted.numbers(session, self.campaign.id, living)
            numbers = [number for number in numbers if number not in self._busy]
        for number in numbers:
            resolve.resolve(self, providers, number, asked_before=asked_before)

    def send_all(self, providers: Providers) -> None:
        """Claim and submit until there's nothing left that could go within LONGEST_WAIT."""
        provider = providers(self.campaign.provider)
        for attempt in range(_REPLAYS):
            while not self.stopped.is_set():
                turn = self.claim(provider)
                if isinstance(turn, Call):
                    self.submit(providers, turn)
                elif turn is None or turn.seconds > LONGEST_WAIT:
                    break
                else:
                    self._rest(turn.seconds)
            if self.stopped.is_set() or not self._can_ask_again(provider):
                return
            self._rest(2.0**attempt)
            self.resolve(providers)

    def _can_ask_again(self, provider: Provider) -> bool:
        """Whether there's a call in question that may be made again without harm."""
        with self.store.read() as session:
            paused = control.is_stopped(session, self.campaign.id)
            unknown = ledger.counts(session, self.campaign.id)[DeliveryState.UNKNOWN]
        return provider.recovery.submits and unknown > 0 and not paused

    def claim(self, provider: Provider, number: int | None = None) -> Call | Wait | None:
        """The next batch, or how long to wait until there may be one, or None when there's nothing more to claim."""
        self.heartbeat.keep_alive()
        route = provider.route()
        with self._lock, self._written() as session:
            campaign = session.get_one(CampaignRecord, self.campaign.id)
            if campaign.paused_at or campaign.canceled_at or campaign.provider != self.campaign.provider:
                return None
            ready_at = ledger.next_ready(session, campaign.id, number)
            if ready_at is None:
                return None
            now = self.clock.at(session)
            wait = self.limiter.wait(session, now)
            soon = (ready_at - now).total_seconds()
            if max(soon, wait.seconds) > 0:
                return wait if wait.seconds >= soon else Wait(seconds=soon)
            allowed = self.limiter.allowance(session, now)
            most = self.size if allowed is None else min(allowed, self.size)
            worker = self.heartbeat.name
            call = ledger.claim(
                session, campaign, self.envelope, now, route=route, worker=worker, number=number, most=most
            )
            if call is not None:
                if call.recipients:
                    self.limiter.take(session, len(call.recipients), now)
                self._busy[call.batch] = self.clock.now()
        return call

    @contextmanager
    def _written(self) -> Iterator[Session]:
        """A transaction that begins with the wishes to leave which the store couldn't take."""
        with self.store.write() as session:
            done = self.wishes.carry_out(session)
            yield session
        drop(done)

    def submit(self, providers: Providers, call: Call) -> None:
        """Call the provider, and record what came of it. What is our own fault pauses the campaign and is raised."""
        try:
            if call.recipients:
                self._submit(providers, call)
        finally:
            self._busy.pop(call.batch, None)

    def _submit(self, providers: Providers, call: Call) -> None:
        if (self.clock.now() - self._busy[call.batch]).total_seconds() > _STALE:
            self.finish(call, everybody(call, Outcome.DEFERRED, "the program slept between claim and call"))
            return
        provider = providers(self.campaign.provider)
        answered, last, fault = self._receipts(call, provider.send)
        open_ = replace(call, recipients=tuple(r for r in call.recipients if r.delivery not in answered))
        if fault is None:
            # The last receipts and the end of the call are one transaction: a commit waits for the disk.
            missing = everybody(open_, Outcome.UNKNOWN, _UNNAMED)
            self.finish(call, [*last, *missing], ended=provider)
            return
        self._write(call, last)
        match fault:
            case BadRecipient():
                self._bisect(call, open_, fault)
            case OutcomeUnknown():
                self._unknown(providers, provider, call, open_, fault)
            case Later():
                failure = Failure(what=str(fault), rest=fault.retry_after)
                self.finish(call, everybody(open_, Outcome.DEFERRED, fault.what), failure=failure)
            case NotSent() if self.accepted:
                self.finish(call, everybody(open_, Outcome.DEFERRED, fault.what), failure=Failure(what=str(fault)))
            case _:
                why = str(fault) if isinstance(fault, Ours) else ""
                self.finish(call, everybody(open_, Outcome.DEFERRED, fault.what), pause_for=why)
                raise fault

    def answers(
        self, call: Call, ask: Callable[[Call], Iterator[Receipt]]
    ) -> tuple[dict[int, Receipt], NewsletterError | None]:
        """What a provider says of a call, recorded as it becomes certain, by delivery; and what it raised."""
        answered, last, fault = self._receipts(call, ask)
        self._write(call, last)
        return answered, fault

    def _receipts(
        self, call: Call, ask: Callable[[Call], Iterator[Receipt]]
    ) -> tuple[dict[int, Receipt], list[Receipt], NewsletterError | None]:
        """The same, with the last receipts still to be recorded. A provider that breaks down says nothing of those for
        whom it has said nothing yet. Refusals wait until somebody is accepted after them: the same one for everybody
        from some moment on is our own fault, and nobody's who is on the list.
        """
        wanted = {recipient.delivery for recipient in call.recipients}
        answered: dict[int, Receipt] = {}
        unwritten: list[Receipt] = []
        fault: NewsletterError | None = None
        since, certain = time.monotonic(), 0
        try:
            for receipt in ask(call):
                if receipt.delivery in wanted and receipt.delivery not in answered:
                    answered[receipt.delivery] = receipt
                    unwritten.append(receipt)
                    certain = len(unwritten) if receipt.outcome is Outcome.ACCEPTED else certain
                if certain and time.monotonic() - since >= _FLUSH:
                    self._write(call, unwritten[:certain])
                    unwritten, since, certain = unwritten[certain:], time.monotonic(), 0
        except NewsletterError as raised:
            fault = raised
        except Exception as raised:  # somebody else's provider, or a vendor's answer that nobody thought of
            _log.debug("a provider broke down", exc_info=raised)
            fault = OutcomeUnknown(f"the provider broke down: {type(raised).__name__}")
        return self._without_ours(call, answered, unwritten, fault)

    def _without_ours(
        self, call: Call, answered: dict[int, Receipt], unwritten: list[Receipt], fault: NewsletterError | None
    ) -> tuple[dict[int, Receipt], list[Receipt], NewsletterError | None]:
        """What is left of a call's answers without the refusals that are our own fault; those become `Ours`, and the
        ones of earlier calls are taken back.
        """
        trusted = bool(self.accepted) or any(r.outcome is Outcome.ACCEPTED for r in answered.values())
        if not trusted:
            # As long as the provider takes nothing of ours, it isn't believed that somebody's mailbox doesn't exist.
            unwritten = [replace(receipt, gone=False) for receipt in unwritten]
        domains = {r.delivery: r.address.rpartition("@")[2] for r in call.recipients}
        alike = self._refusals.alike(answered.values(), domains, trusted=trusted)
        if not alike:
            return answered, unwritten, fault
        whose = {receipt.delivery for receipt in alike}
        with self.store.write() as session:
            self._forgive(session, whose)
            ledger.take_back(session, self.campaign.id, whose, self.clock.at(session))
        missing: list[Receipt] = []
        if fault is None or isinstance(fault, OutcomeUnknown):
            # That those were refused says nothing of whoever has no answer.
            unheard = tuple(r for r in call.recipients if r.delivery not in answered)
            why = fault.what if fault else _UNNAMED
            missing = everybody(replace(call, recipients=unheard), Outcome.UNKNOWN, why)
        what = f"refused for everybody in a row: {alike[-1].detail}"
        hint = "that's hardly the readers' fault: look at the account, the sender and the settings"
        known = [receipt for receipt in [*answered.values(), *missing] if receipt.delivery not in whose]
        return (
            {receipt.delivery: receipt for receipt in known},
            [receipt for receipt in [*unwritten, *missing] if receipt.delivery not in whose],
            fault if isinstance(fault, Ours) else Ours(what, hint=hint),
        )

    def _forgive(self, session: Session, deliveries: Collection[int]) -> None:
        """Lift the suppressions that refusals brought which turn out not to be the readers'."""
        for number in deliveries:
            row = session.get_one(DeliveryRecord, number)
            if row.state == DeliveryState.REFUSED and row.address:
                self.forgive(session, row.address)

    def _bisect(self, call: Call, open_: Call, fault: BadRecipient) -> None:
        with self.store.write() as session:
            now = self.clock.at(session)
            self.limiter.give_back(session, len(open_.recipients))
            ledger.bisect(session, self.campaign.id, call, fault.suspects, now)

    def _unknown(
        self, providers: Providers, provider: Provider, call: Call, open_: Call, fault: OutcomeUnknown
    ) -> None:
        """No answer came. Where the provider can prove nothing, the campaign waits for a person."""
        pauses = provider.recovery.how is How.NONE
        failure = Failure(what=fault.what, pauses=pauses)
        self.finish(call, everybody(open_, Outcome.UNKNOWN, fault.what), failure=failure)
        if provider.recovery.submits or provider.recovery.complete:
            resolve.resolve(self, providers, call.batch)

    def finish(
        self,
        call: Call,
        receipts: Sequence[Receipt],
        *,
        failure: Failure | None = None,
        pause_for: str = "",
        ended: Provider | None = None,
    ) -> None:
        """A call has ended: record the last receipts, what it means for the pace, and whether the campaign pauses."""

        def write(session: Session, now: dt.datetime) -> None:
            retry = self._retry if failure is None and not pause_for else _at_once
            left = ledger.record(session, self.campaign.id, call, receipts, now, retry)
            self.limiter.give_back(session, left[DeliveryState.PENDING])
            trouble = failure
            if ended and left[DeliveryState.UNKNOWN]:
                trouble = failure or self._trouble(session, call, ended)
            if pause_for:
                control.pause(session, self.campaign.id, pause_for, now, itself=True)
            elif trouble is None:
                self.limiter.succeeded(session)
            else:
                self._failed(session, trouble, now)

        self._persist(call, receipts, write)

    def _trouble(self, session: Session, call: Call, ended: Provider) -> Failure | None:
        """A call that ended and left people in question, where it took nobody."""
        states = ledger.states(session, self.campaign.id, [recipient.delivery for recipient in call.recipients])
        if states[DeliveryState.SUBMITTED]:
            return None
        return Failure(what="the answer doesn't say who was taken", pauses=ended.recovery.how is How.NONE)

    def _failed(self, session: Session, failure: Failure, now: dt.datetime) -> None:
        opened = self.limiter.failed(session, failure.rest, self.clock.jitter(1.0), now, failure.what)
        if failure.pauses:
            why = f"{failure.what}; {self.campaign.provider} can't tell who was taken, so a person has to look"
            control.pause(session, self.campaign.id, why, now, itself=True)
        elif opened:
            why = f"{CIRCUIT} calls in a row weren't taken; the last one: {failure.what}"
            control.pause(session, self.campaign.id, why, now, itself=True)

    def _write(self, call: Call, receipts: Sequence[Receipt]) -> None:
        """Record what is certain of a call that is still under way."""
        if receipts:
            self._persist(
                call, receipts, lambda session, now: ledger.write(session, self.campaign.id, call, receipts, now)
            )

    def _persist(
        self, call: Call, receipts: Sequence[Receipt], write: Callable[[Session, dt.datetime], object]
    ) -> None:
        """Write down what came of a call, however long the database may be away: nobody else can know."""
        kept = None
        for second in range(10**9):
            try:
                with self.store.write() as session:
                    now = self.clock.at(session)
                    write(session, now)
                    self._suppress_gone(session, receipts, now)
                break
            except StoreError as fault:
                kept = kept or self.spool.keep(self.campaign.id, call, receipts)
                if second % _WORD_EVERY == 0:
                    self.tell(f"{fault.what}; the provider's answers are kept and will be recorded when it's back")
                if second >= _PATIENCE and kept:
                    hint = f"the next send records the answers that are in {kept.parent.name}/"
                    raise StoreError(fault.what, where=self.store.name, hint=hint) from None
                self.clock.sleep(1.0)
        if kept:
            kept.unlink(missing_ok=True)
        with self._lock:
            self.accepted += sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts)
        self.progress(sum(receipt.outcome is not Outcome.DEFERRED for receipt in receipts))

    def _suppress_gone(self, session: Session, receipts: Sequence[Receipt], now: dt.datetime) -> None:
        """A mailbox that the provider certainly says doesn't exist is never mailed again, as after a hard bounce."""
        for receipt in receipts:
            if receipt.gone and receipt.outcome is Outcome.REFUSED:
                address = session.get_one(DeliveryRecord, receipt.delivery).address
                if address:
                    self.suppress(session, address, self.campaign.provider, now)

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


def everybody(call: Call, outcome: Outcome, detail: str) -> list[Receipt]:
    """The same receipt for every recipient of a call."""
    return [Receipt(delivery=r.delivery, outcome=outcome, detail=detail) for r in call.recipients]
