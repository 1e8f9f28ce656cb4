"""Who may be mailed: people, lists, segments, consent and suppression."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from newsletter.audience.consent import (
    Confirmation,
    add_by_hand,
    confirm,
    held,
    lift,
    note_lifted,
    person_of,
    reason_of,
    request,
    subscribe,
    suppress,
    undo,
    unsubscribe,
)
from newsletter.audience.segments import Condition
from newsletter.audience.standing import Frequency, Reason, Standing
from newsletter.model import DeliveryState
from newsletter.store.records import (
    DeliveryRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)

__all__ = [
    "Confirmation",
    "Count",
    "Frequency",
    "Reason",
    "Standing",
    "add_by_hand",
    "confirm",
    "count",
    "find",
    "held",
    "lift",
    "mailable",
    "note_lifted",
    "paused",
    "person_of",
    "reason_of",
    "request",
    "subscribe",
    "subscriptions",
    "suppress",
    "undo",
    "unsubscribe",
    "unsuppressed",
]

_MAILED = (DeliveryState.SUBMITTING, DeliveryState.SUBMITTED, DeliveryState.UNKNOWN)


def unsuppressed(name: str) -> Condition:
    """The SQL condition that a subscriber's address is suppressed neither for a list nor altogether."""
    return ~exists().where(SuppressionRecord.email == SubscriberRecord.email, SuppressionRecord.list.in_(("", name)))


def paused(now: dt.datetime) -> Condition:
    """The SQL condition that a subscriber wants no mail now: they paused it, or have just had all they want."""

    def had(frequency: Frequency) -> Condition:
        since = now - dt.timedelta(days=frequency.days)
        return and_(
            SubscriberRecord.frequency == frequency,
            exists().where(
                DeliveryRecord.subscriber_id == SubscriberRecord.id,
                DeliveryRecord.state.in_(_MAILED),
                DeliveryRecord.changed_at > since,
            ),
        )

    until = func.coalesce(SubscriberRecord.paused_until, now) > now
    return or_(until, had(Frequency.WEEKLY), had(Frequency.MONTHLY))


def mailable(name: str, now: dt.datetime, *, where: Condition | None = None) -> Select[int, str]:
    """The id and address of everyone who is active on a list, in the segment if there's one, neither suppressed nor
    paused.
    """
    query = (
        select(SubscriberRecord.id, SubscriberRecord.email)
        .join(SubscriptionRecord, SubscriptionRecord.subscriber_id == SubscriberRecord.id)
        .where(SubscriptionRecord.list == name, SubscriptionRecord.status == Standing.ACTIVE)
        .where(unsuppressed(name), ~paused(now))
    )
    return query if where is None else query.where(where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """People on a list by standing. Of the active ones some are `suppressed`, others `paused`, and `mailable` the
    rest.
    """

    active: int
    pending: int
    unsubscribed: int
    suppressed: int
    paused: int

    @property
    def mailable(self) -> int:
        """How many would be mailed now."""
        return self.active - self.suppressed - self.paused


def count(session: Session, name: str, now: dt.datetime, *, where: Condition | None = None) -> Count:
    """Count the people on a list, in the segment if there's one."""
    query = (
        select(SubscriptionRecord.status, func.count())
        .join(SubscriberRecord, SubscriberRecord.id == SubscriptionRecord.subscriber_id)
        .where(SubscriptionRecord.list == name)
        .group_by(SubscriptionRecord.status)
    )
    query = query if where is None else query.where(where)
    found = dict(session.execute(query).all())
    active = found.get(Standing.ACTIVE, 0)
    reachable = dict(session.execute(query.where(unsuppressed(name))).all()).get(Standing.ACTIVE, 0)
    mailed = session.scalar(select(func.count()).select_from(mailable(name, now, where=where).subquery())) or 0
    return Count(
        active=active,
        pending=found.get(Standing.PENDING, 0),
        unsubscribed=found.get(Standing.UNSUBSCRIBED, 0),
        suppressed=active - reachable,
        paused=reachable - mailed,
    )


def suppressed_by_reason(session: Session, name: str, *, where: Condition | None = None) -> dict[str, int]:
    """Of the people on a list, in the segment if there's one, how many are suppressed, by reason."""
    query = (
        select(SuppressionRecord.reason, func.count())
        .join(SubscriberRecord, SubscriberRecord.email == SuppressionRecord.email)
        .join(SubscriptionRecord, SubscriptionRecord.subscriber_id == SubscriberRecord.id)
        .where(SubscriptionRecord.list == name, SubscriptionRecord.status == Standing.ACTIVE)
        .where(SuppressionRecord.list.in_(("", name)))
        .group_by(SuppressionRecord.reason)
    )
    rows = session.execute(query if where is None else query.where(where))
    return {str(reason): number for reason, number in rows}


def find(session: Session, email: str) -> SubscriberRecord | None:
    """The subscriber with that address, in the form that `addresses.normalize` gives."""
    return session.scalar(select(SubscriberRecord).where(SubscriberRecord.email == email))


def subscriptions(session: Session, subscriber: int, *, held: bool = False) -> list[SubscriptionRecord]:
    """Where a person stands on each list; `held` so that nobody else changes it meanwhile."""
    query = select(SubscriptionRecord).where(SubscriptionRecord.subscriber_id == subscriber)
    query = query.order_by(SubscriptionRecord.list)
    if held:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))
