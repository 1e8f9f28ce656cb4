"""What people decide about a campaign under way: pause, resume, cancel; and which ones are due."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CursorResult, case, exists, func, select, update
from sqlalchemy.orm import Session

from newsletter.model import DeliveryState, EventType
from newsletter.send import decisions, ledger, rate_limiter
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord, EventRecord


def is_stopped(session: Session, campaign: int) -> bool:
    """Whether nothing of a campaign may be claimed now: it's paused or canceled."""
    record = session.get_one(CampaignRecord, campaign)
    return record.paused_at is not None or record.canceled_at is not None


def pause(session: Session, campaign: int, why: str, now: dt.datetime, *, itself: bool = False) -> None:
    """Claim nothing more of a campaign until it's resumed; calls under way end. The first reason is kept. `itself` says
    that no person decided it.
    """
    running = update(CampaignRecord).where(CampaignRecord.id == campaign, CampaignRecord.paused_at.is_(None))
    session.execute(running.values(paused_at=now, paused_why=why, paused_itself=itself))


def resume(session: Session, campaign: CampaignRecord) -> None:
    """Let a paused campaign go on, and ask its provider at once, whatever it has said."""
    row = update(CampaignRecord).where(CampaignRecord.id == campaign.id)
    session.execute(row.values(paused_at=None, paused_why="", paused_itself=False))
    rate_limiter.reset(session, campaign.provider)


def cancel(session: Session, campaign: int, why: str, now: dt.datetime) -> int:
    """Withhold all that is still pending, for good, and all that turns out not to have been taken; how many deliveries
    were pending.
    """
    session.execute(update(CampaignRecord).where(CampaignRecord.id == campaign).values(canceled_at=now))
    pending = (DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.PENDING)
    session.execute(update(BatchRecord).where(BatchRecord.campaign_id == campaign).values(ready_at=None))
    rows = update(DeliveryRecord).where(*pending).values(state=DeliveryState.WITHHELD, error=why, changed_at=now)
    result = session.execute(rows.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def hurry(session: Session, campaign: int, now: dt.datetime) -> None:
    """Somebody sends again: what was put off after an attempt is tried now. What is scheduled isn't touched."""
    put_off = update(BatchRecord).where(BatchRecord.campaign_id == campaign)
    session.execute(put_off.where(BatchRecord.ready_at > now, BatchRecord.attempts > 0).values(ready_at=now))


def reschedule(session: Session, campaign: int, at: dt.datetime) -> None:
    """Let a campaign of which nothing has gone yet go out at another time; a test of two subjects moves with it."""
    record = session.get_one(CampaignRecord, campaign)
    first = session.scalar(select(func.min(BatchRecord.ready_at)).where(BatchRecord.campaign_id == campaign))
    if record.pick_at and first:
        record.pick_at += at - first
    record.starts_at = at
    mine = update(BatchRecord).where(BatchRecord.campaign_id == campaign, BatchRecord.ready_at.is_not(None))
    session.execute(mine.values(ready_at=at))


def pick(session: Session, campaign: CampaignRecord, winner: str, now: dt.datetime) -> int:
    """Give those who wait the subject that won, "a" or "b"; how many batches wait. A second pick changes nothing."""
    if campaign.winner:
        return 0
    campaign.winner = winner
    rest = update(BatchRecord).where(BatchRecord.campaign_id == campaign.id, BatchRecord.arm == "")
    rest = rest.where(BatchRecord.attempts == 0, BatchRecord.ready_at.is_(None)).values(arm=winner, ready_at=now)
    return len(session.execute(rest.returning(BatchRecord.number)).all())


def clicks(session: Session, campaign: int) -> dict[str, tuple[int, int]]:
    """Of either subject, to how many it was submitted and how many of them clicked."""
    clicked = exists().where(
        EventRecord.delivery_id == DeliveryRecord.id, EventRecord.type == EventType.CLICKED, ~EventRecord.machine
    )
    query = (
        select(BatchRecord.arm, func.count(), func.sum(case((clicked, 1), else_=0)))
        .join(
            DeliveryRecord,
            (DeliveryRecord.campaign_id == BatchRecord.campaign_id) & (DeliveryRecord.batch == BatchRecord.number),
        )
        .where(BatchRecord.campaign_id == campaign, BatchRecord.arm != "")
        .where(DeliveryRecord.state == DeliveryState.SUBMITTED)
        .group_by(BatchRecord.arm)
    )
    return {arm: (messages, int(clicked or 0)) for arm, messages, clicked in session.execute(query)}


def pick_by_clicks(session: Session, campaign: CampaignRecord, now: dt.datetime) -> str:
    """Where a test's hours are over and nobody has picked: the subject with the larger share of clicks, or the first
    when they are even. Gives it, or nothing where it isn't time.
    """
    if campaign.winner or campaign.canceled_at or campaign.pick_at is None or campaign.pick_at > now:
        return ""
    shares = {arm: clicked / messages for arm, (messages, clicked) in clicks(session, campaign.id).items()}
    winner = "b" if shares.get("b", 0.0) > shares.get("a", 0.0) else "a"
    pick(session, campaign, winner, now)
    return winner


def move(session: Session, campaign: CampaignRecord, provider: str, size: int) -> int:
    """Give what is pending of a campaign to another provider, in batches of `size`; how many deliveries that is. What
    was submitted, or is in question, stays with the one that had it.
    """
    campaign.provider = provider
    return decisions.cut_anew(session, campaign, size)


def set_aside(session: Session, campaign: CampaignRecord) -> str:
    """Give a practice campaign and its deliveries a name of their own, so that nobody has the issue by it; the name."""
    name = f"{campaign.name}.practice-{campaign.id}"
    session.execute(update(BatchRecord).where(BatchRecord.campaign_id == campaign.id).values(ready_at=None))
    mine = update(DeliveryRecord).where(DeliveryRecord.campaign_id == campaign.id)
    session.execute(mine.values(issue=None).execution_options(synchronize_session=False))
    pending = mine.where(DeliveryRecord.state == DeliveryState.PENDING)
    aside = pending.values(state=DeliveryState.WITHHELD, error="set aside")
    session.execute(aside.execution_options(synchronize_session=False))
    campaign.name, campaign.issue = name, name
    return name


def due(session: Session, now: dt.datetime) -> list[CampaignRecord]:
    """The campaigns that have something to claim, to pick or to find out now, and aren't paused; oldest first."""
    ready = exists().where(BatchRecord.campaign_id == CampaignRecord.id, BatchRecord.ready_at <= now)
    open_states = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
    opened = exists().where(DeliveryRecord.campaign_id == CampaignRecord.id, DeliveryRecord.state.in_(open_states))
    picked = (CampaignRecord.pick_at <= now) & (CampaignRecord.winner == "")
    goes_on = CampaignRecord.canceled_at.is_(None) & ((ready & ledger.has_started(now)) | picked)
    query = select(CampaignRecord).where(CampaignRecord.paused_at.is_(None), goes_on | opened)
    return list(session.scalars(query.order_by(CampaignRecord.id)))


def paused(session: Session) -> list[CampaignRecord]:
    """The campaigns that are paused with something left to send or to find out; oldest first."""
    left = (DeliveryState.PENDING, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
    open_ = exists().where(DeliveryRecord.campaign_id == CampaignRecord.id, DeliveryRecord.state.in_(left))
    query = select(CampaignRecord).where(CampaignRecord.paused_at.is_not(None), open_)
    return list(session.scalars(query.order_by(CampaignRecord.id)))
