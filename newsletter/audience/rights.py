"""What a person may ask for: all that is held about them, and to be forgotten (GDPR, articles 15 and 17)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from newsletter.audience.fields import PROFILE
from newsletter.audience.standing import Reason
from newsletter.store import insert_new
from newsletter.store.records import (
    BatchRecord,
    CampaignRecord,
    ConsentRecord,
    DeliveryRecord,
    EventRecord,
    HookCallRecord,
    NoticeRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
    TagRecord,
    WebhookRecord,
)


def held(session: Session, person: SubscriberRecord) -> dict[str, Any]:
    """All that is held about a person, as plain values for JSON. Of webhooks as they came, whose bodies may tell of
    others too, it's the events that were in them.
    """
    history = select(ConsentRecord).where(ConsentRecord.subscriber_id == person.id).order_by(ConsentRecord.id)
    lists = select(SubscriptionRecord).where(SubscriptionRecord.subscriber_id == person.id)
    stops = select(SuppressionRecord).where(SuppressionRecord.email == person.email).order_by(SuppressionRecord.id)
    notices = select(NoticeRecord).where(NoticeRecord.address == person.email).order_by(NoticeRecord.id)
    return {
        "email": person.email,
        **{name: getattr(person, name) for name in PROFILE},
        "attributes": dict(person.attributes),
        "tags": tags(session, person.id),
        "frequency": person.frequency,
        "paused_until": person.paused_until,
        "consented_at": person.consented_at,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "lists": [
            {"list": row.list, "status": row.status, "confirmed_at": row.confirmed_at, "changed_at": row.changed_at}
            for row in session.scalars(lists.order_by(SubscriptionRecord.list))
        ],
        "suppressions": [
            {"list": row.list, "reason": row.reason, "source": row.source, "at": row.at}
            for row in session.scalars(stops)
        ],
        "history": [
            {"at": row.at, "list": row.list, "status": row.status, "source": row.source, "evidence": row.evidence}
            for row in session.scalars(history)
        ],
        "messages": _messages(session, person.id),
        "notices": [
            {"kind": row.kind, "asked_at": row.created_at, "outcome": row.outcome, **row.details}
            for row in session.scalars(notices)
        ],
    }


def tags(session: Session, subscriber: int) -> list[str]:
    """A person's tags, in alphabetical order."""
    return list(
        session.scalars(select(TagRecord.tag).where(TagRecord.subscriber_id == subscriber).order_by(TagRecord.tag))
    )


def _messages(session: Session, subscriber: int) -> list[dict[str, Any]]:
    events: dict[int, list[dict[str, Any]]] = {}
    told = (
        select(EventRecord)
        .join(DeliveryRecord, DeliveryRecord.id == EventRecord.delivery_id)
        .where(DeliveryRecord.subscriber_id == subscriber)
        .order_by(EventRecord.at, EventRecord.id)
    )
    for row in session.scalars(told):
        said = {"type": row.type, "at": row.at, "detail": row.detail, "by a machine": row.machine}
        events.setdefault(row.delivery_id or 0, []).append(said)
    query = (
        select(DeliveryRecord, CampaignRecord.issue)
        .join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
        .where(DeliveryRecord.subscriber_id == subscriber)
        .order_by(DeliveryRecord.id)
    )
    return [
        {
            "issue": issue,
            "address": row.address,
            "variant": row.variant,
            "state": row.state,
            "at": row.changed_at,
            "message_id": row.message_id,
            "events": events.get(row.id, []),
        }
        for row, issue in session.execute(query)
    ]


def forget(session: Session, person: SubscriberRecord, hashed: str, *, source: str, now: dt.datetime) -> None:
    """Erase a person. The ledger keeps that a message went out, not to whom; of the address the keyed hash stays, so
    that no later import brings it back.
    """
    email = person.email
    _drop_from_requests(session, person.id, email)
    deliveries = select(DeliveryRecord.id).where(DeliveryRecord.subscriber_id == person.id)
    session.execute(update(EventRecord).where(EventRecord.delivery_id.in_(deliveries)).values(detail=""))
    session.execute(
        update(DeliveryRecord)
        .where(DeliveryRecord.subscriber_id == person.id)
        .values(address="", message_id="", error="")
        .execution_options(synchronize_session=False)
    )
    asked = NoticeRecord.details["subscriber"].as_integer() == person.id
    session.execute(delete(NoticeRecord).where(or_(NoticeRecord.address == email, asked)))
    session.execute(delete(HookCallRecord).where(HookCallRecord.document.contains(email, autoescape=True)))
    _drop_webhooks(session, email)
    session.execute(delete(SuppressionRecord).where(SuppressionRecord.address_hash == hashed))
    mark = {"address_hash": hashed, "email": None, "list": "", "reason": Reason.ERASED, "source": source, "at": now}
    session.execute(insert_new(session, SuppressionRecord), [mark])
    session.execute(delete(SubscriberRecord).where(SubscriberRecord.id == person.id))


def _drop_from_requests(session: Session, subscriber: int, email: str) -> None:
    """Take somebody out of the stored requests of calls whose answer never came. Such a call can't be made again any
    more; who is left in it is looked up, or decided on by a person.
    """
    mine = (DeliveryRecord.subscriber_id == subscriber) & (DeliveryRecord.campaign_id == BatchRecord.campaign_id)
    query = select(BatchRecord).join(DeliveryRecord, mine & (DeliveryRecord.batch == BatchRecord.number))
    for batch in session.scalars(query.where(BatchRecord.request != "").with_for_update(of=BatchRecord)):
        request = json.loads(batch.request)
        request["recipients"] = [
            row for row in request["recipients"] if email not in json.dumps(row, ensure_ascii=False)
        ]
        batch.request = json.dumps(request, ensure_ascii=False)


def _drop_webhooks(session: Session, email: str) -> None:
    """Drop the calls that name an address; what they told is kept as events."""
    wanted = email.encode()
    rows = session.execute(select(WebhookRecord.id, WebhookRecord.body).execution_options(yield_per=1_000))
    named = [number for number, body in rows if wanted in body.lower()]
    for start in range(0, len(named), 500):
        session.execute(delete(WebhookRecord).where(WebhookRecord.id.in_(named[start : start + 500])))
