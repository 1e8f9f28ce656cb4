"""Feeds and the sitemap: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1, sitemaps.org 0.9; WebSub's hub where there is one.

Their dates are those of what they tell, at noon UTC, so that a build knows no clock.
"""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from xml.sax.saxutils import escape

from lxml import etree
from lxml.builder import ElementMaker

from newsletter.config import Config
from newsletter.publish.prose import legal

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_XML = "{http://www.w3.org/XML/1998/namespace}"
#: How many entries a feed holds.
LENGTH = 20


def _add_text(element: etree._Element, text: str) -> None:
    element.text = (element.text or "") + legal(text)


#: How an element takes text: without what XML forbids.
_TEXT = {str: _add_text}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry. `content` is HTML whose addresses are absolute; other texts are plain."""

    id: str
    url: str
    title: str
    published: dt.date
    updated: dt.date
    summary: str
    content: str
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed in `folder` (with a slash, or empty), newest entries first, in a language or else the archive's."""

    id: str
    folder: str
    title: str
    description: str
    entries: Sequence[FeedEntry]
    language: str = ""


def moment(day: dt.date) -> dt.datetime:
    """Noon UTC of a day."""
    return dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)


def _updated(feed: Feed) -> dt.datetime:
    return max((moment(entry.updated) for entry in feed.entries), default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def atom(feed: Feed, config: Config) -> bytes:
    """The feed as Atom."""
    make = ElementMaker(typemap=_TEXT, namespace=_ATOM, nsmap={None: _ATOM})
    here = f"{config.archive.url.rstrip('/')}/{feed.folder}"
    root = make.feed(
        make.id(feed.id),
        make.title(feed.title),
        make.updated(_updated(feed).isoformat()),
        make.author(make.name(config.organization.name), make.uri(config.organization.url)),
        make.link(rel="self", type="application/atom+xml", href=f"{here}feed.atom"),
        make.link(rel="alternate", type="text/html", href=here),
        **{f"{_XML}lang": (feed.language or config.archive.language)},
    )
    if config.archive.hub:
        root.append(make.link(rel="hub", href=config.archive.hub))
    for entry in feed.entries:
        root.append(
            make.entry(
                make.id(entry.id),
                make.title(entry.title),
                make.updated(moment(entry.updated).isoformat()),
                make.published(moment(entry.published).isoformat()),
                make.link(rel="alternate", type="text/html", href=entry.url),
                make.summary(entry.summary),
                make.content(entry.content, type="html"),
            )
        )
    return _xml(root)


def rss(feed: Feed, config: Config) -> bytes:
    """The feed as RSS."""
    make = ElementMaker(typemap=_TEXT, nsmap={"atom": _ATOM, "content": _CONTENT})
    here = f"{config.archive.url.rstrip('/')}/{feed.folder}"
    channel = make.channel(
        make.title(feed.title),
        make.link(here),
        make.description(feed.description or feed.title),
        make.language(feed.language or config.archive.language),
        make.lastBuildDate(format_datetime(_updated(feed))),
        etree.Element(f"{{{_ATOM}}}link", href=f"{here}feed.rss", rel="self", type="application/rss+xml"),
    )
    if config.archive.hub:
        channel.append(etree.Element(f"{{{_ATOM}}}link", href=config.archive.hub, rel="hub"))
    for entry in feed.entries:
        content = etree.Element(f"{{{_CONTENT}}}encoded")
        content.text = legal(entry.content)
        channel.append(
            make.item(
                make.title(entry.title),
                make.link(entry.url),
                make.guid(entry.id, isPermaLink="true" if entry.id == entry.url else "false"),
                make.pubDate(format_datetime(moment(entry.published))),
                make.description(html.escape(entry.summary, quote=False)),  # readers take it for HTML
                content,
            )
        )
    return _xml(make.rss(channel, version="2.0"))


def json_feed(feed: Feed, config: Config) -> bytes:
    """The feed as JSON Feed."""
    here = f"{config.archive.url.rstrip('/')}/{feed.folder}"
    data = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": here,
        "feed_url": f"{here}feed.json",
        "description": feed.description or feed.title,
        "language": (feed.language or config.archive.language),
        "authors": [{"name": config.organization.name, "url": config.organization.url}],
        **({"hubs": [{"type": "WebSub", "url": config.archive.hub}]} if config.archive.hub else {}),
        "items": [
            {
                "id": entry.id,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "content_html": entry.content,
                "date_published": moment(entry.published).isoformat(),
                **({"date_modified": moment(entry.updated).isoformat()} if entry.updated != entry.published else {}),
                **({"image": entry.image} if entry.image else {}),
            }
            for entry in feed.entries
        ],
    }
    return (legal(json.dumps(data, ensure_ascii=False, indent=1)) + "\n").encode()


FORMATS = {"feed.atom": atom, "feed.rss": rss, "feed.json": json_feed}


def sitemap(places: Iterable[tuple[str, dt.date | None]], base: str) -> bytes:
    """The sitemap of some pages, each with its path and the day of its last change."""
    return "".join(_urls(places, base)).encode()


def _urls(places: Iterable[tuple[str, dt.date | None]], base: str) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{_SITEMAP}">\n'
    for path, day in places:
        changed = f"<lastmod>{day}</lastmod>" if day else ""
        yield f"<url><loc>{escape(f'{base}/{path}')}</loc>{changed}</url>\n"
    yield "</urlset>\n"


def _xml(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
