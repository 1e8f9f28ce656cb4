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
    BatchRecord,
    CampaignRecord,
    DeliveryRecord,
    SnapshotRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)
from newsletter.tokens import Marks
from tests.desk import NOW

LISTS = ("news", "rights")
CAMPAIGNS = 4
NONCE = "0123456789abcdef"
MARKS = Marks(b"the workspace's secret")
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
                    nonce=NONCE,
                    created_at=NOW,
                )
            )
            session.flush()
            session.add(BatchRecord(campaign_id=number, number=1, variant="default", provider="p", attempts=1))
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


def told(
    kind: EventType,
    delivery: int = 1,
    *,
    days: float = 0,
    address: str = "Ana@Example.org",
    link: str = "",
    **more: str,
) -> Event:
    at = NOW + dt.timedelta(days=days)
    mark = more.get("mark", MARKS.mark(more.get("nonce", NONCE), delivery))
    return Event(id=f"e{next(_number)}", type=kind, at=at, mark=mark, address=address, detail=link)


def take(store: Store, *events: Event, provider: str = "p", **rules: float) -> None:
    effects = Effects(FeedbackConfig(**rules), hashed)  # type: ignore[arg-type]
    for event in events:
        with store.write() as session:
            effects.apply(session, provider, keep(session, provider, [event], MARKS), NOW)


def state(store: Store, delivery: int = 1) -> str:
    with store.read() as session:
        return session.get_one(DeliveryRecord, delivery).state


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


STRANGE = {
    "a test or a letter of the service": {"mark": "test-0123456789abcdef-1"},
    "a bare number, of a program that numbers its messages": {"mark": "1"},
    "another installation's mark": {"mark": Marks(b"another secret").mark(NONCE, 1)},
    "another campaign's mark": {"nonce": "fedcba9876543210"},
    "another delivery's number with this one's signature": {"mark": MARKS.mark(NONCE, 1).replace("d1-", "d2-")},
    "another address": {"address": "stranger@other.example"},
    "no address": {"address": ""},
    "no mark": {"mark": ""},
    "a mark in capitals": {"mark": MARKS.mark(NONCE, 1).upper()},
    "a mark with something behind it": {"mark": MARKS.mark(NONCE, 1) + "\n"},
    "another provider of ours": {"provider": "q"},
}


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_not_certainly_about_a_delivery_of_ours_moves_nobody(store: Store, strange: str) -> None:
    fill(store)
    given = dict(STRANGE[strange])
    provider = given.pop("provider", "p")
    events = [told(kind, **given) for kind in EventType]  # type: ignore[arg-type]
    take(store, *events, provider=provider)
    assert stops(store) == []
    assert standing(store) == {"news": "active", "rights": "active"}
    assert state(store) == DeliveryState.SUBMITTED
    with store.read() as session:
        assert len(events_of(session, None)) == len(events), "they are kept, about nobody"


def test_what_older_releases_sent_counts_by_its_bare_number_where_provider_and_address_agree(store: Store) -> None:
    fill(store)
    with store.write() as session:
        session.get_one(CampaignRecord, 1).marked = False
    take(store, told(EventType.HARD_BOUNCE, mark="1", address="ben@example.org"))
    assert stops(store) == []
    take(store, told(EventType.HARD_BOUNCE, mark="1"))
    assert stops(store) == [("ana@example.org", Reason.HARD_BOUNCE)]


def test_who_leaves_by_the_provider_leaves_the_list_of_that_message(store: Store) -> None:
    fill(store)
    take(store, told(EventType.UNSUBSCRIBED))
    assert standing(store) == {"news": "unsubscribed", "rights": "active"}


def test_what_a_provider_drops_is_a_state_of_its_own_and_says_why(store: Store) -> None:
    fill(store)
    take(store, told(EventType.DROPPED, link="Bounced Address"))
    assert state(store) == DeliveryState.DROPPED
    with store.read() as session:
        assert session.get_one(DeliveryRecord, 1).error == "Bounced Address"
    assert stops(store) == [], "what follows of it is an event of its own"


@pytest.mark.parametrize("kind", [EventType.DELIVERED, EventType.HARD_BOUNCE, EventType.CLICKED])
def test_an_event_settles_a_delivery_that_was_unknown(store: Store, kind: EventType) -> None:
    fill(store)
    with store.write() as session:
        session.get_one(DeliveryRecord, 1).state = DeliveryState.UNKNOWN
        session.get_one(BatchRecord, (1, 1)).request = '{"recipients": []}'
    take(store, told(kind))
    assert state(store) == DeliveryState.SUBMITTED
    with store.read() as session:
        assert session.get_one(BatchRecord, (1, 1)).request == "", "and what the batch sent is forgotten"


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
    assert stops(store) == [], "what bounced before that delivery counts no more"
    take(store, told(soft, 1, days=5))
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
