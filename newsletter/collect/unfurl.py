"""What a web page says of itself, as the form of an item.

Title, summary, author, date, outlet and picture are found by trafilatura, in OpenGraph, JSON-LD, meta elements
and, failing these, in the page. What it doesn't look for, the dates of events and job postings
(https://schema.org/Event, https://schema.org/JobPosting), is read from JSON-LD here.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from newsletter.errors import InputError
from newsletter.fetch import Page
from newsletter.links import canonical
from newsletter.model import Kind

_HTML = {"text/html", "application/xhtml+xml", ""}
_KINDS = {
    "Event": Kind.EVENT,
    "JobPosting": Kind.JOB,
    "VideoObject": Kind.VIDEO,
    "Report": Kind.REPORT,
}
_BY_HAND = "store it by hand: newsletter items add --kind KIND --title TITLE --url URL"
_SUMMARY_CHARACTERS = 400


def unfurl(page: Page, tracking: Collection[str], *, own_host: str = "") -> dict[str, Any]:
    """The form of an item (keys of `forms.ITEM_KEYS`, `photo` an address) with what a page says of itself.

    Keys of which it says nothing are missing. `own_host` is the publisher's: its pages are posts, those of
    others news, unless they say that they're something else. InputError for what is no web page.
    """
    if page.type not in _HTML:
        raise InputError(f"is no web page but {page.type}", where=page.url, hint=_BY_HAND)
    from trafilatura import extract_metadata, load_html

    # What it can't read, it tells its log; the person is told below.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    tree = load_html(page.body)
    if tree is None:
        raise InputError("says nothing of itself", where=page.url, hint=_BY_HAND)
    found = extract_metadata(tree, default_url=page.url)
    things = list(_things(tree))
    kind = next((_KINDS[name] for thing in things for name in _types(thing) if name in _KINDS), None)
    if kind is None and (found.pagetype or "").startswith("video"):
        kind = Kind.VIDEO
    own = _bare(urlsplit(page.url).hostname) == _bare(own_host)
    form: dict[str, Any] = {
        "kind": str(kind or (Kind.POST if own else Kind.NEWS)),
        "title": found.title or "",
        "url": canonical(_own_address(tree, page.url), tracking),
        "summary": shortened(found.description or ""),
        "date": found.date or "",
        "outlet": "" if own else (found.sitename or ""),
        "author": found.author or "",
        "photo": urljoin(page.url, found.image) if found.image else "",
        **_dates(things, kind),
    }
    if form["photo"] and found.sitename:
        form["photo_credit"] = found.sitename
    return {key: value for key, value in form.items() if value}


def _own_address(tree: Any, url: str) -> str:
    """The page's canonical address, when it's one of the same site; others' claims aren't taken over."""
    for href in tree.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href"):
        there = urljoin(url, str(href).strip())
        parts = urlsplit(there)
        if _bare(parts.hostname) == _bare(urlsplit(url).hostname) and parts.path.strip("/"):
            return there
    return url


def _bare(host: str | None) -> str:
    return (host or "").lower().removeprefix("www.")


def _things(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON-LD object of a page; broken scripts are passed over, since they are common."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            waiting = [json.loads(str(script), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            thing = waiting.pop(0)
            if isinstance(thing, list):
                waiting += thing
            elif isinstance(thing, Mapping):
                yield thing
                waiting += [thing["@graph"]] if isinstance(thing.get("@graph"), list) else []


def _types(thing: Mapping[str, Any]) -> tuple[str, ...]:
    named = thing.get("@type")
    return tuple(name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str))


def _dates(things: list[Mapping[str, Any]], kind: Kind | None) -> dict[str, str]:
    """When an event is and where; until when a job is open."""
    for thing in things:
        if kind is Kind.EVENT and "Event" in _types(thing):
            place = thing.get("location")
            venue = place.get("name") if isinstance(place, Mapping) else place
            return {
                "starts": _day(thing.get("startDate")),
                "ends": _day(thing.get("endDate")),
                "venue": venue if isinstance(venue, str) else "",
            }
        if kind is Kind.JOB and "JobPosting" in _types(thing):
            return {"closes": _day(thing.get("validThrough"))}
    return {}


def _day(value: Any) -> str:
    try:
        return dt.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return ""


def shortened(text: str) -> str:
    """A text of at most some hundred characters, cut after a sentence or, failing that, a word."""
    text = " ".join(text.split())
    if len(text) <= _SUMMARY_CHARACTERS:
        return text
    cut = text[:_SUMMARY_CHARACTERS]
    sentence = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: sentence + 1] if sentence > _SUMMARY_CHARACTERS // 3 else cut.rpartition(" ")[0] + "…"
