"""The stored policies, each with its dated history."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from newsletter import codec
from newsletter.errors import InputError, NotFound, nearest
from newsletter.model import Level, Link, Photo, Place, Policy, Provision, Status, StatusChange
from newsletter.store.records import PolicyRecord, StatusRecord

_PLAIN = ("slug", "title", "number", "url", "summary")


def _columns(policy: Policy) -> dict[str, Any]:
    return {
        **{name: getattr(policy, name) for name in _PLAIN},
        "state": policy.place.state,
        "locality": policy.place.locality,
        "level": policy.level,
        **{name: codec.plain(getattr(policy, name)) for name in ("topics", "sponsors", "links", "provisions", "photo")},
    }


def _history(policy: Policy, now: dt.datetime) -> list[StatusRecord]:
    return [
        StatusRecord(status=change.status, date=change.date, url=change.url, note=change.note, recorded_at=now)
        for change in policy.history
    ]


def _value(record: PolicyRecord | Row[Any], history: Iterable[StatusRecord | Row[Any]]) -> Policy:
    return Policy(
        **{name: getattr(record, name) for name in _PLAIN},
        place=Place(state=record.state, locality=record.locality),
        level=Level(record.level),
        topics=tuple(record.topics),
        sponsors=tuple(record.sponsors),
        links=codec.build(record.links, tuple[Link, ...]) if record.links else (),
        provisions=codec.build(record.provisions, tuple[Provision, ...]) if record.provisions else (),
        photo=codec.build(record.photo, Photo) if record.photo else None,
        history=tuple(
            StatusChange(status=Status(step.status), date=step.date, url=step.url, note=step.note)
            for step in sorted(history, key=lambda step: step.date)
        ),
    )


def _record(session: Session, slug: str) -> PolicyRecord:
    record = session.scalar(select(PolicyRecord).where(PolicyRecord.slug == slug))
    if record is None:
        raise NotFound(f'no policy "{slug}"', hint=nearest(slug, slugs(session)) or "newsletter policies list")
    return record


def slugs(session: Session) -> set[str]:
    """The slugs of all policies."""
    return set(session.scalars(select(PolicyRecord.slug)))


def get(session: Session, slug: str) -> Policy:
    """The policy of that slug, or NotFound with the nearest."""
    record = _record(session, slug)
    return _value(record, record.history)


def find(session: Session, *, topic: str = "", state: str = "", since: dt.date | None = None) -> list[Policy]:
    """Policies by place and title; `since` keeps those with a change on that day or later."""
    policies, steps = PolicyRecord.__table__, StatusRecord.__table__
    query = select(policies).order_by(PolicyRecord.state, PolicyRecord.locality, PolicyRecord.title)
    if state:
        query = query.where(PolicyRecord.state == state)
    # Rows and not records: of thousands, these take a third of the time.
    histories: dict[int, list[Row[Any]]] = defaultdict(list)
    for step in session.execute(select(steps).order_by(StatusRecord.date, StatusRecord.id)):
        histories[step.policy_id].append(step)
    found: Iterable[Policy] = (_value(row, histories.get(row.id, ())) for row in session.execute(query))
    if topic:
        found = (policy for policy in found if topic.lower() in map(str.lower, policy.topics))
    if since:
        found = (policy for policy in found if policy.moved(since, dt.date.max))
    return list(found)


def add(session: Session, policy: Policy, now: dt.datetime) -> None:
    """Store a new policy; its slug must be free."""
    if session.scalar(select(PolicyRecord.id).where(PolicyRecord.slug == policy.slug)):
        raise InputError(
            f'there is a policy "{policy.slug}" already', hint="newsletter policies status, or another --slug"
        )
    session.add(PolicyRecord(**_columns(policy), history=_history(policy, now), created_at=now, updated_at=now))


def replace(session: Session, slug: str, policy: Policy, now: dt.datetime) -> bool:
    """Put `policy` in the place of the stored one; False when nothing differs."""
    record = _record(session, slug)
    if _value(record, record.history) == policy:
        return False
    if policy.slug != slug and policy.slug in slugs(session):
        raise InputError(f'there is a policy "{policy.slug}" already')
    for name, value in _columns(policy).items():
        setattr(record, name, value)
    record.history = _history(policy, now)
    record.updated_at = now
    return True


def set_status(session: Session, slug: str, change: StatusChange, now: dt.datetime) -> bool:
    """Add a step to a policy's history; False when that very step is there already."""
    record = _record(session, slug)
    if change in _value(record, record.history).history:
        return False
    record.history.append(
        StatusRecord(status=change.status, date=change.date, url=change.url, note=change.note, recorded_at=now)
    )
    record.updated_at = now
    return True


def undo_status(
    session: Session, slug: str, now: dt.datetime, *, status: str = "", day: dt.date | None = None
) -> StatusChange:
    """Take a step out of a policy's history: the one that was recorded last, of those with this status and day where
    they're given. NotFound when there's none.
    """
    record = _record(session, slug)
    fitting = [
        step for step in record.history if (not status or step.status == status) and (day is None or step.date == day)
    ]
    if not fitting:
        raise NotFound(f"no such step in the history of {slug}", hint=f"newsletter policies show {slug}")
    last = max(fitting, key=lambda step: (step.recorded_at, step.id))
    record.history.remove(last)
    record.updated_at = now
    return StatusChange(status=Status(last.status), date=last.date, url=last.url, note=last.note)


def remove(session: Session, slug: str) -> None:
    """Delete a policy with its history. Approved issues keep their own copy."""
    session.delete(_record(session, slug))


def steps_into_force(policy: Policy, month: dt.date) -> list[StatusChange]:
    """The steps by which a policy takes effect or begins to be enforced in the month of a day, oldest first."""
    return [
        change
        for change in policy.history
        if change.status in (Status.IN_EFFECT, Status.ENFORCED) and change.date.replace(day=1) == month.replace(day=1)
    ]
