"""What a page says of itself in its head: OpenGraph, Twitter's cards, Dublin Core, and the names that papers use.

What is sure goes first. Values are words for people: without tags, without entities that were escaped twice, and titles
without the site's name.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.collect.plain import words
from newsletter.collect.structured import Thing
from newsletter.model.text import clean

_TITLES = ("og:title", "twitter:title", "dcterms.title", "dc.title", "citation_title")
_SUMMARIES = ("og:description", "twitter:description", "description", "dcterms.description", "dc.description")
_PICTURES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dcterms.creator", "dc.creator", "byl")
_PUBLISHED = (
    *("article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "sailthru.date"),
    *("dcterms.date", "dcterms.issued", "dcterms.created", "dc.date", "dc.date.issued", "citation_publication_date"),
    *("pubdate", "publishdate", "publish-date", "article.published", "date"),
)
_TIMES = "//*[@itemprop='datePublished'] | //article//time[@pubdate]"
#: What stands between a page's title and its site's name, which a bar does only for that.
_BETWEEN = re.compile(r"\s+(?:[|–—·»•-]|::)\s+")
_BAR = re.compile(r"\s+\|\s+")
_TAG = re.compile(r"</?[a-z][^<>]{0,200}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """The values of a page's meta elements by name in lower case, whichever attribute holds the name."""

    tree: Any
    meta: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, tree: Any) -> Head:
        """What stands in a page."""
        found: dict[str, list[str]] = defaultdict(list)
        for element in tree.iter("meta"):
            value = (element.get("content") or "").strip()
            for key in ("property", "name", "itemprop"):
                if value and (name := (element.get(key) or "").strip().lower()):
                    found[name].append(value)
        return cls(tree, {name: tuple(values) for name, values in found.items()})

    def first(self, *names: str) -> str:
        """The first value under one of these names, in the order of the names."""
        return next((value for name in names for value in self.meta.get(name, ())), "")

    def title(self, site: str, thing: Thing, found: str) -> str:
        """The page's title: as it's said for others, else that of the page, without the site's name; `found` is what
        somebody else made of it.
        """
        said = self.first(*_TITLES) or thing.get("headline") or thing.get("name")
        if isinstance(said, str) and (title := plain_words(said)):
            return _without_site(title, site)
        headings = [plain_words(str(heading.text_content())) for heading in self.tree.iter("h1")]
        own = plain_words(" ".join(self.tree.xpath("(//head/title)[1]//text()")))
        pieces = _BETWEEN.split(own)
        if len(pieces) > 1 and (pieces[0] in headings or (_BAR.search(own) and not site)):
            return _BAR.split(own)[0] if pieces[0] not in headings else pieces[0]
        return _without_site(own, site) or next(filter(None, headings), "") or plain_words(found)

    def summary(self, found: str) -> str:
        """What the page says it's about."""
        return plain_words(self.first(*_SUMMARIES) or found)

    def author(self) -> str:
        """Who wrote it, as it stands there; what is an address of a page names nobody."""
        values = (value for name in _AUTHORS for value in self.meta.get(name, ()))
        return next((plain_words(value) for value in values if not re.match(r"https?://", value)), "")

    def picture(self) -> str:
        """The address of the page's picture."""
        return self.first(*_PICTURES)

    def published(self) -> Iterator[str]:
        """When it says it was published, the surest first."""
        for name in _PUBLISHED:
            yield from self.meta.get(name, ())
        for element in self.tree.xpath(_TIMES):
            said = element.get("content") or element.get("datetime") or element.get("title") or element.text_content()
            if said.strip():
                yield said


def plain_words(text: str) -> str:
    """A value as people read it: entities that were escaped too often and tags are gone."""
    for _ in range(2):
        text = html.unescape(text)
    return clean(words(text) if _TAG.search(text) else text)


def _without_site(title: str, site: str) -> str:
    """A title without the site's name at its end or at its beginning."""
    pieces = _BETWEEN.split(title)
    if len(pieces) > 1 and site:
        for own, gap in ((pieces[-1], title[: len(title) - len(pieces[-1])]), (pieces[0], title[len(pieces[0]) :])):
            if own.casefold() == site.casefold():
                return re.sub(r"^\s*(?:[|–—·»•-]|::)\s+|\s+(?:[|–—·»•-]|::)\s*$", "", gap).strip()
    return title
