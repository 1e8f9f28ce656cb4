"""What a page's JSON-LD says the page itself is (https://schema.org), and when that takes place.

A page holds many things: the events in its sidebar, the video in its text, the publisher. Its own are those with its
address or its title; and where it says that it is an article, an article is what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from newsletter.links import join
from newsletter.model import KINDS, Kind, address_of
from newsletter.model.text import clean

Thing = Mapping[str, Any]
_ARTICLES = {"BlogPosting", "LiveBlogPosting", "SocialMediaPosting"}
#: More of them than this aren't looked at.
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class MainThing:
    """What a page is: `kind` is None where it doesn't say, `thing` is empty where no object of its own tells more."""

    kind: Kind | None = None
    thing: Thing = field(default_factory=dict)


def things(tree: Any) -> Iterator[Thing]:
    """Every JSON-LD object of a page; broken scripts are passed over, since they are common."""
    left = _MOST
    for script in tree.xpath("//script[contains(@type, 'ld+json')]/text()"):
        text = re.sub(r"^\s*<!--|-->\s*$|^\s*//.{0,200}?CDATA.{0,9}", "", str(script))
        try:
            waiting = [json.loads(text.strip().rstrip(";"), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting and left:
            left -= 1
            thing = waiting.pop(0)
            if isinstance(thing, list):
                waiting += thing
            elif isinstance(thing, Mapping):
                yield thing
                inner = (thing.get("@graph"), thing.get("mainEntity"))
                waiting += [more for more in inner if isinstance(more, list | Mapping)]


def types(thing: Thing) -> tuple[str, ...]:
    """An object's types, without the vocabulary's address before them."""
    named = thing.get("@type")
    names = (name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str))
    return tuple(re.split(r"[/#:]", name)[-1] for name in names)


def main_thing(tree: Any, url: str, titles: tuple[str, ...]) -> MainThing:
    """What the page at `url` with one of these titles is."""
    found = list(things(tree))
    own = [thing for thing in found if _is_own(thing, url, titles)]
    article = next((thing for thing in (*own, *found) if _is_article(thing)), None)
    if any(_is_article(thing) for thing in own):
        return MainThing(_kind(article or {}), article or {})
    for thing in own:
        if kind := _kind(thing):
            return MainThing(kind, thing)
    others = [thing for thing in found if _kind(thing) and not _elsewhere(thing, url)]
    if article is None and len(others) == 1 and not _says_article(tree):
        return MainThing(_kind(others[0]), others[0])
    return MainThing(_kind(article or {}), article or {})


def authors(tree: Any, thing: Thing) -> list[str]:
    """The names of those who wrote what an object is, whether they stand there or elsewhere on the page."""
    named = {str(other["@id"]): other for other in things(tree) if "@id" in other and "name" in other}
    said = thing.get("author") or thing.get("creator")
    found = []
    for person in said if isinstance(said, list) else [said]:
        whole = named.get(str(person["@id"]), person) if isinstance(person, Mapping) and "@id" in person else person
        name = whole.get("name") if isinstance(whole, Mapping) else whole
        found += [one for one in (name if isinstance(name, list) else [name]) if isinstance(one, str) and one.strip()]
    return [name for name in dict.fromkeys(map(clean, found)) if not name.startswith(("http:", "https:"))]


def venue(event: Thing) -> str:
    """Where an event is: the place's name or, where it has none, its address."""
    place = event.get("location")
    place = place[0] if isinstance(place, list) and place else place
    if isinstance(place, Mapping):
        address = place.get("address")
        if isinstance(address, Mapping):
            parts = (address.get("streetAddress"), address.get("addressLocality"))
            address = ", ".join(part for part in parts if isinstance(part, str) and part)
        place = place.get("name") or address
    return clean(place) if isinstance(place, str) else ""


def _kind(thing: Thing) -> Kind | None:
    for name in types(thing):
        for kind in KINDS.values():
            if kind.schema and name.endswith(kind.schema):  # subtypes are named so, such as MusicEvent
                return kind
    return None


def _is_article(thing: Thing) -> bool:
    return any(name.endswith("Article") or name in _ARTICLES for name in types(thing))


def _says_article(tree: Any) -> bool:
    return "article" in tree.xpath("//meta[@property='og:type']/@content")


def _addresses(thing: Thing) -> Iterator[str]:
    for key in ("url", "@id", "mainEntityOfPage"):
        value = thing.get(key)
        value = value.get("@id") or value.get("url") if isinstance(value, Mapping) else value
        if isinstance(value, str) and value:
            yield value


def _is_own(thing: Thing, url: str, titles: tuple[str, ...]) -> bool:
    if any(address_of(join(url, address)) == address_of(url) for address in _addresses(thing)):
        return True
    name = _words(thing.get("headline") or thing.get("name") or thing.get("title"))
    return len(name) > 3 and any(name == title or (len(name) > 15 and name in title) for title in map(_words, titles))


def _elsewhere(thing: Thing, url: str) -> bool:
    """Whether an object has a page of its own, which is another."""
    said = thing.get("url")
    return isinstance(said, str) and address_of(join(url, said)) != address_of(url)


def _words(text: Any) -> str:
    return " ".join(re.findall(r"\w+", text.casefold())) if isinstance(text, str) else ""
