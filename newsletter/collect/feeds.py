"""RSS and Atom feeds, asked only for what is new (conditional requests, RFC 9110 section 13)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from newsletter.collect.plain import words
from newsletter.collect.unfurl import shortened
from newsletter.config import Feed
from newsletter.errors import InputError
from newsletter.fetch import Page, fetch
from newsletter.links import canonical

#: Links written out are for letters; in a summary they're noise.
_ADDRESS = re.compile(r"\s*https?://\S+")


@dataclass(frozen=True, slots=True)
class Answer:
    """The forms of a feed's entries, and what to say to its server the next time."""

    forms: tuple[dict[str, Any], ...]
    etag: str
    last_modified: str


def ask(feed: Feed, *, etag: str, last_modified: str, private_hosts: Collection[str]) -> Page:
    """Fetch a feed; a page of status 304 and no body when nothing has changed since the last time."""
    headers = {"Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    return fetch(feed.url, headers=headers, private_hosts=private_hosts, limit=10_000_000)


def read(feed: Feed, page: Page, tracking: Collection[str], today: dt.date) -> Answer:
    """The entries of a fetched feed as forms of items (keys of `forms.ITEM_KEYS`, `photo` an address)."""
    etag, last_modified = page.headers.get("etag", ""), page.headers.get("last-modified", "")
    if page.status == 304:
        return Answer((), etag, last_modified)
    import feedparser

    parsed = feedparser.parse(page.body, response_headers={"content-type": page.headers.get("content-type", "")})
    if not parsed.get("version"):
        raise InputError("is no RSS or Atom feed", where=feed.url)
    outlet = feed.outlet or _text(parsed.feed.get("title", ""))
    forms = [_form(entry, feed, page.url, outlet, tracking, today) for entry in parsed.entries]
    return Answer(tuple(form for form in forms if form.get("url")), etag, last_modified)


def _form(
    entry: Mapping[str, Any], feed: Feed, base: str, outlet: str, tracking: Collection[str], today: dt.date
) -> dict[str, Any]:
    link = entry.get("link") or ""
    photo = _photo(entry)
    form = {
        "kind": str(feed.kind),
        "title": _text(entry.get("title", "")),
        "url": canonical(urljoin(base, link), tracking) if link else "",
        "summary": shortened(_text(entry.get("summary", ""))),
        "date": _date(entry, today),
        "author": _text(entry.get("author", "")),
        "outlet": outlet if feed.kind == "news" else "",
        "photo": urljoin(base, photo) if photo else "",
        "photo_credit": outlet if photo else "",
        "topics": list(feed.topics),
        "places": list(feed.places),
    }
    return {key: value for key, value in form.items() if value}


def _date(entry: Mapping[str, Any], today: dt.date) -> dt.date:
    """The day an entry names, but none to come: publishers' clocks and plans aren't ours."""
    for key in ("published_parsed", "updated_parsed"):
        if moment := entry.get(key):
            try:
                return min(dt.date(*moment[:3]), today)
            except ValueError:
                continue
    return today


def _photo(entry: Mapping[str, Any]) -> str:
    """The address of an entry's picture: Media RSS, or an enclosure."""
    for key in ("media_content", "enclosures", "media_thumbnail"):
        for medium in entry.get(key) or ():
            address = medium.get("url") or medium.get("href") or ""
            kind = str(medium.get("type") or medium.get("medium") or "image")
            if address and kind.startswith("image"):
                return str(address)
    return ""


def _text(markup: str) -> str:
    return _ADDRESS.sub("", words(markup)).replace("\n", " ").strip()
