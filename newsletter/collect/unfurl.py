"""What a web page says of itself, as the form of an item.

Title, summary, author, date, outlet and picture are found by trafilatura, in OpenGraph, JSON-LD, meta elements
and, failing these, in the page. What it doesn't look for, what the page is and the dates of events and job postings
(https://schema.org/Event, https://schema.org/JobPosting), is read from JSON-LD in `structured`.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from newsletter.collect.dates import day_of, is_ambiguous
from newsletter.collect.limits import time_limit
from newsletter.collect.plain import names_only, references_mended
from newsletter.collect.structured import MainThing, main_thing
from newsletter.errors import InputError
from newsletter.fetch import Page
from newsletter.links import Address, canonical, host_of, join, judged
from newsletter.model import KINDS, OTHERS, OWN
from newsletter.model.text import clean, clean_lines
from newsletter.readable import page_text

_HTML = {"text/html", "application/xhtml+xml", ""}
_BY_HAND = "store it by hand: newsletter items add --kind KIND --title TITLE --url URL"
_SUMMARY_CHARACTERS = 400
#: Seconds for one page.
_SECONDS = 20.0
#: Where pages say when they were published, the surest first; what is found elsewhere may be any day.
_PUBLISHED = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "//meta[@name='parsely-pub-date' or @name='dc.date' or @name='DC.date.issued' or @name='date']/@content",
    "//article//time[@pubdate or @itemprop='datePublished']/@datetime",
)


@dataclass(slots=True)
class _Days:
    """Reads days as they are in `zone`, and notes what it couldn't read, or read with doubt."""

    zone: dt.tzinfo
    notes: list[str] = field(default_factory=list)

    def read(self, what: str, said: Any) -> str:
        if not isinstance(said, str) or not said.strip():
            return ""
        day = day_of(said, self.zone)
        if day is None:
            self.notes.append(f'{what} couldn\'t be read: "{clean(said)[:40]}"')
            return ""
        if is_ambiguous(said):
            self.notes.append(f'{what} "{clean(said)[:40]}" was read as {day}')
        return day.isoformat()


def unfurl(
    page: Page,
    tracking: Collection[str],
    *,
    own_host: str = "",
    zone: dt.tzinfo = dt.UTC,
    notes: list[str] | None = None,
) -> dict[str, Any]:
    """The form of an item (keys of `forms.ITEM_KEYS`, `photo` an address) with what a page says of itself.

    Keys of which it says nothing are missing. `own_host` is the publisher's: its pages are posts, those of
    others news, unless they say that they're something else. `notes` takes what was read with doubt. InputError for
    what is no web page.
    """
    if page.type not in _HTML:
        raise InputError(f"is no web page but {page.type}", where=page.url, hint=_BY_HAND)
    days = _Days(zone)
    with time_limit(_SECONDS, page.url):
        form = _form(page, tracking, own_host, days)
    if notes is not None:
        notes += days.notes
    return form


def _form(page: Page, tracking: Collection[str], own_host: str, days: _Days) -> dict[str, Any]:
    from trafilatura import extract_metadata, load_html

    # What it can't read, it tells its log; the person is told below.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    text = clean_lines(references_mended(page_text(page.body, page.headers.get("content-type", ""))))
    # The encoding that it names was heeded, and means nothing in a text.
    tree = load_html(re.sub(r"^\s*<\?xml[^>]*>", "", text))
    if tree is None:
        raise InputError("says nothing of itself", where=page.url, hint=_BY_HAND)
    titles = tuple(
        str(title) for title in tree.xpath("//title/text() | //h1//text() | //meta[@property='og:title']/@content")
    )
    own_address = canonical(_own_address(tree, page.url), tracking)
    main = main_thing(tree, own_address, titles)
    # Before the metadata are read, which takes elements out of the tree.
    published = next(_published(tree, main), "")
    # Not the extensive search, which makes the first of January of a year in the footer.
    found = extract_metadata(tree, default_url=page.url, extensive=False)
    kind = main.kind
    if kind is None and not main.thing and (said := found.pagetype or ""):
        kind = next((one for one in KINDS.values() if one.page_type and said.startswith(one.page_type)), None)
    own = _bare(host_of(page.url)) == _bare(own_host)
    form: dict[str, Any] = {
        "kind": kind.name if kind else OWN if own else OTHERS,
        "title": clean(found.title or ""),
        "url": own_address,
        "summary": shortened(found.description or ""),
        "date": (days.read("its date", published) if published else "") or found.date or "",
        "outlet": "" if own else clean(found.sitename or ""),
        "author": names_only(found.author or ""),
        "photo": judged(join(page.url, found.image)) if found.image else "",
        **_dates(main, days),
    }
    if form["photo"] and found.sitename:
        form["photo_credit"] = clean(found.sitename)
    return {key: value for key, value in form.items() if value}


def _published(tree: Any, main: MainThing) -> Iterator[str]:
    said = main.thing.get("datePublished") or main.thing.get("uploadDate") or main.thing.get("datePosted")
    if isinstance(said, str) and said.strip():
        yield said
    for query in _PUBLISHED:
        yield from (str(value) for value in tree.xpath(query) if str(value).strip())


def _own_address(tree: Any, url: str) -> str:
    """The page's canonical address, when it's one of the same site; others' claims aren't taken over."""
    for href in tree.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href"):
        try:
            there = Address.parse(join(url, str(href)))
        except ValueError:
            continue
        if _bare(there.host) == _bare(host_of(url)) and there.path.strip("/"):
            return str(there)
    return url


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")


def _dates(main: MainThing, days: _Days) -> dict[str, str]:
    """When an event is and where; until when a job is open."""
    thing = main.thing
    dated_by = main.kind.dated_by if main.kind else "date"
    if dated_by == "starts":
        place = thing.get("location")
        place = place[0] if isinstance(place, list) and place else place
        venue = place.get("name") if isinstance(place, Mapping) else place
        return {
            "starts": days.read("its first day", thing.get("startDate")),
            "ends": days.read("its last day", thing.get("endDate")),
            "venue": clean(venue) if isinstance(venue, str) else "",
        }
    if dated_by == "closes":
        return {"closes": days.read("its last day", thing.get("validThrough"))}
    return {}


def shortened(text: str) -> str:
    """A text of at most some hundred characters, cut after a sentence or, failing that, a word."""
    text = " ".join(text.split())
    if len(text) <= _SUMMARY_CHARACTERS:
        return text
    cut = text[:_SUMMARY_CHARACTERS]
    sentence = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: sentence + 1] if sentence > _SUMMARY_CHARACTERS // 3 else cut.rpartition(" ")[0] + "…"
