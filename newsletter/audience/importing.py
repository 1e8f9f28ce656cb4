"""Exports into the audience, in one transaction.

Every row ends as imported (a new person), merged (a person we know, from the store or from an earlier row)
or rejected (written beside the input, with line and reason). The rules of merging:

- a stop always wins: who unsubscribed, bounced or complained, here or there, stays stopped;
- pending never overrides active;
- cells of the row with the newer consent replace older ones, other cells only fill what is empty, and an
  empty cell replaces nothing.

Importing the same file again changes nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from newsletter.audience.exports import Table, open_export
from newsletter.audience.people import PROFILE, Person, Reader, Reason, Standing
from newsletter.config import MailingList
from newsletter.errors import InputError
from newsletter.store.records import ConsentRecord, SubscriberRecord, SubscriptionRecord, SuppressionRecord

_PAGE = 500
Row = tuple[int, list[str]]


@dataclass(slots=True)
class Report:
    """What became of the rows. `changed` counts people in whose record anything is now different."""

    rows: int = 0
    imported: int = 0
    merged: int = 0
    rejected: int = 0
    changed: int = 0
    blank_lines: int = 0
    suppressed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    rejects_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an import needs to know: where each field is, the lists, and how to hash an address."""

    mapping: Mapping[str, str]
    lists: Mapping[str, MailingList]
    default_lists: tuple[str, ...]
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
    reader = Reader(rules.lists, rules.default_lists)
    with open_export(path) as table, ExitStack() as stack:
        rejects = _Rejects(rules.rejects, table.header, stack)
        people = _people(table, reader, rules, report, rejects)
        for page in _pages(people):
            _store(session, page, rules, path.name, now, report, rejects)
            progress(len(page))
    report.rejects_file = rejects.path if report.rejected else None
    return report


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
            person = reader.read(line, {name: cells[index] for name, index in columns.items()})
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


def _store(
    session: Session,
    page: list[tuple[Person, Row]],
    rules: Rules,
    source: str,
    now: dt.datetime,
    report: Report,
    rejects: _Rejects,
) -> None:
    """Merge one page of people with what is stored, and write what differs."""
    hashes = {person.email: rules.hash_address(person.email) for person, _ in page}
    suppressed = _suppressed(session, hashes)
    known = _Known(session, {person.email for person, _ in page}, now)
    for person, row in page:
        if suppressed.get(hashes[person.email]) == Reason.ERASED:
            rejects.add(report, row, "its owner asked to be forgotten")
            continue
        if known.merge(person, source):
            report.merged += 1
        else:
            report.imported += 1
        if person.stop and hashes[person.email] not in suppressed:
            suppressed[hashes[person.email]] = person.stop
            report.suppressed += 1
            session.add(
                SuppressionRecord(
                    address_hash=hashes[person.email], email=person.email, reason=person.stop, source=source, at=now
                )
            )
    report.changed += known.write()
    session.flush()


def _suppressed(session: Session, hashes: Mapping[str, str]) -> dict[str, str]:
    query = select(SuppressionRecord.address_hash, SuppressionRecord.reason)
    return {
        row.address_hash: row.reason
        for row in session.execute(query.where(SuppressionRecord.address_hash.in_(hashes.values())))
    }


class _Known:
    """The people of one page as the store has them, merged in memory and written at once."""

    def __init__(self, session: Session, emails: set[str], now: dt.datetime) -> None:
        self._session = session
        self._now = now
        table = SubscriberRecord.__table__.c
        columns = (table.id, table.email, table.consented_at, *(table[name] for name in PROFILE))
        rows = session.execute(select(*columns).where(table.email.in_(emails))).mappings()
        self._people: dict[str, dict[str, Any]] = {row["email"]: dict(row) for row in rows}
        self._standing: dict[tuple[str, str], str] = {}
        names = {person["id"]: email for email, person in self._people.items()}
        query = select(SubscriptionRecord.subscriber_id, SubscriptionRecord.list, SubscriptionRecord.status)
        for row in session.execute(query.where(SubscriptionRecord.subscriber_id.in_(names))):
            self._standing[names[row.subscriber_id], row.list] = row.status
        self._stored = dict(self._standing)
        self._changed: dict[str, None] = {}
        self._consents: list[tuple[Person, str, Standing, str]] = []

    def merge(self, person: Person, source: str) -> bool:
        """Take a person in; True when they were known already."""
        known = person.email in self._people
        self._profile(person)
        for name in person.lists:
            before = self._standing.get((person.email, name))
            after = _stricter(before, person.standing)
            if after != before:
                self._standing[person.email, name] = after
                self._consents.append((person, name, after, source))
                self._changed[person.email] = None
        return known

    def _profile(self, person: Person) -> None:
        record = self._people.setdefault(
            person.email, {"id": None, "email": person.email, "consented_at": None, **dict.fromkeys(PROFILE, "")}
        )
        consented, ours = person.consented_at, record["consented_at"]
        newer = consented is not None and (ours is None or consented > ours)
        after = {"consented_at": consented} if newer else {}
        for name in PROFILE:
            value = getattr(person, name)
            if value and (newer or not record[name]):
                after[name] = value
        if any(record[name] != value for name, value in after.items()) or record["id"] is None:
            record.update(after)
            self._changed[person.email] = None

    def write(self) -> int:
        """Write what differs; the number of people it concerns."""
        changed = [self._people[email] for email in self._changed]
        fresh = [person for person in changed if person["id"] is None]
        if fresh:
            rows = [{k: v for k, v in p.items() if k != "id"} | self._stamps() for p in fresh]
            returned = insert(SubscriberRecord).returning(SubscriberRecord.id, SubscriberRecord.email)
            for row in self._session.execute(returned, rows):
                self._people[row.email]["id"] = row.id
        old = [person for person in changed if person not in fresh]
        if old:
            self._session.execute(
                update(SubscriberRecord),
                [{k: v for k, v in person.items() if k != "email"} | {"updated_at": self._now} for person in old],
            )
        self._write_standing()
        return len(changed)

    def _stamps(self) -> dict[str, dt.datetime]:
        return {"created_at": self._now, "updated_at": self._now}

    def _write_standing(self) -> None:
        confirmed = {
            (person.email, name): person.consented_at
            for person, name, standing, _ in self._consents
            if standing is Standing.ACTIVE
        }
        fresh: list[dict[str, Any]] = []
        moved: list[dict[str, Any]] = []
        for (email, name), status in self._standing.items():
            if self._stored.get((email, name)) == status:
                continue
            row = {
                "subscriber_id": self._people[email]["id"],
                "list": name,
                "status": status,
                "confirmed_at": confirmed.get((email, name)),
                "changed_at": self._now,
            }
            (moved if (email, name) in self._stored else fresh).append(row)
        if fresh:
            self._session.execute(insert(SubscriptionRecord), fresh)
        if moved:
            table: Any = SubscriptionRecord.__table__
            statement = (
                update(table)
                .where(table.c.subscriber_id == bindparam("of"), table.c.list == bindparam("on"))
                .values(status=bindparam("to"), changed_at=bindparam("at"))
            )
            rows = [
                {"of": row["subscriber_id"], "on": row["list"], "to": row["status"], "at": row["changed_at"]}
                for row in moved
            ]
            self._session.connection().execute(statement, rows)
        if self._consents:
            self._session.execute(insert(ConsentRecord), [self._evidence(*consent) for consent in self._consents])

    def _evidence(self, person: Person, name: str, standing: Standing, source: str) -> dict[str, Any]:
        evidence = {
            "line": person.line,
            "ip": person.ip,
            "confirmed": person.consented_at.isoformat() if person.consented_at else "",
            "stop": person.stop or "",
        }
        return {
            "subscriber_id": self._people[person.email]["id"],
            "list": name,
            "status": standing,
            "at": self._now,
            "source": f"import: {source}",
            "evidence": {key: value for key, value in evidence.items() if value},
        }


def _stricter(ours: str | None, theirs: Standing) -> Standing:
    """Which of two standings holds: a stop before anything, active before pending."""
    if ours is None:
        return theirs
    order = (Standing.UNSUBSCRIBED, Standing.ACTIVE, Standing.PENDING)
    return min(Standing(ours), theirs, key=order.index)
