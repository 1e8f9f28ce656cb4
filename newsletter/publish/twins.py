"""Pages once more as Markdown, and llms.txt that leads to them (https://llmstxt.org): for programs that read words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter import merge
from newsletter.languages import gettext
from newsletter.model import Block, Issue, Picture, Policy, PolicyEntry, Prose, Story
from newsletter.publish.catalog import Catalog
from newsletter.publish.prose import legal
from newsletter.render.provisions import amount
from newsletter.render.words import place_words, status_words

#: How many issues llms.txt names.
_ISSUES = 100


def issue_text(issue: Issue, publication: str, language: str) -> str:
    """An issue as Markdown."""
    parts = [
        f"# {_plain(issue.title)}",
        f"{_plain(publication)}, {issue.date}",
        _plain(issue.teaser),
    ]
    for section in issue.sections:
        parts.append(f"## {_plain(section.heading)}" if section.heading else "")
        parts += (_block(block, language) for block in section.blocks)
    return _joined(parts)


def _block(block: Block, language: str) -> str:
    match block:
        case Prose():
            return merge.parse(block.markdown).merge({})
        case Picture():
            return f"*{_plain(block.photo.alt)}*" if block.photo.alt else ""
        case Story():
            return _entry(block.headline, block.item.url, "" if block.compact else block.blurb)
        case PolicyEntry():
            words = status_words(block.status.status, language).capitalize() if block.status else ""
            status = f"{words}, {block.status.date}." if block.status else ""
            return _entry(block.headline, block.policy.url, _joined([status, "" if block.compact else block.blurb]))


def _entry(headline: str, url: str, blurb: str) -> str:
    heading = f"[{_plain(headline)}](<{url}>)" if url else _plain(headline)
    return _joined([f"### {heading}", merge.parse(blurb).merge({})])


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
