"""Feeds and the sitemap: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1, sitemaps.org 0.9.

Their dates are the issues' own, at noon UTC, so that a build knows no clock.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from email.utils import format_datetime

from lxml import etree
from lxml.builder import ElementMaker

from newsletter.config import Config
from newsletter.model import Snapshot
from newsletter.publish.pages import Pages, lead_photo, legal

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_XML = "{http://www.w3.org/XML/1998/namespace}"
#: How many issues a feed holds.
_LENGTH = 20


def _add_text(element: etree._Element, text: str) -> None:
    element.text = (element.text or "") + legal(text)


#: How an element takes text: without what XML forbids.
_TEXT = {str: _add_text}


def all_feeds(
    folder: str, title: str, snapshots: list[Snapshot], config: Config, pages: Pages
) -> Iterator[tuple[str, bytes]]:
    """The three feeds of some issues, as paths under `folder` and bytes."""
    newest = snapshots[:_LENGTH]
    bodies = [_body(snapshot, pages) for snapshot in newest]
    yield f"{folder}feed.atom", _atom(folder, title, newest, bodies, config, pages)
    yield f"{folder}feed.rss", _rss(folder, title, newest, bodies, config, pages)
    yield f"{folder}feed.json", _json(folder, title, newest, bodies, config, pages)


def _body(snapshot: Snapshot, pages: Pages) -> str:
    """The whole issue as HTML whose addresses are absolute: what a feed reader shows."""
    return pages.text("feed-body.html.j2", path=f"{snapshot.issue.slug}/index.html", snapshot=snapshot)


def _moment(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)


def _updated(snapshots: list[Snapshot]) -> dt.datetime:
    return max((_moment(snapshot.issue.date) for snapshot in snapshots), default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def _atom(folder: str, title: str, snapshots: list[Snapshot], bodies: list[str], config: Config, pages: Pages) -> bytes:
    atom = ElementMaker(typemap=_TEXT, namespace=_ATOM, nsmap={None: _ATOM})
    here = f"{pages.base}/{folder}"
    feed = atom.feed(
        atom.id(f"{here}feed.atom"),
        atom.title(title),
        atom.updated(_updated(snapshots).isoformat()),
        atom.author(atom.name(config.organization.name), atom.uri(config.organization.url)),
        atom.link(rel="self", type="application/atom+xml", href=f"{here}feed.atom"),
        atom.link(rel="alternate", type="text/html", href=here),
        **{f"{_XML}lang": config.archive.language},
    )
    for snapshot, body in zip(snapshots, bodies, strict=True):
        issue = snapshot.issue
        feed.append(
            atom.entry(
                atom.id(pages.issue_url(issue)),
                atom.title(issue.title),
                atom.updated(_moment(issue.date).isoformat()),
                atom.published(_moment(issue.date).isoformat()),
                atom.link(rel="alternate", type="text/html", href=pages.issue_url(issue)),
                atom.summary(issue.teaser),
                atom.content(body, type="html"),
            )
        )
    return _xml(feed)


def _rss(folder: str, title: str, snapshots: list[Snapshot], bodies: list[str], config: Config, pages: Pages) -> bytes:
    rss = ElementMaker(typemap=_TEXT, nsmap={"atom": _ATOM, "content": _CONTENT})
    here = f"{pages.base}/{folder}"
    channel = rss.channel(
        rss.title(title),
        rss.link(here),
        rss.description(config.archive.description or title),
        rss.language(config.archive.language),
        rss.lastBuildDate(format_datetime(_updated(snapshots))),
        etree.Element(f"{{{_ATOM}}}link", href=f"{here}feed.rss", rel="self", type="application/rss+xml"),
    )
    for snapshot, body in zip(snapshots, bodies, strict=True):
        issue = snapshot.issue
        content = etree.Element(f"{{{_CONTENT}}}encoded")
        content.text = body
        channel.append(
            rss.item(
                rss.title(issue.title),
                rss.link(pages.issue_url(issue)),
                rss.guid(pages.issue_url(issue), isPermaLink="true"),
                rss.pubDate(format_datetime(_moment(issue.date))),
                rss.description(issue.teaser),
                content,
            )
        )
    return _xml(rss.rss(channel, version="2.0"))


def _json(folder: str, title: str, snapshots: list[Snapshot], bodies: list[str], config: Config, pages: Pages) -> bytes:
    here = f"{pages.base}/{folder}"
    items = []
    for snapshot, body in zip(snapshots, bodies, strict=True):
        issue = snapshot.issue
        photo = lead_photo(issue)
        items.append(
            {
                "id": pages.issue_url(issue),
                "url": pages.issue_url(issue),
                "title": issue.title,
                "summary": issue.teaser,
                "content_html": body,
                "date_published": _moment(issue.date).isoformat(),
                **({"image": pages.picture_url(photo)} if photo else {}),
            }
        )
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": here,
        "feed_url": f"{here}feed.json",
        "description": config.archive.description or title,
        "language": config.archive.language,
        "authors": [{"name": config.organization.name, "url": config.organization.url}],
        "items": items,
    }
    return (legal(json.dumps(feed, ensure_ascii=False, indent=1)) + "\n").encode()


def sitemap(snapshots: list[Snapshot], config: Config) -> bytes:
    """The sitemap: the index, a page for each publication, and every issue, each with its last change."""
    base = config.archive.url.rstrip("/")
    element = ElementMaker(namespace=_SITEMAP, nsmap={None: _SITEMAP})
    urls = element.urlset()
    places = [
        ("", snapshots),
        *((f"{slug}/", [s for s in snapshots if s.issue.publication == slug]) for slug in config.publications),
        *((f"{snapshot.issue.slug}/", [snapshot]) for snapshot in snapshots),
    ]
    for path, shown in places:
        url = element.url(element.loc(f"{base}/{path}"))
        if shown:
            url.append(element.lastmod(max(snapshot.issue.date for snapshot in shown).isoformat()))
        urls.append(url)
    return _xml(urls)


def _xml(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
