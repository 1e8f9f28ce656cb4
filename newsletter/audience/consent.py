"""Joining, leaving and being stopped: each change with its place in the history of consent.

`tell` marks a change that other programs are told of (see `newsletter.hooks`); an import's are not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.audience.people import Reason, Standing
from newsletter.errors import InputError
from newsletter.store.records import ConsentRecord, SubscriberRecord, SubscriptionRecord, SuppressionRecord


def request(
    session: Session, email: str, lists: Iterable[str], *, source: str, evidence: Mapping[str, str], now: dt.datetime
) -> SubscriberRecord:
    """Somebody asked for lists, and has yet to confirm: pending where they stand nowhere yet. Whoever left a list
    stays off it until then.
    """
    person = session.scalar(select(SubscriberRecord).where(SubscriberRecord.email == email))
    if person is None:
        person = SubscriberRecord(email=email, attributes={}, created_at=now, updated_at=now)
        session.add(person)
        session.flush()
    for name in lists:
        if session.get(SubscriptionRecord, (person.id, name)) is None:
            session.add(SubscriptionRecord(subscriber_id=person.id, list=name, status=Standing.PENDING, changed_at=now))
        note(session, person.id, name, "requested", source=source, evidence=evidence, now=now, tell=False)
    return person


def subscribe(
    session: Session,
    subscriber: int,
    name: str,
    *,
    source: str,
    evidence: Mapping[str, str],
    now: dt.datetime,
) -> bool:
    """Put a person on a list, with the evidence that they want it; False when they were on it already."""
    record = session.get(SubscriptionRecord, (subscriber, name), with_for_update=True)
    if record is None:
        record = SubscriptionRecord(subscriber_id=subscriber, list=name)
        session.add(record)
    elif record.status == Standing.ACTIVE:
        return False
    record.status, record.confirmed_at, record.changed_at = Standing.ACTIVE, now, now
    note(session, subscriber, name, Standing.ACTIVE, source=source, evidence=evidence, now=now)
    return True


def add_by_hand(
    session: Session,
    email: str,
    lists: Iterable[str],
    profile: Mapping[str, str],
    *,
    consent: str,
    hashed: str,
    now: dt.datetime,
) -> list[str]:
    """Put somebody on lists because staff say that they agreed; those that are new. InputError for an address that is
    suppressed, and for a list that they have left: no member of staff takes that back.
    """
    if reason := reason_of(session, hashed):
        raise InputError(f"the address is suppressed: {reason}", hint="its owner may subscribe again themselves")
    person = session.scalar(select(SubscriberRecord).where(SubscriberRecord.email == email))
    if person is None:
        person = SubscriberRecord(email=email, attributes={}, created_at=now, updated_at=now)
        session.add(person)
        session.flush()
    for name in lists:
        standing = session.get(SubscriptionRecord, (person.id, name))
        if standing and standing.status == Standing.UNSUBSCRIBED:
            raise InputError(f'they have left "{name}"', hint="they may subscribe again themselves")
    for field, value in profile.items():
        if value:
            setattr(person, field, value)
    person.consented_at, person.updated_at = person.consented_at or now, now
    evidence = {"consent": consent}
    return [n for n in lists if subscribe(session, person.id, n, source="by hand", evidence=evidence, now=now)]


def unsubscribe(
    session: Session,
    subscriber: int,
    name: str,
    *,
    source: str,
    now: dt.datetime,
    evidence: Mapping[str, str] | None = None,
) -> bool:
    """Take a person off a list; False when there was nothing to change. Doing it twice is as once."""
    record = session.get(SubscriptionRecord, (subscriber, name), with_for_update=True)
    if record is None or record.status == Standing.UNSUBSCRIBED:
        return False
    record.status, record.changed_at = Standing.UNSUBSCRIBED, now
    note(session, subscriber, name, Standing.UNSUBSCRIBED, source=source, evidence=evidence or {}, now=now)
    return True


def note(
    session: Session,
    subscriber: int,
    name: str,
    status: str,
    *,
    source: str,
    evidence: Mapping[str, str],
    now: dt.datetime,
    tell: bool = True,
) -> None:
    """Add a step to somebody's history, for a list or, where `name` is empty, for the person; `tell` others of it."""
    kept = {key: value for key, value in evidence.items() if value}
    session.add(
        ConsentRecord(
            subscriber_id=subscriber, list=name, status=status, at=now, source=source, evidence=kept, tell=tell
        )
    )


def suppress(
    session: Session,
    email: str,
    hashed: str,
    reason: Reason,
    *,
    source: str,
    now: dt.datetime,
    name: str = "",
    tell: bool = False,
) -> bool:
    """Never mail an address again, for one list or, without a `name`, for any; False when it was suppressed already.
    Soft bounces, which may be forgiven, give way to any other reason.
    """
    known = select(SuppressionRecord).where(SuppressionRecord.address_hash == hashed)
    if record := session.scalar(known.where(SuppressionRecord.list.in_(("", name))).limit(1)):
        if record.reason != Reason.SOFT_BOUNCES or reason is Reason.SOFT_BOUNCES:
            return False
        record.reason, record.source, record.at = reason, source, now
        return True
    session.add(
        SuppressionRecord(address_hash=hashed, email=email, list=name, reason=reason, source=source, at=now, tell=tell)
    )
    return True


def harden(session: Session, hashes: Sequence[str], reason: Reason, *, source: str, now: dt.datetime) -> None:
    """Give addresses that soft bounces stopped, which may be forgiven, a reason that lasts."""
    soft = (SuppressionRecord.address_hash.in_(hashes), SuppressionRecord.reason == Reason.SOFT_BOUNCES)
    values = {"reason": reason, "source": source, "at": now}
    session.execute(update(SuppressionRecord).where(*soft).values(values))


def reason_of(session: Session, hashed: str) -> str:
    """Why an address is never mailed, by any list; empty when it may be."""
    query = select(SuppressionRecord.reason).where(
        SuppressionRecord.address_hash == hashed, SuppressionRecord.list == ""
    )
    return session.scalar(query) or ""


def lift(session: Session, hashed: str, *, reason: Reason | None = None, name: str | None = None) -> int:
    """Let an address be mailed again, whatever it was suppressed for or for one reason only, everywhere or for one
    list only; how many suppressions are gone.
    """
    gone = delete(SuppressionRecord).where(SuppressionRecord.address_hash == hashed)
    if reason is not None:
        gone = gone.where(SuppressionRecord.reason == reason)
    if name is not None:
        gone = gone.where(SuppressionRecord.list == name)
    return len(session.execute(gone.returning(SuppressionRecord.id)).all())


def note_lifted(session: Session, email: str, *, why: str, now: dt.datetime) -> None:
    """Keep in somebody's history that their address may be mailed again, and why."""
    person = session.scalar(select(SubscriberRecord.id).where(SubscriberRecord.email == email))
    if person is not None:
        evidence = {"why": why}
        note(session, person, "", "suppression lifted", source="by hand", evidence=evidence, now=now, tell=False)
