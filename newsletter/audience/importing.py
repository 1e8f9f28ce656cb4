"""Exports into the audience, in one transaction.

Every row ends as imported (a new person), merged (a person we know, from the store or from an earlier row)
or rejected (written beside the input, with line and reason). The rules of merging:

- a stop always wins: who unsubscribed, bounced or complained, here or there, stays stopped;
- pending never overrides active;
- cells of the row with the newer consent replace older ones, other cells only fill what is empty, and an
  empty cell replaces nothing;
- tags are added, never taken away.

Importing the same file again changes nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import gc
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.audience.exports import Table, open_export
from newsletter.audience.merging import Page
from newsletter.audience.people import Person, Reader, Standing
from newsletter.config import MailingList
from newsletter.errors import InputError
from newsletter.store.bulk import Bulk

#: How many rows are looked up and written at once.
_PAGE = 4_000
Row = tuple[int, list[str]]


@dataclass(slots=True)
class Report:
    """What became of the rows. `changed` counts people in whose record anything is now different; `standings` those
    whose standing on a list is new, by list and standing.
    """

    rows: int = 0
    imported: int = 0
    merged: int = 0
    rejected: int = 0
    changed: int = 0
    blank_lines: int = 0
    suppressed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    standings: Counter[tuple[str, Standing]] = field(default_factory=Counter)
    rejects_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an import needs to know: where each field is, the lists, the attributes, and how to hash an address."""

    mapping: Mapping[str, str]
    lists: Mapping[str, MailingList]
    default_lists: tuple[str, ...]
    attributes: tuple[str, ...]
    hash_address: Callable[[str], str]
    rejects: Path


def import_people(
    session: Session,
    path: Path,
    rules: Rules,
    now: dt.datetime,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Bring an export into the audience. InputError when the file as a whole can't be read."""
    if not rules.mapping.get("email"):
        raise InputError("no column holds the address", where=path, hint='say which: --map email="Column name"')
    report = Report()
    ours = bool(rules.mapping.get("left_lists"))
    reader = Reader(rules.lists, rules.default_lists, rules.attributes, needs_list=not ours)
    bulk = Bulk(session)
    with open_export(path) as table, ExitStack() as stack:
        stack.enter_context(_rarely_collected())
        stack.enter_context(bulk.room())
        rejects = _Rejects(rules.rejects, table.header, stack)
        people = _people(table, reader, rules, report, rejects)
        for rows in _pages(people):
            try:
                _store(
                    Page(session, bulk, [person for person, _ in rows], rules.hash_address, now),
                    rows,
                    path.name,
                    report,
                    rejects,
                )
            except IntegrityError:
                hint = "import it again"
                raise InputError("somebody joined meanwhile; nothing was changed", where=path, hint=hint) from None
            progress(len(rows))
    report.rejects_file = rejects.path if report.rejected else None
    return report


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


def _people(
    table: Table, reader: Reader, rules: Rules, report: Report, rejects: _Rejects
) -> Iterator[tuple[Person, Row]]:
    places = {name: index for index, name in enumerate(table.header)}
    columns = {name: places[column] for name, column in rules.mapping.items() if column}
    width = len(table.header)
    for line, cells in table.rows:
        if not cells:
            report.blank_lines += 1
            continue
        report.rows += 1
        try:
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                raise InputError(f"{len(cells)} cells where the header has {width}")
            cells += [""] * (width - len(cells))
            person = reader.read(line, cells, columns)
        except InputError as fault:
            rejects.add(report, (line, cells), str(fault))
            continue
        for warning in person.warnings:
            report.warnings[warning] += 1
        yield person, (line, cells)


def _pages(people: Iterable[tuple[Person, Row]]) -> Iterator[list[tuple[Person, Row]]]:
    iterator = iter(people)
    while page := list(itertools.islice(iterator, _PAGE)):
        yield page


class _Rejects:
    """The rejected rows, written beside the input as they come: the input's columns, `line` and `reason`."""

    def __init__(self, path: Path, header: Sequence[str], stack: ExitStack) -> None:
        self.path = path
        self._header = header
        self._stack = stack
        self._writer: Any = None

    def add(self, report: Report, row: Row, reason: str) -> None:
        """Keep a row aside."""
        report.rejected += 1
        report.reasons[reason] += 1
        if self._writer is None:
            try:
                file = self._stack.enter_context(self.path.open("w", encoding="utf-8-sig", newline=""))
            except OSError as fault:
                hint = "name another file with --rejects"
                raise InputError(
                    f"can't write the rejected rows: {fault.strerror}", where=self.path, hint=hint
                ) from None
            self._writer = csv.writer(file)
            self._writer.writerow([*self._header, "line", "reason"])
        line, cells = row
        self._writer.writerow([*cells, line, reason])


def _store(page: Page, rows: list[tuple[Person, Row]], source: str, report: Report, rejects: _Rejects) -> None:
    """Merge a page of people with what is stored, and write what differs."""
    for person, row in rows:
        if page.erased(person):
            rejects.add(report, row, "its owner asked to be forgotten")
        elif page.merge(person):
            report.merged += 1
        else:
            report.imported += 1
    written = page.write(f"import: {source}")
    report.changed += written.people
    report.suppressed += written.suppressed
    report.standings.update(written.standings)
