"""What follows from what providers tell, in whatever order they tell it: on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import random

import pytest
from sqlalchemy import select

from newsletter import audience
from newsletter.audience import Reason, Standing
from newsletter.config import FeedbackConfig
from newsletter.feedback import events_of, keep
from newsletter.feedback.effects import Effects
from newsletter.feedback.machines import Seen, machines
from newsletter.model import DeliveryState, Event, EventType
from newsletter.store import Store
from newsletter.store.records import (
    CampaignRecord,
    DeliveryRecord,
    SnapshotRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)
from tests.desk import NOW

LISTS = ("news", "rights")
CAMPAIGNS = 4
_number = itertools.count(1)


def hashed(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def fill(store: Store) -> None:
    """Two people on two lists; the first has a delivery in each of four campaigns, whose ids are 1 to 4."""
    with store.write() as session:
        for number, name in enumerate(("ana", "ben"), 1):
            session.add(SubscriberRecord(id=number, email=f"{name}@example.org", created_at=NOW, updated_at=NOW))
        session.flush()
        for number, listed in itertools.product((1, 2), LISTS):
            session.add(SubscriptionRecord(subscriber_id=number, list=listed, status=Standing.ACTIVE, changed_at=NOW))
        session.add(SnapshotRecord(id=1, issue="i", digest="", document="", approved_by="x", approved_at=NOW))
        session.flush()
        for number in range(1, CAMPAIGNS + 1):
            session.add(
                CampaignRecord(
                    id=number,
                    name=f"c{number}",
                    issue="i",
                    snapshot_id=1,
                    list="news",
                    provider="p",
                    nonce="",
                    created_at=NOW,
                )
            )
            session.flush()
            session.add(
                DeliveryRecord(
                    id=number,
                    campaign_id=number,
                    subscriber_id=1,
                    address="ana@example.org",
                    variant="default",
                    batch=1,
                    state=DeliveryState.SUBMITTED,
                    changed_at=NOW,
                )
            )


def told(kind: EventType, delivery: int | None = 1, *, days: float = 0, address: str = "", link: str = "") -> Event:
    at = NOW + dt.timedelta(days=days)
    return Event(id=f"e{next(_number)}", type=kind, at=at, delivery=delivery, address=address, detail=link)


def take(store: Store, *events: Event, **rules: float) -> None:
    effects = Effects(FeedbackConfig(**rules), hashed)  # type: ignore[arg-type]
    for event in events:
        with store.write() as session:
            effects.apply(session, "p", keep(session, "p", [event]), NOW)


def stops(store: Store) -> list[tuple[str | None, str]]:
    with store.read() as session:
        query = select(SuppressionRecord.email, SuppressionRecord.reason).order_by(SuppressionRecord.reason)
        return [(email, reason) for email, reason in session.execute(query)]


def standing(store: Store, subscriber: int = 1) -> dict[str, str]:
    with store.read() as session:
        return {row.list: row.status for row in audience.subscriptions(session, subscriber)}


@pytest.mark.parametrize(
    ("kind", "reason"), [(EventType.HARD_BOUNCE, Reason.HARD_BOUNCE), (EventType.COMPLAINT, Reason.COMPLAINT)]
)
def test_a_hard_bounce_or_a_complaint_stops_an_address_at_once(store: Store, kind: EventType, reason: Reason) -> None:
    fill(store)
    take(store, told(kind))
    assert stops(store) == [("ana@example.org", reason)]
    with store.read() as session:
        assert {row.email for row in session.execute(audience.mailable("rights", NOW))} == {"ben@example.org"}


def test_a_bounce_of_a_message_that_the_ledger_does_not_know_goes_by_its_address(store: Store) -> None:
    fill(store)
    take(
        store,
        told(EventType.HARD_BOUNCE, None, address="Ben@Example.org"),
        told(EventType.COMPLAINT, 99, address="cat@example.org"),
        told(EventType.HARD_BOUNCE, None, address="no address"),
    )
    assert stops(store) == [("cat@example.org", "complaint"), ("ben@example.org", "hard bounce")]


def test_who_leaves_by_the_provider_leaves_the_list_of_that_message(store: Store) -> None:
    fill(store)
    take(store, told(EventType.UNSUBSCRIBED))
    assert standing(store) == {"news": "unsubscribed", "rights": "active"}
    take(store, told(EventType.UNSUBSCRIBED, None, address="ben@example.org"))
    assert standing(store, 2) == {"news": "unsubscribed", "rights": "unsubscribed"}, "which list isn't known: all"


def test_soft_bounces_stop_an_address_after_separate_campaigns_only(store: Store) -> None:
    fill(store)
    soft = EventType.SOFT_BOUNCE
    take(store, told(soft, 1), told(soft, 1, days=1), told(soft, 1, days=2), told(soft, 2, days=30))
    assert stops(store) == [], "three in one campaign count once"
    take(store, told(soft, 3, days=60))
    assert stops(store) == [("ana@example.org", Reason.SOFT_BOUNCES)]


def test_a_message_that_arrived_after_all_counts_for_nothing(store: Store) -> None:
    fill(store)
    soft = EventType.SOFT_BOUNCE
    take(store, *(told(soft, number, days=number) for number in (1, 2, 3)))
    take(store, told(EventType.DELIVERED, 2, days=2.1))
    assert stops(store) == []
    take(store, told(soft, 4, days=4))
    assert stops(store) == [("ana@example.org", Reason.SOFT_BOUNCES)]


def test_a_hard_bounce_holds_though_soft_ones_are_forgiven(store: Store) -> None:
    fill(store)
    take(store, *(told(EventType.SOFT_BOUNCE, number) for number in (1, 2, 3)))
    take(store, told(EventType.HARD_BOUNCE, 4), told(EventType.DELIVERED, 1, days=1))
    assert stops(store) == [("ana@example.org", Reason.HARD_BOUNCE)]


def test_soft_bounces_that_lie_far_apart_stop_nobody(store: Store) -> None:
    fill(store)
    take(store, *(told(EventType.SOFT_BOUNCE, number, days=200 * number) for number in (1, 2, 3, 4)))
    assert stops(store) == []
    take(store, told(EventType.SOFT_BOUNCE, 2, days=210), soft_bounces=2, soft_bounce_days=201)
    assert stops(store) == [("ana@example.org", Reason.SOFT_BOUNCES)]


def test_a_stop_by_hand_is_not_let_go(store: Store) -> None:
    fill(store)
    with store.write() as session:
        audience.suppress(session, "ana@example.org", hashed("ana@example.org"), Reason.MANUAL, source="x", now=NOW)
    take(store, told(EventType.SOFT_BOUNCE, 1), told(EventType.DELIVERED, 1, days=1))
    assert stops(store) == [("ana@example.org", Reason.MANUAL)]


def test_in_whatever_order_and_however_often_they_come_the_end_is_the_same(empty_store: Store) -> None:
    from newsletter.store import upgrade
    from newsletter.store.records import Base

    upgrade(empty_store)
    store = empty_store
    kinds = [*EventType]
    chance = random.Random(11)
    for _ in range(12):
        stream = [
            told(
                chance.choice(kinds), chance.choice((1, 2, 3, 4)), days=chance.uniform(0, 90), link=chance.choice("abc")
            )
            for _ in range(12)
        ]
        ends = set()
        for _ in range(3):
            order = [*stream, *chance.sample(stream, 4)]
            chance.shuffle(order)
            with store.write() as session:
                for table in reversed(Base.metadata.sorted_tables):
                    session.execute(table.delete())
            fill(store)
            take(store, *order)
            with store.read() as session:
                marks = sorted(
                    event.id for number in (1, 2, 3, 4) for event in events_of(session, number) if event.machine
                )
            reasons = sorted({reason for _, reason in stops(store)} - {Reason.HARD_BOUNCE, Reason.COMPLAINT})
            stopped = bool(stops(store))
            ends.add(
                (stopped, tuple(marks), tuple(standing(store).items()), tuple(reasons) if not _hard(stream) else ())
            )
        assert len(ends) == 1, stream


def _hard(stream: list[Event]) -> bool:
    return any(event.type in (EventType.HARD_BOUNCE, EventType.COMPLAINT) for event in stream)


def seen(number: int, kind: EventType, seconds: float, link: str = "") -> Seen:
    return Seen(id=number, type=kind, at=NOW + dt.timedelta(seconds=seconds), link=link)


def test_what_happens_before_anybody_can_have_read_is_a_machines() -> None:
    events = [
        seen(1, EventType.DELIVERED, 0),
        seen(2, EventType.CLICKED, -2, "a"),
        seen(3, EventType.OPENED, 4),
        seen(4, EventType.OPENED, 40),
        seen(5, EventType.CLICKED, 55, "a"),
    ]
    assert machines(events, 10) == {2, 3}


def test_several_links_at_once_are_a_scanners_and_one_link_twice_is_a_person() -> None:
    at_once = [seen(number, EventType.CLICKED, 3_600 + number, link) for number, link in enumerate("abc", 1)]
    person = [seen(number, EventType.CLICKED, 9_000 + number, "a") for number in (7, 8, 9)]
    assert machines([*at_once, *person], 10) == {1, 2, 3}


def test_a_machines_clicks_are_marked_in_the_store_and_decide_no_test_of_subjects(store: Store) -> None:
    fill(store)
    take(store, told(EventType.CLICKED, 1, link="a"), told(EventType.DELIVERED, 1), told(EventType.CLICKED, 1, days=1))
    with store.read() as session:
        assert [(event.type, event.machine) for event in events_of(session, 1)] == [
            ("clicked", True),
            ("delivered", False),
            ("clicked", False),
        ]
