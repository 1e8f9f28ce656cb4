"""What is too old goes, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from newsletter import audience
from newsletter.audience import Standing
from newsletter.config import Retention
from newsletter.retention import prune
from newsletter.store import Store
from newsletter.store.records import (
    ConsentRecord,
    HookCallRecord,
    NoticeRecord,
    SubscriberRecord,
    SubscriptionRecord,
    WebhookRecord,
)
from tests.desk import NOW

OLD = NOW - dt.timedelta(days=31)
NEW = NOW - dt.timedelta(days=29)


def pruned(store: Store, **rules: int) -> dict[str, int]:
    with store.write() as session:
        return prune(session, Retention(**rules), NOW)


def left(store: Store, column: Any) -> list[Any]:
    with store.read() as session:
        return list(session.scalars(select(column).order_by(column)))


def test_raw_webhooks_and_requests_go_when_they_are_old_and_done(store: Store) -> None:
    with store.write() as session:
        for at in (OLD, NEW):
            session.add(WebhookRecord(provider="p", received_at=at, body=b"{}", events=1))
            for due in (None, NOW):
                session.add(
                    NoticeRecord(kind="join", address="a", language="en", created_at=at, due_at=due, attempts=0)
                )
                name = f"{at} {due}"[:64]
                session.add(
                    HookCallRecord(hook="h", identity=name, document="{}", created_at=at, due_at=due, attempts=0)
                )
    dropped = pruned(store)
    assert dropped == {"webhooks": 1, "requests": 1, "hook calls": 1, "unconfirmed people": 0}
    assert left(store, WebhookRecord.received_at) == [NEW]
    assert sorted(left(store, NoticeRecord.created_at)) == [OLD, NEW, NEW], "what isn't done stays"
    assert pruned(store) == dict.fromkeys(dropped, 0)


def test_who_never_confirmed_goes_and_who_stands_anywhere_else_stays(store: Store) -> None:
    people = {
        "never": [(Standing.PENDING, OLD)],
        "fresh": [(Standing.PENDING, NEW)],
        "both": [(Standing.PENDING, OLD), (Standing.ACTIVE, OLD)],
        "left": [(Standing.UNSUBSCRIBED, OLD)],
        "staff": [],
    }
    with store.write() as session:
        for name, lists in people.items():
            person = SubscriberRecord(email=name, created_at=OLD, updated_at=OLD)
            session.add(person)
            session.flush()
            for number, (status, at) in enumerate(lists):
                session.add(SubscriptionRecord(subscriber_id=person.id, list=str(number), status=status, changed_at=at))
    assert pruned(store)["unconfirmed people"] == 1
    assert left(store, SubscriberRecord.email) == ["both", "fresh", "left", "staff"]


def test_from_where_somebody_joined_goes_and_that_they_did_stays(store: Store) -> None:
    evidence = {"form": "subscribe page", "ip": "203.0.113.9", "agent": "Reader/1", "page": "https://x.example/"}
    with store.write() as session:
        person = SubscriberRecord(email="a@example.org", created_at=OLD, updated_at=OLD)
        session.add(person)
        session.flush()
        for name, at in (("old", OLD), ("new", NEW)):
            audience.subscribe(session, person.id, name, source="confirmed by mail", evidence=evidence, now=at)
    assert pruned(store, evidence_days=30)["network addresses"] == 1
    with store.read() as session:
        rows = session.scalars(select(ConsentRecord).order_by(ConsentRecord.at)).all()
    assert [row.evidence for row in rows] == [{"form": "subscribe page"}, evidence]
    assert pruned(store, evidence_days=30)["network addresses"] == 0


def test_with_0_days_everything_stays(store: Store) -> None:
    with store.write() as session:
        session.add(WebhookRecord(provider="p", received_at=OLD, body=b"{}", events=1))
    assert pruned(store, webhooks_days=0, requests_days=0, unconfirmed_days=0) == {}
    assert left(store, WebhookRecord.received_at) == [OLD]
