"""What events and people say of deliveries: unknown ones that went out or didn't, refused ones that are tried again,
pending ones that another provider takes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from newsletter.audience import Reason
from newsletter.model import DeliveryState, EventType
from newsletter.send import ledger
from newsletter.send.stored_calls import route_of
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord, EventRecord, SuppressionRecord


def prove(session: Session, deliveries: Collection[int], now: dt.datetime) -> None:
    """The provider has told something of these: those that were unknown were accepted, and those that are to be sent
    once more, since they were thought not to have been, aren't.
    """
    unproved = DeliveryRecord.state.in_((DeliveryState.UNKNOWN, DeliveryState.PENDING))
    unknown = (DeliveryRecord.id.in_(deliveries), unproved)
    batches = session.execute(select(DeliveryRecord.campaign_id, DeliveryRecord.batch).distinct().where(*unknown)).all()
    values = {"state": DeliveryState.SUBMITTED, "error": "told by the provider's events", "changed_at": now}
    for campaign, number in batches:
        found = ledger.lock(session, campaign, number)
        ledger.run_update(session, update(DeliveryRecord).where(*ledger.of_batch(found), *unknown).values(values))
        if not any(ledger.states_of(session, found)[state] for state in ledger.OPEN):
            found.request = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InQuestion:
    """What settling by hand would be about: unknown deliveries, and those of them of which the provider's events prove
    that they were accepted.
    """

    unknown: int
    proved: int


def _unknown_of(campaign: int, batch: int | None) -> tuple[Any, ...]:
    where = (DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.UNKNOWN)
    return where if batch is None else (*where, DeliveryRecord.batch == batch)


def under_way(session: Session, campaign: int, batch: int | None, living: Collection[str]) -> bool:
    """Whether one of the living has a call with unknown deliveries in its hands, so that nobody else may decide."""
    query = select(BatchRecord.number).where(
        BatchRecord.campaign_id == campaign,
        BatchRecord.worker.in_(living),
        exists().where(DeliveryRecord.batch == BatchRecord.number, *_unknown_of(campaign, batch)),
    )
    return session.scalar(query.limit(1)) is not None


def in_question(session: Session, campaign: int, batch: int | None = None) -> InQuestion:
    """How many deliveries are unknown, and how many of them are proved by events."""
    told = exists().where(EventRecord.delivery_id == DeliveryRecord.id)
    query = select(func.count()).select_from(DeliveryRecord).where(*_unknown_of(campaign, batch))
    return InQuestion(unknown=session.scalar(query) or 0, proved=session.scalar(query.where(told)) or 0)


def settle_by_hand(
    session: Session, campaign: int, state: DeliveryState, *, batch: int | None, now: dt.datetime
) -> int:
    """Write what a person found out about unknown deliveries; how many there were. Those that events prove were
    accepted become submitted whatever the person says.
    """
    told = exists().where(EventRecord.delivery_id == DeliveryRecord.id)
    proved = update(DeliveryRecord).where(*_unknown_of(campaign, batch), told)
    proved_now = {"state": DeliveryState.SUBMITTED, "error": "told by the provider's events", "changed_at": now}
    ledger.run_update(session, proved.values(**proved_now))
    numbers = list(session.scalars(select(DeliveryRecord.batch).distinct().where(*_unknown_of(campaign, batch))))
    settled = 0
    for number in numbers:
        found = ledger.lock(session, campaign, number)
        settled += ledger.move(session, found, DeliveryState.UNKNOWN, state, now, "settled by hand")
        ledger.withhold_canceled(session, found, now)
        pending = ledger.states_of(session, found)[DeliveryState.PENDING] > 0
        # An answer to the call that comes after all is a late one, and still counts where it says "accepted".
        found.request, found.error, found.key = "", "", found.key if not pending else ""
        found.ready_at = now if pending else None
    return settled


#: Nobody of these has the message, and none is on the way.
NOT_REACHED = (DeliveryState.REFUSED, DeliveryState.DROPPED)


def suppressed_by(session: Session, campaign: CampaignRecord, batch: int | None, reason: str) -> list[str]:
    """The addresses that the campaign's own refusals suppressed, at the moment when they came."""
    where = [DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state == DeliveryState.REFUSED]
    where += [DeliveryRecord.batch == batch] if batch is not None else []
    where += [DeliveryRecord.error.icontains(reason, autoescape=True)] if reason else []
    query = (
        select(DeliveryRecord.address)
        .join(SuppressionRecord, SuppressionRecord.email == DeliveryRecord.address)
        .where(*where, SuppressionRecord.list == "", SuppressionRecord.reason == Reason.HARD_BOUNCE)
        .where(SuppressionRecord.source == campaign.provider, SuppressionRecord.at == DeliveryRecord.changed_at)
    )
    return list(session.scalars(query))


def retry_refused(
    session: Session, campaign: CampaignRecord, now: dt.datetime, *, batch: int | None, reason: str, dry_run: bool
) -> Counter[str]:
    """Make refused and dropped deliveries pending again, those of one batch or whose reason holds a word if wanted; how
    many, by reason. Whoever has the issue from another campaign by now is left out, and of whom the provider has told
    anything but that it was dropped.
    """
    other = aliased(DeliveryRecord)
    has = exists().where(
        other.subscriber_id == DeliveryRecord.subscriber_id,
        other.issue == campaign.issue,
        other.id != DeliveryRecord.id,
        other.state.not_in((*NOT_REACHED, DeliveryState.WITHHELD)),
    )
    told = exists().where(EventRecord.delivery_id == DeliveryRecord.id, EventRecord.type != EventType.DROPPED)
    where = [DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state.in_(NOT_REACHED), ~has, ~told]
    where += [DeliveryRecord.batch == batch] if batch is not None else []
    where += [DeliveryRecord.error.icontains(reason, autoescape=True)] if reason else []
    query = select(DeliveryRecord.batch, DeliveryRecord.error, func.count()).where(*where)
    rows = session.execute(query.group_by(DeliveryRecord.batch, DeliveryRecord.error)).all()
    if not dry_run:
        for number in sorted({number for number, *_ in rows}):
            found = ledger.lock(session, campaign.id, number)
            fresh = ledger.new_batch(session, found, now)
            rest = update(DeliveryRecord).where(*where, DeliveryRecord.batch == number)
            ledger.run_update(session, rest.values(state=DeliveryState.PENDING, batch=fresh, changed_at=now))
    counted: Counter[str] = Counter()
    for _, error, count in rows:
        counted[error] += count
    return counted


def cut_anew(session: Session, campaign: CampaignRecord, size: int) -> int:
    """Make new batches of `size` of all that's pending of a campaign, for another provider; how many deliveries."""
    pending = (DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state == DeliveryState.PENDING)
    numbers = select(DeliveryRecord.batch).distinct().where(*pending)
    old = session.scalars(
        select(BatchRecord)
        .where(BatchRecord.campaign_id == campaign.id, BatchRecord.number.in_(numbers))
        .order_by(BatchRecord.number)
        .with_for_update()
    ).all()
    moved = 0
    for batch in old:
        rows = select(DeliveryRecord.id).where(*pending, DeliveryRecord.batch == batch.number)
        deliveries = list(session.scalars(rows.order_by(DeliveryRecord.id)))
        for start in range(0, len(deliveries), size):
            # What waits for a winner or for its time goes on waiting.
            number = ledger.new_batch(session, batch, batch.ready_at)
            part = update(DeliveryRecord).where(*pending, DeliveryRecord.id.in_(deliveries[start : start + size]))
            ledger.run_update(session, part.values(batch=number))
        batch.ready_at = None
        moved += len(deliveries)
    return moved


def kinds_of(session: Session, campaign: CampaignRecord) -> set[tuple[str, str]]:
    """The providers that a campaign's calls were given to, or would be, each with the type that it had then; the type
    is empty where no call has said it.
    """
    query = select(BatchRecord.provider, BatchRecord.route).distinct().where(BatchRecord.campaign_id == campaign.id)
    called = [(slug, route_of(route)) for slug, route in session.execute(query) if slug]
    found = {(slug, route.type if route else "") for slug, route in called}
    return found if any(slug == campaign.provider for slug, _ in found) else {*found, (campaign.provider, "")}
