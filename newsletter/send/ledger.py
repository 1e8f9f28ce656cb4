"""The ledger: every delivery in exactly one state, written before the wire.

pending -> submitting -> submitted | refused | unknown
   |           └-> pending        certainly not taken
   └-> withheld                   left or suppressed since planning, or canceled

A batch is claimed as a whole and has one call under way or in question at a time: what of it was certainly not
taken, while the rest is unknown, goes on as a batch of its own. What was accepted stays accepted, whenever the answer
comes and whatever happens after it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, defer

from newsletter.audience import Standing
from newsletter.merge import PERSONAL_FIELDS, reader_links
from newsletter.model import Call, DeliveryState, Outcome, Receipt, Recipient, Route
from newsletter.send import stored_calls
from newsletter.send.stored_calls import Envelope
from newsletter.store.records import (
    BatchRecord,
    CampaignRecord,
    DeliveryRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)

#: States in which a call was made, or may have been, and its answer isn't known.
OPEN = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
_STATES = {
    Outcome.ACCEPTED: DeliveryState.SUBMITTED,
    Outcome.REFUSED: DeliveryState.REFUSED,
    Outcome.DEFERRED: DeliveryState.PENDING,
    Outcome.UNKNOWN: DeliveryState.UNKNOWN,
}
_BLANK = {"key": "", "tag": "", "request": "", "error": "", "worker": "", "provider": "", "route": ""}
_CANCELED = "canceled"


def counts(session: Session, campaign: int) -> Counter[DeliveryState]:
    """Deliveries of a campaign by state; a campaign's status is nothing but this."""
    return _counted(session, DeliveryRecord.campaign_id == campaign)


def states(session: Session, campaign: int, deliveries: Collection[int]) -> Counter[DeliveryState]:
    """Some deliveries of a campaign by state."""
    return _counted(session, DeliveryRecord.campaign_id == campaign, DeliveryRecord.id.in_(deliveries))


def _counted(session: Session, *where: ColumnElement[bool]) -> Counter[DeliveryState]:
    query = select(DeliveryRecord.state, func.count()).where(*where).group_by(DeliveryRecord.state)
    return Counter({DeliveryState(state): n for state, n in session.execute(query)})


def next_ready(session: Session, campaign: int, number: int | None = None) -> dt.datetime | None:
    """When the next batch, or that of a number, may be claimed; None when there's none."""
    query = select(BatchRecord.ready_at, CampaignRecord.starts_at).join(CampaignRecord)
    query = query.where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at.is_not(None))
    query = query.order_by(BatchRecord.ready_at, BatchRecord.number).limit(1)
    found = session.execute(query if number is None else query.where(BatchRecord.number == number)).first()
    return max(filter(None, found)) if found else None


def attempted(session: Session, campaign: int) -> bool:
    """Whether any call of a campaign was made."""
    query = select(BatchRecord.number).where(BatchRecord.campaign_id == campaign, BatchRecord.attempts > 0)
    return session.scalar(query.limit(1)) is not None


def ready(session: Session, campaign: int, now: dt.datetime) -> list[int]:
    """The numbers of the batches that may be claimed now."""
    query = select(BatchRecord.number).join(CampaignRecord)
    query = query.where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at <= now, has_started(now))
    return list(session.scalars(query.order_by(BatchRecord.ready_at, BatchRecord.number)))


def has_started(now: dt.datetime) -> ColumnElement[bool]:
    """Whether a campaign's time has come, if it has one: whatever people do to it before, nothing goes earlier."""
    return or_(CampaignRecord.starts_at.is_(None), CampaignRecord.starts_at <= now)


def mailable(campaign: CampaignRecord, now: dt.datetime) -> ColumnElement[bool]:
    """Whether a delivery's person is still to be mailed: active on the list, not paused, and not suppressed. Somebody
    who was erased is nobody's delivery any more.
    """
    subscribed = exists().where(
        SubscriptionRecord.subscriber_id == DeliveryRecord.subscriber_id,
        SubscriptionRecord.list == campaign.list,
        SubscriptionRecord.status == Standing.ACTIVE,
    )
    suppressed = exists().where(
        SuppressionRecord.email == DeliveryRecord.address, SuppressionRecord.list.in_(("", campaign.list))
    )
    paused = exists().where(SubscriberRecord.id == DeliveryRecord.subscriber_id, SubscriberRecord.paused_until > now)
    return and_(subscribed, ~suppressed, ~paused)


def claim(
    session: Session,
    campaign: CampaignRecord,
    envelope: Envelope,
    now: dt.datetime,
    *,
    route: Route,
    worker: str = "",
    number: int | None = None,
    most: int | None = None,
) -> Call | None:
    """Take the next batch that is ready, or the one of that number if it is, with `most` messages at most; None when
    there's none.

    Those who left since planning are withheld first. The exact request is stored before this returns, so
    that the caller must commit before the call. A batch in which everybody left comes back empty.
    """
    query = select(BatchRecord).join(CampaignRecord)
    query = query.where(BatchRecord.campaign_id == campaign.id, BatchRecord.ready_at <= now, has_started(now))
    if number is not None:
        query = query.where(BatchRecord.number == number)
    order = query.order_by(BatchRecord.ready_at, BatchRecord.number).limit(1)
    record = session.scalar(order.with_for_update(skip_locked=True, of=BatchRecord))
    if record is None:
        return None
    if most is not None:
        _cut(session, record, most, now)
    taken = case((mailable(campaign, now), DeliveryState.SUBMITTING.value), else_=DeliveryState.WITHHELD.value)
    pending = update(DeliveryRecord).where(*of_batch(record), DeliveryRecord.state == DeliveryState.PENDING)
    looked_at = run_update(session, pending.values(state=taken, error="", changed_at=now))
    recipients = _recipients(session, campaign.id, record.number, envelope)
    if len(recipients) < looked_at:
        withheld = update(DeliveryRecord).where(*of_batch(record), DeliveryRecord.state == DeliveryState.WITHHELD)
        run_update(session, withheld.where(DeliveryRecord.error == "").values(error="left or paused after the plan"))
    record.attempts += 1
    record.key = hashlib.sha256(f"{campaign.nonce}:{record.number}:{record.attempts}".encode()).hexdigest()
    record.tag = f"{campaign.nonce}-{record.number}-{record.attempts}"
    record.claimed_at = now.replace(microsecond=0)
    record.called_at = now
    record.provider, record.route = campaign.provider, stored_calls.route_text(route)
    record.worker, record.ready_at, record.error = worker, None, ""
    record.request = stored_calls.request_of(envelope, recipients) if recipients else ""
    return stored_calls.call_of(record, envelope, recipients)


def named(session: Session, campaign: int, number: int, key: str, envelope: Envelope) -> Call:
    """A call of a batch by its key alone, as far as recording its answers needs it."""
    return replace(stored_calls.call_of(session.get_one(BatchRecord, (campaign, number)), envelope, ()), key=key)


def write(session: Session, campaign: int, call: Call, receipts: Sequence[Receipt], now: dt.datetime) -> BatchRecord:
    """Write what is certain of a call that may still be under way; its batch.

    A delivery that is settled already stays as it is. An answer that comes when the batch has gone on without it still
    counts where it says "accepted".
    """
    found = lock(session, campaign, call.batch)
    if found.key == call.key:
        _write(session, found, receipts, now)
    else:
        _write_late(session, found, receipts, now)
    return found


def record(
    session: Session,
    campaign: int,
    call: Call,
    receipts: Sequence[Receipt],
    now: dt.datetime,
    retry: Callable[[int], float],
) -> Counter[DeliveryState]:
    """Write what came of a call that has ended; how many of it are pending again, and how many unknown. What it
    certainly didn't take may be claimed again after as many seconds as `retry` gives for the number of attempts.
    """
    found = write(session, campaign, call, receipts, now)
    if found.key != call.key:
        return states(session, campaign, [recipient.delivery for recipient in call.recipients])
    withhold_canceled(session, found, now)
    found.worker = ""
    left = states_of(session, found)
    again = now + dt.timedelta(seconds=retry(found.attempts)) if left[DeliveryState.PENDING] else None
    if not any(left[state] for state in OPEN):
        found.request, found.ready_at = "", again
    elif again:
        _split(session, found, again)
    return left


def bisect(session: Session, campaign: int, call: Call, suspects: Collection[int], now: dt.datetime) -> None:
    """Make two batches of one that was refused for one of its recipients: those whom the provider names and the others,
    or else two halves. Nobody of it was taken.
    """
    found = lock(session, campaign, call.batch)
    if found.key != call.key:
        return
    move(session, found, DeliveryState.SUBMITTING, DeliveryState.PENDING, now)
    withhold_canceled(session, found, now)
    found.request, found.ready_at = "", now
    deliveries = [recipient.delivery for recipient in call.recipients]
    apart = [delivery for delivery in deliveries if delivery in suspects]
    if not 0 < len(apart) < len(deliveries):
        apart = deliveries[len(deliveries) // 2 :]
    _move_out(session, found, apart, now)


def take_back(session: Session, campaign: int, deliveries: Collection[int], now: dt.datetime) -> None:
    """Refusals that turn out to be hardly the readers' fault: pending again, in batches of their own."""
    refused = (
        DeliveryRecord.campaign_id == campaign,
        DeliveryRecord.id.in_(deliveries),
        DeliveryRecord.state == DeliveryState.REFUSED,
    )
    for number in session.scalars(select(DeliveryRecord.batch).distinct().where(*refused)).all():
        fresh = new_batch(session, lock(session, campaign, number), now)
        rows = update(DeliveryRecord).where(*refused, DeliveryRecord.batch == number)
        run_update(session, rows.values(state=DeliveryState.PENDING, batch=fresh, error="", changed_at=now))


def _cut(session: Session, batch: BatchRecord, most: int, now: dt.datetime) -> None:
    """Leave so many messages in a batch that is about to be claimed, and make a batch of the others."""
    pending = select(DeliveryRecord.id).where(*of_batch(batch), DeliveryRecord.state == DeliveryState.PENDING)
    others = list(session.scalars(pending.order_by(DeliveryRecord.id).offset(most)))
    if others:
        _move_out(session, batch, others, now)


def _move_out(session: Session, batch: BatchRecord, deliveries: Sequence[int], ready_at: dt.datetime) -> None:
    number = new_batch(session, batch, ready_at)
    these = update(DeliveryRecord).where(*of_batch(batch), DeliveryRecord.id == bindparam("delivery"))
    rows = these.values(batch=number).execution_options(synchronize_session=False)
    session.connection().execute(rows, [{"delivery": delivery} for delivery in deliveries])


def lock(session: Session, campaign: int, number: int) -> BatchRecord:
    """A batch, nobody else's to change until the transaction ends."""
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign, BatchRecord.number == number)
    # The request is as long as the call, and nobody here reads it.
    return session.scalars(query.with_for_update().options(defer(BatchRecord.request))).one()


def states_of(session: Session, batch: BatchRecord) -> Counter[DeliveryState]:
    """Deliveries of a batch by state."""
    return _counted(session, *of_batch(batch))


def of_batch(batch: BatchRecord) -> tuple[Any, ...]:
    """The condition for a batch's deliveries."""
    return DeliveryRecord.campaign_id == batch.campaign_id, DeliveryRecord.batch == batch.number


def withhold_canceled(session: Session, batch: BatchRecord, now: dt.datetime) -> None:
    """What wasn't taken of a canceled campaign never will be."""
    canceled = select(CampaignRecord.canceled_at).where(CampaignRecord.id == batch.campaign_id)
    if session.scalar(canceled) is not None:
        move(session, batch, DeliveryState.PENDING, DeliveryState.WITHHELD, now, _CANCELED)


def move(
    session: Session, batch: BatchRecord, old: DeliveryState, new: DeliveryState, now: dt.datetime, error: str = ""
) -> int:
    """Bring all deliveries of a batch from one state to another; how many there were."""
    statement = update(DeliveryRecord).where(*of_batch(batch), DeliveryRecord.state == old)
    return run_update(session, statement.values(state=new, error=error, changed_at=now))


def run_update(session: Session, statement: Any) -> int:
    """Run an UPDATE in the database alone; how many rows it changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _write(session: Session, batch: BatchRecord, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """The receipts into the deliveries: in one statement when all say the same, as most do."""
    if not receipts:
        return
    open_ = (*of_batch(batch), DeliveryRecord.state.in_(OPEN))
    answers = {(r.outcome, r.message_id, r.detail) for r in receipts}
    everybody = session.scalar(select(func.count()).select_from(DeliveryRecord).where(*open_))
    if len(answers) == 1 and len(receipts) == everybody:
        ((outcome, message, detail),) = answers
        values = {"state": _STATES[outcome], "message_id": message, "error": detail, "changed_at": now}
        run_update(session, update(DeliveryRecord).where(*open_).values(values))
    else:
        _write_each(session, receipts, now, (*of_batch(batch), or_(*(DeliveryRecord.state == state for state in OPEN))))


def _write_late(session: Session, batch: BatchRecord, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """An answer to an earlier call of a batch that has gone on: "accepted" wins over pending and unknown."""
    accepted = [receipt for receipt in receipts if receipt.outcome is Outcome.ACCEPTED]
    batch.error = f"an answer to an earlier call came at {now:%Y-%m-%d %H:%M:%S} UTC: {len(accepted)} accepted"
    states = (DeliveryState.PENDING, DeliveryState.UNKNOWN)
    mine = (DeliveryRecord.campaign_id == batch.campaign_id, or_(*(DeliveryRecord.state == state for state in states)))
    _write_each(session, accepted, now, mine)


def _write_each(session: Session, receipts: Sequence[Receipt], now: dt.datetime, where: tuple[Any, ...]) -> None:
    if not receipts:
        return
    statement = (
        update(DeliveryRecord)
        .where(DeliveryRecord.id == bindparam("delivery"), *where)
        .values(
            state=bindparam("to"),
            message_id=bindparam("message"),
            error=bindparam("detail"),
            changed_at=bindparam("at"),
        )
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"delivery": r.delivery, "to": _STATES[r.outcome], "message": r.message_id, "detail": r.detail, "at": now}
        for r in receipts
    ]
    session.connection().execute(statement, rows)


def _split(session: Session, batch: BatchRecord, ready_at: dt.datetime) -> None:
    """Give what is pending of a batch a number of its own, so that a new call doesn't blur what the old one was."""
    number = new_batch(session, batch, ready_at)
    pending = update(DeliveryRecord).where(*of_batch(batch), DeliveryRecord.state == DeliveryState.PENDING)
    run_update(session, pending.values(batch=number))


def new_batch(session: Session, like: BatchRecord, ready_at: dt.datetime | None) -> int:
    """Begin an empty batch with the content of another; its number."""
    last = select(func.max(BatchRecord.number)).where(BatchRecord.campaign_id == like.campaign_id)
    number = (session.scalar(last) or 0) + 1
    new = {"campaign_id": like.campaign_id, "number": number, "variant": like.variant, "arm": like.arm, **_BLANK}
    session.execute(insert(BatchRecord).values(**new, attempts=like.attempts, ready_at=ready_at))
    return number


def _recipients(session: Session, campaign: int, number: int, envelope: Envelope) -> tuple[Recipient, ...]:
    fields = [getattr(SubscriberRecord, name) for name in PERSONAL_FIELDS]
    query = (
        select(DeliveryRecord.id, DeliveryRecord.address, SubscriberRecord.id, *fields)
        .join(SubscriberRecord, SubscriberRecord.id == DeliveryRecord.subscriber_id)
        .where(
            DeliveryRecord.campaign_id == campaign,
            DeliveryRecord.batch == number,
            DeliveryRecord.state == DeliveryState.SUBMITTING,
        )
        .order_by(DeliveryRecord.id)
    )
    names, link, mark = tuple(PERSONAL_FIELDS), envelope.unsubscribe_url, envelope.mark
    recipients = []
    for delivery, address, subscriber, *known in session.connection().execute(query).all():
        values = {name: value for name, value in zip(names, known, strict=True) if value}
        values |= reader_links(link(subscriber))
        recipients.append(Recipient(delivery=delivery, address=address, values=values, mark=mark(delivery)))
    return tuple(recipients)
