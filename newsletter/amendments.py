"""What staff decide about pages that are public: corrections, other addresses, pages that go, archived links.

Each decision is a row in the store and can be taken back; `read` gives all of them to `publish`. A path has one
decision at a time.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.errors import InputError, NotFound, nearest
from newsletter.model import Amendments, Correction, Gone, Issue, Moved, Replacement
from newsletter.send.uses import named
from newsletter.store.records import CorrectionRecord, PageRecord, ReplacementRecord, SnapshotRecord

#: What would be more than a paragraph in an issue.md: a heading, a fence, an entry, HTML.
_MARKUP = re.compile(r"^\s{0,3}(?:#|:::|\[\[|<|\+\+\+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decides, when, and on which day of the workspace's calendar."""

    by: str
    at: dt.datetime
    day: dt.date


def read(session: Session) -> Amendments:
    """All that was decided."""
    rows = pages(session)
    moved = {page.path: page.moved_to for page in rows if page.moved_to}
    standing = select(CorrectionRecord).where(CorrectionRecord.removed_at.is_(None))
    corrections = session.scalars(standing.order_by(CorrectionRecord.date, CorrectionRecord.id))
    replacements = session.scalars(select(ReplacementRecord).order_by(ReplacementRecord.url))
    return Amendments(
        corrections=tuple(
            Correction(issue=moved.get(row.issue, row.issue), date=row.date, note=row.note) for row in corrections
        ),
        moved=tuple(Moved(old=old, new=new) for old, new in moved.items()),
        gone=tuple(Gone(path=p.path, date=p.date, reason=p.reason) for p in rows if not p.moved_to),
        replacements=tuple(Replacement(url=row.url, archived=row.archived) for row in replacements),
    )


def path_of(text: str, archive_url: str) -> str:
    """A page's path as it's kept, of what somebody may write: the path or the whole address.

    InputError for the front page, and for what isn't within the archive.
    """
    base = archive_url.rstrip("/") + "/"
    given = text.strip().removeprefix(base)
    parts = urlsplit(given)
    path = unquote(parts.path).removesuffix("index.html").strip("/")
    if parts.scheme or parts.netloc or parts.query or parts.fragment or re.search(r"(^|/)\.|\\|[\x00-\x1f]|//", path):
        raise InputError(f'"{text}" is no page of the archive', hint=f"a path such as {base}ISSUE, or ISSUE")
    if not path:
        raise InputError("the front page can neither move nor go")
    return path


def correct(session: Session, issue: Issue, note: str, decision: Decision) -> tuple[CorrectionRecord, bool]:
    """Note what was wrong in an issue that is out; also whether that's new. InputError for what is no plain text."""
    text = "\n".join(line.rstrip() for line in note.strip().splitlines())
    if not text:
        raise InputError("a correction says what was wrong and what is right", where=issue.slug, hint="--note TEXT")
    if "{{" in text or _MARKUP.search(text):
        what = "a correction is paragraphs, without headings, entries, HTML and merge fields"
        raise InputError(what, where=issue.slug, hint="write what was wrong, and what is right")
    same = select(CorrectionRecord).where(CorrectionRecord.issue == issue.slug, CorrectionRecord.note == text)
    known = session.scalar(same)
    if known:
        new, known.removed_at = known.removed_at is not None, None
        return known, new
    record = CorrectionRecord(
        issue=issue.slug,
        publication=issue.publication,
        date=decision.day,
        note=text,
        by=decision.by,
        at=decision.at,
        told_in="",
        mailed_in="",
    )
    session.add(record)
    session.flush()
    return record, True


def corrections(session: Session, issue: str = "") -> list[CorrectionRecord]:
    """The corrections of an issue, under whatever name they were noted, or all of them, oldest first; also those that
    were taken back.
    """
    query = select(CorrectionRecord).order_by(CorrectionRecord.id)
    return list(session.scalars(query.where(named(CorrectionRecord.issue, issue)) if issue else query))


def untold(session: Session, publication: str, drafts: Iterable[str]) -> list[CorrectionRecord]:
    """A publication's corrections that wait for its next issue."""
    there = telling(session, drafts)
    rows = [row for row in corrections(session) if row.publication == publication and row.removed_at is None]
    return [row for row in rows if row.told_in not in there]


def unmailed(session: Session, issue: str, drafts: Iterable[str]) -> list[CorrectionRecord]:
    """An issue's corrections that no mail has told."""
    there = telling(session, drafts)
    rows = [row for row in corrections(session, issue) if row.removed_at is None]
    return [row for row in rows if row.mailed_in not in there]


def mails(session: Session) -> set[str]:
    """The issues that do nothing but mail a correction; they have no page of their own."""
    return set(session.scalars(select(CorrectionRecord.mailed_in).distinct())) - {""}


def telling(session: Session, drafts: Iterable[str]) -> set[str]:
    """The issues that can tell a correction: the `drafts` that there are, and whatever was approved. What a draft took
    up that was thrown away waits again.
    """
    return {*drafts, *session.scalars(select(SnapshotRecord.issue).distinct())}


def remove(session: Session, number: int, now: dt.datetime) -> CorrectionRecord:
    """Take a correction back, so that no page shows it; NotFound for a number that there isn't."""
    record = session.get(CorrectionRecord, number)
    if record is None or record.removed_at is not None:
        raise NotFound(f"no correction {number}", hint="newsletter corrections list")
    record.removed_at = now
    return record


def move(session: Session, old: str, new: str, decision: Decision) -> None:
    """Let an old path lead to a new one, and with it what led to the old one. A page that moves back to an address
    that it had is there again.
    """
    if old == new:
        raise InputError("both are the same address", where=old)
    there = session.get(PageRecord, new)
    if there and not there.moved_to:
        raise InputError("is gone, so that nothing can lead to it", where=new, hint=f"newsletter pages restore {new}")
    if there:
        session.delete(there)
        session.flush()
    session.execute(update(PageRecord).where(PageRecord.moved_to == old).values(moved_to=new))
    _decide(session, old, decision, moved_to=new)


def withdraw(session: Session, path: str, reason: str, decision: Decision) -> None:
    """Let a page go; its address says so, and why."""
    _decide(session, path, decision, reason=" ".join(reason.split()))


def _decide(session: Session, path: str, decision: Decision, *, moved_to: str = "", reason: str = "") -> None:
    values = {"path": path, "moved_to": moved_to, "reason": reason}
    session.merge(PageRecord(**values, date=decision.day, by=decision.by, at=decision.at))


def pages(session: Session) -> list[PageRecord]:
    """Every page that has moved or is gone, by its path."""
    return list(session.scalars(select(PageRecord).order_by(PageRecord.path)))


def restore(session: Session, path: str) -> PageRecord:
    """Take back that a page moved or went; NotFound when neither was decided."""
    record = session.get(PageRecord, path)
    if record is None:
        known = list(session.scalars(select(PageRecord.path)))
        what = "neither moved nor was withdrawn"
        raise NotFound(what, where=path, hint=nearest(path, known) or "newsletter pages list")
    session.delete(record)
    return record


def replace_link(session: Session, urls: Iterable[str], archived: str, decision: Decision) -> None:
    """Let pages link to an archived copy in the place of these addresses."""
    if not re.fullmatch(r"https?://[^\s/]+/\S*", archived):
        raise InputError(f'"{archived[:80]}" is no address of a copy', hint="https://web.archive.org/web/…")
    for url in urls:
        session.merge(ReplacementRecord(url=url, archived=archived, by=decision.by, at=decision.at))


def keep_link(session: Session, urls: Collection[str]) -> int:
    """Let pages link to these addresses themselves again; how many had been replaced."""
    found = session.scalars(select(ReplacementRecord).where(ReplacementRecord.url.in_(urls))).all()
    session.execute(delete(ReplacementRecord).where(ReplacementRecord.url.in_(urls)))
    return len(found)
