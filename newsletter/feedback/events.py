"""What providers told, kept once each, however often and in whatever order they told it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from newsletter.model import Event, EventType
from newsletter.store.records import DeliveryRecord, EventRecord


def keep(session: Session, provider: str, events: Iterable[Event]) -> int:
    """Write events down; how many are new. One of a delivery that isn't ours is kept without it."""
    events = list(events)
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
        }
        for event in events
    ]
    if not rows:
        return 0
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(EventRecord).values(rows).on_conflict_do_nothing().returning(EventRecord.id)
    return len(session.execute(statement).all())


def events_of(session: Session, delivery: int | None) -> list[Event]:
    """What was told of a delivery (or, with None, of nobody whom we know), in the order in which it happened."""
    query = select(EventRecord).where(EventRecord.delivery_id == delivery).order_by(EventRecord.at, EventRecord.id)
    return [
        Event(id=row.event, type=EventType(row.type), at=row.at, delivery=row.delivery_id, detail=row.detail)
        for row in session.scalars(query)
    ]
