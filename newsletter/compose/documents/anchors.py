"""Links of a page: without wrappers and tracking, around words alone, and to what mail can lead to."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag

from newsletter.compose.documents.blocks import BLOCKS, has_words, runs
from newsletter.compose.documents.excerpt import at, short
from newsletter.links import canonical

_LEADS = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST = re.compile(r"www\.[^\s/]+\.\w", re.IGNORECASE)


def plain_links(page: BeautifulSoup, tracking: tuple[str, ...], base: str) -> list[str]:
    """Links as they lead; notes on those that lead nowhere from a mail. What leads to a place in the document itself
    isn't one of them. `base` is the page's own address, where it says one.
    """
    notes = []
    for link in page.find_all("a"):
        written = str(link.get("href", "")).strip()
        url = _whole(written, base)
        if _LEADS.match(url):
            link["href"] = canonical(url, tracking)
            link.attrs.pop("title", None)
            _around_words_alone(page, link)
        elif link.get_text(strip=True) == "↑":
            link.decompose()
        else:
            words = link.get_text(" ", strip=True) or " ".join(str(one.get("alt", "")) for one in link.find_all("img"))
            if written and not written.startswith("#"):
                notes.append(f"a link isn't taken, mail can't lead there: {short(written)}" + at(words))
            link.unwrap()
    return notes


def _whole(url: str, base: str) -> str:
    if url.startswith("//"):
        return f"https:{url}"
    if _HOST.match(url):
        return f"https://{url}"
    if base and url and not url.startswith("#") and not _SCHEME.match(url):
        return urljoin(base, url)
    return url


def _around_words_alone(page: BeautifulSoup, link: Tag) -> None:
    """A link that is around blocks, or around a picture with words, around each picture, and around the heading or the
    first words.
    """
    images, words = link.find_all("img"), link.get_text(strip=True)
    blocks = [one for one in link.find_all(BLOCKS) if one.get_text(strip=True)]
    if not blocks and not (images and words):
        for inner in link.find_all(BLOCKS):  # of a picture alone
            inner.unwrap()
        return
    href = str(link["href"])
    for image in images:
        image.wrap(page.new_tag("a", href=href))
    target = next((one for one in blocks if re.fullmatch(r"h[1-6]", one.name)), None)
    wanted = next(filter(has_words, runs(link if target is None else target)), [])
    if wanted:
        made = page.new_tag("a", href=href)
        wanted[0].insert_before(made)
        made.extend(wanted)
    link.name = "div"
    link.attrs = {}
