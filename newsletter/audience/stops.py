"""Addresses that another system never mails, taken over with its reasons."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience import columns
from newsletter.audience.addresses import found_in, normalize
from newsletter.audience.consent import harden
from newsletter.audience.exports import open_export
from newsletter.audience.standing import Reason
from newsletter.errors import InputError
from newsletter.spreadsheet import guarded
from newsletter.store import insert_new
from newsletter.store.records import SuppressionRecord

_PAGE = 1_000
#: What providers' lists call their reasons, squeezed to letters: Postmark's, Amazon SES's, Mailjet's and Brevo's.
_REASONS = {
    **dict.fromkeys(("hardbounce", "bounce", "bounced", "cleaned", "permanent", "invalid"), Reason.HARD_BOUNCE),
    **dict.fromkeys(("spamcomplaint", "complaint", "complained", "spam", "spamreport", "abuse"), Reason.COMPLAINT),
    **dict.fromkeys(("manualsuppression", "manual", "unsubscribe", "unsubscribed", "blocklisted"), Reason.MANUAL),
}
_REASON_COLUMNS = ("reason", "suppressionreason", "type", "event")


@dataclass(slots=True)
class Report:
    """What became of the rows: newly suppressed, suppressed already, and those without an address, by line."""

    rows: int = 0
    added: int = 0
    known: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def import_stops(
    session: Session,
    path: Path,
    *,
    reason: Reason | None,
    name: str,
    hash_address: Callable[[str], str],
    now: dt.datetime,
) -> Report:
    """Suppress every address of a file, with a header or without: for the list of that name or, without one, for that
    of the row's column `list`, or for all. The reason is that of the row where we know its word, else the one that's
    given; InputError where there is neither.
    """
    report = Report()
    source = f"import: {path.name}"
    rows = _rows(path, reason, report)
    while page := list(itertools.islice(rows, _PAGE)):
        values: list[dict[str, Any]] = [
            {
                "address_hash": hash_address(email),
                "email": email,
                "list": name or named,
                "reason": why,
                "source": source,
                "at": now,
                "tell": False,
            }
            for email, why, named in page
        ]
        statement = insert_new(session, SuppressionRecord).returning(SuppressionRecord.reason)
        for (why,) in session.execute(statement, values):
            report.added += 1
            report.reasons[why] += 1
        for lasting in Reason:
            hashes = [value["address_hash"] for value in values if value["reason"] == lasting]
            if hashes:
                harden(session, hashes, lasting, source=source, now=now)
    report.known = report.rows - report.added - len(report.rejected)
    return report


def _rows(path: Path, reason: Reason | None, report: Report) -> Iterator[tuple[str, Reason, str]]:
    with open_export(path) as table:
        places = {name: number for number, name in enumerate(table.header)}
        bare = "@" in table.header[0]
        address = 0 if bare else places.get(columns.guess(table.header).get("email", ("",))[0], -1)
        if address < 0:
            raise InputError("no column holds the address", where=path, hint="name it Email in the first line")
        named = places.get("list", len(places))
        words = next((n for name, n in places.items() if _squeeze(name) in _REASON_COLUMNS), -1)
        for line, cells in itertools.chain([(1, table.header)] if bare else [], table.rows):
            if not cells:
                continue
            report.rows += 1
            cell = cells[address] if address < len(cells) else ""
            emails = found_in(cell)
            if not emails:
                report.rejected.append((line, _why_not(cell)))
                continue
            found = _REASONS.get(_squeeze(cells[words])) if 0 <= words < len(cells) else None
            if found is None and reason is None:
                hint = "give --reason, for all whose reason isn't known"
                raise InputError("no reason that's known", where=f"{path}:{line}", hint=hint)
            report.rows += len(emails) - 1
            for email in emails:
                yield email, found or reason or Reason.MANUAL, cells[named] if named < len(cells) else ""


def _why_not(cell: str) -> str:
    """Why there's no address in a cell."""
    try:
        return f'not an address: "{normalize(cell)[:40]}"'
    except InputError as fault:
        return str(fault)


def export_stops(session: Session, out: TextIO) -> int:
    """Write all suppressed addresses as CSV that `import_stops` takes; how many. Of who was forgotten, there's no
    address to write.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("email", "list", "reason"))
    record = SuppressionRecord
    query = select(record.email, record.list, record.reason).where(record.email.is_not(None)).order_by(record.id)
    written = 0
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        writer.writerow([guarded(str(cell)) for cell in row])
        written += 1
    return written


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
