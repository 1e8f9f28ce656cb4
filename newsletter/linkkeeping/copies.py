"""What the pages that policies rest on said: kept as text, compared as a diff, there when a page is gone.

Copies stay in the store; nothing of them is published or mailed.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urldefrag, urlsplit

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from newsletter.model import Issue, Policy, PolicyEntry
from newsletter.store import insert_new
from newsletter.store.records import CopyRecord, LinkRecord


def shown(issue: Issue) -> Iterator[Policy]:
    """The policies that an issue tells of."""
    return (entry.policy for entry in issue.entries if isinstance(entry, PolicyEntry))


def sources(policies: Iterable[Policy]) -> Iterator[str]:
    """The pages that policies rest on, without fragments: their own text, and the documents that they link to."""
    for policy in policies:
        documents = (*(link.url for link in policy.links), *(change.url for change in policy.history))
        for url in (policy.url, *filter(_is_document, documents)):
            if url:
                yield urldefrag(url)[0]


def _is_document(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".pdf")


def lacking(session: Session, urls: Collection[str]) -> set[str]:
    """Those of these pages whose newest words aren't kept."""
    query = (
        select(LinkRecord.url)
        .outerjoin(CopyRecord, (CopyRecord.url == LinkRecord.url) & (CopyRecord.digest == LinkRecord.digest))
        .where(CopyRecord.url.is_(None))
    )
    return {url for url in session.scalars(query) if url in urls}


def put(session: Session, url: str, digest: str, text: str, now: dt.datetime) -> None:
    """Keep what a page says now. What is neither its newest text, nor what it's held against, nor approved, goes."""
    session.execute(insert_new(session, CopyRecord).values(url=url, digest=digest, text=text, issue="", taken_at=now))
    link = session.get_one(LinkRecord, url)
    wanted = (CopyRecord.digest.in_((link.captured, digest)), CopyRecord.issue != "")
    session.execute(delete(CopyRecord).where(CopyRecord.url == url, ~or_(*wanted)))


def approve(session: Session, urls: Collection[str], issue: str) -> list[str]:
    """Keep the newest copies of these pages for good, since an issue that rests on them was approved; what can't be
    kept of them, or says something else than when it was captured, in words.
    """
    faults = []
    for url in sorted(set(urls)):
        link = session.get(LinkRecord, url)
        copy = session.get(CopyRecord, (url, link.digest)) if link else None
        if link is None or copy is None:
            faults.append(f"{url}: {(link and link.fault) or 'it has no text, or gave none in time'}")
            continue
        copy.issue = copy.issue or issue
        if link.digest != link.captured:
            faults.append(f"{url}: it says something else than when it was captured (newsletter links diff {url})")
    return faults


def newest(session: Session, url: str) -> CopyRecord | None:
    """What a page said when it was read last or, where that isn't kept, in the newest copy."""
    link = session.get(LinkRecord, url)
    current = session.get(CopyRecord, (url, link.digest)) if link else None
    query = select(CopyRecord).where(CopyRecord.url == url).order_by(CopyRecord.taken_at.desc()).limit(1)
    return current or session.scalar(query)


def dates(session: Session) -> dict[str, dt.datetime]:
    """When a page was copied last, by its address."""
    return dict(session.execute(select(CopyRecord.url, func.max(CopyRecord.taken_at)).group_by(CopyRecord.url)).all())


def changes(session: Session, link: LinkRecord) -> list[str]:
    """What a page says otherwise than when it was captured, as a unified diff; empty where that isn't known."""
    if link.digest == link.captured:
        return []
    before = session.get(CopyRecord, (link.url, link.captured))
    after = session.get(CopyRecord, (link.url, link.digest))
    if before is None or after is None or before.text == after.text:
        return []
    old, new = (f"{link.url} ({copy.taken_at:%Y-%m-%d})" for copy in (before, after))
    return list(difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), old, new, lineterm="", n=1))
