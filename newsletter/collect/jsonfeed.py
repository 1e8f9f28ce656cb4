"""JSON Feed (https://www.jsonfeed.org/version/1.1/) as entries of the same shape that feedparser gives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_START = b"\xef\xbb\xbf \t\r\n"


def is_json(body: bytes) -> bool:
    """Whether what a feed's server gave is JSON, whatever it's called."""
    return body.lstrip(_START).startswith(b"{")


def entries(body: bytes) -> tuple[str, list[dict[str, Any]]]:
    """The title of a feed, and its entries; ValueError for what is no JSON Feed."""
    feed = json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    if not isinstance(feed, Mapping) or not isinstance(feed.get("items"), list):
        raise ValueError("no items")
    return _said(feed, "title"), [_entry(item) for item in feed["items"] if isinstance(item, Mapping)]


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "id": _said(item, "id", "url"),
        # Of a link blog, the page that it speaks of is the story.
        "link": _said(item, "external_url", "url"),
        "title": _said(item, "title"),
        "summary": _said(item, "summary", "content_text", "content_html"),
        "published": _said(item, "date_published", "date_modified"),
        "author": ", ".join(_authors(item)),
        "media_content": [{"url": _said(item, "image", "banner_image")}],
    }
    return {key: value for key, value in found.items() if value}


def _authors(item: Mapping[str, Any]) -> Iterator[str]:
    """Version 1 has one author, 1.1 several."""
    several = item.get("authors")
    for author in several if isinstance(several, list) else [item.get("author")]:
        if isinstance(author, Mapping) and isinstance(author.get("name"), str):
            yield author["name"]


def _said(thing: Mapping[str, Any], *keys: str) -> str:
    """The first of these values that is there; an id may be a number."""
    values = (thing.get(key) for key in keys)
    return next((str(value) for value in values if isinstance(value, str | int) and str(value).strip()), "")
