"""One row of an export, understood: a person, the lists, and where they stand on them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.audience.addresses import normalize
from newsletter.config import MailingList
from newsletter.errors import InputError, nearest
from newsletter.places import state_code


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a row says. `consented_at` is when they confirmed, `stop` why the address must never be mailed."""

    line: int
    email: str
    first_name: str = ""
    last_name: str = ""
    state: str = ""
    locality: str = ""
    role: str = ""
    chapter: str = ""
    language: str = ""
    note: str = ""
    lists: tuple[str, ...] = ()
    standing: Standing = Standing.ACTIVE
    stop: Reason | None = None
    consented_at: dt.datetime | None = None
    ip: str = ""
    warnings: tuple[str, ...] = ()


PROFILE = ("first_name", "last_name", "state", "locality", "role", "chapter", "language", "note")

_STATUS: Mapping[str, tuple[Standing, Reason | None]] = {
    **dict.fromkeys(("subscribed", "active", "enabled", "confirmed", "yes", "true", "1"), (Standing.ACTIVE, None)),
    **dict.fromkeys(("pending", "unconfirmed", "optin"), (Standing.PENDING, None)),
    **dict.fromkeys(
        ("unsubscribed", "optedout", "inactive", "disabled", "archived", "removed", "no", "false", "0"),
        (Standing.UNSUBSCRIBED, None),
    ),
    **dict.fromkeys(
        ("cleaned", "bounced", "hardbounced", "hardbounce", "invalid", "undeliverable"),
        (Standing.UNSUBSCRIBED, Reason.HARD_BOUNCE),
    ),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "spamcomplaint", "abuse"), (Standing.UNSUBSCRIBED, Reason.COMPLAINT)
    ),
    **dict.fromkeys(("blocklisted", "blacklisted", "suppressed"), (Standing.UNSUBSCRIBED, Reason.MANUAL)),
}
_ROLES = {
    "electedofficial": "elected",
    "elected": "elected",
    "official": "elected",
    "reporter": "press",
    "media": "press",
    "journalist": "press",
    "foundation": "funder",
    "partner": "ally",
}
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y", "%m/%d/%y")


class Reader:
    """Understands rows, given the lists there are and those of a person whose row names none."""

    def __init__(self, lists: Mapping[str, MailingList], default_lists: tuple[str, ...]) -> None:
        self._default = default_lists
        self._names = {_squeeze(n): slug for slug, li in lists.items() for n in (slug, li.name, *li.aliases)}
        self._known = [li.name for li in lists.values()]

    def read(self, line: int, cells: Mapping[str, str]) -> Person:
        """The person of a row of field to cell; InputError with the reason when it can't be taken."""
        cells = {field: " ".join(cell.replace("\0", "").split()) for field, cell in cells.items()}
        warnings: list[str] = []
        standing, stop = self._status(cells.get("status", ""))
        first, last = cells.get("first_name", ""), cells.get("last_name", "")
        if not first and not last:
            first, _, last = cells.get("name", "").partition(" ")
        state = state_code(cells.get("state", ""))
        if state is None:
            warnings.append(f'state "{cells["state"][:40]}" is not known; left empty')
        confirmed = cells.get("confirmed", "")
        consented_at = _moment(confirmed)
        if confirmed and consented_at is None:
            warnings.append(f'date "{confirmed[:40]}" can\'t be read; left empty')
        role = cells.get("role", "")
        return Person(
            line=line,
            email=normalize(cells.get("email", "")),
            first_name=first,
            last_name=last,
            state=state or "",
            locality=cells.get("locality", ""),
            role=_ROLES.get(_squeeze(role), role.lower()),
            chapter=cells.get("chapter", ""),
            language=cells.get("language", "")[:35].lower(),
            note=cells.get("note", ""),
            lists=self._lists(cells.get("lists", "")),
            standing=standing,
            stop=stop,
            consented_at=consented_at,
            ip=cells.get("ip", ""),
            warnings=tuple(warnings),
        )

    def _lists(self, cell: str) -> tuple[str, ...]:
        names = [name for name in re.split(r"[;,|]", cell) if name.strip()]
        if not names and not self._default:
            raise InputError("on no list", hint="give --list SLUG for rows that name none")
        found = []
        for name in names:
            slug = self._names.get(_squeeze(name))
            if slug is None:
                raise InputError(
                    f'no list "{name.strip()[:60]}" is configured', hint=nearest(name.strip(), self._known)
                )
            found.append(slug)
        return tuple(dict.fromkeys(found)) or self._default

    @staticmethod
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
