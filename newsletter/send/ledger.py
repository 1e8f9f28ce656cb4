"""The ledger: every delivery in exactly one state, written before the wire.

pending -> submitting -> submitted | refused | unknown
   |           └-> pending        certainly not taken
   └-> withheld                   left or suppressed since planning, or canceled

A batch is claimed as a whole and has one call under way or in question at a time: what of it was certainly not
taken, while the rest is unknown, goes on as a batch of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CursorResult, and_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from newsletter.audience import Standing
from newsletter.merge import PERSONAL_FIELDS, MergeText
from newsletter.model import Batch, DeliveryState, Outcome, Receipt, Recipient, Rendered
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every batch of a campaign has in common, each variant's content by name, the second subject where there's
    a test of two, and how a subscriber's unsubscribe link is made.
    """

    campaign: str
    sender: str
    reply_to: str
    headers: tuple[tuple[str, str], ...]
    contents: Mapping[str, Rendered]
    subject_b: MergeText | None
    unsubscribe_url: Callable[[int], str]


def counts(session: Session, campaign: int) -> Counter[DeliveryState]:
    """Deliveries of a campaign by state; a campaign's status is nothing but this."""
    query = select(DeliveryRecord.state, func.count()).where(DeliveryRecord.campaign_id == campaign)
    return Counter({DeliveryState(state): n for state, n in session.execute(query.group_by(DeliveryRecord.state))})


def next_ready(session: Session, campaign: int, number: int | None = None) -> dt.datetime | None:
    """When the next batch, or that of a number, may be claimed; None when there's none."""
    query = select(func.min(BatchRecord.ready_at)).where(BatchRecord.campaign_id == campaign)
    return session.scalar(query if number is None else query.where(BatchRecord.number == number))


def ready(session: Session, campaign: int, now: dt.datetime) -> list[int]:
    """The numbers of the batches that may be claimed now."""
    query = select(BatchRecord.number).where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at <= now)
    return list(session.scalars(query.order_by(BatchRecord.ready_at, BatchRecord.number)))


def claim(
    session: Session,
    campaign: CampaignRecord,
    envelope: Envelope,
    now: dt.datetime,
    *,
    worker: str = "",
    number: int | None = None,
) -> Batch | None:
    """Take the next batch that is ready, or the one of that number if it is; None when there's none.

    Those who left since planning are withheld first. The exact request is stored before this returns, so
    that the caller must commit before the call. A batch in which everybody left comes back empty.
    """
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.ready_at <= now)
    if number is not None:
        query = query.where(BatchRecord.number == number)
    order = query.order_by(BatchRecord.ready_at, BatchRecord.number).limit(1)
    record = session.scalar(order.with_for_update(skip_locked=True, of=BatchRecord))
    if record is None:
        return None
    _move(session, record, DeliveryState.PENDING, DeliveryState.SUBMITTING, now)
    _withhold(session, campaign, record.number, now)
    recipients = _recipients(session, campaign.id, record.number, envelope)
    record.attempts += 1
    record.key = hashlib.sha256(f"{campaign.nonce}:{record.number}:{record.attempts}".encode()).hexdigest()
    record.tag = f"{campaign.nonce}-{record.number}-{record.attempts}"
    record.claimed_at = now.replace(microsecond=0)
    record.worker, record.ready_at, record.error = worker, None, ""
    record.request = _request(envelope, recipients) if recipients else ""
    return _batch(record, envelope, recipients)


def interrupted(
    session: Session, campaign: int, living: Collection[str] = (), *, before: dt.datetime | None = None
) -> list[int]:
    """The numbers of the batches whose call was made or may have been, and whose answer never came: those in
    question (since before some time), and those that a worker has under way who isn't among the living.
    """
    unknown = DeliveryRecord.state == DeliveryState.UNKNOWN
    if before is not None:
        unknown = and_(unknown, DeliveryRecord.changed_at < before)
    orphaned = and_(DeliveryRecord.state == DeliveryState.SUBMITTING, BatchRecord.worker.not_in(living))
    query = (
        select(DeliveryRecord.batch)
        .distinct()
        .join(
            BatchRecord,
            (BatchRecord.campaign_id == DeliveryRecord.campaign_id) & (BatchRecord.number == DeliveryRecord.batch),
        )
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state.in_(OPEN))
        .where(or_(unknown, orphaned))
    )
    return list(session.scalars(query.order_by(DeliveryRecord.batch)))


def take_over(
    session: Session, campaign: CampaignRecord, number: int, envelope: Envelope, *, worker: str
) -> Batch | None:
    """An interrupted batch as it was sent, less those who are settled, now in this worker's hands; None when
    another has it.
    """
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.number == number)
    record = session.scalar(query.with_for_update(skip_locked=True))
    if record is None or not record.request:
        return None
    record.worker = worker
    opened = set(
        session.scalars(
            select(DeliveryRecord.id).where(
                DeliveryRecord.campaign_id == campaign.id,
                DeliveryRecord.batch == number,
                DeliveryRecord.state.in_(OPEN),
            )
        )
    )
    request = json.loads(record.request)
    told = (Recipient(delivery=d, address=address, values=values) for d, address, values in request["recipients"])
    return _batch(record, envelope, tuple(r for r in told if r.delivery in opened), request=request)


def record(
    session: Session,
    campaign: int,
    batch: Batch,
    receipts: Sequence[Receipt],
    now: dt.datetime,
    retry: Callable[[int], float],
) -> None:
    """Write what a provider answered. What it certainly didn't take may be claimed again after as many seconds as
    `retry` gives for the number of attempts.

    A delivery that is settled already stays as it is. An answer that comes when the batch has gone on without it
    is noted and changes nothing.
    """
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign, BatchRecord.number == batch.id)
    found = session.scalars(query.with_for_update()).one()
    if found.key != batch.key:
        found.error = f"an answer to an earlier call came at {now:%Y-%m-%d %H:%M:%S} UTC"
        return
    _write(session, found, receipts, now)
    query_states = select(DeliveryRecord.state).distinct().where(*_of(found))
    states = {DeliveryState(state) for state in session.scalars(query_states)}
    again = now + dt.timedelta(seconds=retry(found.attempts)) if DeliveryState.PENDING in states else None
    if not states.intersection(OPEN):
        found.request, found.ready_at = "", again
    elif again:
        _split(session, found, again)


def settle_by_hand(
    session: Session, campaign: int, state: DeliveryState, *, batch: int | None, now: dt.datetime
) -> int:
    """Write what a person found out about unknown deliveries; how many there were."""
    unknown = (DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.UNKNOWN)
    query = select(DeliveryRecord.batch).distinct().where(*unknown)
    numbers = list(session.scalars(query if batch is None else query.where(DeliveryRecord.batch == batch)))
    settled = 0
    for number in numbers:
        found = session.get_one(BatchRecord, (campaign, number), with_for_update=True)
        settled += _move(session, found, DeliveryState.UNKNOWN, state, now, "settled by hand")
        found.request = ""
        found.ready_at = now if state is DeliveryState.PENDING else None
    return settled


def _of(batch: BatchRecord) -> tuple[Any, ...]:
    return DeliveryRecord.campaign_id == batch.campaign_id, DeliveryRecord.batch == batch.number


def _move(
    session: Session, batch: BatchRecord, old: DeliveryState, new: DeliveryState, now: dt.datetime, error: str = ""
) -> int:
    """Bring all deliveries of a batch from one state to another; how many there were."""
    statement = update(DeliveryRecord).where(*_of(batch), DeliveryRecord.state == old)
    return _changed(session, statement.values(state=new, error=error, changed_at=now))


def _changed(session: Session, statement: Any) -> int:
    """Run an UPDATE in the database alone; how many rows it changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _write(session: Session, batch: BatchRecord, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """The receipts into the deliveries: in one statement when all say the same, as most do."""
    if not receipts:
        return
    open_ = (*_of(batch), DeliveryRecord.state.in_(OPEN))
    answers = {(r.outcome, r.message_id, r.detail) for r in receipts}
    everybody = session.scalar(select(func.count()).select_from(DeliveryRecord).where(*open_))
    if len(answers) == 1 and len(receipts) == everybody:
        ((outcome, message, detail),) = answers
        values = {"state": _STATES[outcome], "message_id": message, "error": detail, "changed_at": now}
        _changed(session, update(DeliveryRecord).where(*open_).values(values))
        return
    statement = (
        update(DeliveryRecord)
        .where(DeliveryRecord.id == bindparam("delivery"), *_of(batch))
        .where(or_(*(DeliveryRecord.state == state for state in OPEN)))
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
    last = select(func.max(BatchRecord.number)).where(BatchRecord.campaign_id == batch.campaign_id)
    number = (session.scalar(last) or 0) + 1
    new = {"campaign_id": batch.campaign_id, "number": number, "variant": batch.variant, "arm": batch.arm}
    empty = {"key": "", "tag": "", "request": "", "error": "", "worker": ""}
    session.execute(insert(BatchRecord).values(**new, **empty, attempts=batch.attempts, ready_at=ready_at))
    pending = update(DeliveryRecord).where(*_of(batch), DeliveryRecord.state == DeliveryState.PENDING)
    _changed(session, pending.values(batch=number))


def _request(envelope: Envelope, recipients: Sequence[Recipient]) -> str:
    request = {
        "sender": envelope.sender,
        "reply_to": envelope.reply_to,
        "headers": envelope.headers,
        "recipients": [(r.delivery, r.address, r.values) for r in recipients],
    }
    return json.dumps(request, ensure_ascii=False)


def _batch(
    record: BatchRecord, envelope: Envelope, recipients: tuple[Recipient, ...], request: dict[str, Any] | None = None
) -> Batch:
    given = request or {}
    return Batch(
        id=record.number,
        campaign=envelope.campaign,
        key=record.key,
        tag=record.tag,
        date=record.claimed_at or dt.datetime.min.replace(tzinfo=dt.UTC),
        sender=given.get("sender", envelope.sender),
        reply_to=given.get("reply_to", envelope.reply_to),
        content=_content(envelope, record),
        headers=tuple((name, value) for name, value in given.get("headers", envelope.headers)),
        recipients=recipients,
    )


def _content(envelope: Envelope, record: BatchRecord) -> Rendered:
    content = envelope.contents[record.variant]
    if record.arm == "b" and envelope.subject_b is not None:
        return replace(content, subject=envelope.subject_b)
    return content


def _withhold(session: Session, campaign: CampaignRecord, number: int, now: dt.datetime) -> None:
    """Set aside whoever left the list, paused, was suppressed or was deleted after the audience was frozen.

    Their deliveries are in `submitting` already, so that nothing else changes them meanwhile.
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
    session.execute(
        update(DeliveryRecord)
        .where(
            DeliveryRecord.campaign_id == campaign.id,
            DeliveryRecord.batch == number,
            DeliveryRecord.state == DeliveryState.SUBMITTING,
            or_(~subscribed, suppressed, paused),
        )
        .values(state=DeliveryState.WITHHELD, error="left or paused after the plan", changed_at=now)
        .execution_options(synchronize_session=False)
    )


def _recipients(session: Session, campaign: int, number: int, envelope: Envelope) -> tuple[Recipient, ...]:
    fields = [getattr(SubscriberRecord, name) for name in PERSONAL_FIELDS]
    query = (
        select(DeliveryRecord.id, DeliveryRecord.address, SubscriberRecord.id.label("subscriber"), *fields)
        .join(SubscriberRecord, SubscriberRecord.id == DeliveryRecord.subscriber_id)
        .where(
            DeliveryRecord.campaign_id == campaign,
            DeliveryRecord.batch == number,
            DeliveryRecord.state == DeliveryState.SUBMITTING,
        )
        .order_by(DeliveryRecord.id)
    )
    return tuple(
        Recipient(
            delivery=row["id"],
            address=row["address"],
            values={
                **{name: row[name] for name in PERSONAL_FIELDS if row[name]},
                "unsubscribe_url": envelope.unsubscribe_url(row["subscriber"]),
            },
        )
        for row in session.execute(query).mappings()
    )
