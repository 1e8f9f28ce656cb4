"""What people decide about a campaign under way: pause, resume, cancel; and which ones are due."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from newsletter.model import DeliveryState
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord


def is_paused(session: Session, campaign: int) -> bool:
    """Whether nothing of a campaign may be claimed now."""
    return session.scalar(select(CampaignRecord.paused_at).where(CampaignRecord.id == campaign)) is not None


def pause(session: Session, campaign: int, why: str, now: dt.datetime) -> None:
    """Claim nothing more of a campaign until it's resumed; calls under way end. The first reason is kept."""
    running = update(CampaignRecord).where(CampaignRecord.id == campaign, CampaignRecord.paused_at.is_(None))
    session.execute(running.values(paused_at=now, paused_why=why))


def resume(session: Session, campaign: int) -> None:
    """Let a paused campaign go on."""
    session.execute(update(CampaignRecord).where(CampaignRecord.id == campaign).values(paused_at=None, paused_why=""))


def cancel(session: Session, campaign: int, why: str, now: dt.datetime) -> int:
    """Withhold all that is still pending, for good; how many deliveries that is."""
    pending = (DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == DeliveryState.PENDING)
    numbers = session.scalars(select(DeliveryRecord.batch).distinct().where(*pending).order_by(DeliveryRecord.batch))
    canceled = 0
    for number in list(numbers):
        batch = session.get_one(BatchRecord, (campaign, number), with_for_update=True)
        batch.ready_at = None
        rows = update(DeliveryRecord).where(*pending, DeliveryRecord.batch == number)
        rows = rows.values(state=DeliveryState.WITHHELD, error=why, changed_at=now).returning(DeliveryRecord.id)
        canceled += len(session.execute(rows.execution_options(synchronize_session=False)).all())
    return canceled


def hurry(session: Session, campaign: int, now: dt.datetime) -> None:
    """Somebody sends again: what was put off after an attempt is tried now. What is scheduled isn't touched."""
    put_off = update(BatchRecord).where(BatchRecord.campaign_id == campaign)
    session.execute(put_off.where(BatchRecord.ready_at > now, BatchRecord.attempts > 0).values(ready_at=now))


def due(session: Session, now: dt.datetime) -> list[CampaignRecord]:
    """The campaigns that have something to claim or to settle now, and aren't paused; oldest first."""
    ready = exists().where(BatchRecord.campaign_id == CampaignRecord.id, BatchRecord.ready_at <= now)
    open_states = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
    opened = exists().where(DeliveryRecord.campaign_id == CampaignRecord.id, DeliveryRecord.state.in_(open_states))
    query = select(CampaignRecord).where(CampaignRecord.paused_at.is_(None), ready | opened)
    return list(session.scalars(query.order_by(CampaignRecord.id)))
