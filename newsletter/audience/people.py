"""One row of an export, understood: a person, and where they stand on which lists."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from newsletter.audience.addresses import normalize
from newsletter.config import MailingList
from newsletter.errors import InputError, nearest
from newsletter.places import state_code
from newsletter.spreadsheet import unguarded


class Standing(StrEnum):
    """A person's standing on one list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class Frequency(StrEnum):
    """How much mail a person wants at most; `days` is how long they are left alone after a message, a day less than
    the word says, so that what goes out on the same weekday or the same day of the month still reaches them.
    """

    EVERY = ""
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def days(self) -> int:
        """Days between two messages at least."""
        return {"": 0, "weekly": 6, "monthly": 27}[self]


class Reason(StrEnum):
    """Why an address is suppressed."""

    HARD_BOUNCE = "hard bounce"
    SOFT_BOUNCES = "soft bounces"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    ERASED = "erased"


PROFILE = ("first_name", "last_name", "state", "locality", "role", "chapter", "language", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a row says. `profile` and `attributes` hold what isn't empty; `consented_at` is when they confirmed, `stop`
    why the address must never be mailed, `stopped_lists` those that mustn't mail it. `pause` is when a pause of theirs
    ends.
    """

    line: int
    email: str
    profile: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    stop: Reason | None = None
    stopped_lists: tuple[str, ...] = ()
    consented_at: dt.datetime | None = None
    ip: str = ""
    frequency: Frequency = Frequency.EVERY
    pause: dt.datetime | None = None
    warnings: tuple[str, ...] = ()


_STATUS: Mapping[str, tuple[Standing, Reason | None]] = {
    **dict.fromkeys(
        ("subscribed", "active", "enabled", "confirmed", "regular", "premium", "yes", "true", "1"),
        (Standing.ACTIVE, None),
    ),
    **dict.fromkeys(
        ("pending", "unconfirmed", "unactivated", "optin", "nonsubscribed", "transactional"), (Standing.PENDING, None)
    ),
    **dict.fromkeys(
        ("unsubscribed", "optedout", "inactive", "disabled", "archived", "removed", "no", "false", "0"),
        (Standing.UNSUBSCRIBED, None),
    ),
    **dict.fromkeys(
        ("cleaned", "bounced", "bouncing", "hardbounced", "hardbounce", "invalid", "undeliverable"),
        (Standing.UNSUBSCRIBED, Reason.HARD_BOUNCE),
    ),
    **dict.fromkeys(("softbounces",), (Standing.UNSUBSCRIBED, Reason.SOFT_BOUNCES)),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "spamcomplaint", "abuse"), (Standing.UNSUBSCRIBED, Reason.COMPLAINT)
    ),
    **dict.fromkeys(("blocklisted", "blacklisted", "suppressed", "manual"), (Standing.UNSUBSCRIBED, Reason.MANUAL)),
}
_ROLES = {
    "electedofficial": "elected",
    "elected": "elected",
    "official": "elected",
    "staff": "staff",
    "ally": "ally",
    "press": "press",
    "funder": "funder",
    "reporter": "press",
    "media": "press",
    "journalist": "press",
    "foundation": "funder",
    "partner": "ally",
}
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y", "%m/%d/%y")
#: How many different cells of a column are remembered: most columns hold few.
_MEMORY = 10_000
_LONGEST_TAG = 100


class Reader:
    """Understands rows, given the lists there are, those of a person whose row names none, and the attributes that
    people may have. Where it `needs_list`, a row that names none is refused.
    """

    def __init__(
        self,
        lists: Mapping[str, MailingList],
        default_lists: tuple[str, ...],
        attributes: tuple[str, ...] = (),
        *,
        needs_list: bool = True,
    ) -> None:
        self._default = default_lists
        self._attributes = attributes
        self._needs_list = needs_list
        self._names = {_squeeze(n): slug for slug, li in lists.items() for n in (slug, li.name, *li.aliases)}
        self._known = [li.name for li in lists.values()]
        self._lists = lru_cache(_MEMORY)(self._read_lists)
        self._standings = lru_cache(_MEMORY)(self._read_standings)

    def read(self, line: int, row: Sequence[str], places: Mapping[str, int]) -> Person:
        """The person of a row, given the place of each field; InputError with the reason why it can't be taken."""
        cells = {name: " ".join(cell.split()) for name, place in places.items() if (cell := row[place])}
        together = "".join(row)
        if "'" in together or "\0" in together:
            cells = {name: unguarded(cell).replace("\0", "") for name, cell in cells.items()}
        get = cells.get
        warnings: list[str] = []
        standing, stop = _standing(cells)
        confirmed = get("confirmed", "")
        consented_at = _moment(confirmed)
        if confirmed and consented_at is None:
            warnings.append(f'date "{confirmed[:40]}" can\'t be read; left empty')
        return Person(
            line=line,
            email=normalize(get("email", "")),
            profile=_profile(cells, warnings),
            attributes=self._given_attributes(cells, warnings) if self._attributes or "attributes" in cells else {},
            tags=tags(cells["tags"]) if "tags" in cells else (),
            standings=self._standings(get("lists", ""), get("pending_lists", ""), get("left_lists", ""), standing),
            stop=stop,
            stopped_lists=self._lists(get("suppressed_lists", "")),
            consented_at=consented_at,
            ip=get("ip", ""),
            frequency=_frequency(get("frequency", ""), warnings),
            pause=_moment(get("paused_until", "")),
            warnings=tuple(warnings),
        )

    def _read_standings(self, named: str, pending: str, left: str, standing: Standing) -> Mapping[str, Standing]:
        """Where somebody stands on each list; the stricter, where two columns name the same one."""
        found = dict.fromkeys(self._lists(named), standing)
        for cell, other in ((pending, Standing.PENDING), (left, Standing.UNSUBSCRIBED)):
            for name in self._lists(cell):
                found[name] = stricter(found.get(name), other)
        found = found or dict.fromkeys(self._default, standing)
        if not found and self._needs_list:
            raise InputError("on no list", hint="give --list SLUG for rows that name none")
        return found

    def _read_lists(self, cell: str) -> tuple[str, ...]:
        found = []
        for name in filter(str.strip, re.split(r"[;,|]", cell)):
            slug = self._names.get(_squeeze(name))
            if slug is None:
                raise InputError(
                    f'no list "{name.strip()[:60]}" is configured', hint=nearest(name.strip(), self._known)
                )
            found.append(slug)
        return tuple(dict.fromkeys(found))

    def _given_attributes(self, cells: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
        """The attributes in columns of their own, and those in a cell of JSON as listmonk and Buttondown write it."""
        found = {}
        if "attributes" in cells:
            try:
                document = json.loads(cells["attributes"])
            except (ValueError, RecursionError):
                document = None
            if not isinstance(document, dict):
                warnings.append("attributes that are no JSON object; left out")
                document = {}
            for name, value in document.items():
                if name not in self._attributes:
                    warnings.append(f'attribute "{name[:40]}" is not configured; left out')
                elif isinstance(value, str | int | float):
                    found[name] = str(value)
        for name in self._attributes:
            if cell := cells.get(f"attributes.{name}"):
                found[name] = cell
        return {name: value for name, value in found.items() if value}


def stricter(ours: str | None, theirs: Standing) -> Standing:
    """Which of two standings holds: a stop before anything, active before pending."""
    if ours is None:
        return theirs
    order = (Standing.UNSUBSCRIBED, Standing.ACTIVE, Standing.PENDING)
    return min(Standing(ours), theirs, key=order.index)


def _profile(cells: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    found = {name: cells[name] for name in PROFILE if cells.get(name)}
    if "name" in cells and not ("first_name" in found or "last_name" in found):
        found["first_name"], _, found["last_name"] = cells["name"].partition(" ")
    if "state" in found:
        code = _state(found["state"])
        if code is None:
            warnings.append(f'state "{found["state"][:40]}" is not known; left empty')
        found["state"] = code or ""
    if "role" in found:
        found["role"] = _role(found["role"])
    if "language" in found:
        found["language"] = found["language"][:35].lower()
    return found


@lru_cache(_MEMORY)
def _state(cell: str) -> str | None:
    return state_code(cell)


@lru_cache(_MEMORY)
def _role(cell: str) -> str:
    return _ROLES.get(_squeeze(cell), cell)


def tags(cell: str) -> tuple[str, ...]:
    """Tags with commas, semicolons or bars between, in quotes or not."""
    names = (name.strip().strip("\"'").strip()[:_LONGEST_TAG] for name in re.split(r"[;,|]", cell))
    return tuple(dict.fromkeys(filter(None, names)))


def _frequency(cell: str, warnings: list[str]) -> Frequency:
    try:
        return Frequency(cell.lower())
    except ValueError:
        warnings.append(f'frequency "{cell[:40]}" is not known; left empty')
        return Frequency.EVERY


def _standing(cells: Mapping[str, str]) -> tuple[Standing, Reason | None]:
    """What the row says of the person as a whole: a date of leaving or of bouncing is as good as the word."""
    standing, stop = _status(cells.get("status", ""))
    if cells.get("unsubscribed"):
        standing = Standing.UNSUBSCRIBED
    if cells.get("cleaned"):
        standing, stop = Standing.UNSUBSCRIBED, stop or Reason.HARD_BOUNCE
    if cells.get("suppressed"):
        stop = _status(cells["suppressed"])[1] or stop
    return standing, stop


@lru_cache(_MEMORY)
def _status(cell: str) -> tuple[Standing, Reason | None]:
    if not cell:
        return Standing.ACTIVE, None
    try:
        return _STATUS[_squeeze(cell)]
    except KeyError:
        # To take an unknown word for consent would mail somebody who may have left.
        raise InputError(f'status "{cell[:40]}" is not known', hint=nearest(_squeeze(cell), _STATUS)) from None


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@lru_cache(_MEMORY)
def _moment(text: str) -> dt.datetime | None:
    """A date with or without a time, ISO 8601 or as the United States write it; without a zone it's UTC."""
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        for pattern in _DATES:
            try:
                moment = dt.datetime.strptime(text, pattern)  # noqa: DTZ007
                break
            except ValueError:
                continue
        else:
            return None
    try:
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        return None
