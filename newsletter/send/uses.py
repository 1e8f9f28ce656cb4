"""The reuse ledger: which approved issue used which item or policy, where and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, tuple_
from sqlalchemy.orm import QueryableAttribute, Session

from newsletter.model import DeliveryState, Issue, Snapshot, Story, Use, address_of
from newsletter.store.records import CampaignRecord, DeliveryRecord, PageRecord, SnapshotRecord, UseRecord


def uses_of(issue: Issue) -> dict[str, Use]:
    """Every entry of an issue by slug, with the section it stands in first."""
    found: dict[str, Use] = {}
    for section in issue.sections:
        for block in section.blocks:
            entry = getattr(block, "item", None) or getattr(block, "policy", None)
            if entry and entry.slug not in found:
                found[entry.slug] = Use(
                    issue=issue.slug,
                    slug=entry.slug,
                    address=address_of(entry.url),
                    publication=issue.publication,
                    section=section.heading,
                    date=issue.date,
                )
    return found


def record(session: Session, issue: Issue) -> None:
    """Write what an approved issue uses, in the place of what an earlier approval of it used."""
    session.execute(delete(UseRecord).where(UseRecord.issue == issue.slug))
    rows = [{name: getattr(use, name) for name in Use.__dataclass_fields__} for use in uses_of(issue).values()]
    if rows:
        session.execute(insert(UseRecord), rows)


def named(column: QueryableAttribute[str], issue: str) -> ColumnElement[bool]:
    """Whether a column names an issue, by the name it has or one that it had: its old address leads to the new one."""
    return or_(column == issue, column.in_(select(PageRecord.path).where(PageRecord.moved_to == issue)))


def earlier(session: Session, issue: Issue) -> tuple[Use, ...]:
    """The uses of this issue's items, by slug or address, in the issues that were approved before it first was, in
    that order: what is approved isn't accused by what came later, whatever the dates on them say.
    """
    stories = [entry.item for entry in issue.entries if isinstance(entry, Story)]
    slugs, addresses = [item.slug for item in stories], [address_of(item.url) for item in stories]
    approved = (
        select(SnapshotRecord.issue, func.min(SnapshotRecord.id).label("first"))
        .group_by(SnapshotRecord.issue)
        .subquery()
    )
    own = session.scalar(select(func.min(SnapshotRecord.id)).where(named(SnapshotRecord.issue, issue.slug)))
    query = (
        select(UseRecord)
        .join(approved, approved.c.issue == UseRecord.issue)
        .where(UseRecord.slug.in_(slugs) | UseRecord.address.in_(addresses))
        .where(~named(UseRecord.issue, issue.slug))
        .order_by(approved.c.first)
    )
    return tuple(map(_value, session.scalars(query if own is None else query.where(approved.c.first < own))))


def of_publication(session: Session, publication: str) -> tuple[Use, ...]:
    """The uses in a publication's approved issues, oldest first."""
    query = select(UseRecord).where(UseRecord.publication == publication).order_by(UseRecord.date, UseRecord.issue)
    return tuple(map(_value, session.scalars(query)))


def first(session: Session, publication: str, before: dt.date, issue: str) -> dict[str, Use]:
    """The first use of every entry in a publication's approved issues before this one, by slug."""
    query = (
        select(UseRecord)
        .where(UseRecord.publication == publication)
        .where(tuple_(UseRecord.date, UseRecord.issue) < tuple_(before, issue), ~named(UseRecord.issue, issue))
        .order_by(UseRecord.date.desc(), UseRecord.issue.desc())
    )
    return {row.slug: _value(row) for row in session.scalars(query)}


def others(session: Session, publication: str, since: dt.date, before: dt.date, issue: str) -> list[str]:
    """The approved issues of other publications from a day on that come before this one."""
    query = (
        select(UseRecord.issue)
        .distinct()
        .where(UseRecord.publication != publication, UseRecord.date >= since)
        .where(tuple_(UseRecord.date, UseRecord.issue) < tuple_(before, issue))
    )
    return list(session.scalars(query.order_by(UseRecord.issue)))


def told_to_all(snapshots: Iterable[Snapshot]) -> dict[str, tuple[str, ...]]:
    """The issues that tell an item to every reader, by the item's slug and by its address. What a guard keeps for
    some isn't among them: nobody is to miss it for another's having had it.
    """
    found: dict[str, tuple[str, ...]] = {}
    for snapshot in snapshots:
        for section in snapshot.issue.sections:
            for block in section.blocks:
                if isinstance(block, Story) and not section.only and not block.only:
                    for key in filter(None, {block.item.slug, address_of(block.item.url)}):
                        found[key] = (*found.get(key, ()), snapshot.issue.slug)
    return found


def _value(row: UseRecord) -> Use:
    return Use(**{name: getattr(row, name) for name in Use.__dataclass_fields__})


def slugs_used(session: Session, issue: str = "") -> set[str]:
    """The slugs that approved issues have used: all of them, or those of one issue."""
    query = select(UseRecord.slug)
    return set(session.scalars(query.where(UseRecord.issue == issue) if issue else query))


def variants(session: Session, issue: str) -> list[str]:
    """The variants of an issue that were submitted to somebody, sorted."""
    query = (
        select(DeliveryRecord.variant).distinct().join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
    )
    submitted = DeliveryRecord.state == DeliveryState.SUBMITTED
    return list(
        session.scalars(query.where(named(CampaignRecord.issue, issue), submitted).order_by(DeliveryRecord.variant))
    )
