"""A file that is due, and what is at hand for planning it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from newsletter import VERSION
from newsletter.config import Config
from newsletter.model import KINDS, Policy
from newsletter.publish.catalog import Catalog, replaced
from newsletter.publish.feeds import FORMATS, Feed
from newsletter.publish.pages import Pages
from newsletter.publish.pictures import formats
from newsletter.publish.sections import Section, sections_of
from newsletter.publish.summary import Entry, Summary
from newsletter.resources import TEMPLATES


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the site: `key` tells all that its bytes depend on, `make` makes them. That of an `issue` is given
    its snapshot.
    """

    path: str
    key: str
    make: Callable[..., bytes]
    issue: str = ""


def program(themes: Sequence[Path], tracking: tuple[str, ...]) -> str:
    """What makes pages: this program, its texts and templates, kinds of items, the picture formats at hand, and what is
    left out of links.
    """
    sha = hashlib.sha256(f"{VERSION} {formats()} {tracking} {dict(KINDS)}".encode())
    code = Path(__file__).parent
    files = [*code.glob("*.py"), *(code.parent / "render").glob("*.py"), *(code.parent / "links").glob("*.py")]
    files += [*(code.parent / "locale").glob("*.po"), TEMPLATES / "archive" / "style.css"]
    for folder in themes:
        files += folder.rglob("*")
    for path in sorted(files):
        if path.is_file():
            sha.update(f"\n{path.name}\n".encode())
            sha.update(path.read_bytes())
    return sha.hexdigest()


@dataclass(frozen=True)
class Site:
    """What is at hand for planning: `body` gives an issue's body for feeds."""

    catalog: Catalog
    themes: Sequence[Path]
    program: str
    search: bool
    body: Callable[[Summary], str] = field(default=lambda _: "", compare=False)

    @cached_property
    def listed(self) -> tuple[Section, ...]:
        """The parts of the site that there are."""
        return sections_of(self.catalog, search=self.search)

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """Their folders."""
        return tuple(section.folder for section in self.listed)

    @cached_property
    def pages(self) -> Pages:
        """The templates."""
        return Pages(self.catalog, self.themes, self.listed)

    @cached_property
    def _base(self) -> str:
        """What every page depends on."""
        config: Config = self.catalog.config
        settings = (
            config.organization,
            config.archive,
            config.service.url,
            config.publications,
            config.collect.tracking,
        )
        led = (replaced(self.catalog.amendments), sorted(self.catalog.gone_paths))
        there = (self.listed, list(self.catalog.publications), self.pages.names)
        return _digest(self.program, settings, config.collect.tracking, led, there)

    def key(self, *parts: object) -> str:
        """The key of a file that depends on these, beside what every file depends on."""
        return _digest(self._base, *parts)

    def page(self, path: str, template: str, depends: Sequence[object], **values: Any) -> Page:
        """A page from a template that shows `values`, which `depends` tells in short."""
        return Page(path, self.key(path, template, *depends), lambda: self.pages.render(path, template, **values))

    def mark(self, issue: Summary) -> str:
        """What a list that shows an issue depends on."""
        return f"{issue.slug} {issue.digest} {self.catalog.updated(issue)} {self.catalog.issue_id(issue).id}"

    def marks(self, entries: Sequence[Entry]) -> str:
        """What a list of entries depends on."""
        by_slug = self.catalog.by_slug
        return "\n".join(f"{e.slug} {e.issue} {by_slug[e.issue].told}" for e in entries)

    @cached_property
    def policy_mark(self) -> dict[str, str]:
        """What a page that shows a policy depends on, by the policy's slug."""
        return {policy.slug: self._policy_mark(policy) for policy in self.catalog.policies}

    def _policy_mark(self, policy: Policy) -> str:
        days = (*(change.date for change in policy.history), *(one.date for one in policy.provisions))
        return _digest(policy, sum(day <= self.catalog.today for day in days))

    def feeds(self, feed: Callable[[], Feed], folder: str, depends: Sequence[object]) -> Iterator[Page]:
        """The three files of a feed in `folder`, which is made when one of them is due."""
        config = self.catalog.config

        own = self.catalog.feed_id(folder).id
        for name, write in FORMATS.items():
            yield Page(
                f"{folder}{name}", self.key(folder, name, own, *depends), lambda write=write: write(feed(), config)
            )


def _digest(*parts: object) -> str:
    text = "\0".join(part if isinstance(part, str) else repr(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
