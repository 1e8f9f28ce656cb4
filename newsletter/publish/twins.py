"""Pages once more as Markdown, and llms.txt that leads to them (https://llmstxt.org): for programs that read words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter import merge
from newsletter.languages import gettext
from newsletter.model import Block, Issue, Photo, Picture, Policy, PolicyEntry, Prose, Story
from newsletter.publish.catalog import Catalog
from newsletter.publish.prose import legal
from newsletter.render.provisions import amount
from newsletter.render.words import kicker, place_words, places, status_words, timing

#: How many issues llms.txt names.
_ISSUES = 100


def issue_text(issue: Issue, publication: str, language: str, media: str) -> str:
    """An issue as Markdown; its pictures lie in `media`, an address."""
    parts = [
        f"# {_plain(issue.title)}",
        f"{_plain(publication)}, {issue.date}",
        _plain(issue.teaser),
        _picture(issue.hero, language, media),
    ]
    for section in issue.sections:
        parts.append(f"## {_plain(section.heading)}" if section.heading else "")
        parts += (_block(block, language, media) for block in section.blocks)
    return _joined(parts)


def _block(block: Block, language: str, media: str) -> str:
    match block:
        case Prose():
            return merge.parse(block.markdown).merge({})
        case Picture():
            return _picture(block.photo, language, media, block.url)
        case Story(item=item):
            facts = [" · ".join(filter(None, (kicker(item, language), places(item, language))))]
            facts.append(str(timing(item, language)))
            return _entry(block, item.url, facts, language, media)
        case PolicyEntry(policy=policy):
            facts = [" · ".join(filter(None, (place_words(policy.place, language), policy.number)))]
            words = status_words(block.status.status, language).capitalize() if block.status else ""
            facts.append(f"{words}, {block.status.date}." if block.status else "")
            return _entry(block, policy.url, facts, language, media)


def _entry(entry: Story | PolicyEntry, url: str, facts: list[str], language: str, media: str) -> str:
    """A headline, what is known besides, the picture, and the blurb where it's told in full or for this issue only."""
    stored = entry.item if isinstance(entry, Story) else entry.policy
    heading = f"[{_plain(entry.headline)}](<{url}>)" if url else _plain(entry.headline)
    picture = "" if entry.compact else _picture(stored.photo, language, media)
    blurb = "" if entry.compact and entry.blurb == stored.summary else entry.blurb
    return _joined([f"### {heading}", *map(_plain, facts), picture, merge.parse(blurb).merge({})])


def _picture(photo: Photo | None, language: str, media: str, url: str = "") -> str:
    """A picture with its credit, and where it leads."""
    if photo is None:
        return ""
    shown = f"![{_plain(photo.alt)}](<{media}/{photo.name}>)"
    credit = gettext(language)("Credit: {name}").format(name=photo.credit) if photo.credit else ""
    return _joined([f"[{shown}](<{url}>)" if url else shown, _plain(credit)])


def policy_text(policy: Policy, language: str) -> str:
    """A policy with its history as Markdown."""
    _ = gettext(language)
    steps = [
        f"- {change.date}: {status_words(change.status, language)}"
        + (f" ([{_('source')}](<{change.url}>))" if change.url else "")
        for change in policy.history
    ]
    facts = ", ".join(filter(None, (place_words(policy.place, language), _(policy.level), policy.number)))
    text = f"[{_('The text')}](<{policy.url}>)" if policy.url else ""
    history = "\n".join(steps)
    provided = "\n".join(
        "- " + _plain(" · ".join(filter(None, (str(one.date), one.topic, amount(one), one.covers))))
        for one in policy.provisions
    )
    return _joined([f"# {_plain(policy.title)}", _plain(facts), policy.summary, text, provided, history])


def llms(catalog: Catalog) -> str:
    """What there is, for programs: every publication's newest issues, and the policies."""
    archive = catalog.config.archive
    parts = [f"# {_plain(archive.title)}", f"> {_plain(archive.description)}" if archive.description else ""]
    for slug, issues in catalog.publications.items():
        parts.append(f"## {_plain(catalog.config.publications[slug].name)}")
        parts.append("\n".join(_listed(catalog, issue.slug, issue.title, issue.teaser) for issue in issues[:_ISSUES]))
    if catalog.policies:
        parts.append(f"## {gettext(archive.language)('Policies')}")
        parts.append("\n".join(_policies(catalog)))
    return _joined(parts)


def _policies(catalog: Catalog) -> Iterator[str]:
    for policy in catalog.policies:
        yield _listed(
            catalog, f"policies/{policy.slug}", policy.title, place_words(policy.place, catalog.config.archive.language)
        )


def _listed(catalog: Catalog, path: str, title: str, words: str) -> str:
    return f"- [{_plain(title)}]({catalog.base}/{path}/index.md)" + (f": {_plain(words)}" if words else "")


def _plain(text: str) -> str:
    """Plain text as one line of Markdown."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(text.split()))


def _joined(parts: list[str]) -> str:
    return legal("\n\n".join(part.strip() for part in parts if part.strip()) + "\n")
