"""Approve, freeze an audience, keep the ledger, submit, resume.

snapshot = require(session, issue, variants)        what was approved, unchanged
plan(...) -> freeze(...)                            the audience, frozen into the ledger
submit(sender, load)                                batch by batch; again after any interruption
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound, nearest
from newsletter.send.approval import all_latest, approve, documents, latest, require
from newsletter.send.clock import Clock
from newsletter.send.plan import Plan, Target, campaign_name, freeze, plan, top_up
from newsletter.send.stored_calls import Envelope
from newsletter.send.submit import submit
from newsletter.store.records import CampaignRecord

__all__ = [
    "Clock",
    "Envelope",
    "Plan",
    "Target",
    "all_latest",
    "approve",
    "campaign_name",
    "documents",
    "find",
    "freeze",
    "get",
    "latest",
    "plan",
    "require",
    "submit",
    "top_up",
]


def find(session: Session, name: str) -> CampaignRecord | None:
    """The campaign of that name, or None."""
    return session.scalar(select(CampaignRecord).where(CampaignRecord.name == name))


def get(session: Session, name: str) -> CampaignRecord:
    """The campaign of that name, or NotFound with the nearest."""
    campaign = find(session, name)
    if campaign is None:
        names = list(session.scalars(select(CampaignRecord.name)))
        raise NotFound(f'no campaign "{name}"', hint=nearest(name, names) or "newsletter campaigns list")
    return campaign
