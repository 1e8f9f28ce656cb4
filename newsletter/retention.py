"""What is not kept for ever: raw webhooks, requests, addresses in the ledger, and who never confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Text, cast, delete, exists, select, update
from sqlalchemy.orm import Session

from newsletter.audience import Standing
from newsletter.config import Retention
from newsletter.model import EventType
from newsletter.store.records import (
    ConsentRecord,
    DeliveryRecord,
    EventRecord,
    HookCallRecord,
    NoticeRecord,
    SubscriberRecord,
    SubscriptionRecord,
    WebhookRecord,
)

_PRIVATE = ("ip", "agent", "page")


def prune(session: Session, rules: Retention, now: dt.datetime) -> dict[str, int]:
    """Drop what is older than the settings say, 0 days meaning never; how many rows of each kind."""

    def before(days: int) -> dt.datetime:
        return now - dt.timedelta(days=days)

    dropped: dict[str, int] = {}
    if rules.webhooks_days:
        old = delete(WebhookRecord).where(WebhookRecord.received_at < before(rules.webhooks_days))
        dropped["webhooks"] = _rows(session, old)
    if rules.requests_days:
        since = before(rules.requests_days)
        notices = delete(NoticeRecord).where(NoticeRecord.created_at < since, NoticeRecord.due_at.is_(None))
        calls = delete(HookCallRecord).where(HookCallRecord.created_at < since, HookCallRecord.due_at.is_(None))
        dropped["requests"], dropped["hook calls"] = _rows(session, notices), _rows(session, calls)
    if rules.unconfirmed_days:
        dropped["unconfirmed people"] = _rows(session, _unconfirmed(before(rules.unconfirmed_days)))
    if rules.behaviour_days:
        acts = (EventType.OPENED, EventType.CLICKED)
        seen = delete(EventRecord).where(EventRecord.type.in_(acts), EventRecord.at < before(rules.behaviour_days))
        dropped["opens and clicks"] = _rows(session, seen)
    if rules.addresses_days:
        dropped["addresses in the ledger"] = _rows(session, _addresses(before(rules.addresses_days)))
    if rules.evidence_days:
        dropped["network addresses"] = _blank_evidence(session, before(rules.evidence_days))
    return dropped


def _unconfirmed(since: dt.datetime) -> Any:
    """Who asked to join and never confirmed, and stands on no list in any other way."""
    theirs = SubscriptionRecord.subscriber_id == SubscriberRecord.id
    fresh = (SubscriptionRecord.status != Standing.PENDING) | (SubscriptionRecord.changed_at >= since)
    return delete(SubscriberRecord).where(exists().where(theirs), ~exists().where(theirs, fresh))


def _addresses(since: dt.datetime) -> Any:
    """The addresses of messages that are long settled; the ledger still counts them."""
    return (
        update(DeliveryRecord)
        .where(DeliveryRecord.changed_at < since, DeliveryRecord.address != "")
        .where(DeliveryRecord.state.in_(("submitted", "refused", "withheld")))
        .values(address="")
    )


def _blank_evidence(session: Session, since: dt.datetime) -> int:
    """Take out of old evidence from where and with what somebody acted; when, and on which words, stays."""
    named = cast(ConsentRecord.evidence, Text).contains('"ip"')
    rows = session.scalars(select(ConsentRecord).where(ConsentRecord.at < since, named)).all()
    for row in rows:
        row.evidence = {key: value for key, value in row.evidence.items() if key not in _PRIVATE}
    return len(rows)


def _rows(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
