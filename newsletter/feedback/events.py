"""What providers tell, kept once each, however often and in whatever order they tell it.

An event is about a delivery of ours only where everything agrees: the mark that came back is this workspace's and of
that campaign, the campaign went by that provider at some time, and the address is the delivery's.
Tests, the service's own mail, other programs' mail and other installations' never match.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from newsletter.audience.addresses import normalize
from newsletter.errors import InputError
from newsletter.model import Event, EventType
from newsletter.store import insert_new
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord, EventRecord
from newsletter.tokens import Marks

_PAGE = 1_000


def keep(
    session: Session,
    provider: str,
    events: Iterable[Event],
    marks: Marks,
    types: Mapping[str, str] = MappingProxyType({}),
) -> list[Event]:
    """Write events down; returns those that are new, each once, with the delivery that each is certainly about. One
    that isn't about a delivery of ours is kept without it. `types` are those of the configured providers, by name:
    events of a provider that was renamed come under its new name.
    """
    fresh: list[Event] = []
    remaining = iter({event.id: event for event in events}.values())
    while page := list(itertools.islice(remaining, _PAGE)):
        fresh += _keep_page(session, provider, page, marks, types)
    return fresh


def _keep_page(
    session: Session, provider: str, events: list[Event], marks: Marks, types: Mapping[str, str]
) -> list[Event]:
    events = matched(session, provider, events, marks, types)
    rows = [
        {
            "provider": provider,
            "event": event.id,
            "type": event.type,
            "delivery_id": event.delivery,
            "at": event.at,
            "detail": event.detail,
            "machine": event.machine,
        }
        for event in events
    ]
    new = set(session.scalars(insert_new(session, EventRecord).returning(EventRecord.event), rows))
    return [event for event in events if event.id in new]


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to agree; `theirs`: the campaign went by the provider that tells of it."""

    address: str
    nonce: str
    marked: bool
    theirs: bool


def matched(
    session: Session, provider: str, events: Collection[Event], marks: Marks, types: Mapping[str, str]
) -> list[Event]:
    """The events, each with the delivery that it's certainly about, or with none."""
    claimed = {event.id: _claimed(event, marks) for event in events}
    known = _known(session, _by(provider, types), {number for number in claimed.values() if number is not None})
    return [
        replace(event, delivery=number)
        if (number := claimed[event.id]) is not None
        and (found := known.get(number)) is not None
        and _agrees(event, number, found, marks)
        else replace(event, delivery=None)
        for event in events
    ]


def _claimed(event: Event, marks: Marks) -> int | None:
    """The delivery that a mark claims; releases before 0.6 sent its bare number along."""
    number = marks.delivery(event.mark)
    if number is None and event.mark.isascii() and event.mark.isdecimal() and len(event.mark) < 18:
        return int(event.mark)
    return number


def _agrees(event: Event, number: int, found: _Known, marks: Marks) -> bool:
    if not found.theirs or _address(event) != found.address:
        return False
    return marks.is_of(event.mark, found.nonce, number) if found.marked else True


def _address(event: Event) -> str | None:
    """The address that an event names; None where it names none."""
    try:
        return normalize(event.address)
    except InputError:
        return None


def _by(provider: str, types: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a campaign went by a provider. By a batch of it, where it went on with another one: the delivery itself
    may wait for that one by now. By one of the same type that isn't configured any more, where it was renamed.
    """
    mine: ColumnElement[bool] = BatchRecord.provider == provider
    if provider in types:
        renamed = BatchRecord.route.startswith(f'["{types[provider]}", ', autoescape=True)
        mine = or_(mine, and_(renamed, BatchRecord.provider.not_in(list(types))))
    return or_(CampaignRecord.provider == provider, exists().where(BatchRecord.campaign_id == CampaignRecord.id, mine))


def _known(session: Session, by: ColumnElement[bool], numbers: Collection[int]) -> dict[int, _Known]:
    if not numbers:
        return {}
    query = (
        select(
            DeliveryRecord.id,
            DeliveryRecord.address,
            CampaignRecord.nonce,
            CampaignRecord.marked,
            by,
        )
        .join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
        .where(DeliveryRecord.id.in_(numbers))
    )
    return {
        number: _Known(address, nonce, marked, bool(theirs))
        for number, address, nonce, marked, theirs in session.execute(query)
    }


def events_of(session: Session, delivery: int | None) -> list[Event]:
    """What providers have told of a delivery (or, with None, of no delivery of ours), in the order of its happening."""
    query = select(EventRecord).where(EventRecord.delivery_id == delivery).order_by(EventRecord.at, EventRecord.id)
    return [
        Event(
            id=row.event,
            type=EventType(row.type),
            at=row.at,
            delivery=row.delivery_id,
            detail=row.detail,
            machine=row.machine,
        )
        for row in session.scalars(query)
    ]
