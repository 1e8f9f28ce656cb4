"""The stored items."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import codec
from newsletter.errors import InputError, NotFound, nearest
from newsletter.model import Item, Photo, Place
from newsletter.store.records import ItemRecord

_JSON = ("photo", "topics", "places", "people")
_FIELDS = tuple(Item.__dataclass_fields__)


def _columns(item: Item) -> dict[str, Any]:
    return {name: codec.plain(getattr(item, name)) if name in _JSON else getattr(item, name) for name in _FIELDS}


def value_of(record: ItemRecord) -> Item:
    """The item of a row."""
    return Item(
        **{name: getattr(record, name) for name in _FIELDS if name not in _JSON},
        photo=codec.build(record.photo, Photo) if record.photo else None,
        topics=tuple(record.topics),
        places=codec.build(record.places, tuple[Place, ...]),
        people=tuple(record.people),
    )


def record_of(session: Session, slug: str) -> ItemRecord:
    """The row of that slug, or NotFound with the nearest."""
    record = session.scalar(select(ItemRecord).where(ItemRecord.slug == slug))
    if record is None:
        raise NotFound(f'no item "{slug}"', hint=nearest(slug, slugs(session)) or "newsletter items list")
    return record


def is_fresh(item: Item, today: dt.date, days: int) -> bool:
    """Whether an item can still be told: an event until it begins, a job until it closes, others for some days."""
    if item.facts.passes:
        return item.day is None or item.day >= today
    return today - item.date <= dt.timedelta(days=days)


def slugs(session: Session) -> set[str]:
    """The slugs of all items."""
    return set(session.scalars(select(ItemRecord.slug)))


def get(session: Session, slug: str) -> Item:
    """The item of that slug, or NotFound with the nearest."""
    return value_of(record_of(session, slug))


def find(session: Session, *, kind: str = "", topic: str = "", state: str = "", text: str = "") -> list[Item]:
    """Kept items, newest first, that match all that is given; `text` is looked for in slug, title and summary."""
    query = select(ItemRecord).where(ItemRecord.standing == "kept").order_by(ItemRecord.date.desc(), ItemRecord.slug)
    if kind:
        query = query.where(ItemRecord.kind == kind)
    found: Iterable[Item] = map(value_of, session.scalars(query))
    if topic:
        found = (item for item in found if topic.lower() in map(str.lower, item.topics))
    if state:
        found = (item for item in found if any(place.state == state for place in item.places))
    if text:
        wanted = text.lower()
        found = (item for item in found if wanted in f"{item.slug} {item.title} {item.summary}".lower())
    return list(found)


def add(session: Session, item: Item, now: dt.datetime) -> None:
    """Store a new item; its slug must be free."""
    if session.scalar(select(ItemRecord.id).where(ItemRecord.slug == item.slug)):
        raise InputError(f'there is an item "{item.slug}" already', hint="newsletter items edit, or another --slug")
    session.add(ItemRecord(**_columns(item), created_at=now, updated_at=now))


def replace(session: Session, slug: str, item: Item, now: dt.datetime) -> bool:
    """Put `item` in the place of the stored one; False when nothing differs."""
    record = record_of(session, slug)
    if value_of(record) == item:
        return False
    if item.slug != slug and item.slug in slugs(session):
        raise InputError(f'there is an item "{item.slug}" already')
    for name, value in _columns(item).items():
        setattr(record, name, value)
    record.updated_at = now
    return True


def remove(session: Session, slug: str) -> None:
    """Delete an item. Approved issues keep their own copy."""
    session.delete(record_of(session, slug))
