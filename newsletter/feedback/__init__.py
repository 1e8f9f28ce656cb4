"""What became of a campaign: reports from the ledger, and what providers tell of its deliveries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.audience import Standing
from newsletter.feedback.events import events_of, keep
from newsletter.model import DeliveryState
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord, SubscriptionRecord

__all__ = ["CampaignReport", "Trouble", "events_of", "keep", "report", "troubles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """Deliveries by state; `left` counts people it was submitted to who left the list afterwards."""

    campaign: str
    issue: str
    provider: str
    counts: Counter[DeliveryState]
    left: int

    def plain(self) -> dict[str, Any]:
        """The report for JSON."""
        states = {str(state): self.counts[state] for state in DeliveryState}
        return {"campaign": self.campaign, "issue": self.issue, "provider": self.provider, **states, "left": self.left}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Deliveries of one batch that are neither submitted nor withheld, for one reason."""

    batch: int
    state: str
    deliveries: int
    tag: str
    why: str

    def plain(self) -> dict[str, Any]:
        """The row for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def report(session: Session, issue: str = "") -> list[CampaignReport]:
    """A report for each campaign, of one issue or of all, oldest first."""
    query = select(CampaignRecord).order_by(CampaignRecord.id)
    found = []
    for campaign in session.scalars(query.where(CampaignRecord.issue == issue) if issue else query):
        states = select(DeliveryRecord.state, func.count()).where(DeliveryRecord.campaign_id == campaign.id)
        rows = session.execute(states.group_by(DeliveryRecord.state))
        found.append(
            CampaignReport(
                campaign=campaign.name,
                issue=campaign.issue,
                provider=campaign.provider,
                counts=Counter({DeliveryState(state): count for state, count in rows}),
                left=_left(session, campaign),
            )
        )
    return found


def _left(session: Session, campaign: CampaignRecord) -> int:
    query = (
        select(func.count())
        .select_from(DeliveryRecord)
        .join(SubscriptionRecord, SubscriptionRecord.subscriber_id == DeliveryRecord.subscriber_id)
        .where(
            DeliveryRecord.campaign_id == campaign.id,
            DeliveryRecord.state == DeliveryState.SUBMITTED,
            SubscriptionRecord.list == campaign.list,
            SubscriptionRecord.status == Standing.UNSUBSCRIBED,
        )
    )
    return session.scalar(query) or 0


def people(session: Session, campaign: int, state: DeliveryState) -> list[tuple[str, str]]:
    """The addresses of a campaign's deliveries in a state, each with the reason."""
    query = select(DeliveryRecord.address, DeliveryRecord.error)
    query = query.where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state == state)
    return [(address, error) for address, error in session.execute(query.order_by(DeliveryRecord.id))]


def troubles(session: Session, campaign: int) -> list[Trouble]:
    """What of a campaign is not done, by batch, state and reason."""
    done = (DeliveryState.SUBMITTED, DeliveryState.WITHHELD)
    query = (
        select(
            DeliveryRecord.batch,
            DeliveryRecord.state,
            func.count(),
            func.max(BatchRecord.tag),
            DeliveryRecord.error,
            func.max(BatchRecord.error),
        )
        .join(
            BatchRecord,
            (BatchRecord.campaign_id == DeliveryRecord.campaign_id) & (BatchRecord.number == DeliveryRecord.batch),
        )
        .where(DeliveryRecord.campaign_id == campaign, DeliveryRecord.state.not_in(done))
        .group_by(DeliveryRecord.batch, DeliveryRecord.state, DeliveryRecord.error)
        .order_by(DeliveryRecord.batch, DeliveryRecord.state)
    )
    return [
        Trouble(batch=batch, state=state, deliveries=count, tag=tag, why="; ".join(dict.fromkeys(filter(None, why))))
        for batch, state, count, tag, *why in session.execute(query)
    ]
