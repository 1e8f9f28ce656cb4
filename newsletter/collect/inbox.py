"""The inbox: what was collected and nobody has looked at yet.

An item waits in the inbox until somebody keeps or drops it. What waits or was dropped isn't drafted and can't
be named by an issue; what was dropped is remembered, so that the next pull doesn't bring it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.collect import items
from newsletter.errors import InputError
from newsletter.links import canonical
from newsletter.model import Item, address_of
from newsletter.store.records import ItemRecord

#: Of 100, how alike two titles are, whatever the order of their words, to be taken for the same story.
_ALIKE = 90


class Standing(StrEnum):
    """Where a stored item stands."""

    INBOX = "inbox"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item in the inbox, who or what sent it, since when it waits, and which items have almost its title."""

    item: Item
    source: str
    since: dt.datetime
    alike: tuple[str, ...]

    @property
    def lacks(self) -> str:
        """What has to be said of it before it's kept; empty when nothing."""
        photo = self.item.photo
        missing = (
            [name for name, value in (("alt text", photo.alt), ("a credit", photo.credit)) if not value]
            if photo
            else []
        )
        return " and ".join(missing)


@dataclass(frozen=True, slots=True)
class Known:
    """Addresses and titles of all items, kept, waiting and dropped, by which the same story is known again."""

    addresses: dict[str, str]
    places: dict[str, str]
    titles: dict[str, str]
    tracking: tuple[str, ...]

    @classmethod
    def of(cls, session: Session, tracking: Collection[str]) -> Known:
        """What the store knows."""
        rows = session.execute(select(ItemRecord.slug, ItemRecord.url, ItemRecord.title)).all()
        known = cls({}, {}, {}, tuple(tracking))
        for slug, url, title in rows:
            known.add(slug, url, title)
        return known

    def add(self, slug: str, url: str, title: str) -> None:
        """Know one more."""
        whole = canonical(url, self.tracking)
        self.addresses.setdefault(address_of(whole), slug)
        self.places.setdefault(_place_of(whole), slug)
        self.titles[slug] = default_process(title)

    def same(self, url: str) -> str:
        """The slug of the item with the same canonical address, or an empty text."""
        return self.addresses.get(address_of(canonical(url, self.tracking)), "")

    def same_place(self, url: str) -> str:
        """The slug of the item with the same address, an entry `changes#b` being another than `changes#a`."""
        whole = canonical(url, self.tracking)
        return self.places.get(_place_of(whole), "") or (self.same(url) if "#" not in whole else "")

    def has_title(self, title: str, slug: str) -> bool:
        """Whether an item has this title, by its words."""
        return self.titles.get(slug, "") == default_process(title)

    def alike(self, title: str, *, but: str = "") -> tuple[str, ...]:
        """The slugs of items with almost the same title, the likest first."""
        wanted = default_process(title)
        if not wanted:
            return ()
        found = process.extract(wanted, self.titles, scorer=fuzz.token_sort_ratio, score_cutoff=_ALIKE, limit=4)
        return tuple(slug for _, _, slug in found if slug != but)[:3]


def _place_of(url: str) -> str:
    return f"{address_of(url)}#{url.partition('#')[2]}"


def put(session: Session, item: Item, source: str, now: dt.datetime, *, standing: Standing = Standing.INBOX) -> None:
    """Store a collected item with who or what sent it."""
    items.add(session, item, now)
    record = items.record_of(session, item.slug)
    record.standing, record.source = standing, source


def waiting(session: Session, tracking: Collection[str]) -> list[Waiting]:
    """What waits in the inbox, the longest first."""
    known = Known.of(session, tracking)
    query = (
        select(ItemRecord).where(ItemRecord.standing == Standing.INBOX).order_by(ItemRecord.created_at, ItemRecord.id)
    )
    return [
        Waiting(items.value_of(record), record.source, record.created_at, known.alike(record.title, but=record.slug))
        for record in session.scalars(query)
    ]


def count(session: Session) -> int:
    """How many items wait."""
    return session.scalar(select(func.count()).where(ItemRecord.standing == Standing.INBOX)) or 0


def titles(session: Session) -> dict[str, str]:
    """The titles of the items that wait, by slug, the newest first."""
    query = select(ItemRecord.slug, ItemRecord.title).where(ItemRecord.standing == Standing.INBOX)
    return dict(session.execute(query.order_by(ItemRecord.date.desc(), ItemRecord.slug)).all())


def keep(session: Session, slug: str, now: dt.datetime) -> None:
    """Take an item out of the inbox, or a dropped one back; its picture needs alt text and a credit."""
    record = items.record_of(session, slug)
    found = Waiting(items.value_of(record), record.source, record.created_at, ())
    if found.lacks:
        hint = f'newsletter items edit {slug} --photo-alt "…" --photo-credit "…"'
        raise InputError(f"the picture of {slug} lacks {found.lacks}", hint=hint)
    record.standing, record.updated_at = Standing.KEPT, now


def drop(session: Session, slug: str) -> None:
    """Put an item aside for good; it's remembered, so that it isn't collected again."""
    items.record_of(session, slug).standing = Standing.DROPPED
