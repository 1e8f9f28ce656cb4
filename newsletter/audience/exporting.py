"""People as a table: the inverse of an import. Bringing the file back changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TextIO

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from newsletter.audience.fields import PROFILE
from newsletter.audience.segments import Condition
from newsletter.audience.standing import Standing
from newsletter.spreadsheet import guarded
from newsletter.store.bulk import Bulk
from newsletter.store.records import SubscriberRecord, SubscriptionRecord, SuppressionRecord, TagRecord

_PAGE = 1_000
_COLUMNS = {Standing.ACTIVE: "lists", Standing.PENDING: "pending_lists", Standing.UNSUBSCRIBED: "left_lists"}
Groups = dict[int, dict[str, list[str]]]


def export_people(
    session: Session,
    out: TextIO,
    attributes: Collection[str],
    *,
    name: str = "",
    where: Condition | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write everybody as CSV, or those who stand in any way on the list of that name and whom a condition fits; how
    many. Several values in a cell have `; ` between them, and no spreadsheet takes a cell for a formula.
    """
    header = [
        *("email", *PROFILE, "tags", *(f"attributes.{one}" for one in attributes)),
        *(*_COLUMNS.values(), "suppressed", "suppressed_lists", "confirmed", "frequency", "paused_until"),
    ]
    writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    written = 0
    bulk = Bulk(session)
    for page in _pages(session, _query(name, where)):
        writer.writerows(
            {column: guarded(cell) for column, cell in row.items()} for row in _rows(bulk, page, attributes)
        )
        written += len(page)
        progress(len(page))
    return written


def _query(name: str, where: Condition | None) -> Select[Any]:
    query = select(SubscriberRecord).order_by(SubscriberRecord.id).limit(_PAGE)
    if name:
        on = select(SubscriptionRecord.subscriber_id).where(SubscriptionRecord.list == name)
        query = query.where(SubscriberRecord.id.in_(on))
    return query if where is None else query.where(where)


def _pages(session: Session, query: Select[Any]) -> Iterator[Sequence[SubscriberRecord]]:
    last = 0
    while page := session.scalars(query.where(SubscriberRecord.id > last)).all():
        yield page
        last = page[-1].id
        session.expunge_all()


def _rows(bulk: Bulk, page: Sequence[SubscriberRecord], attributes: Collection[str]) -> Iterator[dict[str, str]]:
    numbers = [person.id for person in page]
    standings = _grouped(
        (row["subscriber_id"], _COLUMNS[Standing(row["status"])], row["list"])
        for row in bulk.find(SubscriptionRecord, ("subscriber_id", "list", "status"), "subscriber_id", numbers)
    )
    tags = _grouped(
        (row["subscriber_id"], "tags", row["tag"])
        for row in bulk.find(TagRecord, ("subscriber_id", "tag"), "subscriber_id", numbers)
    )
    ids = {person.email: person.id for person in page}
    stops = _grouped(
        (ids[row["email"]], "suppressed_lists", row["list"]) if row["list"] else (ids[row["email"]], "", row["reason"])
        for row in bulk.find(SuppressionRecord, ("email", "list", "reason"), "email", list(ids))
    )
    for person in page:
        several = {**standings.get(person.id, {}), **tags.get(person.id, {}), **stops.get(person.id, {})}
        yield {
            "email": person.email,
            **{name: getattr(person, name) for name in PROFILE},
            **{f"attributes.{one}": person.attributes.get(one, "") for one in attributes},
            "suppressed": "; ".join(several.pop("", [])),
            **{column: "; ".join(sorted(values)) for column, values in several.items()},
            "confirmed": person.consented_at.isoformat() if person.consented_at else "",
            "frequency": person.frequency,
            "paused_until": person.paused_until.isoformat() if person.paused_until else "",
        }


def _grouped(rows: Iterator[tuple[int, str, str]]) -> Groups:
    found: Groups = {}
    for number, column, value in rows:
        found.setdefault(number, {}).setdefault(column, []).append(value)
    return found
