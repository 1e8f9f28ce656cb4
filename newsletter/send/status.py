"""How a campaign stands, in words: done, paused, canceled, waiting until when and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from newsletter.model import DeliveryState
from newsletter.send import ledger
from newsletter.send.rate_limiter import RateLimiter
from newsletter.store.records import CampaignRecord

#: States in which something is still to be done or to be found out.
UNFINISHED = (DeliveryState.PENDING, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStatus:
    """Deliveries by state; why it's `paused`, if it is; and when and why the rest waits, if it does. `planned`:
    somebody wanted it so (a time, a ceiling of the day, the winner of two subjects).
    """

    counts: Counter[DeliveryState]
    paused: str = ""
    canceled: bool = False
    until: dt.datetime | None = None
    waits_for: str = ""
    planned: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do or to find out."""
        return not any(self.counts[state] for state in UNFINISHED)

    @property
    def word(self) -> str:
        """One word for it."""
        if self.counts[DeliveryState.UNKNOWN]:
            return "unknown deliveries"
        if self.canceled:
            return "canceled"
        if self.finished:
            return "done"
        if self.paused:
            return "paused"
        untouched = self.counts[DeliveryState.PENDING] == self.counts.total()
        return "scheduled" if self.planned and untouched else "waiting" if self.until else "under way"


def status_of(session: Session, campaign: CampaignRecord, limiter: RateLimiter, now: dt.datetime) -> CampaignStatus:
    """How a campaign stands now."""
    status = CampaignStatus(
        counts=ledger.counts(session, campaign.id),
        paused=campaign.paused_why,
        canceled=campaign.canceled_at is not None,
    )
    if not status.counts[DeliveryState.PENDING] or campaign.paused_at or campaign.canceled_at:
        return status
    ready_at = ledger.next_ready(session, campaign.id)
    if ready_at is None:
        return replace(status, until=campaign.pick_at, waits_for="the winner of two subjects", planned=True)
    wait = limiter.peek(session, now)
    paced = now + dt.timedelta(seconds=wait.seconds)
    if paced > max(now, ready_at):
        return replace(status, until=paced, waits_for=wait.why or "the rate limit", planned=wait.planned)
    if ready_at > now:
        scheduled = ready_at == campaign.starts_at or not ledger.attempted(session, campaign.id)
        why = "its time" if scheduled else "another try, for readers whose servers put us off"
        return replace(status, until=ready_at, waits_for=why, planned=scheduled)
    return status
