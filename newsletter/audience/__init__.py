"""Who may be mailed: people, lists, segments, consent and suppression."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from newsletter.audience.people import Reason, Standing
from newsletter.audience.segments import Condition
from newsletter.store.records import ConsentRecord, SubscriberRecord, SubscriptionRecord, SuppressionRecord

__all__ = ["Count", "Reason", "Standing", "count", "mailable", "suppress", "unsubscribe", "unsuppressed"]


def unsuppressed() -> Condition:
    """The SQL condition that a subscriber's address is not suppressed."""
    return ~exists().where(SuppressionRecord.email == SubscriberRecord.email)


def mailable(name: str, *, where: Condition | None = None) -> Select[int, str]:
    """The id and address of everyone who is active on a list, in the segment if there's one, not suppressed."""
    query = (
        select(SubscriberRecord.id, SubscriberRecord.email)
        .join(SubscriptionRecord, SubscriptionRecord.subscriber_id == SubscriberRecord.id)
        .where(SubscriptionRecord.list == name, SubscriptionRecord.status == Standing.ACTIVE, unsuppressed())
    )
    return query if where is None else query.where(where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """People on a list by standing; `suppressed` are those active but suppressed, `mailable` the rest."""

    active: int
    pending: int
    unsubscribed: int
    suppressed: int

    @property
    def mailable(self) -> int:
        """How many would be mailed now."""
        return self.active - self.suppressed


def count(session: Session, name: str, *, where: Condition | None = None) -> Count:
    """Count the people on a list, in the segment if there's one."""
    query = (
        select(SubscriptionRecord.status, func.count())
        .join(SubscriberRecord, SubscriberRecord.id == SubscriptionRecord.subscriber_id)
        .where(SubscriptionRecord.list == name)
        .group_by(SubscriptionRecord.status)
    )
    reachable = mailable(name, where=where).subquery()
    found = dict(session.execute(query if where is None else query.where(where)).all())
    active = found.get(Standing.ACTIVE, 0)
    mailed = session.scalar(select(func.count()).select_from(reachable)) or 0
    return Count(
        active=active,
        pending=found.get(Standing.PENDING, 0),
        unsubscribed=found.get(Standing.UNSUBSCRIBED, 0),
        suppressed=active - mailed,
    )


def suppressed_by_reason(session: Session, name: str, *, where: Condition | None = None) -> dict[str, int]:
    """Of the people on a list, in the segment if there's one, how many are suppressed, by reason."""
    query = (
        select(SuppressionRecord.reason, func.count())
        .join(SubscriberRecord, SubscriberRecord.email == SuppressionRecord.email)
        .join(SubscriptionRecord, SubscriptionRecord.subscriber_id == SubscriberRecord.id)
        .where(SubscriptionRecord.list == name, SubscriptionRecord.status == Standing.ACTIVE)
        .group_by(SuppressionRecord.reason)
    )
    rows = session.execute(query if where is None else query.where(where))
    return {str(reason): number for reason, number in rows}


def unsubscribe(session: Session, subscriber: int, name: str, *, source: str, now: dt.datetime) -> bool:
    """Take a person off a list; False when there was nothing to change. Doing it twice is as once."""
    record = session.get(SubscriptionRecord, (subscriber, name), with_for_update=True)
    if record is None or record.status == Standing.UNSUBSCRIBED:
        return False
    record.status = Standing.UNSUBSCRIBED
    record.changed_at = now
    session.add(
        ConsentRecord(
            subscriber_id=subscriber, list=name, status=Standing.UNSUBSCRIBED, at=now, source=source, evidence={}
        )
    )
    return True


def suppress(session: Session, email: str, hashed: str, reason: Reason, *, source: str, now: dt.datetime) -> bool:
    """Never mail an address again; False when it was suppressed already."""
    known = select(SuppressionRecord.id).where(SuppressionRecord.address_hash == hashed)
    if session.scalar(known):
        return False
    session.add(SuppressionRecord(address_hash=hashed, email=email, reason=reason, source=source, at=now))
    return True


def find(session: Session, email: str) -> SubscriberRecord | None:
    """The subscriber with that address, in the form that `addresses.normalize` gives."""
    return session.scalar(select(SubscriberRecord).where(SubscriberRecord.email == email))


def subscriptions(session: Session, subscriber: int) -> list[SubscriptionRecord]:
    """Where a person stands on each list."""
    query = select(SubscriptionRecord).where(SubscriptionRecord.subscriber_id == subscriber)
    return list(session.scalars(query.order_by(SubscriptionRecord.list)))
