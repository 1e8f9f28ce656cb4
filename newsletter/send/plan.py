"""Planning: what a campaign would do, and the audience frozen into the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Integer, cast, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience.segments import Condition
from newsletter.errors import SendError
from newsletter.model import DeliveryState, Snapshot
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord, SnapshotRecord, SubscriberRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a new campaign would do: `mailable` people on `list` (in `segment`), of whom `already` have a
    message of this issue from another campaign; the other counts are people who get nothing.
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
    pending: int
    unsubscribed: int
    variants: Mapping[str, int]

    @property
    def deliveries(self) -> int:
        """How many messages would go out."""
        return self.mailable - self.already

    @property
    def batches(self) -> int:
        """In how many provider calls: a call holds one variant."""
        return sum(-(-count // self.batch_size) for count in self.variants.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a campaign is for: a list, or a segment of it with its condition; `variant` tells, in SQL, which
    variant of the issue a subscriber gets.
    """

    list: str
    segment: str = ""
    where: Condition | None = None
    variant: ColumnElement[str] = field(default_factory=lambda: literal("default"))


def campaign_name(issue: str, segment: str = "") -> str:
    """The name of the one campaign of an issue to its list, or to one segment of it."""
    return f"{issue}.{segment}" if segment else issue


def plan(session: Session, issue: str, target: Target, *, provider: str, batch_size: int) -> Plan:
    """Count what a campaign would do; nothing is written."""
    count = audience.count(session, target.list, where=target.where)
    variant = target.variant.label("variant")
    people = audience.mailable(target.list, where=target.where).where(~_had(issue)).add_columns(variant).subquery()
    variants = select(people.c.variant, func.count()).group_by(people.c.variant).order_by(people.c.variant)
    reached = audience.mailable(target.list, where=target.where).where(_had(issue)).subquery()
    return Plan(
        campaign=campaign_name(issue, target.segment),
        issue=issue,
        list=target.list,
        segment=target.segment,
        provider=provider,
        batch_size=batch_size,
        mailable=count.mailable,
        already=session.scalar(select(func.count()).select_from(reached)) or 0,
        suppressed=count.suppressed,
        pending=count.pending,
        unsubscribed=count.unsubscribed,
        variants={name: number for name, number in session.execute(variants)},  # noqa: C416 (a Row is no pair)
    )


def freeze(
    session: Session, snapshot: Snapshot, target: Target, plan: Plan, *, nonce: str, now: dt.datetime
) -> CampaignRecord:
    """Write the campaign and all its deliveries. No person passes through this process: the database does it."""
    approved = session.scalar(
        select(SnapshotRecord.id)
        .where(SnapshotRecord.issue == snapshot.issue.slug, SnapshotRecord.digest == snapshot.digest)
        .order_by(SnapshotRecord.id.desc())
        .limit(1)
    )
    if approved is None:
        raise SendError("the snapshot is not in the store", where=snapshot.issue.slug)
    campaign = CampaignRecord(
        name=plan.campaign,
        issue=plan.issue,
        snapshot_id=approved,
        list=target.list,
        segment=target.segment,
        provider=plan.provider,
        nonce=nonce,
        created_at=now,
    )
    session.add(campaign)
    session.flush()
    _deliveries(session, campaign, target, plan, now)
    _batches(session, campaign.id, now)
    return campaign


def _deliveries(session: Session, campaign: CampaignRecord, target: Target, plan: Plan, now: dt.datetime) -> None:
    """One delivery for each person, numbered into batches of one variant each."""
    people = audience.mailable(target.list, where=target.where).where(~_had(plan.issue))
    people_of = people.add_columns(target.variant.label("variant")).subquery()
    place = func.row_number().over(partition_by=people_of.c.variant, order_by=people_of.c.id) - 1
    slot = cast(place, Integer).op("/")(plan.batch_size)
    placed = select(people_of, slot.label("slot")).subquery()
    rows = select(
        literal(campaign.id),
        placed.c.id,
        placed.c.email,
        placed.c.variant,
        func.dense_rank().over(order_by=(placed.c.variant, placed.c.slot)),
        literal(DeliveryState.PENDING.value),
        literal(""),
        literal(""),
        literal(now, DeliveryRecord.changed_at.type),
    )
    columns = ("campaign_id", "subscriber_id", "address", "variant", "batch", "state", "message_id", "error")
    session.execute(insert(DeliveryRecord).from_select((*columns, "changed_at"), rows, include_defaults=False))


def _batches(session: Session, campaign: int, ready_at: dt.datetime) -> None:
    """A batch for each number that the deliveries were given."""
    blank = ("key", "tag", "request", "error", "arm", "worker")
    ready = literal(ready_at, BatchRecord.ready_at.type)
    numbers = (
        select(DeliveryRecord.campaign_id, DeliveryRecord.batch, DeliveryRecord.variant, literal(0), ready)
        .add_columns(*(literal("") for _ in blank))
        .where(DeliveryRecord.campaign_id == campaign)
        .distinct()
    )
    columns = ("campaign_id", "number", "variant", "attempts", "ready_at", *blank)
    session.execute(insert(BatchRecord).from_select(columns, numbers, include_defaults=False))


def _had(issue: str) -> Condition:
    """Whether a subscriber has, or may have, a message of this issue from any campaign."""
    settled = (DeliveryState.REFUSED, DeliveryState.WITHHELD)
    return (
        exists()
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id)
        .where(DeliveryRecord.campaign_id == CampaignRecord.id, CampaignRecord.issue == issue)
        .where(DeliveryRecord.state.not_in(settled))
    )
