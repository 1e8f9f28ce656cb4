"""What templates say of dates, items and policies, in words.

Months are spelled here and not by the C library, whose answer depends on the machine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from slugify import slugify

from newsletter.config import Publication
from newsletter.markdown import plain
from newsletter.model import (
    Block,
    Issue,
    Item,
    Kind,
    Level,
    Place,
    Policy,
    PolicyEntry,
    Section,
    Status,
    StatusChange,
    Story,
)
from newsletter.places import state_name

__all__ = [
    "anchor",
    "byline",
    "day",
    "deadline",
    "first_covered",
    "group",
    "headlines",
    "kicker",
    "link_words",
    "long_day",
    "month",
    "month_abbr",
    "moves",
    "other_steps",
    "place_words",
    "places",
    "policy_link",
    "runs",
    "safe_url",
    "said",
    "when",
]

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
# Before these, a bill is not yet law; after the last, it never will be.
_NO_LAW = {Status.PROPOSED, Status.INTRODUCED, Status.IN_COMMITTEE, Status.PASSED, Status.VETOED}
_BALLOT = re.compile(r"\b(amendment|initiative|measure|prop|proposition|question|referendum)\b", re.IGNORECASE)

#: The kinds of move that a round-up tells, each with its statuses.
GROUPS: dict[str, frozenset[Status]] = {
    "Passed or enacted": frozenset({Status.PASSED, Status.ENACTED}),
    "In effect or enforced": frozenset({Status.IN_EFFECT, Status.ENFORCED}),
    "Proposed or moving": frozenset({Status.PROPOSED, Status.INTRODUCED, Status.IN_COMMITTEE}),
    "In court, vetoed or preempted": frozenset(
        {
            *(Status.VETOED, Status.REPEALED, Status.CHALLENGED),
            *(Status.UPHELD, Status.STRUCK_DOWN, Status.PREEMPTED),
        }
    ),
}
_SHORT = ("passed", "effect", "moving", "court")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One change of one policy, as an entry of the issue tells it."""

    entry: PolicyEntry
    change: StatusChange


def month(date: dt.date) -> str:
    """October 2022."""
    return f"{_MONTHS[date.month - 1]} {date.year}"


def month_abbr(date: dt.date) -> str:
    """Oct."""
    return _MONTHS[date.month - 1][:3]


def long_day(date: dt.date) -> str:
    """October 12, 2022."""
    return f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"


def day(date: dt.date) -> str:
    """Oct 12, 2022."""
    return f"{month_abbr(date)} {date.day}, {date.year}"


def when(item: Item) -> str:
    """The days and time of an event: `Thursday, November 3, 2022, 6 pm MT`, or `Nov 3-5, 2022`."""
    start, end = item.starts, item.ends
    if start is None:
        return item.time
    if end is None or end <= start:
        words = f"{_DAYS[start.weekday()]}, {long_day(start)}"
    elif (start.year, start.month) == (end.year, end.month):
        words = f"{_MONTHS[start.month - 1]} {start.day}–{end.day}, {end.year}"
    elif start.year == end.year:
        words = f"{month_abbr(start)} {start.day} – {day(end)}"
    else:
        words = f"{day(start)} – {day(end)}"
    return ", ".join(part for part in (words, item.time) if part)


def deadline(item: Item) -> str:
    """`Apply by Nov 15, 2022`, or nothing."""
    return f"Apply by {day(item.closes)}" if item.closes else ""


def kicker(item: Item) -> str:
    """What kind of item it is, as a reader would say it."""
    return {
        Kind.POST: "From the blog",
        Kind.NEWS: "In the news",
        Kind.PRESS: "Press release",
        Kind.REPORT: "Report",
        Kind.EVENT: "Event",
        Kind.VIDEO: "Video",
        Kind.JOB: "Job",
    }[item.kind]


def byline(item: Item) -> str:
    """`Outlet · Author · Oct 3, 2022`, of what is known. An event or a job has its own dates instead."""
    dated = "" if item.kind in (Kind.EVENT, Kind.JOB) else day(item.date)
    return " · ".join(part for part in (item.outlet, item.author, dated) if part)


def link_words(item: Item) -> str:
    """Where an item's link goes."""
    return {
        Kind.POST: "Read the post",
        Kind.NEWS: f"Read it at {item.outlet}" if item.outlet else "Read the article",
        Kind.PRESS: "Read the press release",
        Kind.REPORT: "Read the report",
        Kind.EVENT: "Details and registration",
        Kind.VIDEO: "Watch the video",
        Kind.JOB: "Read the job posting",
    }[item.kind]


def place_words(place: Place) -> str:
    """`Durham, NC`, `Florida`, or the nation."""
    return str(place) if place.locality else state_name(place.state)


def places(item: Item) -> str:
    """`Durham, NC · Florida`; nothing where the item is about no place."""
    return " · ".join(place_words(place) for place in item.places if str(place))


def policy_link(policy: Policy, status: StatusChange | None) -> str:
    """Where the link to a policy's own text goes."""
    match policy.level:
        case Level.CITY | Level.COUNTY:
            thing = "ordinance"
        case Level.SCHOOL:
            thing = "policy"
        case _:
            thing = "law" if status and status.status not in _NO_LAW else "bill"
    thing = "measure" if _BALLOT.search(policy.number) else thing
    return f"Read the {thing}" + (f" ({policy.number})" if policy.number else "")


def said(change: StatusChange) -> str:
    """Passed Jun 7, 2022."""
    return f"{change.status.capitalize()} {day(change.date)}"


_SET_AHEAD = (Status.IN_EFFECT, Status.ENFORCED)


def other_steps(entry: PolicyEntry, issue: Issue) -> tuple[str, ...]:
    """The steps of a policy's history besides where it stands, oldest first: `passed Jun 7, 2022`,
    `next: in effect Jan 13, 2024`. Of what lies ahead only such a day is told that a law itself sets.
    """
    told = (c for c in entry.policy.history if c.date <= issue.date or c.status in _SET_AHEAD)
    steps = sorted((c for c in told if c != entry.status), key=lambda change: change.date)
    return tuple(f"{'next: ' if c.date > issue.date else ''}{c.status} {day(c.date)}" for c in steps)


def first_covered(entry: PolicyEntry) -> str:
    """`First covered in The Network Download, September 2022`; nothing for what is told for the first time."""
    if entry.covered is None:
        return ""
    return f"First covered in {entry.covered.publication}, {month(entry.covered.date)}"


def group(status: Status) -> str:
    """The short name of a status's kind of move: passed, effect, moving or court."""
    return next(short for short, known in zip(_SHORT, GROUPS.values(), strict=True) if status in known)


def moves(issue: Issue) -> tuple[tuple[str, tuple[Move, ...]], ...]:
    """What moved since the edition before: each kind of move with its changes, oldest first; no empty kinds."""
    found = sorted(_moves(issue), key=lambda move: move.change.date)
    grouped = ((title, tuple(m for m in found if m.change.status in known)) for title, known in GROUPS.items())
    return tuple((title, changes) for title, changes in grouped if changes)


def _moves(issue: Issue) -> Iterator[Move]:
    told: set[str] = set()
    for entry in issue.entries:
        if isinstance(entry, PolicyEntry) and entry.policy.slug not in told:
            told.add(entry.policy.slug)
            yield from (Move(entry=entry, change=change) for change in entry.moved)


class Titled(Protocol):
    """An issue, or what stands for one."""

    @property
    def title(self) -> str:
        """The issue's title."""


def headlines(issue: Titled, publication: Publication) -> str:
    """The issue's title without what the publication's pattern adds; the title where it has another shape."""
    pattern = re.escape(publication.title).replace(r"\{", "{").replace(r"\}", "}")
    pattern = pattern.replace("{name}", re.escape(publication.name)).replace("{month}", r"[^|]+?")
    match = re.fullmatch(pattern.replace("{headlines}", "(.+)"), issue.title) if "{headlines}" in pattern else None
    return match[1].strip() if match else issue.title


def runs(section: Section) -> Iterator[tuple[bool, tuple[Block, ...]]]:
    """The section's blocks, compact entries together: whether they are compact, and which they are."""
    for compact, blocks in groupby(section.blocks, lambda b: isinstance(b, Story | PolicyEntry) and b.compact):
        yield compact, tuple(blocks)


def anchor(section: Section) -> str:
    """The id of a section's heading, such as `policy-wins`."""
    return section.anchor or slugify(plain(section.heading)) or f"section-{section.line}"


def safe_url(url: str) -> str:
    """The address if a reader may be sent there, else nothing."""
    return url if re.match(r"(?:https?://|mailto:)\S", url, re.IGNORECASE) else ""
