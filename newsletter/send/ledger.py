"""The ledger: every delivery in exactly one state, written before the wire.

pending -> submitting -> submitted | refused | unknown
   |           └-> pending        certainly not taken
   └-> withheld                   left or suppressed since planning
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from newsletter import codec
from newsletter.audience import Standing
from newsletter.merge import PERSONAL_FIELDS
from newsletter.model import Batch, DeliveryState, Outcome, Receipt, Recipient, Rendered
from newsletter.store.records import (
    BatchRecord,
    CampaignRecord,
    DeliveryRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)

_STATES = {
    Outcome.ACCEPTED: DeliveryState.SUBMITTED,
    Outcome.REFUSED: DeliveryState.REFUSED,
    Outcome.DEFERRED: DeliveryState.PENDING,
    Outcome.UNKNOWN: DeliveryState.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every batch of a campaign has in common, each variant's content by name, and how a subscriber's
    unsubscribe link is made.
    """

    campaign: str
    sender: str
    reply_to: str
    headers: tuple[tuple[str, str], ...]
    contents: Mapping[str, Rendered]
    unsubscribe_url: Callable[[int], str]


def counts(session: Session, campaign: int) -> Counter[DeliveryState]:
    """Deliveries of a campaign by state; a campaign's status is nothing but this."""
    query = select(DeliveryRecord.state, func.count()).where(DeliveryRecord.campaign_id == campaign)
    return Counter({DeliveryState(state): n for state, n in session.execute(query.group_by(DeliveryRecord.state))})


def claim(
    session: Session, campaign: CampaignRecord, envelope: Envelope, now: dt.datetime, after: int = 0
) -> Batch | None:
    """Take the next batch with pending deliveries, number > `after`; None when there's no more.

    Those who left since planning are withheld first. The exact request is stored before this returns, so
    that the caller must commit before the call. A batch in which everybody left comes back empty.
    """
    record = session.scalar(
        select(BatchRecord)
        .where(BatchRecord.campaign_id == campaign.id, BatchRecord.number > after)
        .where(
            exists().where(
                DeliveryRecord.campaign_id == BatchRecord.campaign_id,
                DeliveryRecord.batch == BatchRecord.number,
                DeliveryRecord.state == DeliveryState.PENDING,
            )
        )
        .order_by(BatchRecord.number)
        .limit(1)
        .with_for_update(skip_locked=True, of=BatchRecord)
    )
    if record is None:
        return None
    _withhold(session, campaign, record.number, now)
    recipients = _recipients(session, campaign.id, record.number, envelope)
    record.attempts += 1
    record.key = hashlib.sha256(f"{campaign.nonce}:{record.number}:{record.attempts}".encode()).hexdigest()
    record.tag = f"{campaign.nonce}-{record.number}-{record.attempts}"
    record.claimed_at = now.replace(microsecond=0)
    record.error = ""
    record.request = json.dumps(
        {
            "sender": envelope.sender,
            "reply_to": envelope.reply_to,
            "headers": envelope.headers,
            "recipients": codec.plain(recipients),
        },
        ensure_ascii=False,
    )
    _set_state(session, campaign.id, [r.delivery for r in recipients], DeliveryState.SUBMITTING, now)
    return _batch(record, envelope, recipients)


def interrupted(session: Session, campaign: CampaignRecord, envelope: Envelope) -> list[Batch]:
    """The batches whose call was made or may have been, and whose answer never came, as they were sent."""
    open_states = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
    query = select(DeliveryRecord.batch, DeliveryRecord.id).where(
        DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state.in_(open_states)
    )
    waiting: dict[int, set[int]] = {}
    for number, delivery in session.execute(query.order_by(DeliveryRecord.batch)):
        waiting.setdefault(number, set()).add(delivery)
    batches = []
    for number, deliveries in waiting.items():
        record = session.get_one(BatchRecord, (campaign.id, number))
        request = json.loads(record.request)
        recipients = codec.build(request["recipients"], tuple[Recipient, ...])
        batches.append(
            _batch(record, envelope, tuple(r for r in recipients if r.delivery in deliveries), request=request)
        )
    return batches


def record(session: Session, campaign: int, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """Write what a provider answered. A delivery that is settled already stays as it is."""
    table = DeliveryRecord.__table__
    statement = (
        update(DeliveryRecord)
        .where(table.c.id == bindparam("delivery"), table.c.campaign_id == campaign)
        .where(or_(table.c.state == DeliveryState.SUBMITTING, table.c.state == DeliveryState.UNKNOWN))
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
    if rows:
        session.connection().execute(statement, rows)


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
        content=envelope.contents[record.variant],
        headers=tuple((name, value) for name, value in given.get("headers", envelope.headers)),
        recipients=recipients,
    )


def _withhold(session: Session, campaign: CampaignRecord, number: int, now: dt.datetime) -> None:
    """Set aside whoever left the list, was suppressed or was deleted after the audience was frozen."""
    subscribed = exists().where(
        SubscriptionRecord.subscriber_id == DeliveryRecord.subscriber_id,
        SubscriptionRecord.list == campaign.list,
        SubscriptionRecord.status == Standing.ACTIVE,
    )
    suppressed = exists().where(SuppressionRecord.email == DeliveryRecord.address)
    session.execute(
        update(DeliveryRecord)
        .where(
            DeliveryRecord.campaign_id == campaign.id,
            DeliveryRecord.batch == number,
            DeliveryRecord.state == DeliveryState.PENDING,
            or_(~subscribed, suppressed),
        )
        .values(state=DeliveryState.WITHHELD, error="left after the plan", changed_at=now)
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
            DeliveryRecord.state == DeliveryState.PENDING,
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


def _set_state(
    session: Session, campaign: int, deliveries: Iterable[int], state: DeliveryState, now: dt.datetime
) -> None:
    rows = [{"delivery": delivery, "to": state, "at": now} for delivery in deliveries]
    if rows:
        session.connection().execute(
            update(DeliveryRecord)
            .where(DeliveryRecord.id == bindparam("delivery"), DeliveryRecord.campaign_id == campaign)
            .values(state=bindparam("to"), changed_at=bindparam("at"))
            .execution_options(synchronize_session=False),
            rows,
        )


def settle_by_hand(
    session: Session, campaign: int, state: DeliveryState, *, batch: int | None, now: dt.datetime
) -> int:
    """Write what a person found out about unknown deliveries; how many there were."""
    statement = (
        update(DeliveryRecord)
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.UNKNOWN)
        .values(state=state, error="settled by hand", changed_at=now)
        .execution_options(synchronize_session=False)
    )
    if batch is not None:
        statement = statement.where(DeliveryRecord.batch == batch)
    return session.connection().execute(statement).rowcount
