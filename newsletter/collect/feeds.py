"""RSS, Atom and JSON feeds, asked only for what is new (conditional requests, RFC 9110 section 13)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import Any

from newsletter.collect import jsonfeed
from newsletter.collect.dates import day_of, is_ambiguous
from newsletter.collect.limits import time_limit
from newsletter.collect.plain import names_only, references_mended, words
from newsletter.collect.unfurl import shortened
from newsletter.config import Feed
from newsletter.errors import InputError
from newsletter.fetch import Page, fetch
from newsletter.links import canonical, join, judged
from newsletter.model import kind_of

#: Links written out are for letters; in a summary they're noise.
_ADDRESS = re.compile(r"\s?https?://\S+")
#: What WordPress and its plugins put under every entry, and how they show that a text is cut.
_UNDER = re.compile(
    r"\s*(?:The post|La entrada|Der Beitrag|L['’]article|O post) .{1,400} (?:appeared first on|se publicó primero en"
    r"|erschien zuerst auf|est apparu en premier sur|apareceu primeiro em) .{1,200}$"
)
_CUT = re.compile(r"\[(?:…|\.\.\.)\]|\s(?:Continue reading|Read more)\W{0,3}$")
#: Entities of HTML, which XML doesn't know.
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31};)")
#: An earlier day stands for none.
_FIRST_YEAR = 1990
#: Seconds for taking a feed apart, and how many letters of a summary are looked at.
_SECONDS, _SUMMARY = 20.0, 20_000
_TITLE_WORDS = 12


@dataclass(frozen=True, slots=True)
class Found:
    """One entry: the form of an item, by what it's named when it's rejected, the digest of its own id (empty where it
    has none), why it can't be an item, and what was read with doubt.
    """

    name: str
    form: dict[str, Any]
    guid: str = ""
    fault: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A feed's entries, and what to say to its server the next time."""

    entries: tuple[Found, ...]
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


@dataclass(frozen=True, slots=True)
class _Reader:
    """How one feed is read."""

    feed: Feed
    base: str
    outlet: str
    tracking: Collection[str]
    today: dt.date
    zone: dt.tzinfo

    def entry(self, entry: Mapping[str, Any]) -> Found:
        """An entry as the form of an item (keys of `forms.ITEM_KEYS`, `photo` an address)."""
        link, guid = _link(entry), str(entry.get("id") or "").strip()
        paper = _text(str((entry.get("source") or {}).get("title") or ""))
        title = _text(str(entry.get("title") or ""))
        summary = _summary(entry, title, paper)
        title = title.removesuffix(f" - {paper}") if paper else title or _first_words(summary)
        name = title or link or guid or "an entry that says nothing"
        photo, said = _photo(entry, self.base), _said_date(entry)
        outlet = paper or self.outlet
        day = day_of(said, self.zone) or _parsed_day(entry)
        if day and day.year < _FIRST_YEAR:
            day, said = None, ""
        notes = []
        if said and day is None:
            notes.append(f'its date couldn\'t be read: "{said[:40]}"')
        elif day and is_ambiguous(said):
            notes.append(f'its date "{said[:40]}" was read as {day}')
        form = {
            "kind": self.feed.kind,
            "title": title,
            "url": canonical(join(self.base, link), self.tracking) if link else "",
            "summary": shortened(summary),
            "date": min(day or self.today, self.today),
            "author": names_only(_text(str(entry.get("author") or ""))),
            "outlet": outlet if kind_of(self.feed.kind).by_others else "",
            "photo": photo,
            "photo_credit": outlet if photo else "",
            "topics": list(self.feed.topics),
            "places": list(self.feed.places),
        }
        fault = "has no link" if not link else "has neither title nor text" if not title else ""
        digest = hashlib.sha256(guid.encode("utf-8", "replace")).hexdigest() if guid else ""
        return Found(name, {key: value for key, value in form.items() if value}, digest, fault, tuple(notes))


def read(feed: Feed, page: Page, tracking: Collection[str], today: dt.date, zone: dt.tzinfo = dt.UTC) -> Answer:
    """The entries of a fetched feed, each by itself; InputError for what is no feed. `zone` is for moments in UTC."""
    etag, last_modified = page.headers.get("etag", ""), page.headers.get("last-modified", "")
    if page.status == 304:
        return Answer((), etag, last_modified)
    with time_limit(_SECONDS, feed.url):
        title, entries = _json(feed, page) if jsonfeed.is_json(page.body) else _xml(feed, page)
        outlet = feed.outlet or _text(title)
        reader = _Reader(feed, page.url, outlet, tracking, today, zone)
        return Answer(tuple(_each(reader.entry, entry) for entry in entries), etag, last_modified)


def _json(feed: Feed, page: Page) -> tuple[str, Sequence[Mapping[str, Any]]]:
    try:
        return jsonfeed.entries(page.body)
    except (ValueError, RecursionError):
        raise InputError("is no JSON Feed", where=feed.url, hint="https://www.jsonfeed.org/version/1.1/") from None


def _xml(feed: Feed, page: Page) -> tuple[str, Sequence[Mapping[str, Any]]]:
    parsed = _parsed(feed, page)
    if not parsed.get("version") and not parsed.get("entries"):
        raise InputError("is no RSS or Atom feed", where=feed.url)
    return str(parsed.feed.get("title") or ""), parsed.entries


def _parsed(feed: Feed, page: Page) -> Any:
    import feedparser

    body, said = _ENTITY.sub(_as_number, page.body), page.headers.get("content-type", "")
    if b"&#" in body or b"&amp;#" in body:  # what is no character ends the parser
        body = references_mended(body.decode("latin-1")).encode("latin-1")
    try:
        # Of texts only the words are taken, so that their HTML needs neither cleaning nor addresses.
        return feedparser.parse(
            body, response_headers={"content-type": said}, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as fault:  # the parser has no error of its own for what it trips over
        raise InputError(f"can't be read as a feed ({type(fault).__name__})", where=feed.url) from None


def _as_number(entity: re.Match[bytes]) -> bytes:
    characters = html5.get(entity[1].decode("ascii"))
    return b"".join(b"&#%d;" % ord(character) for character in characters) if characters else entity[0]


def _each(read: Callable[[Mapping[str, Any]], Found], entry: Mapping[str, Any]) -> Found:
    """An entry that can't be read is one entry less, and no other."""
    try:
        return read(entry)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as fault:
        return Found(str(entry.get("title") or "an entry"), {}, fault=f"can't be read ({type(fault).__name__})")


def _link(entry: Mapping[str, Any]) -> str:
    """Where an entry leads: its link, or its id or enclosure where these are addresses."""
    enclosures = [medium.get("href") or "" for medium in entry.get("enclosures") or ()]
    proper = next((str(entry[key]) for key in ("feedburner_origlink", "pheedo_origlink") if entry.get(key)), "")
    if judged(proper):
        return proper
    for address in (entry.get("link"), entry.get("id"), *enclosures):
        text = str(address or "").strip()
        if text and (address is entry.get("link") or re.match(r"https?://", text, re.IGNORECASE)):
            return text
    return ""


def _said_date(entry: Mapping[str, Any]) -> str:
    """The day an entry names, as it stands there."""
    # The parser lends a day that isn't there from another and warns of it, so that it's asked for what there is.
    said = (str(entry[key] or "").strip() for key in ("published", "updated", "created") if key in entry)
    return next(filter(None, said), "")


def _parsed_day(entry: Mapping[str, Any]) -> dt.date | None:
    """The day that the parser found, which knows other countries' words for months."""
    for key in ("published_parsed", "updated_parsed", "created_parsed"):
        if key in entry and (moment := entry[key]):
            try:
                return dt.date(*moment[:3])
            except ValueError:
                continue
    return None


def _photo(entry: Mapping[str, Any], base: str) -> str:
    """The address of an entry's picture: Media RSS, or an enclosure."""
    for key in ("media_content", "enclosures", "media_thumbnail"):
        for medium in entry.get(key) or ():
            address = judged(join(base, str(medium.get("url") or medium.get("href") or "")))
            kind = str(medium.get("type") or medium.get("medium") or "image")
            if kind.startswith("image") and address:
                return address
    return ""


def _summary(entry: Mapping[str, Any], title: str, paper: str) -> str:
    """An entry's summary, else the beginning of its text; empty where it only says the title again."""
    contents = (str(content.get("value") or "") for content in entry.get("content") or ())
    said = next((text for text in (str(entry.get("summary") or ""), *contents) if text.strip()), "")
    text = _CUT.sub("…", _UNDER.sub("", _text(said[:_SUMMARY]))).strip()
    bare = title.removesuffix(f" - {paper}")
    return "" if paper and text in (bare, f"{bare} {paper}") else text


def _first_words(summary: str) -> str:
    few = summary.split()[:_TITLE_WORDS]
    return " ".join(few) + ("…" if len(summary.split()) > len(few) else "")


def _text(markup: str) -> str:
    return _ADDRESS.sub("", unescape(words(markup))).replace("\n", " ").strip()
