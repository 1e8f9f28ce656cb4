"""Approving: what goes out and what is archived are this snapshot, never the draft."""

from __future__ import annotations

import datetime as dt
import difflib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter import codec
from newsletter.errors import NotApproved
from newsletter.model import Issue, Rendered, Snapshot
from newsletter.send import uses
from newsletter.store.records import SnapshotRecord


def approve(session: Session, issue: Issue, variants: tuple[Rendered, ...], *, by: str, now: dt.datetime) -> Snapshot:
    """Freeze an issue and its variants. Approving the same content again gives the approval there is."""
    digest = codec.digest(issue, *variants)
    before = latest(session, issue.slug)
    if before and before.digest == digest:
        return before
    snapshot = Snapshot(issue=issue, variants=variants, digest=digest, approved_by=by, approved_at=now)
    session.add(
        SnapshotRecord(issue=issue.slug, digest=digest, document=codec.dumps(snapshot), approved_by=by, approved_at=now)
    )
    uses.record(session, issue)
    return snapshot


def latest(session: Session, issue: str) -> Snapshot | None:
    """The newest approval of an issue, or None."""
    query = select(SnapshotRecord).where(SnapshotRecord.issue == issue).order_by(SnapshotRecord.id.desc()).limit(1)
    record = session.scalar(query)
    return codec.loads(record.document, Snapshot) if record else None


def all_latest(session: Session) -> list[Snapshot]:
    """The newest approval of every issue."""
    newest = select(func.max(SnapshotRecord.id)).group_by(SnapshotRecord.issue)
    records = session.scalars(select(SnapshotRecord.document).where(SnapshotRecord.id.in_(newest)))
    return [codec.loads(document, Snapshot) for document in records]


def require(session: Session, issue: Issue, variants: tuple[Rendered, ...]) -> Snapshot:
    """The approval of exactly this content; NotApproved when there's none or something changed since.

    `variants` are compared by name with those that were approved. One that wasn't is no matter: since then
    somebody joined whom it would be for, and they get the default.
    """
    snapshot = latest(session, issue.slug)
    if snapshot is None:
        raise NotApproved("not approved", where=issue.path, hint=f"newsletter approve {issue.slug}")
    named = {variant.variant: variant for variant in variants}
    now = [named[variant.variant] for variant in snapshot.variants if variant.variant in named]
    if snapshot.digest != codec.digest(issue, *now):
        day = f"{snapshot.approved_at:%Y-%m-%d %H:%M} UTC"
        what = f"changed since {snapshot.approved_by} approved it on {day}"
        raise NotApproved(what, where=issue.path, hint=f"look, then: newsletter approve {issue.slug}")
    return snapshot


def changes(snapshot: Snapshot, variants: tuple[Rendered, ...]) -> list[str]:
    """What differs between an approval and how the issue would be mailed now, as lines of a unified diff of
    subject, preheader and plain text; empty when nothing that a reader sees as text differs.
    """
    approved = {variant.variant: variant for variant in snapshot.variants}
    now = {variant.variant: variant for variant in variants}
    lines: list[str] = []
    for name in dict.fromkeys((*approved, *now)):
        old, new = (_readable(found) if found else [] for found in (approved.get(name), now.get(name)))
        lines += difflib.unified_diff(old, new, f"approved ({name})", f"now ({name})", lineterm="", n=2)
    return lines


def _readable(variant: Rendered) -> list[str]:
    head = [f"Subject: {variant.subject}", f"Preheader: {variant.preheader}", ""]
    return [*head, *str(variant.text).splitlines()]
