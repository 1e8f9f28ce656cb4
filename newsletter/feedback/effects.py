"""What follows from what providers tell: who is never mailed again, who left, what was dropped, which clicks count.

A reader's state is moved only by an event that is certainly about a delivery to that reader (see events).

Every effect is a function of all the events that are kept, so that late, doubled and re-ordered ones come to the same.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience import Reason
from newsletter.config import FeedbackConfig
from newsletter.feedback.machines import Seen, machines
from newsletter.model import DeliveryState, Event, EventType
from newsletter.providers.smtp_faults import speaks_of_sender
from newsletter.send import decisions
from newsletter.store.records import CampaignRecord, DeliveryRecord, EventRecord, SubscriberRecord

_STOPS = {EventType.HARD_BOUNCE: Reason.HARD_BOUNCE, EventType.COMPLAINT: Reason.COMPLAINT}
_ACTS = (EventType.DELIVERED, EventType.OPENED, EventType.CLICKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """Whom a delivery was for, of which list, and in which campaign."""

    subscriber: int | None
    address: str
    list: str


class Effects:
    """Applies new events to the audience; `hash_address` gives the keyed hash of an address."""

    def __init__(self, rules: FeedbackConfig, hash_address: Callable[[str], str]) -> None:
        self._rules = rules
        self._hash = hash_address

    def apply(self, session: Session, provider: str, events: Collection[Event], now: dt.datetime) -> None:
        """Apply events that have just been kept."""
        about = {event.delivery for event in events if event.delivery is not None}
        deliveries = _deliveries(session, about)
        if about:
            decisions.prove(session, about, now)
        for event in events:
            delivery = deliveries.get(event.delivery or 0)
            if delivery is None:
                continue
            if event.type in _STOPS and delivery.address:
                self._suppress(session, delivery.address, _STOPS[event.type], provider, now)
            elif event.type is EventType.UNSUBSCRIBED and delivery.subscriber is not None:
                audience.unsubscribe(session, delivery.subscriber, delivery.list, source=provider, now=now)
            elif event.type is EventType.DROPPED:
                _drop(session, event, now)
        self._count_soft_bounces(session, _concerned(events, deliveries), provider, now)
        acted = {event.delivery for event in events if event.type in _ACTS and event.delivery in deliveries}
        self._mark_machines(session, {number for number in acted if number is not None})

    def _suppress(self, session: Session, address: str, reason: Reason, provider: str, now: dt.datetime) -> None:
        audience.suppress(session, address, self._hash(address), reason, source=provider, now=now, tell=True)

    def _count_soft_bounces(self, session: Session, people: Collection[int], provider: str, now: dt.datetime) -> None:
        """Suppress whoever bounced softly in enough campaigns; let go whose message arrived after all."""
        if not people:
            return
        bounces = _soft_bounces(session, people)
        if not bounces:
            return
        rows = session.execute(
            select(SubscriberRecord.id, SubscriberRecord.email).where(SubscriberRecord.id.in_(bounces))
        )
        for person, address in rows:
            if self._too_many(bounces[person]):
                self._suppress(session, address, Reason.SOFT_BOUNCES, provider, now)
            else:
                audience.lift(session, self._hash(address), reason=Reason.SOFT_BOUNCES)

    def _too_many(self, times: Iterable[dt.datetime]) -> bool:
        """Whether so many campaigns bounced within the time that counts."""
        ordered, needed = sorted(times), self._rules.soft_bounces
        span = dt.timedelta(days=self._rules.soft_bounce_days)
        return any(last - first <= span for first, last in zip(ordered, ordered[needed - 1 :], strict=False))

    def _mark_machines(self, session: Session, deliveries: Collection[int]) -> None:
        if not deliveries:
            return
        query = select(EventRecord.id, EventRecord.delivery_id, EventRecord.type, EventRecord.at, EventRecord.detail)
        query = query.where(EventRecord.delivery_id.in_(deliveries), EventRecord.type.in_(_ACTS))
        by_delivery: dict[int, list[Seen]] = defaultdict(list)
        for number, delivery, kind, at, link in session.execute(query):
            by_delivery[delivery or 0].append(Seen(id=number, type=EventType(kind), at=at, link=link))
        found = {number for seen in by_delivery.values() for number in machines(seen, self._rules.machine_seconds)}
        if found:
            session.execute(
                update(EventRecord)
                .where(EventRecord.id.in_(found))
                .values(machine=True)
                .execution_options(synchronize_session=False)
            )


def _deliveries(session: Session, numbers: Collection[int]) -> dict[int, _Delivery]:
    if not numbers:
        return {}
    query = (
        select(DeliveryRecord.id, DeliveryRecord.subscriber_id, DeliveryRecord.address, CampaignRecord.list)
        .join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
        .where(DeliveryRecord.id.in_(numbers))
    )
    return {
        number: _Delivery(subscriber=subscriber, address=address, list=name)
        for number, subscriber, address, name in session.execute(query)
    }


def _drop(session: Session, event: Event, now: dt.datetime) -> None:
    """The provider had accepted a message, and won't deliver it."""
    row = update(DeliveryRecord).where(
        DeliveryRecord.id == event.delivery,
        DeliveryRecord.state.in_((DeliveryState.SUBMITTED, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)),
    )
    dropped = row.values(state=DeliveryState.DROPPED, error=event.detail or "dropped by the provider", changed_at=now)
    session.execute(dropped.execution_options(synchronize_session=False))


def _concerned(events: Iterable[Event], deliveries: dict[int, _Delivery]) -> set[int]:
    """The people whose soft bounces may now count differently."""
    kinds = (EventType.SOFT_BOUNCE, EventType.DELIVERED)
    told = (deliveries.get(event.delivery or 0) for event in events if event.type in kinds)
    return {delivery.subscriber for delivery in told if delivery is not None and delivery.subscriber is not None}


def _last_arrivals(session: Session, people: Collection[int]) -> dict[int, dt.datetime]:
    """When a message was last delivered to each person, of those to whom any was."""
    query = (
        select(DeliveryRecord.subscriber_id, func.max(EventRecord.at))
        .join(EventRecord, EventRecord.delivery_id == DeliveryRecord.id)
        .where(DeliveryRecord.subscriber_id.in_(people), EventRecord.type == EventType.DELIVERED)
        .group_by(DeliveryRecord.subscriber_id)
    )
    return {person: at for person, at in session.execute(query) if person is not None}


def _soft_bounces(session: Session, people: Collection[int]) -> dict[int, list[dt.datetime]]:
    """For each person who has any: when the campaigns bounced whose messages never arrived, since a message last did. A
    bounce that speaks of us, of our address on a blocklist, say, is nobody's.
    """
    query = (
        select(
            DeliveryRecord.subscriber_id,
            DeliveryRecord.id,
            DeliveryRecord.campaign_id,
            EventRecord.at,
            EventRecord.detail,
        )
        .join(EventRecord, EventRecord.delivery_id == DeliveryRecord.id)
        .where(DeliveryRecord.subscriber_id.in_(people), EventRecord.type == EventType.SOFT_BOUNCE)
    )
    rows = session.execute(query).all()
    numbers = {row.id for row in rows}
    arrived = select(EventRecord.delivery_id).where(EventRecord.type == EventType.DELIVERED)
    done = set(session.scalars(arrived.where(EventRecord.delivery_id.in_(numbers)))) if numbers else set()
    last = _last_arrivals(session, {person for person, *_ in rows if person is not None})
    first: dict[int, dict[int, dt.datetime]] = defaultdict(dict)
    for person, number, campaign, at, detail in rows:
        campaigns = first[person or 0]
        since = last.get(person or 0)
        if number not in done and (since is None or at > since) and not speaks_of_sender(detail):
            campaigns[campaign] = min(at, campaigns.get(campaign, at))
    return {person: list(campaigns.values()) for person, campaigns in first.items()}
