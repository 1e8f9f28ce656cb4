"""Approving: what goes out and what is archived are this snapshot, never the draft."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter import VERSION, codec
from newsletter.errors import NotApproved, NotFound
from newsletter.model import Issue, Rendered, Snapshot
from newsletter.send import uses
from newsletter.store.records import ApprovalRecord, SnapshotRecord


def approve(
    session: Session, issue: Issue, variants: tuple[Rendered, ...], *, by: str, now: dt.datetime, needed: int = 1
) -> tuple[Snapshot, bool]:
    """Count somebody's approval of an issue and its variants, frozen as they are; also whether it's a new one.

    The same content again is the same snapshot; the same person again is one person. When `needed` persons have
    approved, what the issue uses is written down.
    """
    digest = _digest(issue, variants)
    record = _newest(session, issue.slug)
    if record is None or not (record.digest == digest or _waits_for(session, record, issue, variants, needed)):
        snapshot = Snapshot(
            issue=issue, variants=variants, digest=digest, approved_by=by, approved_at=now, version=VERSION
        )
        record = SnapshotRecord(
            issue=issue.slug, digest=digest, document=codec.dumps(snapshot), approved_by=by, approved_at=now
        )
        session.add(record)
        session.flush()
    before = _approvers(session, record.id)
    new = by.casefold() not in map(str.casefold, before)
    if new:
        session.add(ApprovalRecord(snapshot_id=record.id, by=by, at=now))
        if len(before) + 1 >= needed:
            uses.record(session, issue)
    return codec.loads(record.document, Snapshot), new


def approvers(session: Session, issue: str) -> tuple[str, ...]:
    """Who has approved the newest snapshot of an issue, in the order in which they did; nobody without one."""
    record = _newest(session, issue)
    return _approvers(session, record.id) if record else ()


def names(session: Session) -> set[str]:
    """The issues that were ever approved, by the names that they had then."""
    return set(session.scalars(select(SnapshotRecord.issue).distinct()))


def latest(session: Session, issue: str) -> Snapshot | None:
    """The newest snapshot of an issue, or None."""
    record = _newest(session, issue)
    return codec.loads(record.document, Snapshot) if record else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """One approval in an issue's history: what it bound to, since when, and by whom."""

    digest: str
    at: dt.datetime
    by: tuple[str, ...]


def history(session: Session, issue: str) -> list[Approved]:
    """Every approval that an issue has had, oldest first."""
    query = select(SnapshotRecord.id, SnapshotRecord.digest, SnapshotRecord.approved_at)
    rows = session.execute(query.where(SnapshotRecord.issue == issue).order_by(SnapshotRecord.id))
    return [Approved(digest=digest, at=at, by=_approvers(session, number)) for number, digest, at in rows]


def with_digest(session: Session, issue: str, digest: str) -> Snapshot:
    """The newest snapshot of an issue whose digest begins so; NotFound when there's none."""
    known = SnapshotRecord.issue == issue, SnapshotRecord.digest.startswith(digest, autoescape=True)
    record = session.scalar(select(SnapshotRecord).where(*known).order_by(SnapshotRecord.id.desc()).limit(1))
    if record is None:
        raise NotFound(f'no approval "{digest[:64]}"', where=issue, hint=f"newsletter history {issue}")
    return codec.loads(record.document, Snapshot)


def all_latest(session: Session, needed: Mapping[str, int]) -> dict[str, tuple[int, str]]:
    """Of every issue, the newest snapshot that as many persons have approved as its publication needs: its number and
    digest. Documents are read only where it depends on the publication.
    """
    counts = select(ApprovalRecord.snapshot_id, func.count().label("persons")).group_by(ApprovalRecord.snapshot_id)
    approved = counts.subquery()
    query = select(SnapshotRecord.issue, SnapshotRecord.id, SnapshotRecord.digest, approved.c.persons)
    query = query.join(approved, approved.c.snapshot_id == SnapshotRecord.id).order_by(SnapshotRecord.id.desc())
    enough = max(needed.values(), default=1)
    found: dict[str, tuple[int, str]] = {}
    for issue, number, digest, persons in session.execute(query):
        if issue not in found and (persons >= enough or persons >= needed.get(_publication(session, number), 1)):
            found[issue] = (number, digest)
    return found


def _publication(session: Session, number: int) -> str:
    document = session.scalar(select(SnapshotRecord.document).where(SnapshotRecord.id == number))
    return codec.loads(document or "", Snapshot).issue.publication


def documents(session: Session, numbers: Collection[int]) -> Iterator[tuple[str, str]]:
    """The issues' names and snapshots, as JSON, of these numbers, one by one."""
    for number in numbers:
        query = select(SnapshotRecord.issue, SnapshotRecord.document).where(SnapshotRecord.id == number)
        yield from ((issue, document) for issue, document in session.execute(query))


def require(session: Session, issue: Issue, variants: tuple[Rendered, ...], *, needed: int = 1) -> Snapshot:
    """The approval of exactly this content; NotApproved when there's none, when something changed since, or
    when fewer than `needed` persons have given theirs.

    `variants` are compared by name with those that were approved. One that wasn't is no matter: since then
    somebody joined whom it would be for, and they get the default.
    """
    snapshot = latest(session, issue.slug)
    if snapshot is None:
        raise NotApproved("not approved", where=issue.path, hint=f"newsletter approve {issue.slug}")
    if snapshot.version != VERSION:
        other = f"version {snapshot.version}" if snapshot.version else "an earlier version"
        what = f"approved with {other} of this program, and this is {VERSION}"
        raise NotApproved(what, where=issue.path, hint=f"look, then: newsletter approve {issue.slug}")
    if snapshot.digest != _digest(issue, _same(snapshot, variants)):
        day = f"{snapshot.approved_at:%Y-%m-%d %H:%M} UTC"
        what = f"changed since {snapshot.approved_by} approved it on {day}"
        raise NotApproved(what, where=issue.path, hint=f"look, then: newsletter approve {issue.slug}")
    persons = approvers(session, issue.slug)
    if len(persons) < needed:
        hint = f"somebody else: newsletter approve {issue.slug} --by NAME"
        raise NotApproved(told(persons, needed), where=issue.path, hint=hint)
    return snapshot


def told(persons: tuple[str, ...], needed: int) -> str:
    """`approved by Dana Reyes, 1 of 2`; without the count when one person is enough."""
    return f"approved by {', '.join(persons)}" + (f", {len(persons)} of {needed}" if needed > 1 else "")


def _waits_for(
    session: Session, record: SnapshotRecord, issue: Issue, variants: tuple[Rendered, ...], needed: int
) -> bool:
    """Whether a snapshot waits for more approvals and is this content, but for variants that are new since."""
    snapshot = codec.loads(record.document, Snapshot)
    unchanged = snapshot.digest == _digest(issue, _same(snapshot, variants))
    return unchanged and len(_approvers(session, record.id)) < needed


def _same(snapshot: Snapshot, variants: tuple[Rendered, ...]) -> tuple[Rendered, ...]:
    """Of the variants those that the snapshot has, in its order."""
    named = {variant.variant: variant for variant in variants}
    return tuple(named[variant.variant] for variant in snapshot.variants if variant.variant in named)


def _digest(issue: Issue, variants: tuple[Rendered, ...]) -> str:
    """What an approval binds to: content, items, settings and templates by what they make, and who made it."""
    return codec.digest(VERSION, issue, *variants)


def _newest(session: Session, issue: str) -> SnapshotRecord | None:
    query = select(SnapshotRecord).where(SnapshotRecord.issue == issue).order_by(SnapshotRecord.id.desc()).limit(1)
    return session.scalar(query)


def _approvers(session: Session, snapshot: int) -> tuple[str, ...]:
    query = select(ApprovalRecord.by).where(ApprovalRecord.snapshot_id == snapshot)
    return tuple(session.scalars(query.order_by(ApprovalRecord.at, ApprovalRecord.by)))


def changes(snapshot: Snapshot, variants: tuple[Rendered, ...]) -> list[str]:
    """What differs between an approval and how the issue would be mailed now, as lines of a unified diff of
    subject, preheader and plain text, variants that differ alike together; empty when nothing that a reader sees
    as text differs.
    """
    approved = {variant.variant: variant for variant in snapshot.variants}
    now = {variant.variant: variant for variant in variants}
    groups: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for name in dict.fromkeys((*approved, *now)):
        old, new = (_readable(found) if found else [] for found in (approved.get(name), now.get(name)))
        lines = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
        same = tuple(line for line in lines if not line.startswith("@@"))
        groups.setdefault(same, ([], lines))[0].append(name)
    told: list[str] = []
    for names, lines in groups.values():
        if lines:
            told += [f"--- approved ({', '.join(names)})", f"+++ now ({', '.join(names)})", *lines]
    return told


def _readable(variant: Rendered) -> list[str]:
    head = [f"Subject: {variant.subject}", f"Preheader: {variant.preheader}", ""]
    return [*head, *str(variant.text).splitlines()]
