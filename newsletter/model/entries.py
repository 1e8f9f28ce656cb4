"""What is stored: items and policies, with their places, pictures and dates."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.model.kinds import Kind, kind_of
from newsletter.model.provisions import Provision


class Status(StrEnum):
    """Where a policy stands. Enacted, in effect and enforced are different days."""

    PROPOSED = "proposed"
    INTRODUCED = "introduced"
    IN_COMMITTEE = "in committee"
    PASSED = "passed"
    ENACTED = "enacted"
    IN_EFFECT = "in effect"
    ENFORCED = "enforced"
    VETOED = "vetoed"
    REPEALED = "repealed"
    CHALLENGED = "challenged in court"
    UPHELD = "upheld"
    STRUCK_DOWN = "struck down"
    PREEMPTED = "preempted"


class Level(StrEnum):
    """The level of government that a policy belongs to."""

    CITY = "city"
    COUNTY = "county"
    SCHOOL = "school district"
    STATE = "state"
    FEDERAL = "federal"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A state (two letters; empty for the nation) and, within it, a county or city (may be empty)."""

    state: str = ""
    locality: str = ""

    def __str__(self) -> str:
        return ", ".join(p for p in (self.locality, self.state) if p)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture.

    `name` is its public file name (content hash and ending), `file` where the bytes lie now, relative to
    the workspace; `width` and `height` are the file's own, in pixels.
    """

    name: str
    file: str
    width: int
    height: int
    alt: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A stored story. `kind` is a name of the table of kinds. `date` is the day of the story; an event has `starts`
    (local text time in `time`).
    """

    slug: str
    kind: str
    title: str
    url: str
    summary: str = ""
    date: dt.date
    photo: Photo | None = None
    topics: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    people: tuple[str, ...] = ()
    outlet: str = ""
    author: str = ""
    starts: dt.date | None = None
    ends: dt.date | None = None
    time: str = ""
    venue: str = ""
    closes: dt.date | None = None

    @property
    def facts(self) -> Kind:
        """What is known of its kind; InputError where nothing is."""
        return kind_of(self.kind)

    @property
    def day(self) -> dt.date | None:
        """The day that counts: its own, its first, or the one on which it closes; None where that isn't known."""
        return {"date": self.date, "starts": self.starts, "closes": self.closes}[self.facts.dated_by]

    @property
    def last_day(self) -> dt.date | None:
        """The day after which it's over; None for what never is, or where that isn't known."""
        if not self.facts.passes:
            return None
        return (self.ends or self.starts) if self.facts.dated_by == "starts" else self.closes


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One dated step in a policy's history, with where it's told and a note."""

    status: Status
    date: dt.date
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A labelled link: coverage of a policy, a press release."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy followed over time. `number` is its bill or ordinance number, `url` its own text (may be
    empty), `history` its statuses and `provisions` what it provides, both oldest first.
    """

    slug: str
    title: str
    place: Place
    level: Level
    number: str = ""
    url: str = ""
    summary: str = ""
    topics: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    photo: Photo | None = None
    history: tuple[StatusChange, ...] = ()
    provisions: tuple[Provision, ...] = ()

    def latest(self, day: dt.date) -> StatusChange | None:
        """The last change on or before `day`; of several on one day, the one recorded last."""
        past = [change for change in self.history if change.date <= day]
        return sorted(past, key=lambda change: change.date)[-1] if past else None

    def scheduled(self, day: dt.date) -> bool:
        """Whether a step that was set ahead, of its history or of what it provides, lies in the month of `day`."""
        steps = (*(change.date for change in self.history), *(one.date for one in self.provisions))
        return any(date > day and (date.year, date.month) == (day.year, day.month) for date in steps)

    def moved(self, since: dt.date, until: dt.date) -> tuple[StatusChange, ...]:
        """The changes from `since` to `until`, both days included, oldest first."""
        return tuple(c for c in self.history if since <= c.date <= until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody whom issues speak of: `title` is their office, `aliases` other spellings of the name."""

    slug: str
    name: str
    title: str = ""
    place: Place = Place()
    email: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name, then other spellings of it."""
        return (self.name, *self.aliases)


def address_of(url: str) -> str:
    """A link in the form in which two are compared: without scheme, `www.`, fragment and a last slash.

    What can't be taken apart, such as `https://[tbd].org`, is compared as it is.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")
