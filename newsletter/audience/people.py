"""One row of an export, understood: a person, and where they stand on which lists."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from unicodedata import is_normalized

from newsletter.audience.addresses import found_in, normalize
from newsletter.audience.cells import Verdict, blank, flag, moment, pieces, squeezed, word
from newsletter.audience.columns import SENSES, Layout
from newsletter.audience.fields import ATTRIBUTE, PROFILE, TAG, role_of
from newsletter.audience.standing import Frequency, Reason, Standing, stricter
from newsletter.audience.verdicts import Judge
from newsletter.config import MailingList
from newsletter.errors import InputError, nearest
from newsletter.model.text import clean
from newsletter.places import state_code
from newsletter.spreadsheet import unguarded

__all__ = ["Frequency", "Person", "Reader", "Reason", "Standing", "Warned", "tags"]

_NAMES = ("first_name", "last_name", "name")

#: What was left out of a row, and the cell.
Warned = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a row says. `profile` and `attributes` hold what isn't blank; `consented_at` is when they confirmed, `stop`
    why the address must never be mailed, `stopped_lists` those that mustn't mail it. `pause` is when a pause of theirs
    ends. Of a row that is rejected, `only_stopped` is whom it stops nevertheless.
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
    warnings: tuple[Warned, ...] = ()
    only_stopped: bool = False


#: How many different cells of a column are remembered: most columns hold few.
_MEMORY = 10_000
_LONGEST = {name: field.longest for name, field in PROFILE.items()}
#: Most texts are shorter than the shortest of those of free form, and needn't be looked at one by one.
_SHORT = min(_LONGEST["language"], ATTRIBUTE.longest)


class Reader:
    """Understands rows, given the lists there are, those of a person whose row names none, where the fields are, and
    how far a date of consent may reach. Where it `needs_list`, a row that names none is refused.
    """

    def __init__(
        self,
        lists: Mapping[str, MailingList],
        default_lists: tuple[str, ...],
        attributes: tuple[str, ...],
        layout: Layout,
        judge: Judge,
        latest: dt.datetime,
    ) -> None:
        self._default, self._attributes = default_lists, attributes
        self._layout, self._judge, self._latest = layout, judge, latest
        self._own = {name[6:]: places[0] for name, places in layout.places.items() if name.startswith("lists.")}
        self._needs_list = not ("left_lists" in layout.places or self._own)
        self._fields = [
            (name, places) for name, places in layout.places.items() if name not in SENSES and name[:6] != "lists."
        ]
        self._slugs = tuple(lists)
        self._names = {_named(n): slug for slug, li in lists.items() for n in (slug, li.name, *li.aliases)}
        self._known = [li.name for li in lists.values()]
        self._lists = lru_cache(_MEMORY)(self._read_lists)
        self._standings = lru_cache(_MEMORY)(self._read_standings)

    def read(self, line: int, row: list[str]) -> Person:
        """The person of a row; InputError with the reason why it can't be taken."""
        width = self._layout.width
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            raise InputError(f"{len(row)} cells where the header has {width}")
        row += [""] * (width - len(row))
        cells = self._cells(row)
        get = cells.get
        warnings: list[Warned] = []
        email = normalize(get("email", "").removeprefix("'"))  # a spreadsheet's mark of a text
        if len(get("email", "")) > len(email) and self._judge.beside_address(cells["email"]):
            raise InputError("the address stands beside a word for having left")
        standing, stop = self._judge.verdict(row)
        return Person(
            line=line,
            email=email,
            profile=_profile(cells, warnings),
            attributes=self._given_attributes(cells, warnings) if self._attributes or "attributes" in cells else {},
            tags=tags(cells["tags"]) if "tags" in cells else (),
            standings=self._with_own(
                self._standings(get("lists", ""), get("pending_lists", ""), get("left_lists", ""), standing),
                row,
                standing,
            ),
            stop=_suppressed(get("suppressed", "")) or stop,
            stopped_lists=self._lists(get("suppressed_lists", "")),
            consented_at=self._consented_at(get("confirmed", ""), warnings),
            ip=get("ip", ""),
            frequency=_frequency(get("frequency", ""), warnings),
            pause=moment(get("paused_until", "")),
            warnings=tuple(warnings),
        )

    def _cells(self, row: Sequence[str]) -> dict[str, str]:
        """The cell of each field that isn't blank; several tags or lists together."""
        together = "".join(row)
        # Most rows are plain: then there's nothing to clean but the blanks around and between words.
        plain = together.isprintable() and "  " not in together and is_normalized("NFC", together)
        found = {}
        for name, places in self._fields:
            filled = []
            for place in places:
                cell = row[place]
                if not cell:
                    continue
                cell = unguarded(cell) if "'" in cell else cell
                cell = cell.strip() if plain else clean(cell)
                # There are people whose name is Null, or Na: a program writes NULL and n/a.
                if cell and not (blank(cell) and not (name in _NAMES and cell.istitle())):
                    filled.append(cell)
            if filled:
                found[name] = "; ".join(filled) if name in ("tags", "lists") else filled[0]
        return found

    def stopped(self, line: int, row: list[str]) -> list[Person]:
        """Whom a row stops though it can't be taken: each address in it, on the lists that it names, else on those
        that were given for the file, else on all.
        """
        verdict = self._judge.stop(row)
        padded = row + [""] * (self._layout.width - len(row))
        own = [name for name, place in self._own.items() if self._judge.leaves_list(padded[place])]
        if verdict is None and not own:
            return []
        emails = [address for place in self._layout.places["email"] for address in found_in(padded[place])]
        emails = emails or [address for cell in row for address in found_in(cell)]
        named = [self._names.get(_named(name)) for cell in self._named_lists(padded) for name in pieces(cell)]
        lists = [slug for slug in named if slug] or self._default or self._slugs if verdict else own
        standings = dict.fromkeys(lists, Standing.UNSUBSCRIBED)
        return [
            Person(line=line, email=email, standings=standings, stop=verdict and verdict[1], only_stopped=True)
            for email in dict.fromkeys(emails)
        ]

    def _named_lists(self, row: Sequence[str]) -> list[str]:
        return [row[place] for place in self._layout.places.get("lists", ())]

    def _consented_at(self, cell: str, warnings: list[Warned]) -> dt.datetime | None:
        if not cell:
            return None
        found = moment(cell, day_first=self._layout.day_first)
        if found is None and flag(cell) is None and not word(cell, {}):
            warnings.append(("a date of consent can't be read; left empty", cell))
        elif found is not None and found > self._latest:
            warnings.append(("a date of consent lies in the future; left empty", cell))
            return None
        return found

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

    def _with_own(
        self, found: Mapping[str, Standing], row: Sequence[str], standing: Standing
    ) -> Mapping[str, Standing]:
        """The standings, with those from columns named after lists. A blank cell there isn't consent."""
        if not self._own:
            return found
        said = {name: self._judge.said_of_list(row[place]) for name, place in self._own.items()}
        own = {name: _less(standing, one) for name, one in said.items() if one}
        unsaid = {name: _less(found[name], Standing.PENDING) for name, one in said.items() if not one and name in found}
        return {**found, **unsaid, **own}

    def _read_lists(self, cell: str) -> tuple[str, ...]:
        found = []
        for name in pieces(cell):
            slug = self._names.get(_named(name))
            if slug is None:
                raise InputError(f'no list "{name[:60]}" is configured', hint=nearest(name, self._known))
            found.append(slug)
        return tuple(dict.fromkeys(found))

    def _given_attributes(self, cells: Mapping[str, str], warnings: list[Warned]) -> dict[str, str]:
        """The attributes in columns of their own, and those in a cell of JSON as listmonk and Buttondown write it."""
        found = {}
        if "attributes" in cells:
            for name, value in _document(cells["attributes"], warnings).items():
                if name not in self._attributes:
                    warnings.append(("an attribute is not in config.toml; left out", name))
                elif isinstance(value, str | int | float):
                    found[name] = clean(str(value))
        for name in self._attributes:
            if cell := cells.get(f"attributes.{name}"):
                found[name] = cell
        longest = dict.fromkeys(found, ATTRIBUTE.longest)
        return {name: value for name, value in _fitted(found, longest, warnings).items() if value}


def _fitted(found: dict[str, str], longest: Mapping[str, int], warnings: list[Warned]) -> dict[str, str]:
    """The texts, none longer than it may be; they are clean already."""
    if max(map(len, found.values()), default=0) <= _SHORT:
        return found
    for name, text in found.items():
        if len(text) > longest[name]:
            warnings.append((f"a text is too long; cut to {longest[name]:,} characters", f"{text[:60]}…"))
    return {name: text[: longest[name]].rstrip() for name, text in found.items()}


def _document(cell: str, warnings: list[Warned]) -> Mapping[str, object]:
    try:
        document = json.loads(cell)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        warnings.append(("attributes that are no JSON object; left out", cell))
        return {}
    return document


def _named(name: str) -> str:
    """A list's name without regard to case, accents and signs; as it is where it has no Latin letter."""
    return squeezed(name) or name.strip().casefold()


def _suppressed(cell: str) -> Reason | None:
    """Why our own export says that an address is suppressed."""
    if not cell or flag(cell) is False:
        return None
    known: Verdict | None = word(cell, {})
    return (known[1] if known else None) or Reason.MANUAL


def _profile(cells: Mapping[str, str], warnings: list[Warned]) -> dict[str, str]:
    found = {name: cells[name] for name in PROFILE if cells.get(name)}
    if "name" in cells and not ("first_name" in found or "last_name" in found):
        first, _, last = cells["name"].partition(" ")
        if "," in cells["name"]:
            last, _, first = cells["name"].partition(",")
        found["first_name"], found["last_name"] = first.strip(), last.strip()
    if "state" in found:
        code = _state(found["state"])
        if code is None:
            warnings.append(("a state is not known; left empty", found["state"]))
        found["state"] = code or ""
    if "role" in found:
        found["role"] = _role(found["role"])
    if "language" in found:
        from newsletter.languages import tag_of

        tag = tag_of(found["language"])
        if tag is None:
            warnings.append(("a language is not known; left empty", found["language"]))
        found["language"] = tag or ""
    return _fitted(found, _LONGEST, warnings)


def _less(one: Standing, other: Standing) -> Standing:
    """The standing that is less of a yes."""
    return min(one, other, key=(Standing.UNSUBSCRIBED, Standing.PENDING, Standing.ACTIVE).index)


@lru_cache(_MEMORY)
def _state(cell: str) -> str | None:
    return state_code(cell)


@lru_cache(_MEMORY)
def _role(cell: str) -> str:
    return role_of(cell)


def tags(cell: str) -> tuple[str, ...]:
    """Tags with commas, semicolons or bars between, in quotes or not."""
    names = (name.strip().strip("\"'").strip()[: TAG.longest].rstrip() for name in pieces(cell))
    return tuple(dict.fromkeys(filter(None, names)))


def _frequency(cell: str, warnings: list[Warned]) -> Frequency:
    try:
        return Frequency(cell.lower())
    except ValueError:
        warnings.append(("a frequency is not known; left empty", cell))
        return Frequency.EVERY
