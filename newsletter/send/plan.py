"""Planning: what a campaign would do, and the audience frozen into the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, cast, exists, func, insert, literal, null, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience.segments import Condition
from newsletter.errors import SendError
from newsletter.model import Corrects, DeliveryState, Snapshot
from newsletter.send.uses import named
from newsletter.store.records import (
    BatchRecord,
    CampaignRecord,
    CorrectionRecord,
    DeliveryRecord,
    SnapshotRecord,
    SubscriberRecord,
)

#: The parts that a share is made of, and a step through all of them that leaves no neighbours together.
_PARTS, _STEP = 1_000, 387


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a new campaign, or more of one, would do: `mailable` people on `list` (in `segment`), of whom `already`
    have a message of this issue; the other counts are people who get nothing, `reasons` why addresses are suppressed.
    `whole` says that the segment is the whole list, `last` how many deliveries the list's last campaign had.
    """

    campaign: str
    issue: str
    list: str
    segment: str
    provider: str
    batch_size: int
    mailable: int
    already: int
    suppressed: int
    paused: int
    pending: int
    unsubscribed: int
    variants: Mapping[str, int]
    reasons: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    last: int | None = None
    rate: float | None = None
    per_day: int | None = None

    @property
    def deliveries(self) -> int:
        """How many messages would go out."""
        return sum(self.variants.values())

    @property
    def batches(self) -> int:
        """In how many provider calls: a call holds one variant."""
        return sum(-(-count // self.batch_size) for count in self.variants.values())

    @property
    def seconds(self) -> float | None:
        """How long it takes at least, where the provider's pace is known."""
        if self.per_day and self.deliveries > self.per_day:
            return (-(-self.deliveries // self.per_day) - 1) * 86_400.0
        return self.batches / self.rate if self.rate else None

    @property
    def difference(self) -> float | None:
        """The share by which this is more (or, below 0, fewer) than the list's last campaign."""
        return self.deliveries / self.last - 1 if self.last else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a campaign is for: a list, or a segment of it with its condition; `variant` tells, in SQL, which
    variant of the issue a subscriber gets. What `corrects` an issue is for those alone who were submitted that.
    """

    list: str
    segment: str = ""
    where: Condition | None = None
    corrects: Corrects | None = None
    variant: ColumnElement[str] = field(default_factory=lambda: literal("default"))


def submitted(corrects: Corrects) -> Condition:
    """Whether a subscriber was submitted the issue that a correction is for, in one of its variants if some are
    named. Whoever may have it or not, since the provider's answer never came, is for a person to settle first.
    """
    had = (
        exists()
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id, DeliveryRecord.state == DeliveryState.SUBMITTED)
        .where(DeliveryRecord.campaign_id == CampaignRecord.id, named(CampaignRecord.issue, corrects.issue))
    )
    return had.where(DeliveryRecord.variant.in_(corrects.variants)) if corrects.variants else had


def ordinary() -> Condition:
    """Whether a campaign mails an issue rather than the correction of one, whose number of readers says nothing."""
    return CampaignRecord.issue.not_in(select(CorrectionRecord.mailed_in))


def campaign_name(issue: str, segment: str = "") -> str:
    """The name of the one campaign of an issue to its list, or to one segment of it."""
    return f"{issue}.{segment}" if segment else issue


def plan(
    session: Session,
    issue: str,
    target: Target,
    *,
    provider: str,
    batch_size: int,
    now: dt.datetime,
    campaign: int | None = None,
) -> Plan:
    """Count what a new campaign would do, or what a campaign that there is would do for those who joined since;
    nothing is written.
    """
    count = audience.count(session, target.list, now, where=target.where)
    variant = target.variant.label("variant")
    people = _without(target, issue, campaign, now).add_columns(variant).subquery()
    variants = select(people.c.variant, func.count()).group_by(people.c.variant).order_by(people.c.variant)
    found = {name: number for name, number in session.execute(variants)}  # noqa: C416 (a Row is no pair)
    everybody = audience.count(session, target.list, now) if target.segment else count
    return Plan(
        campaign=campaign_name(issue, target.segment),
        issue=issue,
        list=target.list,
        segment=target.segment,
        provider=provider,
        batch_size=batch_size,
        mailable=count.mailable,
        already=count.mailable - sum(found.values()),
        suppressed=count.suppressed,
        paused=count.paused,
        pending=count.pending,
        unsubscribed=count.unsubscribed,
        variants=found,
        reasons=audience.suppressed_by_reason(session, target.list, where=target.where),
        whole=bool(target.segment) and everybody.mailable == count.mailable,
        last=_last(session, target, issue),
    )


def _last(session: Session, target: Target, issue: str) -> int | None:
    """How many deliveries the last campaign of another issue to the same list and segment had."""
    if target.corrects:
        return None
    newest = (
        select(CampaignRecord.id)
        .where(CampaignRecord.list == target.list, CampaignRecord.segment == target.segment)
        .where(CampaignRecord.issue != issue, ordinary())
        .order_by(CampaignRecord.id.desc())
        .limit(1)
    )
    campaign = session.scalar(newest)
    if campaign is None:
        return None
    query = select(func.count()).select_from(DeliveryRecord).where(DeliveryRecord.campaign_id == campaign)
    return session.scalar(query)


def _without(target: Target, issue: str, campaign: int | None, now: dt.datetime) -> Any:
    """The mailable people less those who have the issue, and those who are in the campaign in whatever state."""
    people: Any = audience.mailable(target.list, now, where=target.where).where(~_had(issue))
    if campaign is None:
        return people
    counted = exists().where(
        DeliveryRecord.campaign_id == campaign, DeliveryRecord.subscriber_id == SubscriberRecord.id
    )
    return people.where(~counted)


def freeze(
    session: Session,
    snapshot: Snapshot,
    target: Target,
    plan: Plan,
    *,
    nonce: str,
    now: dt.datetime,
    at: dt.datetime | None = None,
) -> CampaignRecord:
    """Write the campaign and all its deliveries, to go out `at` some time, or at once. No person passes through this
    process: the database does it.
    """
    approved = session.scalar(
        select(SnapshotRecord.id)
        .where(SnapshotRecord.issue == snapshot.issue.slug, SnapshotRecord.digest == snapshot.digest)
        .order_by(SnapshotRecord.id.desc())
        .limit(1)
    )
    if approved is None:
        raise SendError("the snapshot is not in the store", where=snapshot.issue.slug)
    ready_at, test = at or now, snapshot.issue.subject_test
    campaign = CampaignRecord(
        name=plan.campaign,
        issue=plan.issue,
        snapshot_id=approved,
        list=target.list,
        segment=target.segment,
        provider=plan.provider,
        nonce=nonce,
        created_at=now,
        starts_at=at,
        pick_at=ready_at + dt.timedelta(hours=test.hours) if test else None,
    )
    session.add(campaign)
    session.flush()
    share = test.share if test else 0.0
    _deliveries(session, campaign, target, plan, now, share=share)
    _batches(session, campaign.id, ready_at, share=share)
    return campaign


def top_up(session: Session, campaign: CampaignRecord, target: Target, plan: Plan, now: dt.datetime) -> None:
    """More deliveries of a campaign, for those who joined since and have none of it; they get the subject that won."""
    last = select(func.max(BatchRecord.number)).where(BatchRecord.campaign_id == campaign.id)
    after = session.scalar(last) or 0
    _deliveries(session, campaign, target, plan, now, after=after)
    _batches(session, campaign.id, now, after=after)
    new = update(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.number > after)
    waits = campaign.pick_at is not None and not campaign.winner
    session.execute(new.values(arm=campaign.winner, ready_at=None if waits else now))


def _deliveries(
    session: Session,
    campaign: CampaignRecord,
    target: Target,
    plan: Plan,
    now: dt.datetime,
    *,
    after: int = 0,
    share: float = 0.0,
) -> None:
    """One delivery for each person, numbered from `after` on into batches of one variant and one subject each."""
    people = _without(target, plan.issue, campaign.id, now).add_columns(target.variant.label("variant")).subquery()
    drawn = select(people, _arm(people.c.id, campaign.id, share).label("arm")).subquery()
    place = func.row_number().over(partition_by=(drawn.c.variant, drawn.c.arm), order_by=drawn.c.id) - 1
    slot = cast(place, Integer).op("/")(plan.batch_size)
    placed = select(drawn, slot.label("slot")).subquery()
    rows = select(
        literal(campaign.id),
        literal(campaign.issue),
        placed.c.id,
        placed.c.email,
        placed.c.variant,
        func.dense_rank().over(order_by=(placed.c.arm.desc(), placed.c.variant, placed.c.slot)) + after,
        literal(DeliveryState.PENDING.value),
        literal(""),
        literal(""),
        literal(now, DeliveryRecord.changed_at.type),
    )
    columns = ("campaign_id", "issue", "subscriber_id", "address", "variant", "batch", "state", "message_id", "error")
    try:
        session.execute(insert(DeliveryRecord).from_select((*columns, "changed_at"), rows, include_defaults=False))
    except IntegrityError:
        # Another campaign of the issue was begun for some of the same people a moment ago.
        what, hint = "another campaign of this issue has just begun", "newsletter campaigns list; then send again"
        raise SendError(what, where=campaign.name, hint=hint) from None


def _batches(session: Session, campaign: int, ready_at: dt.datetime, *, after: int = 0, share: float = 0.0) -> None:
    """A batch for each number above `after` that the deliveries were given; what waits for a winner isn't ready."""
    blank = ("key", "tag", "request", "error", "worker", "provider", "route")
    arm = _arm(DeliveryRecord.subscriber_id, campaign, share)
    ready = literal(ready_at, BatchRecord.ready_at.type)
    numbers = (
        select(DeliveryRecord.campaign_id, DeliveryRecord.batch, DeliveryRecord.variant, literal(0), arm)
        .add_columns(case((arm == "", null()), else_=ready) if share else ready, *(literal("") for _ in blank))
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.batch > after)
        .distinct()
    )
    columns = ("campaign_id", "number", "variant", "attempts", "arm", "ready_at", *blank)
    session.execute(insert(BatchRecord).from_select(columns, numbers, include_defaults=False))


def _arm(subscriber: Any, campaign: int, share: float) -> ColumnElement[str]:
    """Which of two subjects a subscriber gets: of a share, half get "a" and half "b"; the rest, "", waits. People are
    drawn by number, scattered so that neither half is the older one, and others in each campaign.
    """
    if not share:
        return literal("")
    drawn, limit = (subscriber % _PARTS + campaign % _PARTS) * _STEP % _PARTS, round(share * _PARTS)
    return case((drawn < limit // 2, "a"), (drawn < limit, "b"), else_="")


def _had(issue: str) -> Condition:
    """Whether a subscriber has, or may have, a message of this issue from any campaign."""
    settled = (DeliveryState.REFUSED, DeliveryState.WITHHELD)
    return (
        exists()
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id)
        .where(DeliveryRecord.campaign_id == CampaignRecord.id, named(CampaignRecord.issue, issue))
        .where(DeliveryRecord.state.not_in(settled))
    )
