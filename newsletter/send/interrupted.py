"""Calls whose answer never came: which they are, how they were made, and what may be asked about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from newsletter.model import Call, DeliveryState, Recipient, Route
from newsletter.send import ledger, stored_calls
from newsletter.send.stored_calls import Envelope
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A call whose answer never came, as it was made: the deliveries that are still open, how and when it went.
    `provider` is whom it was given to.
    """

    call: Call
    open: frozenset[int]
    provider: str
    route: Route | None
    made_at: dt.datetime
    called_at: dt.datetime


def numbers(session: Session, campaign: int, living: Collection[str] = ()) -> list[int]:
    """The numbers of the batches whose call was made or may have been, and whose answer never came: those in
    question, and those that a worker has under way who isn't among the living.
    """
    orphaned = and_(DeliveryRecord.state == DeliveryState.SUBMITTING, BatchRecord.worker.not_in(living))
    query = (
        select(DeliveryRecord.batch)
        .distinct()
        .join(
            BatchRecord,
            (BatchRecord.campaign_id == DeliveryRecord.campaign_id) & (BatchRecord.number == DeliveryRecord.batch),
        )
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state.in_(ledger.OPEN))
        .where(or_(DeliveryRecord.state == DeliveryState.UNKNOWN, orphaned))
    )
    return list(session.scalars(query.order_by(DeliveryRecord.batch)))


def take_over(
    session: Session, campaign: CampaignRecord, number: int, envelope: Envelope, now: dt.datetime, *, worker: str
) -> Interrupted | None:
    """An interrupted call as it was made, now in this worker's hands; None when another has it. From now on what is
    open of it is unknown.
    """
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.number == number)
    record = session.scalar(query.with_for_update(skip_locked=True))
    if record is None:
        return None
    record.worker = worker
    ledger.move(session, record, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN, now, record.error or "no answer came")
    still_open = (*ledger.of_batch(record), DeliveryRecord.state == DeliveryState.UNKNOWN)
    opened = frozenset(session.scalars(select(DeliveryRecord.id).where(*still_open)))
    request = stored_calls.stored(record.request)
    recipients = tuple(stored_calls.recipient_of(row) for row in request.get("recipients", ()))
    claimed = record.claimed_at or now
    return Interrupted(
        call=stored_calls.call_of(record, envelope, recipients, request=request),
        open=opened,
        provider=record.provider or campaign.provider,
        route=stored_calls.route_of(record.route),
        made_at=claimed,
        called_at=record.called_at or claimed,
    )


def why_not_again(session: Session, campaign: int, call: Call, now: dt.datetime) -> str:
    """Why making a call again could mail somebody who isn't to be mailed now; empty where it couldn't. Sending it again
    reaches everybody in it: they have to be in the batch still, and to be mailable.
    """
    record = session.get_one(CampaignRecord, campaign, populate_existing=True)
    if record.canceled_at is not None:
        return "the campaign is canceled: to send it again could mail somebody"
    if record.paused_at is not None:
        return "the campaign is paused"
    batch = session.get_one(BatchRecord, (campaign, call.batch))
    members = (*ledger.of_batch(batch), DeliveryRecord.state != DeliveryState.WITHHELD)
    whole = set(session.scalars(select(DeliveryRecord.id).where(*members))) == {r.delivery for r in call.recipients}
    gone = select(DeliveryRecord.id).where(*members, ~ledger.mailable(record, now)).limit(1)
    if whole and session.scalar(gone) is None:
        return ""
    return "somebody in it has left: to send it again could mail them"


def called_again(session: Session, campaign: int, call: Call, now: dt.datetime) -> None:
    """A call is about to be made once more, with the same key and the same bytes."""
    session.get_one(BatchRecord, (campaign, call.batch), with_for_update=True).called_at = now


def later_call(session: Session, campaign: CampaignRecord, number: int, after: dt.datetime) -> BatchRecord | None:
    """The first batch that went the same way as another, and was called after it and accepted: what the provider's
    log has to show before it proves that anything is missing from it.
    """
    this = session.get_one(BatchRecord, (campaign.id, number))
    accepted = exists().where(
        DeliveryRecord.campaign_id == BatchRecord.campaign_id,
        DeliveryRecord.batch == BatchRecord.number,
        DeliveryRecord.state == DeliveryState.SUBMITTED,
        DeliveryRecord.message_id != "",
    )
    query = select(BatchRecord).where(
        BatchRecord.provider == this.provider, BatchRecord.route == this.route, BatchRecord.called_at > after, accepted
    )
    return session.scalar(query.order_by(BatchRecord.called_at).limit(1))


def call_of(session: Session, record: BatchRecord, envelope: Envelope, mark: Callable[[str, int], str]) -> Call:
    """A call that is done, as far as looking it up needs it: its tag, and whom it was accepted for."""
    nonce = session.scalar(select(CampaignRecord.nonce).where(CampaignRecord.id == record.campaign_id)) or ""
    query = select(DeliveryRecord.id, DeliveryRecord.address).where(
        *ledger.of_batch(record), DeliveryRecord.state == DeliveryState.SUBMITTED
    )
    people = session.execute(query.order_by(DeliveryRecord.id)).all()
    recipients = tuple(Recipient(delivery=d, address=address, mark=mark(nonce, d)) for d, address in people)
    anything = next(iter(envelope.contents.values()))
    envelope = replace(envelope, contents={record.variant: anything})
    return replace(stored_calls.call_of(record, envelope, recipients), content=anything)
