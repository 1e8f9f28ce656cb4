"""Texts of issues as HTML for the web, and what is left out of everything that is published."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from lxml import html
from markupsafe import Markup

from newsletter import merge
from newsletter.links import canonical, host_of
from newsletter.model import Issue, Photo, PolicyEntry, Story
from newsletter.render.fields import Fields
from newsletter.render.markdown import to_html, to_inline_html

# What neither XML nor UTF-8 can hold. It comes with imports, and says nothing to a reader.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_html = lru_cache(maxsize=4096)(to_html)


def legal(text: str) -> str:
    """The text without the characters that a page or a feed may not hold."""
    return _FORBIDDEN.sub("", text)


def lead_photo(issue: Issue) -> Photo | None:
    """The picture that stands for an issue: its hero, or the first that an entry has."""
    photos = (entry.item.photo if isinstance(entry, Story) else entry.policy.photo for entry in issue.entries)
    return issue.hero or next(filter(None, photos), None)


def stored_html(markdown: str) -> Markup:
    """Stored Markdown as safe HTML; braces in it mean nothing."""
    return Markup(_html(markdown))  # noqa: S704 (sanitised)


def inline_html(markdown: str) -> Markup:
    """One line of Markdown, such as a heading, as safe HTML."""
    return Markup(to_inline_html(markdown))  # noqa: S704 (sanitised)


def prose_html(markdown: str) -> Markup:
    """Markdown that staff wrote for the issue, with the fallbacks of its merge fields."""
    return Markup(_filled(markdown))  # noqa: S704 (sanitised)


@lru_cache(maxsize=4096)
def _filled(markdown: str) -> str:
    fields = Fields(markdown)
    parts = merge.parse(markdown).parts
    public = (p for p in parts if isinstance(p, str) or p.name not in merge.SYSTEM_FIELDS)
    return fields.reveal(to_html(fields.hide(merge.MergeText(tuple(public))))).merge_html({})


def blurb_html(entry: Story | PolicyEntry) -> Markup:
    """An entry's blurb: staff's own words, or those that are stored."""
    stored = entry.item.summary if isinstance(entry, Story) else entry.policy.summary
    return stored_html(stored) if entry.blurb == stored else prose_html(entry.blurb)


def with_archived_copies(replacements: Mapping[str, str], _: Callable[[str], str] = str) -> Callable[[str], str]:
    """A function that leads a page's links to recorded copies, with the original told beside each."""
    words_of_copy = _("archived copy of {address}")
    copies = {canonical(url, ()): archived for url, archived in replacements.items()}
    hosts = {host_of(url) for url in copies}

    def lead(page: str) -> str:
        if not any(host in page.lower() for host in hosts):
            return page
        tree = html.document_fromstring(page)
        found = [link for link in tree.iter("a") if canonical(link.get("href") or "", ()) in copies]
        for link in found:
            address = str(link.get("href"))
            link.set("href", copies[canonical(address, ())])
            note = html.Element("small", {"class": "archived"})
            note.text = f"({words_of_copy.format(address=address)})"
            note.tail, link.tail = link.tail, " "
            link.addnext(note)
        return html.tostring(tree, encoding="unicode", doctype="<!doctype html>") + "\n" if found else page

    return lead if replacements else str
