"""Every file of the archive, as its path and bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from newsletter.compose.variants import pick
from newsletter.config import Config, Publication
from newsletter.errors import InputError
from newsletter.model import Snapshot, Variant
from newsletter.photos import FOLDER
from newsletter.publish import feeds
from newsletter.publish.pages import Pages
from newsletter.resources import TEMPLATES

_MEDIA = "media"
_NOINDEX = '<meta name="robots" content="noindex">'


def site(snapshots: list[Snapshot], config: Config, themes: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """All files of the site: newest issues first wherever they are listed."""
    # What is for some readers only isn't for the web.
    public = [replace(snapshot, issue=pick(snapshot.issue, Variant())) for snapshot in snapshots]
    newest = sorted(public, key=lambda s: (s.issue.date, s.issue.slug), reverse=True)
    newest = [snapshot for snapshot in newest if snapshot.issue.publication in config.publications]
    _refuse_taken_names(newest, config)
    css = _style(themes)
    style = f"style.{hashlib.sha256(css).hexdigest()[:10]}.css"
    pages = Pages(config, themes, style, newest)
    yield style, css
    yield "index.html", pages.render("index.html", "index.html.j2", issues=newest)
    yield "404.html", pages.render("404.html", "404.html.j2")
    yield from feeds.all_feeds("", config.archive.title, newest, config, pages)
    for publication in config.publications.values():
        mine = [snapshot for snapshot in newest if snapshot.issue.publication == publication.slug]
        path = f"{publication.slug}/index.html"
        yield path, pages.render(path, "publication.html.j2", publication=publication, issues=mine)
        yield from feeds.all_feeds(f"{publication.slug}/", publication.name, mine, config, pages)
        for number, snapshot in enumerate(mine):
            older = mine[number + 1] if number + 1 < len(mine) else None
            newer = mine[number - 1] if number else None
            yield from _issue(snapshot, publication, older, newer, config, pages)
    yield from _pictures(newest, config)
    yield "sitemap.xml", feeds.sitemap(newest, config)
    yield "robots.txt", f"User-agent: *\nAllow: /\nSitemap: {config.archive.url.rstrip('/')}/sitemap.xml\n".encode()


def page_of(snapshot: Snapshot, config: Config, themes: Sequence[Path]) -> dict[str, bytes]:
    """An issue's page and its style sheet as `site` would write them, by path; it stands alone in the site."""
    public = replace(snapshot, issue=pick(snapshot.issue, Variant()))
    css = _style(themes)
    pages = Pages(config, themes, "style.css", [public])
    path = f"{public.issue.slug}/index.html"
    publication = config.publications[public.issue.publication]
    values = {"snapshot": public, "publication": publication, "older": None, "newer": None}
    return {path: pages.render(path, "issue.html.j2", **values), "style.css": css}


def _refuse_taken_names(snapshots: list[Snapshot], config: Config) -> None:
    """An issue's folder mustn't be the one of a publication or of the pictures: one would hide the other."""
    for issue in (snapshot.issue for snapshot in snapshots):
        if issue.slug in {*config.publications, _MEDIA}:
            hint = "rename the issue's folder, and approve it again"
            raise InputError(f'the archive has another folder "{issue.slug}"', where=issue.path, hint=hint)


def _issue(
    snapshot: Snapshot,
    publication: Publication,
    older: Snapshot | None,
    newer: Snapshot | None,
    config: Config,
    pages: Pages,
) -> Iterator[tuple[str, bytes]]:
    folder = snapshot.issue.slug
    path = f"{folder}/index.html"
    yield (
        path,
        pages.render(path, "issue.html.j2", snapshot=snapshot, publication=publication, older=older, newer=newer),
    )
    mail = next(variant for variant in snapshot.variants if variant.variant == Variant().name)
    # Nobody's name and nobody's link: the fallbacks, and the service's page that belongs to no reader.
    nobody = {"unsubscribe_url": f"{config.service.url.rstrip('/')}/u/"}
    html = mail.html.merge_html(nobody).replace("<head>", f"<head>\n{_NOINDEX}", 1)
    # Mail needs whole addresses; on a page the same pictures lie beside it, so that they show from a disk, too.
    html = html.replace(f'src="{pages.base}/{_MEDIA}/', f'src="../{_MEDIA}/')
    yield f"{folder}/as-mailed.html", html.encode()
    yield f"{folder}/plain.txt", mail.text.merge(nobody).encode()


def _pictures(snapshots: list[Snapshot], config: Config) -> Iterator[tuple[str, bytes]]:
    written: set[str] = set()
    for snapshot in snapshots:
        for name, photo in snapshot.issue.photos.items():
            if name in written:
                continue
            written.add(name)
            frozen = config.folder / FOLDER / name
            try:
                data = (frozen if frozen.exists() else config.folder / photo.file).read_bytes()
            except OSError:
                hint = f"it belongs to {snapshot.issue.slug}; put it back as {FOLDER}/{name}"
                raise InputError(f"the picture {photo.file} is gone", where=config.folder / FOLDER, hint=hint) from None
            yield f"{_MEDIA}/{name}", data


def _style(themes: Sequence[Path]) -> bytes:
    for folder in (*themes, TEMPLATES / "archive"):
        path = folder / "style.css"
        if path.exists():
            return path.read_bytes()
    raise InputError("no style.css", where=themes[-1] if themes else TEMPLATES)
