"""An import taken back: what it added goes, what it changed is as it was before.

A stop is never lifted: who unsubscribed, bounced or complained by the import's word stays stopped. And what others have
done since stays: a detail that was edited, a list that somebody joined or left, people who were mailed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from newsletter.audience.standing import Standing
from newsletter.errors import InputError, NotFound
from newsletter.store.records import (
    ConsentRecord,
    DeliveryRecord,
    ImportChangeRecord,
    ImportRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
    TagRecord,
)

_PAGE = 1_000
_MOMENTS = ("paused_until", "consented_at")


@dataclass(slots=True)
class Undone:
    """What became of an import that was taken back: people `removed`, people `restored` to what they were, and why
    anything of it was `kept`, with the number of people.
    """

    removed: int = 0
    restored: int = 0
    kept: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Undoing:
    """An import that is being undone, which steps of people's histories are of others, and when."""

    record: ImportRecord
    by_others: ColumnElement[bool]
    now: dt.datetime


def imports(session: Session) -> list[ImportRecord]:
    """Every import, the newest first."""
    return list(session.scalars(select(ImportRecord).order_by(ImportRecord.id.desc())))


def undo(session: Session, number: int, now: dt.datetime) -> Undone:
    """Take an import back; NotFound for a number that there's none of, InputError for one that was taken back."""
    record = session.get(ImportRecord, number, with_for_update=True)
    if record is None:
        raise NotFound(f"no import {number}", hint="newsletter subscribers imports")
    if record.undone_at is not None:
        raise InputError(f"import {number} was undone on {record.undone_at:%Y-%m-%d}")
    record.undone_at = now
    session.flush()
    report, this = Undone(), _Undoing(record, _by_others(session), now)
    _each(session, _changed(number), lambda ids: _restore(session, this, ids, report))
    _each(session, _brought(number), lambda ids: _remove(session, this, ids, report))
    return report


def _each(session: Session, query: Any, act: Callable[[list[int]], None]) -> None:
    last = 0
    column = query.selected_columns[0]
    while ids := list(session.scalars(query.where(column > last).order_by(column).limit(_PAGE))):
        act(ids)
        last = ids[-1]
        session.flush()
        session.expunge_all()


def _changed(number: int) -> Any:
    return select(ImportChangeRecord.subscriber_id).where(ImportChangeRecord.import_id == number)


def _brought(number: int) -> Any:
    return select(SubscriberRecord.id).where(SubscriberRecord.import_id == number)


def _by(record: ImportRecord) -> ColumnElement[bool]:
    """Whether a step in somebody's history is of an import."""
    return ConsentRecord.source.startswith(f"import {record.id}: ", autoescape=True)


def _by_others(session: Session) -> ColumnElement[bool]:
    """Whether a step is neither of an import that was undone, or is being undone, nor of the undoing."""
    undone = session.scalars(select(ImportRecord.id).where(ImportRecord.undone_at.is_not(None)))
    beginnings = [f"{of} {number}: " for number in undone for of in ("import", "undo of import")]
    return ~or_(*(ConsentRecord.source.startswith(text, autoescape=True) for text in beginnings))


def _remove(session: Session, this: _Undoing, ids: list[int], report: Undone) -> None:
    """Remove people whom the import brought, unless a stop hangs on them or others have had to do with them since."""
    others = _others_since(session, this, ids)
    mailed = set(session.scalars(select(DeliveryRecord.subscriber_id).where(DeliveryRecord.subscriber_id.in_(ids))))
    stopped = _stopped(session, ids)
    keep = others | mailed | stopped
    _leave_lists(session, this, [number for number in ids if number in keep])
    for why, who in (
        ("others have changed them since", others),
        ("they have been mailed since", mailed - others),
        ("a stop is never lifted", stopped - others - mailed),
    ):
        report.kept[why] += len(who)
    gone = [number for number in ids if number not in keep]
    session.execute(delete(SubscriberRecord).where(SubscriberRecord.id.in_(gone)))
    report.removed += len(gone)


def _stopped(session: Session, ids: list[int]) -> set[int]:
    left = select(SubscriptionRecord.subscriber_id).where(
        SubscriptionRecord.subscriber_id.in_(ids), SubscriptionRecord.status == Standing.UNSUBSCRIBED
    )
    suppressed = select(SubscriberRecord.id).where(
        SubscriberRecord.id.in_(ids), exists().where(SuppressionRecord.email == SubscriberRecord.email)
    )
    return {*session.scalars(left), *session.scalars(suppressed)}


def _others_since(session: Session, this: _Undoing, ids: list[int]) -> set[int]:
    """Those whose record or history anybody else has changed since they were brought."""
    told = select(ConsentRecord.subscriber_id).where(ConsentRecord.subscriber_id.in_(ids), this.by_others)
    edited = select(SubscriberRecord.id).where(
        SubscriberRecord.id.in_(ids), SubscriberRecord.updated_at > SubscriberRecord.created_at
    )
    found = {*session.scalars(told), *session.scalars(edited)}
    return found | {row.subscriber_id for row in _changes_since(session, this.record, ids)}


def _changes_since(session: Session, record: ImportRecord, ids: list[int]) -> list[ImportChangeRecord]:
    """What later imports that stand have changed of people."""
    undone = select(ImportRecord.id).where(ImportRecord.undone_at.is_not(None))
    later = select(ImportChangeRecord).where(
        ImportChangeRecord.subscriber_id.in_(ids),
        ImportChangeRecord.import_id > record.id,
        ImportChangeRecord.import_id.not_in(undone),
    )
    return list(session.scalars(later))


def _leave_lists(session: Session, this: _Undoing, ids: list[int]) -> None:
    """Take people who stay off the lists that only this import put them on."""
    others = exists().where(
        ConsentRecord.subscriber_id == SubscriptionRecord.subscriber_id,
        ConsentRecord.list == SubscriptionRecord.list,
        this.by_others,
    )
    changes = _changes_since(session, this.record, ids)
    seen = {(change.subscriber_id, name) for change in changes for name in change.change.get("seen", ())}
    query = select(SubscriptionRecord).where(
        SubscriptionRecord.subscriber_id.in_(ids), SubscriptionRecord.status != Standing.UNSUBSCRIBED, ~others
    )
    for row in session.scalars(query):
        if (row.subscriber_id, row.list) not in seen:
            _note(session, row.subscriber_id, row.list, this.record, this.now)
            session.delete(row)


def _note(session: Session, subscriber: int, name: str, record: ImportRecord, now: dt.datetime) -> None:
    source = f"undo of import {record.id}: {record.file}"
    session.add(
        ConsentRecord(
            subscriber_id=subscriber, list=name, status="undone", at=now, source=source, evidence={}, tell=False
        )
    )


def _restore(session: Session, this: _Undoing, ids: list[int], report: Undone) -> None:
    """Give people back what they had before the import, where it's still as the import left it."""
    query = select(ImportChangeRecord).where(
        ImportChangeRecord.import_id == this.record.id, ImportChangeRecord.subscriber_id.in_(ids)
    )
    for row in session.scalars(query).all():
        person = session.get_one(SubscriberRecord, row.subscriber_id)
        edited = _restore_fields(person, row.change.get("fields", {}))
        stopped, moved = _restore_standings(session, this, person.id, row.change.get("standings", {}))
        tags = row.change.get("tags", [])
        session.execute(delete(TagRecord).where(TagRecord.subscriber_id == person.id, TagRecord.tag.in_(tags)))
        report.kept["others have changed them since"] += edited or moved
        report.kept["a stop is never lifted"] += stopped
        report.restored += not (edited or moved or stopped)
        before = row.change.get("updated")
        person.updated_at = dt.datetime.fromisoformat(before) if before and not edited else person.updated_at


def _restore_fields(person: SubscriberRecord, fields: dict[str, list[Any]]) -> bool:
    """Whether any of the fields was changed by somebody else since, and so stays."""
    edited = False
    for name, (before, after) in fields.items():
        before, after = (_moment(value) if name in _MOMENTS else value for value in (before, after))
        if getattr(person, name) == after:
            setattr(person, name, before)
        else:
            edited = True
    return edited


def _moment(value: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if value else None


def _restore_standings(
    session: Session, this: _Undoing, subscriber: int, standings: dict[str, list[Any]]
) -> tuple[bool, bool]:
    """Whether a stop of the import stays, and whether somebody else has moved the person since."""
    stopped = moved = False
    for name, (before, after) in standings.items():
        row = session.get(SubscriptionRecord, (subscriber, name))
        if after == Standing.UNSUBSCRIBED:
            stopped = True
        elif row is None or row.status != after or _told_since(session, this, subscriber, name):
            moved = True
        else:
            _note(session, subscriber, name, this.record, this.now)
            if before is None:
                session.delete(row)
            else:
                row.status, row.changed_at = before, this.now
    return stopped, moved


def _told_since(session: Session, this: _Undoing, subscriber: int, name: str) -> bool:
    """Whether anybody has had to do with a subscription since the import moved it."""
    ours = select(func.max(ConsentRecord.id)).where(
        ConsentRecord.subscriber_id == subscriber, ConsentRecord.list == name, _by(this.record)
    )
    last = session.scalar(ours) or 0
    later = select(func.count()).where(
        ConsentRecord.subscriber_id == subscriber,
        or_(ConsentRecord.list == name, ConsentRecord.list == ""),
        ConsentRecord.id > last,
        this.by_others,
    )
    return bool(session.scalar(later))
