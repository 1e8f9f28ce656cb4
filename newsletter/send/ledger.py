"""The ledger: every delivery in exactly one state, written before the wire.

pending -> submitting -> submitted | refused | unknown
   |           └-> pending        certainly not taken
   └-> withheld                   left or suppressed since planning, or canceled

A batch is claimed as a whole and has one call under way or in question at a time: what of it was certainly not
taken, while the rest is unknown, goes on as a batch of its own. What was accepted stays accepted, whenever the answer
comes and whatever happens after it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased, defer

from newsletter.audience import Standing
from newsletter.merge import PERSONAL_FIELDS, MergeText
from newsletter.model import Call, DeliveryState, Mailbox, Outcome, Receipt, Recipient, Rendered, Route
from newsletter.store.records import (
    BatchRecord,
    CampaignRecord,
    DeliveryRecord,
    EventRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
)

#: States in which a call was made, or may have been, and its answer isn't known.
OPEN = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
_STATES = {
    Outcome.ACCEPTED: DeliveryState.SUBMITTED,
    Outcome.REFUSED: DeliveryState.REFUSED,
    Outcome.DEFERRED: DeliveryState.PENDING,
    Outcome.UNKNOWN: DeliveryState.UNKNOWN,
}
_BLANK = {"key": "", "tag": "", "request": "", "error": "", "worker": "", "provider": "", "route": ""}
_CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every batch of a campaign has in common, each variant's content by name, the second subject where there's
    a test of two, and how a subscriber's unsubscribe link and a delivery's mark are made.
    """

    campaign: str
    sender: Mailbox
    reply_to: str
    headers: tuple[tuple[str, str], ...]
    contents: Mapping[str, Rendered]
    subject_b: MergeText | None
    unsubscribe_url: Callable[[int], str]
    mark: Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A call whose answer never came, as it was made: the deliveries that are still open, how and when it went, and
    whether everybody in it may be mailed now. `provider` is whom it was given to.
    """

    call: Call
    open: frozenset[int]
    provider: str
    route: Route | None
    made_at: dt.datetime
    called_at: dt.datetime
    all_mailable: bool


def counts(session: Session, campaign: int) -> Counter[DeliveryState]:
    """Deliveries of a campaign by state; a campaign's status is nothing but this."""
    query = select(DeliveryRecord.state, func.count()).where(DeliveryRecord.campaign_id == campaign)
    return Counter({DeliveryState(state): n for state, n in session.execute(query.group_by(DeliveryRecord.state))})


def states(session: Session, campaign: int, deliveries: Collection[int]) -> Counter[DeliveryState]:
    """Some deliveries of a campaign by state."""
    query = select(DeliveryRecord.state, func.count()).where(
        DeliveryRecord.campaign_id == campaign, DeliveryRecord.id.in_(deliveries)
    )
    return Counter({DeliveryState(state): n for state, n in session.execute(query.group_by(DeliveryRecord.state))})


def next_ready(session: Session, campaign: int, number: int | None = None) -> dt.datetime | None:
    """When the next batch, or that of a number, may be claimed; None when there's none."""
    query = select(BatchRecord.ready_at).where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at.is_not(None))
    query = query.order_by(BatchRecord.ready_at, BatchRecord.number).limit(1)
    return session.scalar(query if number is None else query.where(BatchRecord.number == number))


def ready(session: Session, campaign: int, now: dt.datetime) -> list[int]:
    """The numbers of the batches that may be claimed now."""
    query = select(BatchRecord.number).where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at <= now)
    return list(session.scalars(query.order_by(BatchRecord.ready_at, BatchRecord.number)))


def providers_of(session: Session, campaign: CampaignRecord) -> set[str]:
    """The providers that a campaign's calls were given to, or would be."""
    query = select(BatchRecord.provider).distinct().where(BatchRecord.campaign_id == campaign.id)
    return {campaign.provider, *filter(None, session.scalars(query))}


def mailable(campaign: CampaignRecord, now: dt.datetime) -> ColumnElement[bool]:
    """Whether a delivery's person is still to be mailed: active on the list, not paused, and not suppressed. Somebody
    who was erased is nobody's delivery any more.
    """
    subscribed = exists().where(
        SubscriptionRecord.subscriber_id == DeliveryRecord.subscriber_id,
        SubscriptionRecord.list == campaign.list,
        SubscriptionRecord.status == Standing.ACTIVE,
    )
    suppressed = exists().where(
        SuppressionRecord.email == DeliveryRecord.address, SuppressionRecord.list.in_(("", campaign.list))
    )
    paused = exists().where(SubscriberRecord.id == DeliveryRecord.subscriber_id, SubscriberRecord.paused_until > now)
    return and_(subscribed, ~suppressed, ~paused)


def claim(
    session: Session,
    campaign: CampaignRecord,
    envelope: Envelope,
    now: dt.datetime,
    *,
    route: Route,
    worker: str = "",
    number: int | None = None,
    most: int | None = None,
) -> Call | None:
    """Take the next batch that is ready, or the one of that number if it is, with `most` messages at most; None when
    there's none.

    Those who left since planning are withheld first. The exact request is stored before this returns, so
    that the caller must commit before the call. A batch in which everybody left comes back empty.
    """
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.ready_at <= now)
    if number is not None:
        query = query.where(BatchRecord.number == number)
    order = query.order_by(BatchRecord.ready_at, BatchRecord.number).limit(1)
    record = session.scalar(order.with_for_update(skip_locked=True, of=BatchRecord))
    if record is None:
        return None
    if most is not None:
        _cut(session, record, most, now)
    taken = case((mailable(campaign, now), DeliveryState.SUBMITTING.value), else_=DeliveryState.WITHHELD.value)
    pending = update(DeliveryRecord).where(*_of(record), DeliveryRecord.state == DeliveryState.PENDING)
    looked_at = _changed(session, pending.values(state=taken, error="", changed_at=now))
    recipients = _recipients(session, campaign.id, record.number, envelope)
    if len(recipients) < looked_at:
        withheld = update(DeliveryRecord).where(*_of(record), DeliveryRecord.state == DeliveryState.WITHHELD)
        _changed(session, withheld.where(DeliveryRecord.error == "").values(error="left or paused after the plan"))
    record.attempts += 1
    record.key = hashlib.sha256(f"{campaign.nonce}:{record.number}:{record.attempts}".encode()).hexdigest()
    record.tag = f"{campaign.nonce}-{record.number}-{record.attempts}"
    record.claimed_at = now.replace(microsecond=0)
    record.called_at = now
    record.provider, record.route = campaign.provider, _route_text(route)
    record.worker, record.ready_at, record.error = worker, None, ""
    record.request = _request(envelope, recipients) if recipients else ""
    return _call(record, envelope, recipients)


def interrupted(session: Session, campaign: int, living: Collection[str] = ()) -> list[int]:
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
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state.in_(OPEN))
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
    _move(session, record, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN, now, record.error or "no answer came")
    still_open = (*_of(record), DeliveryRecord.state == DeliveryState.UNKNOWN)
    opened = frozenset(session.scalars(select(DeliveryRecord.id).where(*still_open)))
    request = _stored(record.request)
    recipients = tuple(_recipient(row) for row in request.get("recipients", ()))
    # Whoever is in the request has to be in the batch still, and to be mailed: sending it again reaches all of them.
    members = (*_of(record), DeliveryRecord.state != DeliveryState.WITHHELD)
    whole = set(session.scalars(select(DeliveryRecord.id).where(*members))) == {r.delivery for r in recipients}
    gone = select(DeliveryRecord.id).where(*members, ~mailable(campaign, now)).limit(1)
    claimed = record.claimed_at or now
    return Interrupted(
        call=_call(record, envelope, recipients, request=request),
        open=opened,
        provider=record.provider or campaign.provider,
        route=_route(record.route),
        made_at=claimed,
        called_at=record.called_at or claimed,
        all_mailable=whole and campaign.canceled_at is None and session.scalar(gone) is None,
    )


def called_again(session: Session, campaign: int, call: Call, now: dt.datetime) -> None:
    """A call is about to be made once more, with the same key and the same bytes."""
    session.get_one(BatchRecord, (campaign, call.batch), with_for_update=True).called_at = now


def later_call(session: Session, campaign: CampaignRecord, number: int, after: dt.datetime) -> BatchRecord | None:
    """The newest batch that went the same way as another, and was called after it and accepted: what the provider's
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
        *_of(record), DeliveryRecord.state == DeliveryState.SUBMITTED
    )
    people = session.execute(query.order_by(DeliveryRecord.id)).all()
    recipients = tuple(Recipient(delivery=d, address=address, mark=mark(nonce, d)) for d, address in people)
    anything = next(iter(envelope.contents.values()))
    return replace(_call(record, replace(envelope, contents={record.variant: anything}), recipients), content=anything)


def named(session: Session, campaign: int, number: int, key: str, envelope: Envelope) -> Call:
    """A call of a batch by its key alone, as far as recording its answers needs it."""
    return replace(_call(session.get_one(BatchRecord, (campaign, number)), envelope, ()), key=key)


def write(session: Session, campaign: int, call: Call, receipts: Sequence[Receipt], now: dt.datetime) -> BatchRecord:
    """Write what is certain of a call that may still be under way; its batch.

    A delivery that is settled already stays as it is. An answer that comes when the batch has gone on without it still
    counts where it says "accepted".
    """
    found = _locked(session, campaign, call.batch)
    if found.key == call.key:
        _write(session, found, receipts, now)
    else:
        _write_late(session, found, receipts, now)
    return found


def record(
    session: Session,
    campaign: int,
    call: Call,
    receipts: Sequence[Receipt],
    now: dt.datetime,
    retry: Callable[[int], float],
) -> Counter[DeliveryState]:
    """Write what came of a call that has ended; how many of it are pending again, and how many unknown. What it
    certainly didn't take may be claimed again after as many seconds as `retry` gives for the number of attempts.
    """
    found = write(session, campaign, call, receipts, now)
    if found.key != call.key:
        return states(session, campaign, [recipient.delivery for recipient in call.recipients])
    _withhold_canceled(session, found, now)
    left = _states_of(session, found)
    again = now + dt.timedelta(seconds=retry(found.attempts)) if left[DeliveryState.PENDING] else None
    if not any(left[state] for state in OPEN):
        found.request, found.ready_at = "", again
    elif again:
        _split(session, found, again)
    return left


def bisect(session: Session, campaign: int, call: Call, suspects: Collection[int], now: dt.datetime) -> None:
    """Make two batches of one that was refused for one of its recipients: those whom the provider names and the others,
    or else two halves. Nobody of it was taken.
    """
    found = _locked(session, campaign, call.batch)
    if found.key != call.key:
        return
    _move(session, found, DeliveryState.SUBMITTING, DeliveryState.PENDING, now)
    _withhold_canceled(session, found, now)
    found.request, found.ready_at = "", now
    deliveries = [recipient.delivery for recipient in call.recipients]
    apart = [delivery for delivery in deliveries if delivery in suspects]
    if not 0 < len(apart) < len(deliveries):
        apart = deliveries[len(deliveries) // 2 :]
    _move_out(session, found, apart, now)


def prove(session: Session, deliveries: Collection[int], now: dt.datetime) -> None:
    """The provider has told something of these: those that were unknown were accepted."""
    unknown = (DeliveryRecord.id.in_(deliveries), DeliveryRecord.state == DeliveryState.UNKNOWN)
    batches = session.execute(select(DeliveryRecord.campaign_id, DeliveryRecord.batch).distinct().where(*unknown)).all()
    values = {"state": DeliveryState.SUBMITTED, "error": "told by the provider's events", "changed_at": now}
    for campaign, number in batches:
        found = _locked(session, campaign, number)
        _changed(session, update(DeliveryRecord).where(*_of(found), *unknown).values(values))
        if not any(_states_of(session, found)[state] for state in OPEN):
            found.request = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InQuestion:
    """What settling by hand would be about: unknown deliveries, and those of them of which the provider's events prove
    that they were accepted.
    """

    unknown: int
    proved: int


def _unknown_of(campaign: int, batch: int | None) -> tuple[Any, ...]:
    where = (DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.UNKNOWN)
    return where if batch is None else (*where, DeliveryRecord.batch == batch)


def in_question(session: Session, campaign: int, batch: int | None = None) -> InQuestion:
    """How many deliveries are unknown, and how many of them are proved by events."""
    told = exists().where(EventRecord.delivery_id == DeliveryRecord.id)
    query = select(func.count()).select_from(DeliveryRecord).where(*_unknown_of(campaign, batch))
    return InQuestion(unknown=session.scalar(query) or 0, proved=session.scalar(query.where(told)) or 0)


def settle_by_hand(
    session: Session, campaign: int, state: DeliveryState, *, batch: int | None, now: dt.datetime
) -> int:
    """Write what a person found out about unknown deliveries; how many there were. Those that events prove were
    accepted become submitted whatever the person says.
    """
    told = exists().where(EventRecord.delivery_id == DeliveryRecord.id)
    proved = update(DeliveryRecord).where(*_unknown_of(campaign, batch), told)
    proved_now = {"state": DeliveryState.SUBMITTED, "error": "told by the provider's events", "changed_at": now}
    _changed(session, proved.values(**proved_now))
    numbers = list(session.scalars(select(DeliveryRecord.batch).distinct().where(*_unknown_of(campaign, batch))))
    settled = 0
    for number in numbers:
        found = _locked(session, campaign, number)
        settled += _move(session, found, DeliveryState.UNKNOWN, state, now, "settled by hand")
        _withhold_canceled(session, found, now)
        pending = _states_of(session, found)[DeliveryState.PENDING] > 0
        found.request, found.error = "", ""
        found.ready_at = now if pending else None
    return settled


def retry_refused(
    session: Session, campaign: CampaignRecord, now: dt.datetime, *, batch: int | None, reason: str, dry_run: bool
) -> Counter[str]:
    """Make refused deliveries pending again, those of one batch or whose reason holds a word if wanted; how many, by
    reason. Whoever has the issue from another campaign by now is left out.
    """
    other = aliased(DeliveryRecord)
    has = exists().where(
        other.subscriber_id == DeliveryRecord.subscriber_id,
        other.issue == campaign.issue,
        other.id != DeliveryRecord.id,
        other.state.not_in((DeliveryState.REFUSED, DeliveryState.WITHHELD)),
    )
    where = [DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state == DeliveryState.REFUSED, ~has]
    where += [DeliveryRecord.batch == batch] if batch is not None else []
    where += [DeliveryRecord.error.icontains(reason, autoescape=True)] if reason else []
    query = select(DeliveryRecord.batch, DeliveryRecord.error, func.count()).where(*where)
    rows = session.execute(query.group_by(DeliveryRecord.batch, DeliveryRecord.error)).all()
    if not dry_run:
        for number in sorted({number for number, *_ in rows}):
            found = _locked(session, campaign.id, number)
            fresh = _new_batch(session, found, now)
            rest = update(DeliveryRecord).where(*where, DeliveryRecord.batch == number)
            _changed(session, rest.values(state=DeliveryState.PENDING, batch=fresh, changed_at=now))
    counted: Counter[str] = Counter()
    for _, error, count in rows:
        counted[error] += count
    return counted


def cut_anew(session: Session, campaign: CampaignRecord, size: int) -> int:
    """Make new batches of `size` of all that's pending of a campaign, for another provider; how many deliveries."""
    pending = (DeliveryRecord.campaign_id == campaign.id, DeliveryRecord.state == DeliveryState.PENDING)
    numbers = select(DeliveryRecord.batch).distinct().where(*pending)
    old = session.scalars(
        select(BatchRecord)
        .where(BatchRecord.campaign_id == campaign.id, BatchRecord.number.in_(numbers))
        .order_by(BatchRecord.number)
        .with_for_update()
    ).all()
    moved = 0
    for batch in old:
        rows = select(DeliveryRecord.id).where(*pending, DeliveryRecord.batch == batch.number)
        deliveries = list(session.scalars(rows.order_by(DeliveryRecord.id)))
        for start in range(0, len(deliveries), size):
            # What waits for a winner or for its time goes on waiting.
            number = _new_batch(session, batch, batch.ready_at)
            part = update(DeliveryRecord).where(*pending, DeliveryRecord.id.in_(deliveries[start : start + size]))
            _changed(session, part.values(batch=number))
        batch.ready_at = None
        moved += len(deliveries)
    return moved


def _cut(session: Session, batch: BatchRecord, most: int, now: dt.datetime) -> None:
    """Leave so many messages in a batch that is about to be claimed, and make a batch of the others."""
    pending = select(DeliveryRecord.id).where(*_of(batch), DeliveryRecord.state == DeliveryState.PENDING)
    others = list(session.scalars(pending.order_by(DeliveryRecord.id).offset(most)))
    if others:
        _move_out(session, batch, others, now)


def _move_out(session: Session, batch: BatchRecord, deliveries: Sequence[int], ready_at: dt.datetime) -> None:
    number = _new_batch(session, batch, ready_at)
    rows = update(DeliveryRecord).where(*_of(batch), DeliveryRecord.id == bindparam("delivery")).values(batch=number)
    rows = rows.execution_options(synchronize_session=False)
    session.connection().execute(rows, [{"delivery": delivery} for delivery in deliveries])


def _locked(session: Session, campaign: int, number: int) -> BatchRecord:
    query = select(BatchRecord).where(BatchRecord.campaign_id == campaign, BatchRecord.number == number)
    # The request is as long as the call, and nobody here reads it.
    return session.scalars(query.with_for_update().options(defer(BatchRecord.request))).one()


def _states_of(session: Session, batch: BatchRecord) -> Counter[DeliveryState]:
    query = select(DeliveryRecord.state, func.count()).where(*_of(batch)).group_by(DeliveryRecord.state)
    return Counter({DeliveryState(state): n for state, n in session.execute(query)})


def _of(batch: BatchRecord) -> tuple[Any, ...]:
    return DeliveryRecord.campaign_id == batch.campaign_id, DeliveryRecord.batch == batch.number


def _withhold_canceled(session: Session, batch: BatchRecord, now: dt.datetime) -> None:
    """What wasn't taken of a canceled campaign never will be."""
    canceled = select(CampaignRecord.canceled_at).where(CampaignRecord.id == batch.campaign_id)
    if session.scalar(canceled) is not None:
        _move(session, batch, DeliveryState.PENDING, DeliveryState.WITHHELD, now, _CANCELED)


def _move(
    session: Session, batch: BatchRecord, old: DeliveryState, new: DeliveryState, now: dt.datetime, error: str = ""
) -> int:
    """Bring all deliveries of a batch from one state to another; how many there were."""
    statement = update(DeliveryRecord).where(*_of(batch), DeliveryRecord.state == old)
    return _changed(session, statement.values(state=new, error=error, changed_at=now))


def _changed(session: Session, statement: Any) -> int:
    """Run an UPDATE in the database alone; how many rows it changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _write(session: Session, batch: BatchRecord, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """The receipts into the deliveries: in one statement when all say the same, as most do."""
    if not receipts:
        return
    open_ = (*_of(batch), DeliveryRecord.state.in_(OPEN))
    answers = {(r.outcome, r.message_id, r.detail) for r in receipts}
    everybody = session.scalar(select(func.count()).select_from(DeliveryRecord).where(*open_))
    if len(answers) == 1 and len(receipts) == everybody:
        ((outcome, message, detail),) = answers
        values = {"state": _STATES[outcome], "message_id": message, "error": detail, "changed_at": now}
        _changed(session, update(DeliveryRecord).where(*open_).values(values))
    else:
        _write_each(session, receipts, now, (*_of(batch), or_(*(DeliveryRecord.state == state for state in OPEN))))


def _write_late(session: Session, batch: BatchRecord, receipts: Sequence[Receipt], now: dt.datetime) -> None:
    """An answer to an earlier call of a batch that has gone on: "accepted" wins over pending and unknown."""
    accepted = [receipt for receipt in receipts if receipt.outcome is Outcome.ACCEPTED]
    batch.error = f"an answer to an earlier call came at {now:%Y-%m-%d %H:%M:%S} UTC: {len(accepted)} accepted"
    states = (DeliveryState.PENDING, DeliveryState.UNKNOWN)
    mine = (DeliveryRecord.campaign_id == batch.campaign_id, or_(*(DeliveryRecord.state == state for state in states)))
    _write_each(session, accepted, now, mine)


def _write_each(session: Session, receipts: Sequence[Receipt], now: dt.datetime, where: tuple[Any, ...]) -> None:
    if not receipts:
        return
    statement = (
        update(DeliveryRecord)
        .where(DeliveryRecord.id == bindparam("delivery"), *where)
        .values(
            state=bindparam("to"),
            message_id=bindparam("message"),
            error=bindparam("detail"),
            changed_at=bindparam("at"),
        )
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"delivery": r.delivery, "to": _STATES[r.outcome], "message": r.message_id, "detail": r.detail, "at": now}
        for r in receipts
    ]
    session.connection().execute(statement, rows)


def _split(session: Session, batch: BatchRecord, ready_at: dt.datetime) -> None:
    """Give what is pending of a batch a number of its own, so that a new call doesn't blur what the old one was."""
    number = _new_batch(session, batch, ready_at)
    pending = update(DeliveryRecord).where(*_of(batch), DeliveryRecord.state == DeliveryState.PENDING)
    _changed(session, pending.values(batch=number))


def _new_batch(session: Session, like: BatchRecord, ready_at: dt.datetime | None) -> int:
    last = select(func.max(BatchRecord.number)).where(BatchRecord.campaign_id == like.campaign_id)
    number = (session.scalar(last) or 0) + 1
    new = {"campaign_id": like.campaign_id, "number": number, "variant": like.variant, "arm": like.arm, **_BLANK}
    session.execute(insert(BatchRecord).values(**new, attempts=like.attempts, ready_at=ready_at))
    return number


def _request(envelope: Envelope, recipients: Sequence[Recipient]) -> str:
    request = {
        "sender": [envelope.sender.name, envelope.sender.address],
        "reply_to": envelope.reply_to,
        "headers": envelope.headers,
        "recipients": [(r.delivery, r.address, r.values, r.mark) for r in recipients],
    }
    return json.dumps(request, ensure_ascii=False)


def _stored(text: str) -> dict[str, Any]:
    """A stored request; empty for one that isn't there any more."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _recipient(row: Any) -> Recipient:
    """A recipient of a stored request. Release 0.1 wrote objects, 0.2 to 0.5 three values, with no mark: their messages
    carry the delivery's bare number.
    """
    if isinstance(row, Mapping):
        row = (row["delivery"], row["address"], row.get("values") or {})
    delivery, address, values, *mark = row
    return Recipient(delivery=delivery, address=address, values=values, mark=mark[0] if mark else str(delivery))


def _mailbox(given: Any, envelope: Envelope) -> Mailbox:
    """A stored sender; releases before 0.6 wrote it as a header has it."""
    if isinstance(given, str):
        return Mailbox(**dict(zip(("name", "address"), parseaddr(given), strict=True)))
    return Mailbox(name=given[0], address=given[1]) if given else envelope.sender


def _call(
    record: BatchRecord, envelope: Envelope, recipients: tuple[Recipient, ...], request: dict[str, Any] | None = None
) -> Call:
    given = request or {}
    return Call(
        batch=record.number,
        campaign=envelope.campaign,
        key=record.key,
        tag=record.tag,
        date=record.claimed_at or dt.datetime.min.replace(tzinfo=dt.UTC),
        sender=_mailbox(given.get("sender"), envelope),
        reply_to=given.get("reply_to", envelope.reply_to),
        content=_content(envelope, record),
        headers=tuple((name, value) for name, value in given.get("headers", envelope.headers)),
        recipients=recipients,
    )


def _content(envelope: Envelope, record: BatchRecord) -> Rendered:
    content = envelope.contents[record.variant]
    if record.arm == "b" and envelope.subject_b is not None:
        return replace(content, subject=envelope.subject_b)
    return content


def _route_text(route: Route) -> str:
    return json.dumps([route.type, route.settings], sort_keys=True)


def _route(text: str) -> Route | None:
    """A stored route; None for calls of releases before 0.6, which didn't store it."""
    if not text:
        return None
    kind, settings = json.loads(text)
    return Route(type=kind, settings=settings)


def _recipients(session: Session, campaign: int, number: int, envelope: Envelope) -> tuple[Recipient, ...]:
    fields = [getattr(SubscriberRecord, name) for name in PERSONAL_FIELDS]
    query = (
        select(DeliveryRecord.id, DeliveryRecord.address, SubscriberRecord.id, *fields)
        .join(SubscriberRecord, SubscriberRecord.id == DeliveryRecord.subscriber_id)
        .where(
            DeliveryRecord.campaign_id == campaign,
            DeliveryRecord.batch == number,
            DeliveryRecord.state == DeliveryState.SUBMITTING,
        )
        .order_by(DeliveryRecord.id)
    )
    recipients = []
    for delivery, address, subscriber, *known in session.connection().execute(query).all():
        values = {name: value for name, value in zip(PERSONAL_FIELDS, known, strict=True) if value}
        values["unsubscribe_url"] = envelope.unsubscribe_url(subscriber)
        recipients.append(Recipient(delivery=delivery, address=address, values=values, mark=envelope.mark(delivery)))
    return tuple(recipients)
