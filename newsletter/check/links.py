"""Rules about links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from newsletter.check.rules import Found, Subject, rule
from newsletter.links import canonical, host_of, is_tracking, unwrapped
from newsletter.markdown.links import links
from newsletter.merge import PATTERN
from newsletter.model import Picture, PolicyEntry, Severity, Story

_SHORTENERS = {"bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "buff.ly", "is.gd", "rb.gy", "lnkd.in", "t.ly"}
_VAGUE = re.compile(r"(click )?here|read more|more|link|this( link| page)?|learn more|view", re.IGNORECASE)


def links_of(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Every link of the issue: place, its words, its address."""
    yield from written_links(subject)
    for entry in subject.issue.entries:
        for words, url in links_with(entry):
            yield subject.at(entry.line), words, url
    for block in subject.issue.blocks:
        if isinstance(block, Picture) and block.url:
            yield subject.at(block.line), block.photo.alt, block.url


def written_links(subject: Subject, *, merging: bool = False) -> Iterator[tuple[str, str, str]]:
    """The links that stand in texts, as they were parsed; of `merging` ones, staff chose the words for this issue."""
    for passage in subject.passages():
        if passage.is_markdown and (passage.merges or not merging):
            for link in links(passage.text):
                yield passage.at(link.line), link.words, link.url


def links_in(text: str) -> Iterator[tuple[str, str]]:
    """The links of some Markdown: words and address."""
    return ((link.words, link.url) for link in links(text))


def links_with(entry: Story | PolicyEntry) -> Iterator[tuple[str, str]]:
    """The links that a stored entry comes with: words and address."""
    if isinstance(entry, Story):
        yield entry.headline, entry.item.url
        return
    if entry.policy.url:
        yield entry.headline, entry.policy.url
    for link in entry.policy.links:
        yield link.label, link.url


def _well_formed(url: str) -> bool:
    url = PATTERN.sub("x", url)  # a merge field is encoded for where it stands
    if url.startswith("mailto:"):
        return re.fullmatch(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+", url) is not None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in host.strip(".") and not re.search(r"[\s<>\"]", url)


@rule("links/malformed", Severity.ERROR)
def malformed(subject: Subject) -> Found:
    """A link that leads nowhere: empty, without https://, or with a broken address."""
    for where, words, url in links_of(subject):
        if not _well_formed(url):
            yield where, f'the link "{words}" has no usable address: "{url[:80]}"'


@rule("links/unused-definition", Severity.WARNING)
def unused_definition(subject: Subject) -> Found:
    """A link's definition, `[label]: https://…`, that no link names: readers never see it."""
    for one in subject.issue.unused:
        yield (
            subject.at(one.line),
            f'no link names "[{one.label}]: {one.url[:60]}"; name it in the text, or delete it',
        )


@rule("links/insecure", Severity.WARNING)
def insecure(subject: Subject) -> Found:
    """A link that starts with http://."""
    for where, words, url in links_of(subject):
        if url.startswith("http://"):
            yield where, f'the link "{words}" is not https'


@rule("links/tracking", Severity.ERROR)
def tracking(subject: Subject) -> Found:
    """A link that carries somebody's tracking or recipient parameters."""
    for where, words, url in links_of(subject):
        if not _well_formed(url):
            continue
        names = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
        carried = [name for name in names if is_tracking(name, subject.config.collect.tracking)]
        if carried:
            yield where, f'the link "{words}" carries {", ".join(carried)}'


@rule("links/vague-words", Severity.WARNING)
def vague_words(subject: Subject) -> Found:
    """Link words that don't say where the link goes (WCAG 2.4.4)."""
    for where, words, _ in links_of(subject):
        if _VAGUE.fullmatch(words.strip(" .!>»→")):
            yield where, f'the link words "{words}" don\'t say where the link goes'


@rule("links/no-words", Severity.ERROR)
def no_words(subject: Subject) -> Found:
    """A link without any words can't be seen or pressed."""
    for where, words, url in links_of(subject):
        if not words.strip():
            yield where, f'a link to "{url[:80]}" has no words'


@rule("links/shortened", Severity.WARNING)
def shortened(subject: Subject) -> Found:
    """A shortened or wrapped link hides where it goes; readers and filters distrust it. It dies with its service."""
    for where, words, url in links_of(subject):
        if not _well_formed(url):
            continue
        if host_of(url).removeprefix("www.") in _SHORTENERS:
            yield where, f'the link "{words}" is shortened; use the address that it leads to'
        elif unwrapped(url) and host_of(inner := canonical(url, ())) != host_of(url):
            yield where, f'the link "{words}" leads through {host_of(url)}; use the address itself: {inner[:120]}'


@rule("links/somebodys-own", Severity.ERROR)
def somebodys_own(subject: Subject) -> Found:
    """A link that holds somebody's email address, or an unsubscribe link copied from another message."""
    for where, words, url in links_of(subject):
        if not url.startswith("mailto:") and _well_formed(url) and (why := whose(url)):
            yield where, f'the link "{words}" {why}'


def whose(url: str) -> str:
    """Why a link belongs to somebody alone, so that nobody else should follow it; empty when it doesn't."""
    parts = urlsplit(url)
    if re.search(r"[^/=&@]+(?:@|%40)[\w.-]+\.\w+", f"{parts.path}?{parts.query}") or parts.username:
        return "holds somebody's address"
    if re.search(r"unsubscribe|optout|opt-out|manage.?preferences", parts.path, re.IGNORECASE):
        return "looks like somebody's own unsubscribe link"
    return ""


@rule("links/to-a-document", Severity.WARNING)
def to_a_document(subject: Subject) -> Found:
    """A link to a file should say so: a phone opens it badly."""
    for where, words, url in written_links(subject, merging=True):
        ending = re.search(
            r"\.(pdf|docx?|xlsx?|pptx?)$", urlsplit(url).path if _well_formed(url) else "", re.IGNORECASE
        )
        if ending and ending.group(1).lower() not in words.lower():
            yield where, f'the link "{words}" leads to a {ending.group(1).upper()} file; say so in its words'
