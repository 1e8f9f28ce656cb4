"""Exports into the audience, in one transaction.

Every row ends as imported (a new person), merged (a person we know, from the store or from an earlier row)
or rejected (written beside the input, with line and reason). The rules of merging:

- a stop always wins: who unsubscribed, bounced or complained, here or there, stays stopped, and a row that is rejected
  for something else still stops whom it names;
- pending never overrides active;
- cells of the row with the newer consent replace older ones, other cells only fill what is empty, and an
  empty cell replaces nothing;
- tags are added, never taken away.

Importing the same file again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import gc
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.audience.cells import Verdict
from newsletter.audience.columns import Layout
from newsletter.audience.exports import Row, Table, open_export
from newsletter.audience.merging import Page
from newsletter.audience.people import Person, Reader, Standing
from newsletter.audience.rejects import Rejects
from newsletter.audience.verdicts import Judge
from newsletter.config import MailingList
from newsletter.errors import InputError
from newsletter.store.bulk import Bulk
from newsletter.store.records import ImportRecord

#: How many rows are looked up and written at once.
_PAGE = 4_000
#: How often a page is read again because somebody joined meanwhile.
_TRIES = 10
#: How many different reasons and warnings are kept, and examples of each.
_KINDS, _EXAMPLES = 200, 3
_OTHERS = "other reasons"
#: A clock that is a little ahead made no mistake.
_AHEAD = dt.timedelta(days=1)


@dataclass(slots=True)
class Noted:
    """How many rows something was noted of, with the first examples."""

    rows: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What became of the rows. `changed` counts people in whose record anything is now different; `standings` those
    whose standing on a list is new, by list and standing; `stopped` those whom a rejected row stopped nevertheless.
    `number` is that of the import.
    """

    number: int = 0
    rows: int = 0
    imported: int = 0
    merged: int = 0
    rejected: int = 0
    stopped: int = 0
    changed: int = 0
    blank_lines: int = 0
    suppressed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: dict[str, Noted] = field(default_factory=dict)
    standings: Counter[tuple[str, Standing]] = field(default_factory=Counter)
    rejects_files: list[Path] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        """Count a rejected row."""
        self.rejected += 1
        self.reasons[reason if reason in self.reasons or len(self.reasons) < _KINDS else _OTHERS] += 1

    def warn(self, what: str, cell: str) -> None:
        """Count what was left out of a row."""
        noted = self.warnings.setdefault(what, Noted())
        noted.rows += 1
        if len(noted.examples) < _EXAMPLES and cell[:40] not in noted.examples:
            noted.examples.append(cell[:40])

    def add(self, other: Report) -> None:
        """Add the counts of another file."""
        for name in ("rows", "imported", "merged", "rejected", "stopped", "changed", "blank_lines", "suppressed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)
        self.standings.update(other.standings)
        for what, noted in other.warnings.items():
            mine = self.warnings.setdefault(what, Noted())
            mine.rows += noted.rows
            mine.examples = [*mine.examples, *noted.examples][:_EXAMPLES]
        self.rejects_files += other.rejects_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an import needs to know: where each field is, what the file's own words mean and what holds for everybody in
    it, the lists, the attributes, and how to hash an address.
    """

    layout: Layout
    words: Mapping[str, Verdict]
    everybody: Verdict | None
    lists: Mapping[str, MailingList]
    default_lists: tuple[str, ...]
    attributes: tuple[str, ...]
    hash_address: Callable[[str], str]


def import_people(
    session: Session,
    path: Path,
    rules: Rules,
    record: ImportRecord,
    aside: Path,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Bring an export into the audience, as an import or a part of one; rejected rows go to `aside`. InputError when
    the file as a whole can't be read.
    """
    now = record.at
    report = Report(number=record.id)
    bulk = Bulk(session)
    with open_export(path) as table, ExitStack() as stack:
        stack.enter_context(_rarely_collected())
        stack.enter_context(bulk.room())
        rejects = stack.enter_context(Rejects(aside, path, table.header))
        for rows in _pages(_people(table, _reader(rules, now), report, rejects)):
            _store(session, bulk, rows, rules, now, path, report, rejects)
            progress(len(rows))
    report.rejects_files = [rejects.path] if report.rejected else []
    for name in ("rows", "imported", "merged", "rejected", "changed", "suppressed"):
        setattr(record, name, getattr(record, name) + getattr(report, name))
    return report


def begin(session: Session, file: str, now: dt.datetime) -> ImportRecord:
    """The record of a new import, with its number."""
    record = ImportRecord(file=file, at=now, rows=0, imported=0, merged=0, rejected=0, changed=0, suppressed=0)
    session.add(record)
    session.flush()
    return record


def _reader(rules: Rules, now: dt.datetime) -> Reader:
    judge = Judge(rules.layout, rules.words, rules.everybody)
    return Reader(rules.lists, rules.default_lists, rules.attributes, rules.layout, judge, now + _AHEAD)


@dataclass(slots=True)
class Preview:
    """What an import would do: the first rows as they'd be stored, or why not; and how many would become what."""

    first: list[Person | str] = field(default_factory=list)
    becomes: Counter[str] = field(default_factory=Counter)


def preview(path: Path, rules: Rules, now: dt.datetime, count: int) -> Preview:
    """Read every row, store none, and show so many."""
    reader = _reader(rules, now)
    found = Preview()
    with open_export(path) as table:
        for line, cells in (row for row in table.rows if row[1]):
            person: Person | str
            try:
                person = reader.read(line, cells)
                found.becomes[_becomes(person)] += 1
            except InputError as fault:
                person = f"line {line}: {fault}"
                found.becomes["rejected, but stopped" if reader.stopped(line, cells) else "rejected"] += 1
            if len(found.first) < count:
                found.first.append(person)
    return found


def _becomes(person: Person) -> str:
    if person.stop:
        return f"suppressed ({person.stop})"
    order = (Standing.ACTIVE, Standing.PENDING, Standing.UNSUBSCRIBED)
    return str(min(person.standings.values(), key=order.index, default="on no list"))


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """A page makes tens of thousands of objects and no cycle: to look for cycles among them takes an eighth of the
    time.
    """
    before = gc.get_threshold()
    gc.set_threshold(5_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _people(table: Table, reader: Reader, report: Report, rejects: Rejects) -> Iterator[tuple[Person, Row]]:
    """Each row's person; of a row that is rejected, whom it stops."""
    for line, cells in table.rows:
        if not cells:
            report.blank_lines += 1
            continue
        report.rows += 1
        row = (line, cells)
        try:
            person = reader.read(line, cells)
        except InputError as fault:
            report.reject(fault.what)
            stopped = reader.stopped(line, cells)
            rejects.add(row, f"{fault}; stopped nevertheless" if stopped else str(fault))
            yield from ((person, row) for person in stopped)
            continue
        for what, cell in person.warnings:
            report.warn(what, cell)
        yield person, row


def _pages(people: Iterable[tuple[Person, Row]]) -> Iterator[list[tuple[Person, Row]]]:
    iterator = iter(people)
    while page := list(itertools.islice(iterator, _PAGE)):
        yield page


def _store(
    session: Session,
    bulk: Bulk,
    rows: list[tuple[Person, Row]],
    rules: Rules,
    now: dt.datetime,
    path: Path,
    report: Report,
    rejects: Rejects,
) -> None:
    """Merge a page of people with what is stored, and write what differs; anew where somebody joined meanwhile."""
    for _ in range(_TRIES):
        page = Page(session, bulk, [person for person, _ in rows], rules.hash_address, now, report.number)
        counts: Counter[str] = Counter()
        erased = [row for person, row in rows if not _merged(page, person, counts)]
        try:
            with bulk.savepoint():
                written = page.write(f"import {report.number}: {path.name}")
        except IntegrityError:
            continue
        break
    else:
        raise InputError("others keep changing the same people", where=path, hint="import it again")
    for row in erased:
        reason = "its owner asked to be forgotten"
        report.reject(reason)
        rejects.add(row, reason)
    report.imported += counts["imported"]
    report.merged += counts["merged"]
    report.stopped += counts["stopped"]
    report.changed += written.people
    report.suppressed += written.suppressed
    report.standings.update(written.standings)


def _merged(page: Page, person: Person, counts: Counter[str]) -> bool:
    """Take a person into the page; False for one who asked to be forgotten."""
    if page.erased(person):
        return person.only_stopped
    known = page.merge(person)
    counts["stopped" if person.only_stopped else "merged" if known else "imported"] += 1
    return True
