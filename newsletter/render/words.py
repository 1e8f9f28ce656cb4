"""What templates say of dates, items and policies, in words of the publication's `language`.

Months are spelled by Babel (Unicode's CLDR) and not by the C library, whose answer depends on the machine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from inspect import signature
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from babel.dates import format_date, format_skeleton
from slugify import slugify

from newsletter.config import Publication
from newsletter.languages import gettext, locale
from newsletter.markdown import plain_line
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
from newsletter.render.provisions import amount

__all__ = [
    "amount",
    "anchor",
    "byline",
    "day",
    "deadline",
    "first_covered",
    "group",
    "headlines",
    "kicker",
    "kind_words",
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
    "status_words",
    "timing",
    "when",
]

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


def in_language(language: str) -> dict[str, Callable[..., Any]]:
    """Everything here that templates are given, speaking a language."""
    given = {name: globals()[name] for name in __all__}
    return {
        name: partial(function, language=language) if "language" in signature(function).parameters else function
        for name, function in given.items()
    }


def month(date: dt.date, language: str = "en") -> str:
    """October 2022."""
    return format_skeleton("yMMMM", date, locale=locale(language))


def month_abbr(date: dt.date, language: str = "en") -> str:
    """Oct."""
    return format_date(date, "LLL", locale=locale(language)).rstrip(".")


def long_day(date: dt.date, language: str = "en") -> str:
    """October 12, 2022."""
    return format_date(date, "long", locale=locale(language))


def day(date: dt.date, language: str = "en") -> str:
    """Oct 12, 2022."""
    return format_date(date, "medium", locale=locale(language))


def when(item: Item, language: str = "en") -> str:
    """The days and time of an event: `Thursday, November 3, 2022, 6 pm MT`, or `Nov 3-5, 2022`."""
    start, end = item.starts, item.ends
    if start is None:
        return item.time
    if end is None or end <= start:
        words = format_date(start, "full", locale=locale(language))
    elif (start.year, start.month) == (end.year, end.month):
        # Both days where the language has the one: "November 3–5, 2022", "3–5 de noviembre de 2022".
        first = re.compile(rf"(?<!\d){start.day}(?!\d)")
        words = first.sub(f"{start.day}–{end.day}", long_day(start, language), count=1)
    elif start.year == end.year and language.partition("-")[0] == "en":
        words = f"{month_abbr(start)} {start.day} – {day(end)}"
    else:
        words = f"{day(start, language)} – {day(end, language)}"
    return ", ".join(part for part in (words, item.time) if part)


def deadline(item: Item, language: str = "en") -> str:
    """`Apply by Nov 15, 2022`, or nothing."""
    words = kind_words(item.facts, item.facts.deadline, language)
    return words.format(day=day(item.closes, language)) if item.closes else ""


def kind_words(kind: Kind, text: str, language: str = "en") -> str:
    """A text of the table of kinds in a language: as the kind itself has it, else as the catalogue has."""
    own = kind.translations.get(language.partition("-")[0].lower(), {})
    return own.get(text) or (gettext(language)(text) if text else "")


def kicker(item: Item, language: str = "en") -> str:
    """What kind of item it is, as a reader would say it."""
    return kind_words(item.facts, item.facts.kicker, language)


def byline(item: Item, language: str = "en") -> str:
    """`Outlet · Author · Oct 3, 2022`, of what is known. Where another day counts, as an event's, there's no date."""
    dated = "" if item.facts.passes else day(item.date, language)
    return " · ".join(part for part in (item.outlet, item.author, dated) if part)


class Timing(NamedTuple):
    """When something is: `words` say it, `day` says it to machines, where it's a day of its own, and `venue` where."""

    words: str
    day: dt.date | None = None
    venue: str = ""

    def __str__(self) -> str:
        return " · ".join(part for part in (self.words, self.venue) if part)


def timing(item: Item, language: str = "en") -> Timing:
    """What readers need to know of its days: when it is, until when it's open, or whose it is and of which day."""
    match item.facts.dated_by:
        case "starts":
            return Timing(when(item, language), item.starts, item.venue)
        case "closes":
            return Timing(deadline(item, language), item.closes, item.venue)
        case "date":
            return Timing(byline(item, language))


def link_words(item: Item, language: str = "en") -> str:
    """Where an item's link goes."""
    kind = item.facts
    if item.outlet and kind.link_at:
        return kind_words(kind, kind.link_at, language).format(outlet=item.outlet)
    return kind_words(kind, kind.link, language)


def status_words(status: Status, language: str = "en") -> str:
    """`in effect`: a status as it stands within a sentence."""
    _ = gettext(language)
    return {
        Status.PROPOSED: _("proposed"),
        Status.INTRODUCED: _("introduced"),
        Status.IN_COMMITTEE: _("in committee"),
        Status.PASSED: _("passed"),
        Status.ENACTED: _("enacted"),
        Status.IN_EFFECT: _("in effect"),
        Status.ENFORCED: _("enforced"),
        Status.VETOED: _("vetoed"),
        Status.REPEALED: _("repealed"),
        Status.CHALLENGED: _("challenged"),
        Status.UPHELD: _("upheld"),
        Status.STRUCK_DOWN: _("struck down"),
        Status.PREEMPTED: _("preempted"),
    }[status]


def place_words(place: Place, language: str = "en") -> str:
    """`Durham, NC`, `Florida`, or the nation."""
    if place.locality:
        return str(place)
    return state_words(place.state, language)


def state_words(state: str, language: str = "en") -> str:
    """A state's name, by its two letters, or the nation."""
    return gettext(language)(state_name(state))


def places(item: Item, language: str = "en") -> str:
    """`Durham, NC · Florida`; nothing where the item is about no place."""
    return " · ".join(place_words(place, language) for place in item.places if str(place))


def policy_link(policy: Policy, status: StatusChange | None, language: str = "en") -> str:
    """Where the link to a policy's own text goes."""
    _ = gettext(language)
    match policy.level:
        case Level.CITY | Level.COUNTY:
            words = _("Read the ordinance")
        case Level.SCHOOL:
            words = _("Read the policy")
        case _:
            words = _("Read the law") if status and status.status not in _NO_LAW else _("Read the bill")
    if _BALLOT.search(policy.number):
        words = _("Read the measure")
    return words + (f" ({policy.number})" if policy.number else "")


def said(change: StatusChange, language: str = "en") -> str:
    """Passed Jun 7, 2022."""
    words = status_words(change.status, language)
    return f"{words[:1].upper()}{words[1:]} {day(change.date, language)}"


_SET_AHEAD = (Status.IN_EFFECT, Status.ENFORCED)


def other_steps(entry: PolicyEntry, issue: Issue, language: str = "en") -> tuple[str, ...]:
    """The steps of a policy's history besides where it stands, oldest first: `passed Jun 7, 2022`,
    `next: in effect Jan 13, 2024`. Of what lies ahead only such a day is told that a law itself sets.
    """
    told = (c for c in entry.policy.history if c.date <= issue.date or c.status in _SET_AHEAD)
    steps = sorted((c for c in told if c != entry.status), key=lambda change: change.date)
    ahead = gettext(language)("next: {step}")
    words = ((c, f"{status_words(c.status, language)} {day(c.date, language)}") for c in steps)
    return tuple(ahead.format(step=step) if c.date > issue.date else step for c, step in words)


def first_covered(entry: PolicyEntry, language: str = "en") -> str:
    """`First covered in The Network Download, September 2022`; nothing for what is told for the first time."""
    if entry.covered is None:
        return ""
    words = gettext(language)("First covered in {publication}, {month}")
    return words.format(publication=entry.covered.publication, month=month(entry.covered.date, language))


def group(status: Status) -> str:
    """The short name of a status's kind of move: passed, effect, moving or court."""
    return next(short for short, known in zip(_SHORT, GROUPS.values(), strict=True) if status in known)


def moves(issue: Issue, language: str = "en") -> tuple[tuple[str, tuple[Move, ...]], ...]:
    """What moved since the edition before: each kind of move with its changes, oldest first; no empty kinds."""
    found = sorted(_moves(issue), key=lambda move: move.change.date)
    _ = gettext(language)
    grouped = ((_(title), tuple(m for m in found if m.change.status in known)) for title, known in GROUPS.items())
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
    return section.anchor or slugify(plain_line(section.heading)) or f"section-{section.line}"


def safe_url(url: str) -> str:
    """The address if a reader may be sent there, else nothing."""
    return url if re.match(r"(?:https?://|mailto:)\S", url, re.IGNORECASE) else ""
