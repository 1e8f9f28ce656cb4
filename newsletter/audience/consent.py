"""Joining, leaving and being stopped: each change with its place in the history of consent.

`tell` marks a change that `newsletter.outgoing_webhooks` reports. Changes by imports aren't reported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from newsletter.audience.standing import Reason, Standing
from newsletter.errors import InputError
from newsletter.store import insert_new
from newsletter.store.records import ConsentRecord, SubscriberRecord, SubscriptionRecord, SuppressionRecord

#: In the history of consent: somebody asked to join, and has yet to confirm.
_REQUESTED = "requested"


def person_of(session: Session, email: str, now: dt.datetime) -> tuple[SubscriberRecord, bool]:
    """Who has an address, taken so that nobody else changes them meanwhile, and whether they are new. Others who add
    the same one at the same time get the same.
    """
    values = {"email": email, "attributes": {}, "created_at": now, "updated_at": now}
    fresh = session.execute(insert_new(session, SubscriberRecord).returning(SubscriberRecord.id), [values]).all()
    query = select(SubscriberRecord).where(SubscriberRecord.email == email)
    return session.scalars(query.with_for_update(key_share=True)).one(), bool(fresh)


def held(session: Session, subscriber: int) -> SubscriberRecord | None:
    """A person by number, taken so that nobody else changes them meanwhile; None where there's none."""
    return session.get(SubscriberRecord, subscriber, with_for_update={"key_share": True}, populate_existing=True)


def request(
    session: Session,
    person: SubscriberRecord,
    lists: Iterable[str],
    *,
    source: str,
    evidence: Mapping[str, str],
    now: dt.datetime,
) -> int:
    """Somebody asked for lists, and has yet to confirm: pending where they stand nowhere yet. Whoever left a list
    stays off it until then. The number of the request, by which it's confirmed.
    """
    number = 0
    for name in lists:
        standing = {"subscriber_id": person.id, "list": name, "status": Standing.PENDING, "changed_at": now}
        session.execute(insert_new(session, SubscriptionRecord), [standing])
        step = note(session, person.id, name, _REQUESTED, source=source, evidence=evidence, now=now, tell=False)
        session.flush()
        number = number or step.id
    return number


class Confirmation(StrEnum):
    """What became of a confirmation."""

    JOINED = "joined"
    ALREADY = "already"
    EXPIRED = "expired"


def confirm(
    session: Session,
    subscriber: int,
    lists: Sequence[str],
    number: int,
    *,
    within: dt.timedelta,
    evidence: Mapping[str, str],
    now: dt.datetime,
    act: bool = True,
) -> tuple[Confirmation, list[str]]:
    """Put somebody on the lists that they asked for by the request of that number, and those that are new; or, without
    `act`, what would become of it. A request is confirmed once, `within` some days, and not by somebody who has left
    since: no old letter puts anybody back.
    """
    lock = True if act else None
    standings = [
        session.get(SubscriptionRecord, (subscriber, name), with_for_update=lock, populate_existing=True)
        for name in sorted(lists)
    ]
    if all(standing is not None and standing.status == Standing.ACTIVE for standing in standings):
        return Confirmation.ALREADY, []
    asked = session.get(ConsentRecord, number)
    if asked is None or (asked.subscriber_id, asked.status) != (subscriber, _REQUESTED):
        return Confirmation.EXPIRED, []
    steps = _last_steps(session, subscriber, lists)
    later = {name: step.status for name, step in steps.items() if step.id > number}
    if set(later.values()) - {Standing.ACTIVE}:
        return Confirmation.EXPIRED, []
    wanted = [name for name in lists if name not in later]
    if not wanted:
        return Confirmation.ALREADY, []
    if now - asked.at > within:
        return Confirmation.EXPIRED, []
    if not act:
        return Confirmation.JOINED, wanted
    source = "confirmed by mail"
    return Confirmation.JOINED, [
        name for name in wanted if subscribe(session, subscriber, name, source=source, evidence=evidence, now=now)
    ]


def undo(
    session: Session,
    subscriber: int,
    lists: Iterable[str],
    sources: Collection[str],
    *,
    within: dt.timedelta,
    source: str,
    evidence: Mapping[str, str],
    now: dt.datetime,
) -> list[str]:
    """Take back that somebody left, where they did so a moment ago by one of the sources and were active before; the
    lists that they are on again.
    """
    back = []
    for name in sorted(lists):
        record = session.get(SubscriptionRecord, (subscriber, name), with_for_update=True, populate_existing=True)
        if record is None or record.status != Standing.UNSUBSCRIBED:
            continue
        query = _steps(subscriber).where(ConsentRecord.list == name).limit(2)
        match session.scalars(query).all():
            case [left, before] if (
                left.status == Standing.UNSUBSCRIBED
                and left.source in sources
                and now - left.at <= within
                and before.status == Standing.ACTIVE
            ):
                subscribe(session, subscriber, name, source=source, evidence=evidence, now=now)
                back.append(name)
    return back


def _last_steps(session: Session, subscriber: int, lists: Collection[str]) -> dict[str, ConsentRecord]:
    """The last change of somebody's standing on each list."""
    found: dict[str, ConsentRecord] = {}
    for step in session.scalars(_steps(subscriber).where(ConsentRecord.list.in_(lists))):
        found.setdefault(step.list, step)
    return found


def _steps(subscriber: int) -> Select[ConsentRecord]:
    """The changes of somebody's standings, newest first; what they asked for is none."""
    changes = (ConsentRecord.subscriber_id == subscriber, ConsentRecord.status.in_(tuple(Standing)))
    return select(ConsentRecord).where(*changes).order_by(ConsentRecord.id.desc())


def subscribe(
    session: Session,
    subscriber: int,
    name: str,
    *,
    source: str,
    evidence: Mapping[str, str],
    now: dt.datetime,
    back: bool = True,
) -> bool:
    """Put a person on a list, with the evidence that they want it; False when they were on it already, or have left it
    and aren't to come `back` by this.
    """
    standing = {"subscriber_id": subscriber, "list": name, "status": Standing.PENDING, "changed_at": now}
    session.execute(insert_new(session, SubscriptionRecord), [standing])
    record = session.get_one(SubscriptionRecord, (subscriber, name), with_for_update=True, populate_existing=True)
    if record.status == Standing.ACTIVE or (record.status == Standing.UNSUBSCRIBED and not back):
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
    lists = tuple(lists)
    if reason := reason_of(session, hashed, *lists):
        raise InputError(f"the address is suppressed: {reason}", hint="its owner may subscribe again themselves")
    person, _ = person_of(session, email, now)
    for name in lists:
        standing = session.get(SubscriptionRecord, (person.id, name), with_for_update=True)
        if standing and standing.status == Standing.UNSUBSCRIBED:
            raise InputError(f'they have left "{name}"', hint="they may subscribe again themselves")
    for field, value in profile.items():
        if value:
            setattr(person, field, value)
    person.consented_at, person.updated_at = person.consented_at or now, now
    evidence = {"consent": consent}
    return [
        name
        for name in lists
        if subscribe(session, person.id, name, source="by hand", evidence=evidence, now=now, back=False)
    ]


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
    record = session.get(SubscriptionRecord, (subscriber, name), with_for_update=True, populate_existing=True)
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
) -> ConsentRecord:
    """Add a step to somebody's history, for a list or, where `name` is empty, for the person; `tell` others of it."""
    kept = {key: value for key, value in evidence.items() if value}
    record = ConsentRecord(
        subscriber_id=subscriber, list=name, status=status, at=now, source=source, evidence=kept, tell=tell
    )
    session.add(record)
    return record


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
    values = {"address_hash": hashed, "email": email, "list": name, "reason": reason, "source": source, "at": now}
    new = insert_new(session, SuppressionRecord).returning(SuppressionRecord.id)
    return bool(session.execute(new, [{**values, "tell": tell}]).all())


def harden(session: Session, hashes: Sequence[str], reason: Reason, *, source: str, now: dt.datetime) -> None:
    """Give addresses that soft bounces stopped, which may be forgiven, a reason that lasts."""
    soft = (SuppressionRecord.address_hash.in_(hashes), SuppressionRecord.reason == Reason.SOFT_BOUNCES)
    values = {"reason": reason, "source": source, "at": now}
    session.execute(update(SuppressionRecord).where(*soft).values(values))


def reason_of(session: Session, hashed: str, *lists: str) -> str:
    """Why an address is never mailed, by any list or by one of these; empty when it may be."""
    query = select(SuppressionRecord.reason).where(
        SuppressionRecord.address_hash == hashed, SuppressionRecord.list.in_(("", *lists))
    )
    return session.scalar(query.order_by(SuppressionRecord.list).limit(1)) or ""


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
