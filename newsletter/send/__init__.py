"""Approve, freeze an audience, keep the ledger, submit, resume.

snapshot = require(session, issue, variants)        what was approved, unchanged
plan(...) -> freeze(...)                            the audience, frozen into the ledger
submit(store, campaign, envelope, provider, ...)    batch by batch; again after any interruption
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound, OutcomeUnknown, Refused, Unavailable, nearest
from newsletter.model import Batch, DeliveryState, Outcome, Receipt
from newsletter.providers import Provider
from newsletter.send import ledger
from newsletter.send.approval import all_latest, approve, latest, require
from newsletter.send.ledger import Envelope
from newsletter.send.lock import sole_sender
from newsletter.send.plan import Plan, Target, campaign_name, freeze, plan
from newsletter.store import Store
from newsletter.store.records import CampaignRecord

__all__ = [
    "Clock",
    "Envelope",
    "Plan",
    "Target",
    "all_latest",
    "approve",
    "campaign_name",
    "find",
    "freeze",
    "latest",
    "plan",
    "require",
    "submit",
]

#: How often a batch that was certainly not taken is tried again in one run, and the longest wait in seconds.
_ROUNDS = 5
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Clock:
    """The time and waiting for it: `now` in UTC, `sleep` in seconds, `jitter` a random part of some seconds."""

    now: Callable[[], dt.datetime]
    sleep: Callable[[float], None]
    jitter: Callable[[float], float]


def find(session: Session, name: str) -> CampaignRecord | None:
    """The campaign of that name, or None."""
    return session.scalar(select(CampaignRecord).where(CampaignRecord.name == name))


def get(session: Session, name: str) -> CampaignRecord:
    """The campaign of that name, or NotFound with the nearest."""
    campaign = find(session, name)
    if campaign is None:
        names = list(session.scalars(select(CampaignRecord.name)))
        raise NotFound(f'no campaign "{name}"', hint=nearest(name, names) or "newsletter campaigns list")
    return campaign


def submit(
    store: Store,
    campaign: CampaignRecord,
    envelope: Envelope,
    provider: Provider,
    clock: Clock,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Counter[DeliveryState]:
    """Submit what is pending, after settling what an earlier run left open; the counts by state at the end.

    Run again, it continues. Refused is raised, with everything written, when the provider takes nothing from
    us for good. `progress` is told how many deliveries each step has dealt with.
    """
    with sole_sender(store, campaign.name):
        _settle(store, campaign, envelope, provider, clock, progress)
        for attempt in range(_ROUNDS):
            wait = _round(store, campaign, envelope, provider, clock, progress)
            if wait is None or attempt == _ROUNDS - 1:
                break
            clock.sleep(min(_LONGEST_WAIT, max(wait, clock.jitter(2.0**attempt))))
    with store.read() as session:
        return ledger.counts(session, campaign.id)


def _settle(
    store: Store,
    campaign: CampaignRecord,
    envelope: Envelope,
    provider: Provider,
    clock: Clock,
    progress: Callable[[int], None],
) -> None:
    """Ask the provider what became of each batch that an earlier run left without an answer."""
    with store.read() as session:
        open_batches = ledger.interrupted(session, campaign, envelope)
    for batch in open_batches:
        try:
            receipts = provider.settle(batch)
        except (OutcomeUnknown, Unavailable) as fault:
            receipts = _all(batch, Outcome.UNKNOWN, fault.what)
        with store.write() as session:
            ledger.record(session, campaign.id, receipts, clock.now())
        progress(sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts))


def _round(
    store: Store,
    campaign: CampaignRecord,
    envelope: Envelope,
    provider: Provider,
    clock: Clock,
    progress: Callable[[int], None],
) -> float | None:
    """Go once through all batches with pending deliveries. Returns the seconds to wait before another round,
    or None when nothing was put off.
    """
    number, wait = 0, None
    while True:
        with store.write() as session:
            batch = ledger.claim(session, campaign, envelope, clock.now(), after=number)
        if batch is None:
            return wait
        number = batch.id
        if not batch.recipients:
            continue
        try:
            receipts, pause = _call(provider, batch)
        except Refused as fault:
            # The provider won't have us or what we send: nobody is to blame on the list, and it's for a person to mend.
            with store.write() as session:
                ledger.record(session, campaign.id, _all(batch, Outcome.DEFERRED, fault.what), clock.now())
            raise
        with store.write() as session:
            ledger.record(session, campaign.id, receipts, clock.now())
        deferred = sum(receipt.outcome is Outcome.DEFERRED for receipt in receipts)
        progress(len(receipts) - deferred)
        if deferred:
            wait = max(wait or 0.0, pause)
        if deferred == len(receipts):
            return wait  # the provider takes nothing now: the next batches would fare no better


def _call(provider: Provider, batch: Batch) -> tuple[list[Receipt], float]:
    """One provider call, every answer of it as receipts, and how many seconds the provider wants to rest."""
    try:
        return provider.send(batch), 0.0
    except Unavailable as fault:
        return _all(batch, Outcome.DEFERRED, fault.what), fault.retry_after or 0.0
    except OutcomeUnknown as fault:
        try:
            return provider.settle(batch), 0.0
        except (OutcomeUnknown, Unavailable):
            return _all(batch, Outcome.UNKNOWN, fault.what), 0.0


def _all(batch: Batch, outcome: Outcome, detail: str) -> list[Receipt]:
    return [Receipt(delivery=r.delivery, outcome=outcome, detail=detail) for r in batch.recipients]
