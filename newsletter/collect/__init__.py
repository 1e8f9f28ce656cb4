"""Sources into items and policies: by hand, from pages, feeds and letters, and from CSV, JSON and TOML files.

`library` is what an issue can name: every stored item and policy by its slug.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.collect import items, policies
from newsletter.model import Item, Policy
from newsletter.store.records import ItemRecord, PolicyRecord, StatusRecord

Library = dict[str, Item | Policy]


def library(session: Session) -> Library:
    """Every stored item and policy by slug. The two share one set of names; `transfer` and the commands see to it."""
    shelf: Library = {item.slug: item for item in items.find(session)}
    shelf.update({policy.slug: policy for policy in policies.find(session)})
    return shelf


def stored_after(session: Session, at: dt.datetime) -> set[str]:
    """The slugs of items that were stored, kept or changed after a moment, and of policies of which a step was."""
    steps = select(PolicyRecord.slug).join(StatusRecord).where(StatusRecord.recorded_at > at)
    kept = select(ItemRecord.slug).where(ItemRecord.updated_at > at)
    return {*session.scalars(kept), *session.scalars(steps)}


def taken(session: Session) -> set[str]:
    """The slugs in use by items or policies."""
    return items.slugs(session) | policies.slugs(session)
