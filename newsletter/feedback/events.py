"""What providers told, kept once each, however often and in whatever order they told it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.model import Event, EventType
from newsletter.store import insert_new
from newsletter.store.records import DeliveryRecord, EventRecord

_PAGE = 1_000


def keep(session: Session, provider: str, events: Iterable[Event]) -> list[Event]:
    """Write events down; gives those that are new, each once. One of a delivery that isn't ours is kept without it."""
    fresh: list[Event] = []
    remaining = iter({event.id: event for event in events}.values())
    while page := list(itertools.islice(remaining, _PAGE)):
        fresh += _keep_page(session, provider, page)
    return fresh


def _keep_page(session: Session, provider: str, events: list[Event]) -> list[Event]:
    wanted = {event.delivery for event in events if event.delivery is not None}
    known = set(session.scalars(select(DeliveryRecord.id).where(DeliveryRecord.id.in_(wanted)))) if wanted else set()
    rows = [
        {
            "provider": provider,
            "event": event.id,
            "type": event.type,
            "delivery_id": event.delivery if event.delivery in known else None,
            "at": event.at,
            "detail": event.detail,
            "machine": event.machine,
        }
        for event in events
    ]
    new = set(session.scalars(insert_new(session, EventRecord).returning(EventRecord.event), rows))
    return [event for event in events if event.id in new]


def events_of(session: Session, delivery: int | None) -> list[Event]:
    """What was told of a delivery (or, with None, of nobody whom we know), in the order in which it happened."""
    query = select(EventRecord).where(EventRecord.delivery_id == delivery).order_by(EventRecord.at, EventRecord.id)
    return [
        Event(
            id=row.event,
            type=EventType(row.type),
            at=row.at,
            delivery=row.delivery_id,
            detail=row.detail,
            machine=row.machine,
        )
        for row in session.scalars(query)
    ]
