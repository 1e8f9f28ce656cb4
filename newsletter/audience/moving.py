"""A person's change of address: the person stays, with their lists, their consent and their history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.consent import note, reason_of, suppress
from newsletter.audience.standing import Reason
from newsletter.errors import InputError
from newsletter.store.records import SubscriberRecord, SuppressionRecord

#: Stops that are of the person, whatever their address; a bounce is of the mailbox that they leave.
_OF_THE_PERSON = (Reason.COMPLAINT, Reason.MANUAL)


def change_address(
    session: Session,
    person: SubscriberRecord,
    address: str,
    *,
    hash_address: Callable[[str], str],
    source: str,
    why: str,
    now: dt.datetime,
) -> None:
    """Give somebody another address, in its one form. InputError where it's suppressed, or somebody else's."""
    if address == person.email:
        raise InputError("that is their address already")
    other = session.scalar(select(SubscriberRecord.id).where(SubscriberRecord.email == address))
    if other is not None:
        hint = "unsubscribe the one that they no longer use"
        raise InputError("another subscriber has that address", hint=hint)
    hashed = hash_address(address)
    if reason_of(session, hashed):
        raise InputError("the address is suppressed", hint="newsletter suppressions list")
    old = person.email
    person.email, person.updated_at = address, now
    stops = select(SuppressionRecord).where(
        SuppressionRecord.address_hash == hash_address(old), SuppressionRecord.reason.in_(_OF_THE_PERSON)
    )
    for stop in session.scalars(stops).all():
        reason = Reason(stop.reason)
        suppress(
            session,
            address,
            hashed,
            reason,
            source=f"moved from an earlier address ({stop.source})",
            now=now,
            name=stop.list,
        )
    note(
        session,
        person.id,
        "",
        "address changed",
        source=source,
        evidence={"from": old, "why": why},
        now=now,
        tell=False,
    )
