"""What became of a call whose answer never came: by what the provider has told since, by looking it up, or by making
the same call again, each only where it proves something and can harm nobody.

    events      a delivery, bounce or click of a message: it was accepted
    lookup      whoever is in the provider's log was accepted; whoever isn't was not, if the log has caught up
    replay      the same call again, where the provider takes nobody twice, and nobody in it has left
    otherwise   it stays unknown, with the reason, for a person (`campaigns settle`)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import Later, NewsletterError, ProviderError
from newsletter.model import Call, Outcome, Receipt
from newsletter.providers import How, Provider
from newsletter.send import interrupted, ledger
from newsletter.send.interrupted import Interrupted
from newsletter.store.records import BatchRecord, EventRecord

if TYPE_CHECKING:
    from newsletter.send.batch_sender import BatchSender, Providers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """Receipts that are certain, and why the others stay in question."""

    receipts: list[Receipt]
    why: str = ""


def resolve(sender: BatchSender, providers: Providers, number: int, *, asked_before: dt.datetime | None = None) -> None:
    """Find out what became of a batch's call, and record what's certain. Nobody is mailed who left. One that somebody
    asked about after `asked_before` is left alone.
    """
    with sender.store.write() as session:
        now = sender.clock.at(session)
        record = session.get_one(BatchRecord, (sender.campaign.id, number))
        if asked_before is not None and record.asked_at is not None and record.asked_at > asked_before:
            return
        name = sender.heartbeat.name
        found = interrupted.take_over(session, sender.campaign, number, sender.envelope, now, worker=name)
        if found is None or not found.open:
            return
        record.asked_at = now
        proved = proved_by_events(session, found)
        ledger.write(session, sender.campaign.id, found.call, proved, now)
        found = replace(found, open=found.open - {receipt.delivery for receipt in proved})
    evidence = _ask(sender, providers, found, now) if found.open else _Evidence(receipts=[])
    with sender.store.write() as session:
        now = sender.clock.at(session)
        ledger.record(session, sender.campaign.id, found.call, evidence.receipts, now, lambda _: 0.0)
        session.get_one(BatchRecord, (sender.campaign.id, number)).error = evidence.why
    sender.progress(sum(receipt.outcome is not Outcome.DEFERRED for receipt in evidence.receipts))


def proved_by_events(session: Session, found: Interrupted) -> list[Receipt]:
    """Receipts for those of whose message the provider has told anything: it was accepted."""
    query = select(EventRecord.delivery_id).distinct().where(EventRecord.delivery_id.in_(found.open))
    return [
        Receipt(delivery=delivery, outcome=Outcome.ACCEPTED, detail="told by the provider's events")
        for delivery in session.scalars(query)
        if delivery is not None
    ]


def _ask(sender: BatchSender, providers: Providers, found: Interrupted, now: dt.datetime) -> _Evidence:
    try:
        provider = providers(found.provider)
        other = _other_route(provider, found)
        match provider.recovery.how:
            case How.LOOKUP:
                return _look_up(sender, provider, found, now, other)
            case How.REPLAY | How.DEDUPLICATE:
                return _Evidence(receipts=[], why=other) if other else _replay(sender, provider, found)
            case _:
                return _Evidence(receipts=[], why=f"{provider.name} can't be asked; look in its own log")
    except NewsletterError as fault:
        return _Evidence(receipts=[], why=f"{found.provider} can't be asked: {fault}")


def _other_route(provider: Provider, found: Interrupted) -> str:
    """Why the place that would be asked isn't where the call went; empty where it's the same."""
    if found.route is None:
        return "it was called by an earlier release, which didn't keep where it went"
    difference = found.route.difference(provider.route())
    return f"it went elsewhere than the settings say now: {difference}" if difference else ""


def _forgotten(provider: Provider, found: Interrupted, now: dt.datetime) -> str:
    """Why the provider may have forgotten the call; empty where it hasn't."""
    if found.made_at > now:
        return "it was made later than it's now, so a clock is wrong: its age can't be told"
    ends = now + dt.timedelta(seconds=provider.timeout)
    if provider.recovery.within is not None and ends - found.made_at >= provider.recovery.within:
        return f"{provider.name} forgets a call after {_span(provider.recovery.within)}"
    return ""


def _replay(sender: BatchSender, provider: Provider, found: Interrupted) -> _Evidence:
    """Make the same call again, if that may be. What comes back without a receipt stays in question."""
    why = _turn(sender, provider, found)
    if why:
        return _Evidence(receipts=[], why=why)
    answered, fault = sender.answers(found.call, provider.settle)
    if isinstance(fault, Later):
        with sender.store.write() as session:
            now, jitter = sender.clock.at(session), sender.clock.jitter(1.0)
            sender.limiter.failed(session, fault.retry_after, jitter, now, str(fault))
    if fault is None:
        return _Evidence(receipts=[], why="" if answered else "the provider's answer doesn't name anybody")
    return _Evidence(receipts=[], why=fault.what)


def _turn(sender: BatchSender, provider: Provider, found: Interrupted) -> str:
    """Wait for a turn to make a call again, and take it; or why it isn't made. Whether it may be is asked in the same
    transaction as the turn is taken: while it waits people may leave, and somebody may cancel or pause.
    """
    for _ in range(_TURNS):
        with sender.store.write() as session:
            now = sender.clock.at(session)
            why = _forgotten(provider, found, now)
            why = why or interrupted.why_not_again(session, sender.campaign.id, found.call, now)
            if why:
                return why
            wait = sender.limiter.wait(session, now)
            if wait.seconds <= 0:
                sender.limiter.take(session, 0, now)
                interrupted.called_again(session, sender.campaign.id, found.call, now)
                return ""
        if wait.seconds > _LONGEST_REST:
            break
        sender.clock.sleep(wait.seconds)
    return f"{provider.name} is to be left alone for now" + (f": {wait.why}" if wait.why else "")


def _look_up(sender: BatchSender, provider: Provider, found: Interrupted, now: dt.datetime, other: str) -> _Evidence:
    """Read the provider's log. Whoever is in it was accepted; whoever isn't was not only if it's certain that the log
    would show them.
    """
    shown = list(provider.settle(found.call))
    receipts = [r for r in shown if r.delivery in found.open]
    missing = found.open - {receipt.delivery for receipt in receipts}
    if receipts and provider.recovery.whole:
        told = "others of its call are in the provider's log"
        receipts += [Receipt(delivery=d, outcome=Outcome.ACCEPTED, detail=told) for d in missing]
        missing = frozenset()
    if not missing:
        return _Evidence(receipts=receipts)
    reason = other or _incomplete(sender, provider, found, now)
    if reason:
        return _Evidence(receipts=receipts, why=reason)
    # Whoever was erased is in no request any more, so that nobody looked for them: only a call that never came proves
    # that they weren't taken.
    looked_for = {recipient.delivery for recipient in found.call.recipients}
    erased = frozenset() if looked_for and not shown else missing - looked_for
    absent = [
        Receipt(delivery=d, outcome=Outcome.DEFERRED, detail="not in the provider's log") for d in missing - erased
    ]
    return _Evidence(receipts=[*receipts, *absent], why="who was erased since can't be looked for" if erased else "")


def _incomplete(sender: BatchSender, provider: Provider, found: Interrupted, now: dt.datetime) -> str:
    """Why a provider's log may not show a call that was taken; empty where it would."""
    recovery = provider.recovery
    if recovery.complete:
        return ""
    delay = max(recovery.after, dt.timedelta(seconds=provider.timeout))
    if now - found.called_at < delay:
        return f"{provider.name}'s log may not show it yet; ask again {_span(delay)} after the call"
    if recovery.within is not None and now - found.called_at >= recovery.within:
        return f"{provider.name} keeps its log for {_span(recovery.within)} only"
    if not _caught_up(sender, provider, found):
        return f"nothing of ours that went later shows that {provider.name}'s log has caught up"
    return ""


def _caught_up(sender: BatchSender, provider: Provider, found: Interrupted) -> bool:
    """Whether the log shows something of ours that was accepted after the call had ended."""
    ended = found.called_at + dt.timedelta(seconds=provider.timeout)
    with sender.store.read() as session:
        later = interrupted.later_call(session, sender.campaign, found.call.batch, ended)
        call: Call | None = interrupted.call_of(session, later, sender.envelope, sender.mark) if later else None
    if call is None:
        return False
    try:
        return next(iter(provider.settle(call)), None) is not None
    except ProviderError:
        return False


#: The longest that a replay waits for its turn, in seconds, and how often.
_LONGEST_REST = 60.0
_TURNS = 5


def _span(span: dt.timedelta) -> str:
    """`30 minutes`, `24 hours`."""
    minutes = span.total_seconds() / 60
    if minutes < 120:
        return f"{minutes:g} minute{'' if minutes == 1 else 's'}"
    return f"{minutes / 60:g} hours"
