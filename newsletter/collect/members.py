"""The roster: people whom issues speak of, with their office, place and address."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import InputError, NotFound, nearest
from newsletter.model import Issue, Member, Picture, Place, PolicyEntry, Prose, Story
from newsletter.store.records import MemberRecord

_PLAIN = ("slug", "name", "title", "email")


@dataclass(frozen=True, slots=True)
class Mention:
    """One place in an issue that speaks of a member: the section's heading, and what it says there."""

    member: Member
    section: str
    block: Prose | Picture | Story | PolicyEntry


def _columns(member: Member) -> dict[str, Any]:
    place = {"state": member.place.state, "locality": member.place.locality}
    return {**{name: getattr(member, name) for name in _PLAIN}, **place, "aliases": list(member.aliases)}


def _value(record: MemberRecord) -> Member:
    place = Place(state=record.state, locality=record.locality)
    return Member(**{name: getattr(record, name) for name in _PLAIN}, place=place, aliases=tuple(record.aliases))


def _record(session: Session, slug: str) -> MemberRecord:
    record = session.scalar(select(MemberRecord).where(MemberRecord.slug == slug))
    if record is None:
        raise NotFound(f'no member "{slug}"', hint=nearest(slug, slugs(session)) or "newsletter members list")
    return record


def slugs(session: Session) -> set[str]:
    """The slugs of all members."""
    return set(session.scalars(select(MemberRecord.slug)))


def get(session: Session, slug: str) -> Member:
    """The member of that slug, or NotFound with the nearest."""
    return _value(_record(session, slug))


def find(session: Session, *, state: str = "", text: str = "") -> list[Member]:
    """Members by name; `text` is looked for in name, aliases and title."""
    found = map(_value, session.scalars(select(MemberRecord).order_by(MemberRecord.name, MemberRecord.slug)))
    return [
        member
        for member in found
        if (not state or member.place.state == state)
        and text.lower() in f"{' '.join(member.names)} {member.title}".lower()
    ]


def add(session: Session, member: Member, now: dt.datetime) -> None:
    """Store a new member; the slug must be free."""
    if member.slug in slugs(session):
        hint = "newsletter members edit, or another --slug"
        raise InputError(f'there is a member "{member.slug}" already', hint=hint)
    session.add(MemberRecord(**_columns(member), created_at=now, updated_at=now))


def replace(session: Session, slug: str, member: Member, now: dt.datetime) -> bool:
    """Put `member` in the place of the stored one; False when nothing differs."""
    record = _record(session, slug)
    if _value(record) == member:
        return False
    if member.slug != slug and member.slug in slugs(session):
        raise InputError(f'there is a member "{member.slug}" already')
    for name, value in _columns(member).items():
        setattr(record, name, value)
    record.updated_at = now
    return True


def remove(session: Session, slug: str) -> None:
    """Delete a member from the roster."""
    session.delete(_record(session, slug))


def mentions(issue: Issue, roster: Iterable[Member]) -> list[Mention]:
    """Where an issue speaks of whom: among an entry's people or sponsors, or by name in what is said."""
    known = [(member, re.compile("|".join(rf"\b{re.escape(name)}\b" for name in member.names))) for member in roster]
    return [
        Mention(member, section.heading, block)
        for section in issue.sections
        for block in section.blocks
        for member, pattern in known
        if any(pattern.search(text) for text in _told(block))
    ]


def _told(block: Prose | Picture | Story | PolicyEntry) -> Iterator[str]:
    match block:
        case Story():
            yield from (*block.item.people, block.headline, block.blurb)
        case PolicyEntry():
            yield from (*block.policy.sponsors, block.headline, block.blurb)
        case Prose():
            yield block.markdown
        case Picture():
            yield block.photo.alt
