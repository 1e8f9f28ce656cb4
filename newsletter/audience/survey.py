"""An export looked over before anything of it is stored: which system it's from, what its columns hold, and what has to
be decided first.

Whatever looks like a stop and isn't taken for one would make people active who have left, in silence. So it's named,
and the import waits until somebody says what it is.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.audience import cells, columns, doubts
from newsletter.audience.cells import Verdict
from newsletter.audience.columns import Layout, Mapped, Named
from newsletter.audience.exports import holds_address, open_export
from newsletter.audience.standing import Standing
from newsletter.audience.systems import System, recognise
from newsletter.errors import InputError
from newsletter.places import state_code

_PAGE = 4_000
#: A status column has at most this many different cells.
_DISTINCT = 200
#: A tag has at most so many words; more of them are a sentence of a note.
_WORDS = 6
#: Fields whose words are read for what they say of somebody's standing in any case, or of one list alone.
_READ_ANYWAY = ("email", *columns.SENSES, "suppressed", "suppressed_lists", "left_lists")
#: Text fields whose header other systems use for a status.
_MISTAKABLE = ("state", "role", "chapter", "locality", "language")
#: What Mailchimp's four files are of, by the beginnings of their names.
_FILES: Mapping[str, Verdict] = {
    **dict.fromkeys(("nonsubscribed", "non-subscribed", "no-suscritos", "nosuscritos", "non-inscrits"), cells.PENDING),
    **dict.fromkeys(("unsubscribed", "desuscritos", "desinscrits", "abgemeldete", "cancelados"), cells.LEFT),
    **dict.fromkeys(("cleaned", "limpiados", "depurados", "nettoyes", "bereinigte"), cells.BOUNCED),
}
_LEFT = re.compile(
    r"\b(unsub\w*|nonsub\w*|opt(ed)? ?outs?|bounce[sd]?|cleaned|complain\w*|suppress\w*|black ?list\w*|block ?list\w*"
    r"|do not \w*|desuscri\w*|desinscri\w*|desabon\w*|disiscri\w*|abgemeld\w*|uitgeschreven|baja|limpiados)\b"
)


@dataclass(slots=True)
class Profile:
    """What a column holds: how often each of its cells, None where they are too many; how many are addresses; whether
    any says more than `no`; and the words in it that stop somebody wherever they stand, or that may.
    """

    cells: Counter[str] | None = field(default_factory=Counter)
    filled: int = 0
    addresses: int = 0
    says_something: bool = False
    stops: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    first_over_12: bool = False
    second_over_12: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A file before its import; so many lines stand `above` the names of its columns."""

    path: Path
    header: list[str]
    rows: int
    system: System | None
    above: int
    profiles: Mapping[str, Profile]

    def mapping(self, named: Named) -> Mapped:
        """Which field each column is, by the system, the headers, and then the cells."""
        guessed = columns.guess(self.header, named, self.system)
        guessed = {
            name: kept for name, held in guessed.items() if (kept := tuple(c for c in held if self._fits(name, c)))
        }
        moved = {column for name in _MISTAKABLE for column in guessed.get(name, ()) if self._is_status(column)}
        guessed["state"] = tuple(column for column in guessed.get("state", ()) if self._holds_states(column))
        taken = {column for names in guessed.values() for column in names}
        moved |= {
            column
            for column in self.header
            if column not in taken
            and columns.speaks_of_standing(column)
            and self._is_status(column)
            and columns.speaks_of_mail(column)
            and not self._set_aside(column)
        }
        found = {name: tuple(c for c in names if c not in moved) for name, names in guessed.items()}
        for column in (column for column in self.header if column in moved):
            # Where nobody is said to want mail, a blank cell says no more than that somebody hasn't left.
            sense = "status" if self._has_active(column) else "stopped"
            found[sense] = (*found.get(sense, ()), column)
        found["email"] = self._addresses(found.get("email", ()))
        return {name: names for name, names in found.items() if names}

    def _is_status(self, column: str) -> bool:
        held = self.profiles[column].cells
        return bool(held) and cells.tell_standings(held or ())

    def _fits(self, name: str, column: str) -> bool:
        """False for a column that is named as a list is, and says something else than who is on it."""
        held = self.profiles[column].cells
        return not name.startswith("lists.") or (
            held is not None
            and all(cells.blank(t) or cells.flag(t) is not None or cells.word(t, self.words) for t in held)
        )

    def _holds_states(self, column: str) -> bool:
        """False where a column's few words are all something else than states: in Spanish, a status is an `estado`."""
        held = [text for text in self.profiles[column].cells or () if not cells.blank(text)]
        return self._is_status(column) or not held or any(map(state_code, held))

    def speaks_of_leaving(self, column: str) -> bool:
        """Whether words in a column's cells, and not only its header, speak of leaving."""
        profile = self.profiles[column]
        return bool(profile.stops or profile.doubts or self._is_status(column))

    def _has_active(self, column: str) -> bool:
        verdicts = (cells.word(text, self.words) for text in self.profiles[column].cells or ())
        return any(verdict and verdict[0] is not Standing.UNSUBSCRIBED for verdict in verdicts)

    def _set_aside(self, column: str) -> bool:
        """Whether the system's own table says that a column isn't about mail."""
        return self.system is not None and self.system.meaning(column) == ""

    def _addresses(self, guessed: tuple[str, ...]) -> tuple[str, ...]:
        """The column of addresses: the guessed one where it holds any, else the only one that does."""
        if guessed and self.profiles[guessed[0]].addresses:
            return guessed
        holding = [
            column
            for column in self.header
            if self.profiles[column].addresses * 2 > max(1, self.profiles[column].filled)
        ]
        return (holding[0],) if len(holding) == 1 else guessed

    def decide(self, mapping: Mapped, skipped: Sequence[str]) -> None:
        """InputError for whatever has to be decided before people are brought in."""
        if not mapping.get("email"):
            raise InputError(
                "no column holds the address", where=self.path, hint='say which: --map email="Column name"'
            )
        self._decide_addresses(mapping)
        if doubtful := self.doubtful(mapping, skipped):
            raise doubts.undecided(self.path, {column: self._examples(column) for column in doubtful})

    def decide_everybody(self, mapping: Mapped, words: Mapping[str, Verdict]) -> None:
        """InputError where the file seems to be of people who have left, and no word in it says so: by its name, or by
        a flag or a date that every row has and that may mean something else than we think.
        """
        self._decide_all_leave(mapping, words)
        if _LEFT.search(cells.words_of(self.path.stem)) and not any(mapping.get(s) for s in columns.SENSES):
            hint = "say where they all stand: --everybody unsubscribed, --everybody active, …"
            raise InputError("by its name the file may be of people who have left", where=self.path, hint=hint)

    def _decide_addresses(self, mapping: Mapped) -> None:
        column = mapping["email"][0]
        twice = [name for name in self.header if name != column and name.startswith(f"{column} (")]
        if any(self.profiles[name].addresses for name in twice):
            hint = "rename one of the columns, and import the file again"
            raise InputError(f'two columns are named "{column.strip()}" and hold addresses', where=self.path, hint=hint)

    def doubtful(self, mapping: Mapped, skipped: Sequence[str]) -> list[str]:
        """The columns that nobody took and that may be stops: by their header, or by what they hold."""
        taken = {column for names in mapping.values() for column in names} | set(skipped)
        return [
            column
            for column, profile in self.profiles.items()
            if column not in taken
            and not self._set_aside(column)
            and (
                doubts.may_stop(column, profile.cells, says_something=profile.says_something)
                or (profile.doubts and columns.speaks_of_mail(column))
            )
        ]

    def decide_words(self, mapping: Mapped, skipped: Sequence[str], words: Mapping[str, Verdict]) -> None:
        """InputError for words in tags, notes and the like that speak of leaving, until it's known what they mean."""
        found = {
            piece: column
            for column in self._watchable(mapping, skipped)
            for piece in self.profiles[column].doubts
            if cells.squeezed(piece) not in words and len(piece.split()) <= _WORDS
        }
        if found:
            raise doubts.undecided_words(self.path, found)

    def _examples(self, column: str) -> list[str]:
        if few := self.profiles[column].doubts:
            return [text for text, _ in few.most_common(3)]
        held = self.profiles[column].cells or Counter()
        return [text for text, _ in held.most_common(6) if not cells.blank(text)][:3]

    def _decide_all_leave(self, mapping: Mapped, words: Mapping[str, Verdict]) -> None:
        """A flag or a date that every row has may mean something else than we think."""
        own = self.system.columns if self.system else {}
        for column in mapping.get("stopped", ()):
            profile = self.profiles[column]
            held = profile.cells
            if cells.squeezed(column) in own or profile.filled < self.rows or self.rows < 2:
                continue
            if held is not None and any(cells.flag(text) is False or cells.word(text, words) for text in held):
                continue
            raise InputError(
                f'by the column "{column.strip()}" all {self.rows:,} rows have left',
                where=self.path,
                hint=f'add --everybody unsubscribed if that is so, or --skip "{column.strip()}"',
            )

    def unknown(self, mapping: Mapped, words: Mapping[str, Verdict]) -> Counter[str]:
        """The words of the status columns that nobody knows, and how many rows have each."""
        found: Counter[str] = Counter()
        for name in ("status", "consented"):
            for column in mapping.get(name, ()):
                for text, count in (self.profiles[column].cells or Counter()).items():
                    answered = name == "consented" and (cells.moment(text) or cells.refuses(text))
                    if not (cells.blank(text) or cells.word(text, words) or cells.flag(text) is not None or answered):
                        found[text] += count
        return found

    def layout(self, mapping: Mapped, skipped: Sequence[str]) -> Layout:
        """Where to read each field."""
        watched = [
            column
            for column in self._watchable(mapping, skipped)
            if self.profiles[column].stops or self.profiles[column].doubts
        ]
        dates = [self.profiles[column] for column in mapping.get("confirmed", ())]
        day_first = any(one.first_over_12 for one in dates) and not any(one.second_over_12 for one in dates)
        confirming = self._confirming(mapping)
        return columns.layout(self.header, mapping, watched=watched, confirming=confirming, day_first=day_first)

    def _watchable(self, mapping: Mapped, skipped: Sequence[str]) -> list[str]:
        """The columns in which a word for having left counts, though they are for something else."""
        own = {column for name in _READ_ANYWAY for column in mapping.get(name, ())}
        return [
            column
            for column in self.header
            if column not in own
            and column not in skipped
            and columns.speaks_of_mail(column)
            and not self._set_aside(column)
        ]

    def _confirming(self, mapping: Mapped) -> list[str]:
        """The columns by which people confirmed, where no other says where they stand."""
        if any(mapping.get(name) for name in ("status", "consented", "pending_lists", "left_lists")):
            return []
        own = self.system.columns if self.system else {}
        return [
            column
            for column in mapping.get("confirmed", ())
            if columns.speaks_of_confirming(column) and cells.squeezed(column) not in own
        ]

    @property
    def words(self) -> Mapping[str, Verdict]:
        """The system's own words for where people stand."""
        return self.system.words if self.system else {}

    def everybody(self) -> Verdict | None:
        """Where all stand who are in the file, as Mailchimp names its four."""
        name = self.path.stem.lower()
        of_mailchimp = self.system is not None and self.system.name == "Mailchimp"
        if not (of_mailchimp or "_audience_export" in name):
            return None
        return next((verdict for word, verdict in _FILES.items() if name.startswith(word)), None)


def survey(path: Path) -> Survey:
    """Look a file over, once and in little memory; InputError where it can't be read."""
    with open_export(path) as table:
        if holds_address(table.header):
            hint = "put a line above it that names the columns, such as Email,First Name"
            raise InputError("the first line is of a person, and names no columns", where=f"{path}:1", hint=hint)
        profiles = {column: Profile() for column in table.header}
        rows = 0
        iterator = iter(table.rows)
        while page := list(itertools.islice(iterator, _PAGE)):
            filled = [row for _, row in page if row]
            rows += len(filled)
            for profile, column in zip(profiles.values(), itertools.zip_longest(*filled, fillvalue=""), strict=False):
                _look(profile, column)
        return Survey(
            path=path,
            header=table.header,
            rows=rows,
            system=recognise(table.header),
            above=table.above,
            profiles=profiles,
        )


def _look(profile: Profile, column: Iterable[str]) -> None:
    counted = Counter(column)
    for text, count in counted.items():
        if cells.blank(text):
            continue
        profile.filled += count
        profile.addresses += count if "@" in text else 0
        profile.says_something = profile.says_something or cells.flag(text) is not False
        if cells.certain(text):
            profile.stops[text] += count
        elif len(profile.doubts) < _DISTINCT and cells.worth_a_look(text):
            for piece in cells.pieces(text):
                if cells.certain(piece):
                    profile.stops[piece] += count
                elif cells.doubtful(piece):
                    profile.doubts[piece] += count
        first, _, rest = text[:6].partition("/")
        if rest and first.isdecimal():
            second = rest.partition("/")[0]
            profile.first_over_12 = profile.first_over_12 or 12 < int(first) < 32
            profile.second_over_12 = profile.second_over_12 or (second.isdecimal() and int(second) > 12)
    if profile.cells is not None:
        profile.cells.update(counted)
        if len(profile.cells) > _DISTINCT:
            profile.cells = None
