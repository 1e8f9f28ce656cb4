"""What a page said when it was stored, so that one can tell later whether it still says so."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urldefrag

from sqlalchemy import update
from sqlalchemy.orm import Session

from newsletter.fetch import Page
from newsletter.readable import digest
from newsletter.store import insert_new
from newsletter.store.records import LinkRecord


def known(session: Session, urls: set[str]) -> None:
    """Have a row for each of these addresses."""
    blank = {"captured": "", "digest": "", "standing": "", "fault": "", "moved_to": "", "etag": "", "last_modified": ""}
    if urls:
        session.execute(insert_new(session, LinkRecord), [{"url": url, "failures": 0, **blank} for url in sorted(urls)])


def capture(session: Session, url: str, page: Page, now: dt.datetime) -> None:
    """Keep what the page at an address says now, if nothing is kept of it yet."""
    address, found = urldefrag(url)[0], digest(page.body, page.type)
    known(session, {address})
    fresh = update(LinkRecord).where(LinkRecord.url == address, LinkRecord.captured == "")
    session.execute(fresh.values(captured=found, digest=found, captured_at=now))
