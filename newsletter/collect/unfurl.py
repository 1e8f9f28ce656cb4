"""What a web page says of itself, as the form of an item.

What the page is, and the dates of events and job postings (https://schema.org/Event, https://schema.org/JobPosting), is
read from JSON-LD in `structured`; title, summary, author, date and picture from its meta elements in `heads`. What
neither of them has, trafilatura finds in the page.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from newsletter.collect.dates import day_of, is_ambiguous
from newsletter.collect.heads import Head, plain_words
from newsletter.collect.limits import time_limit
from newsletter.collect.plain import names_only, references_mended
from newsletter.collect.structured import MainThing, authors, main_thing, venue
from newsletter.errors import InputError
from newsletter.fetch import Page
from newsletter.links import Address, canonical, host_of, join, judged
from newsletter.model import KINDS, OTHERS, OWN, address_of
from newsletter.model.text import clean, clean_lines
from newsletter.readable import page_text

_HTML = {"text/html", "application/xhtml+xml", ""}
_BY_HAND = "store it by hand: newsletter items add --kind KIND --title TITLE --url URL"
_SUMMARY_CHARACTERS = 400
#: Seconds for one page.
_SECONDS = 20.0
#: A page that only leads to another is small, and does so within seconds.
_REDIRECT_BYTES, _SOON = 50_000, 10
_REFRESH = re.compile(r"\s*(\d{1,4})(?:\.\d{0,9})?\s*[;,]\s*(?:url\s*=)?\s*(.{1,2000})", re.IGNORECASE)
#: An earlier day stands for none: it's where computers begin to count.
_FIRST_YEAR = 1990
#: Hosts of their own for phones and for programs that show pages faster.
_OTHER_HOSTS = re.compile(r"^(?:www|amp|m|mobile)\.(?=[^.]+\.)")


@dataclass(slots=True)
class _Days:
    """Reads days as they are in `zone`, and notes what it couldn't read, or read with doubt."""

    zone: dt.tzinfo
    notes: list[str] = field(default_factory=list)

    def read(self, what: str, said: Any) -> str:
        if not isinstance(said, str) or not said.strip():
            return ""
        day = day_of(said, self.zone)
        if day and day.year < _FIRST_YEAR:
            return ""
        if day is None:
            self.notes.append(f'{what} couldn\'t be read: "{clean(said)[:40]}"')
            return ""
        if is_ambiguous(said):
            self.notes.append(f'{what} "{clean(said)[:40]}" was read as {day}')
        return day.isoformat()


def refreshed(page: Page) -> str:
    """Where a page leads that is only a way to another (https://html.spec.whatwg.org/#attr-meta-http-equiv-refresh);
    empty for others, and for those that load themselves again later.
    """
    from lxml import etree, html

    if page.type not in _HTML or len(page.body) > _REDIRECT_BYTES:
        return ""
    try:
        tree = html.document_fromstring(clean_lines(page_text(page.body, page.headers.get("content-type", ""))))
    except (ValueError, etree.ParserError):
        return ""
    for element in tree.iter("meta"):
        found = _REFRESH.match(element.get("content") or "")
        if (element.get("http-equiv") or "").strip().lower() == "refresh" and found and int(found[1]) <= _SOON:
            target = judged(join(_base(tree, page.url), found[2].strip(" \"'")))
            return "" if address_of(target) == address_of(page.url) else target
    return ""


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
    head, base = Head.of(tree), _base(tree, page.url)
    titles = (*map(str, tree.xpath("//title/text() | //h1//text()")), head.first("og:title"))
    own_address = canonical(_own_address(tree, base, page.url), tracking)
    main = main_thing(tree, own_address, titles)
    published = next((day for said in (*_said(main), *head.published()) if (day := days.read("its date", said))), "")
    # Not the extensive search, which makes the first of January of a year in the footer. It takes elements out.
    found = extract_metadata(deepcopy(tree), default_url=page.url, extensive=False)
    kind = main.kind
    if kind is None and not main.thing and (said := found.pagetype or ""):
        kind = next((one for one in KINDS.values() if one.page_type and said.startswith(one.page_type)), None)
    own = _bare(host_of(page.url)) == _bare(own_host)
    site = plain_words(head.first("og:site_name") or found.sitename or "")
    picture = head.picture() or found.image or ""
    form: dict[str, Any] = {
        "kind": kind.name if kind else OWN if own else OTHERS,
        "title": head.title(head.first("og:site_name"), main.thing, found.title or ""),
        "url": own_address,
        "summary": shortened(head.summary(found.description or "")),
        "date": published or (days.read("its date", found.date) if found.date else ""),
        "outlet": "" if own else site,
        "author": names_only(", ".join(authors(tree, main.thing)) or head.author() or found.author or ""),
        "photo": judged(join(base, picture)) if picture else "",
        **_dates(main, days),
    }
    if form["photo"] and site:
        form["photo_credit"] = site
    return {key: value for key, value in form.items() if value}


def _said(main: MainThing) -> Iterator[str]:
    for key in ("datePublished", "uploadDate", "datePosted"):
        said = main.thing.get(key)
        if isinstance(said, str) and said.strip():
            yield said


def _base(tree: Any, url: str) -> str:
    """What addresses on the page are relative to (https://html.spec.whatwg.org/#document-base-url)."""
    return next((join(url, str(href)) for href in tree.xpath("//base/@href")), url)


def _own_address(tree: Any, base: str, url: str) -> str:
    """The page's canonical address, when it's one of the same site; others' claims aren't taken over."""
    for link in tree.iter("link"):
        if "canonical" not in (link.get("rel") or "").lower().split():
            continue
        try:
            there = Address.parse(join(base, link.get("href") or ""))
        except ValueError:
            continue
        if _bare(there.host) == _bare(host_of(url)) and there.path.strip("/"):
            # A page that came by https has a canonical address with http only where that was forgotten.
            same = there.host == host_of(url) and there.port is None and url.lower().startswith("https:")
            return str(replace(there, scheme="https") if same else there)
    return url


def _bare(host: str) -> str:
    return _OTHER_HOSTS.sub("", host.lower())


def _dates(main: MainThing, days: _Days) -> dict[str, str]:
    """When an event is and where; until when a job is open."""
    thing = main.thing
    dated_by = main.kind.dated_by if main.kind else "date"
    if dated_by == "starts":
        return {
            "starts": days.read("its first day", thing.get("startDate")),
            "ends": days.read("its last day", thing.get("endDate")),
            "venue": venue(thing),
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
