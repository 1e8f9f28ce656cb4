"""The plan of the site: every file, what it depends on, and how it's made."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from posixpath import relpath

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model import Amendments, Snapshot
from newsletter.publish import articles, calendars, listings, search, tracker
from newsletter.publish.catalog import build
from newsletter.publish.feeds import sitemap
from newsletter.publish.pages import NOT_FOUND, Pages
from newsletter.publish.pictures import original, shaped, shapes
from newsletter.publish.planned import Page, Site
from newsletter.publish.robots import robots_txt
from newsletter.publish.summary import summarize
from newsletter.publish.twins import llms

#: What file systems take for one name (255 bytes), less what names of files beside it are longer.
_NAME_BYTES = 230


def plan(site: Site) -> Iterator[Page]:
    """Every file of the site, once; InputError where two things would be one file, or a name is too long for one."""
    taken: set[str] = set()
    for page in _pages(site):
        folder = page.path.removesuffix("/index.html")
        if folder in site.catalog.gone_paths:
            continue
        if page.path in taken:
            raise InputError(f'two things would be at "{page.path}" in the archive', hint="rename one of them")
        if any(len(part.encode()) > _NAME_BYTES for part in page.path.split("/")):
            raise InputError(f'"{page.path[:60]}…" is too long for a file\'s name', hint="give it a shorter slug")
        taken.add(page.path)
        yield page
    yield from _amended(site, taken)


def _pages(site: Site) -> Iterator[Page]:
    for name, data in site.pages.assets.items():
        yield Page(site.pages.names[name], site.key(data.hex()), lambda data=data: data)
    yield from listings.pages(site)
    yield from articles.pages(site)
    yield from tracker.pages(site)
    yield from calendars.pages(site)
    yield from search.pages(site)
    yield from _pictures(site)
    yield site.page(NOT_FOUND, "404.html.j2", [])
    base = site.pages.base
    who = site.catalog.config.archive.robots
    yield Page("robots.txt", site.key(base, who), lambda: robots_txt(who, base).encode())
    yield Page(
        "llms.txt",
        site.key(*map(site.mark, site.catalog.issues), *site.policy_mark.values()),
        lambda: llms(site.catalog).encode(),
    )
    places = list(_places(site))
    yield Page("sitemap.xml", site.key(places), lambda: sitemap(places, base))


def _pictures(site: Site) -> Iterator[Page]:
    folder = site.catalog.config.folder
    shown = {photo.name: (photo, issue.slug) for issue in site.catalog.issues for photo in issue.photos}
    for policy in site.catalog.policies:
        if policy.photo:
            shown.setdefault(policy.photo.name, (policy.photo, policy.slug))
    for name, (photo, of) in shown.items():
        yield Page(f"media/{name}", name, lambda p=photo, of=of: original(p, folder, of))
        for shape in shapes(photo):
            make = lambda p=photo, s=shape, of=of: shaped(p, s, folder, of)  # noqa: E731
            yield Page(f"media/{shape.name}", shape.name, make)


def _places(site: Site) -> Iterator[tuple[str, dt.date | None]]:
    """What search engines are told of, with the day of its last change."""
    catalog = site.catalog
    newest = max(map(catalog.updated, catalog.issues), default=None)
    yield "", newest
    for slug, issues in catalog.publications.items():
        yield f"{slug}/", max(map(catalog.updated, issues))
    for section in site.sections:
        if section != "search":
            yield f"{section}/", newest
    for issue in catalog.issues:
        yield f"{issue.slug}/", catalog.updated(issue)
    for policy in catalog.policies:
        told = catalog.told.get(policy.slug)
        latest = policy.latest(catalog.today)
        days = [told[0][0].date if told else None, latest.date if latest else None]
        yield f"policies/{policy.slug}/", max(filter(None, days), default=None)
    for group in catalog.subjects.values():
        for subject in group.values():
            yield subject.folder, None


def _amended(site: Site, taken: set[str]) -> Iterator[Page]:
    """Pages that lead elsewhere, and pages that tell that something had to go."""
    for gone in site.catalog.amendments.gone:
        path = _file(gone.path)
        if path not in taken:
            taken.add(path)
            yield site.page(path, "gone.html.j2", [gone], gone=gone)
    for moved in site.catalog.amendments.moved:
        path, target = _file(moved.old), _file(moved.new)
        if path not in taken:
            taken.add(path)
            address = relpath(target, path.rpartition("/")[0] or ".")
            yield site.page(path, "moved.html.j2", [moved], target=target, address=address)


def _file(path: str) -> str:
    """The file of a page, from its path."""
    named = path.strip("/")
    return named if re.search(r"\.\w{2,5}$", named) else f"{named}/index.html"


def page_of(snapshot: Snapshot, config: Config, themes: Sequence[Path]) -> dict[str, bytes]:
    """An issue's page and its style sheet as they would be published, by path; it stands alone in the site."""
    catalog = build(
        [summarize(snapshot, "", config.collect.tracking)], (), (), Amendments(), config, snapshot.issue.date
    )
    pages = Pages(catalog, themes, (), alone=True)
    issue = catalog.issues[0]
    path = f"{issue.slug}/index.html"
    return {path: articles.page(pages, issue, snapshot, None, None), "style.css": pages.assets["style.css"]}
