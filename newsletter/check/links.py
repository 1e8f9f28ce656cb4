"""Rules about links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity, Story

_MARKDOWN_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*([^)\s]*)[^)]*\)")
_AUTOLINK = re.compile(r"<(https?://[^>\s]*)>")
#: Parameters that say who clicked or from where; they don't belong in mail or an archive.
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|ceid|emci|emdi|ms|sourceid|mkt_tok|_hsenc|_hsmi", re.IGNORECASE)
_VAGUE = re.compile(r"(click )?here|read more|more|link|this( link| page)?|learn more|view", re.IGNORECASE)


def _links(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Every link of the issue: place, its words, its address."""
    for where, text in subject.texts():
        for words, url in _MARKDOWN_LINK.findall(text):
            yield where, words, url
        for url in _AUTOLINK.findall(text):
            yield where, url, url
    for entry in subject.issue.entries:
        where = subject.at(entry.line)
        if isinstance(entry, Story):
            yield where, entry.headline, entry.item.url
        else:
            if entry.policy.url:
                yield where, entry.headline, entry.policy.url
            for link in entry.policy.links:
                yield where, link.label, link.url


def _well_formed(url: str) -> bool:
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
    for where, words, url in _links(subject):
        if not _well_formed(url):
            yield where, f'the link "{words}" has no usable address: "{url[:80]}"'


@rule("links/insecure", Severity.WARNING)
def insecure(subject: Subject) -> Found:
    """A link that starts with http://."""
    for where, words, url in _links(subject):
        if url.startswith("http://"):
            yield where, f'the link "{words}" is not https'


@rule("links/tracking", Severity.ERROR)
def tracking(subject: Subject) -> Found:
    """A link that carries somebody's tracking or recipient parameters."""
    for where, words, url in _links(subject):
        if not _well_formed(url):
            continue
        names = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
        carried = [name for name in names if _TRACKING.fullmatch(name)]
        if carried:
            yield where, f'the link "{words}" carries {", ".join(carried)}'


@rule("links/vague-words", Severity.WARNING)
def vague_words(subject: Subject) -> Found:
    """Link words that don't say where the link goes (WCAG 2.4.4)."""
    for where, words, _ in _links(subject):
        if _VAGUE.fullmatch(words.strip(" .!>»→")):
            yield where, f'the link words "{words}" don\'t say where the link goes'


@rule("links/no-words", Severity.ERROR)
def no_words(subject: Subject) -> Found:
    """A link without any words can't be seen or pressed."""
    for where, words, url in _links(subject):
        if not words.strip():
            yield where, f'a link to "{url[:80]}" has no words'
