"""Whether all within a built archive leads somewhere: pages, places on pages, pictures, feeds and the sitemap.

It reads the files that a server would serve, so that nothing needs to be served. Other websites aren't asked.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree, html

from newsletter.publish.pages import NOT_FOUND

_ATTRIBUTES = "//@href | //@src | //@poster | //@data"
_SETS = "//@srcset | //@imagesrcset"
_META = "//meta[@property='og:image' or @property='og:url' or @name='twitter:image']/@content"
_REFRESH = "//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']/@content"
_STYLE_URL = re.compile(r"""url\(\s*["']?([^"')]+)""")
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".avif")


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A link that leads nowhere: the file it's in, where it would lead, and what's wrong with it."""

    page: str
    link: str
    why: str


def crawl(folder: Path, base_url: str) -> list[Broken]:
    """Every broken link of a built archive that is to be at an address, sorted; each once for a page."""
    places: dict[str, set[str]] = {}
    links: list[tuple[str, str]] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("."):
            links += ((name, link) for link in dict.fromkeys(_links(path, name, base_url, places)))
    found = ((name, link, _fault(folder, name, link, base_url, places)) for name, link in links)
    return sorted(Broken(name, link, why) for name, link, why in found if why)


def _links(path: Path, name: str, base_url: str, places: dict[str, set[str]]) -> Iterator[str]:
    """The links of a file; of a page also the names of its places, into `places`."""
    if path.suffix == ".html":
        tree = html.document_fromstring(path.read_bytes() or b"<html></html>", parser=html.HTMLParser(encoding="utf-8"))
        places[name] = {unquote(place) for place in _values(tree, "//@id | //a/@name")}
        yield from _values(tree, f"{_ATTRIBUTES} | {_META}")
        for several in _values(tree, _SETS):
            yield from (one.split()[0] for one in several.split(",") if one.split())
        for refresh in _values(tree, _REFRESH):
            yield re.sub(r"^.*?url\s*=\s*", "", refresh, flags=re.IGNORECASE | re.DOTALL).strip("\"' ")
    elif path.suffix == ".css":
        yield from _STYLE_URL.findall(path.read_text(encoding="utf-8", errors="replace"))
    elif path.suffix in (".xml", ".atom", ".rss", ".json"):
        whole = re.compile(re.escape(base_url.rstrip("/")) + r"""(?:/[^\s"'<>]*)?""")
        for text in _texts(path):
            yield from whole.findall(text)


def _values(tree: Any, query: str) -> list[str]:
    return [str(value).strip() for value in tree.xpath(query)]


def _texts(path: Path) -> Iterator[str]:
    """Every text of a feed or a data file, unescaped."""
    try:
        if path.suffix == ".json":
            waiting = [json.loads(path.read_bytes())]
            while waiting:
                thing = waiting.pop()
                if isinstance(thing, str):
                    yield thing
                elif isinstance(thing, dict | list):
                    waiting += thing.values() if isinstance(thing, dict) else thing
            return
        for element in etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).iter():
            yield from filter(None, (element.text, element.tail, *map(str, element.attrib.values())))
    except (ValueError, etree.XMLSyntaxError):
        return  # what isn't well-formed has no links; that it is, others look after


def _fault(folder: Path, name: str, link: str, base_url: str, places: dict[str, set[str]]) -> str:
    """What's wrong with a link of a file; empty when nothing is, and for what leads out of the archive."""
    base = urlsplit(base_url.rstrip("/") + "/")
    try:
        parts = urlsplit(link)
    except ValueError:
        return "is no address"
    if parts.scheme or parts.netloc:
        if (parts.scheme or base.scheme, parts.netloc) != (base.scheme, base.netloc):
            return ""
        within = parts.path or "/"
    elif name == NOT_FOUND and parts.path and not parts.path.startswith("/"):
        return "leads nowhere from other addresses, at which this page is shown too"
    else:
        within = _joined(base.path, name, parts.path) if parts.path else base.path + name
    if within != base.path.rstrip("/") and not within.startswith(base.path):
        return "leads out of the archive" if not (parts.netloc or parts.path.startswith("/")) else ""
    target = unquote(within[len(base.path) :])
    file = folder / target
    if target == "" or target.endswith("/") or file.is_dir():
        target = posixpath.join(target, "index.html")
        file = folder / target
    if not file.is_file():
        return "the picture is missing" if target.lower().endswith(_PICTURES) else "there is no such page or file"
    place = unquote(parts.fragment.partition(":~:")[0])
    if place and place != "top" and target in places and place not in places[target]:
        return f'the page has no place "{place}"'
    return ""


def _joined(root: str, name: str, path: str) -> str:
    """A path as it's meant on a page; the last slash, which says that it's a folder, stays."""
    whole = posixpath.normpath(posixpath.join(root, posixpath.dirname(name), path))
    return whole + ("/" if path.endswith("/") and whole != "/" else "")
