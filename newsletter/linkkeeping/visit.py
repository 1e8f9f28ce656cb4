"""One page asked, and what its answer means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.errors import InputError
from newsletter.fetch import Page, TooLarge, follow
from newsletter.linkkeeping.manners import Forbidden, Manners
from newsletter.model import address_of
from newsletter.readable import digest, lines
from newsletter.store.records import LinkRecord

#: What is larger is there, but isn't compared.
_BYTES = 5_000_000
_GONE = {404, 410}
#: Answers that say nothing of the page: it wants a login, or no programs, or fewer of them (RFC 6585), or has to be
#: withheld (RFC 7725).
_CLOSED = {401, 402, 403, 405, 406, 407, 429, 430, 451, 498, 499, 999}
_BUSY = {429, 503}
#: So many checks in a row without a usable answer are a dead link.
_TRIES = 3


class Standing(StrEnum):
    """How a linked page is. `moved`: permanently, to another address. `changed`: it says something else than when it
    was captured. `failing`: it gave no usable answer, which may pass. `refused`: it isn't for programs.
    """

    FINE = "fine"
    CHANGED = "changed"
    MOVED = "moved"
    DEAD = "dead"
    FAILING = "failing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of asking; `answered` when digest, etag and last_modified are the page's own. `busy` when its host
    wants to be left alone for now.
    """

    standing: Standing
    fault: str = ""
    moved_to: str = ""
    failures: int = 0
    answered: bool = False
    digest: str = ""
    etag: str = ""
    last_modified: str = ""
    busy: bool = False
    text: str = ""


def visit(known: LinkRecord, manners: Manners, private_hosts: Collection[str], *, whole: bool = False) -> Visit:
    """Ask a page, only for what is new since the last time (RFC 9110, section 13.1), or for all of it, whose lines are
    in `text` then.
    """
    headers = {"User-Agent": manners.agent, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    if known.digest and known.etag and not whole:
        headers["If-None-Match"] = known.etag
    if known.digest and known.last_modified and not whole:
        headers["If-Modified-Since"] = known.last_modified
    try:
        page = follow(known.url, private_hosts=private_hosts, headers=headers, limit=_BYTES, before=manners.enter)
    except Forbidden as fault:
        return Visit(standing=Standing.REFUSED, fault=fault.what)
    except TooLarge:
        return Visit(standing=Standing.FINE, fault="too large to be compared", answered=True)
    except InputError as fault:
        return _failing(known, fault.what)
    found = _judged(known, page)
    text = lines(page.body, page.headers.get("content-type", "")) if whole and found.digest else ""
    return replace(found, text=text)


def _judged(known: LinkRecord, page: Page) -> Visit:
    if page.status in _GONE:
        return Visit(standing=Standing.DEAD, fault=f"answered {page.status}", failures=known.failures + 1)
    # 999 is LinkedIn's for programs; Cloudflare says in a header that it wants a person.
    if page.status in _CLOSED or page.status >= 600 or "cf-mitigated" in page.headers:
        return Visit(standing=Standing.REFUSED, fault=f"answered {page.status}", busy=page.status in _BUSY)
    if page.status >= 300 and page.status != 304:
        return _failing(known, f"answered {page.status}", busy=page.status in _BUSY)
    found = known.digest if page.status == 304 else digest(page.body, page.type)
    changed = bool(known.captured and found and found != known.captured)
    standing, fault, moved_to = Standing.CHANGED if changed else Standing.FINE, "", ""
    if _is_front(page.url) and not _is_front(known.url):
        standing, moved_to, fault = Standing.MOVED, page.url, "leads to a front page now"
    elif page.moved_to and address_of(page.moved_to) != address_of(known.url):
        standing, moved_to, fault = Standing.MOVED, page.moved_to, "says something else, too" if changed else ""
    return Visit(
        standing=standing,
        fault=fault,
        moved_to=moved_to,
        answered=True,
        digest=found,
        etag=page.headers.get("etag", known.etag if page.status == 304 else ""),
        last_modified=page.headers.get("last-modified", known.last_modified if page.status == 304 else ""),
    )


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def _failing(known: LinkRecord, fault: str, *, busy: bool = False) -> Visit:
    failures = known.failures + 1
    standing = Standing.DEAD if failures >= _TRIES else Standing.FAILING
    return Visit(standing=standing, fault=fault, failures=failures, busy=busy)
