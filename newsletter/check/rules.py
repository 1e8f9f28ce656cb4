"""What a rule is, and what rules look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from newsletter.config import Config, Publication
from newsletter.model import Block, Issue, Picture, PolicyEntry, Prose, Reach, Rendered, Severity, Story, Use

Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An issue under check, with all its variants as mail."""

    issue: Issue
    variants: tuple[Rendered, ...]
    config: Config
    reach: Reach | None = None
    earlier: tuple[Use, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def publication(self) -> Publication:
        """The issue's publication."""
        return self.config.publications[self.issue.publication]

    @cached_property
    def largest(self) -> str:
        """The largest of the variants as a page, which shows the most; empty where there's none."""
        return max((variant.html.merge({}) for variant in self.variants), key=len, default="")

    def at(self, line: int) -> str:
        """A place in issue.md."""
        return f"{self.issue.path}:{line}"

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that staff wrote or chose for this issue, with its place."""
        return ((passage.where, passage.text) for passage in self.passages())

    def passages(self) -> Iterator[Passage]:
        """Every text that staff wrote or chose for this issue, as it stands in issue.md."""
        issue = self.issue
        key = partial(Passage, issue.path)
        yield key("subject", str(issue.subject), merges=True, is_markdown=False)
        if issue.subject_test:
            yield key("subject_b", str(issue.subject_test.subject), merges=True, is_markdown=False)
        yield key("preheader", str(issue.preheader), merges=True, is_markdown=False)
        yield key("title", issue.title, is_markdown=False)
        yield key("teaser", issue.teaser, is_markdown=False)
        if issue.hero:
            yield key("hero_alt", issue.hero.alt, is_markdown=False)
            yield key("hero_credit", issue.hero.credit, is_markdown=False)
        for section in issue.sections:
            yield Passage(issue.path, section.line, section.heading)
            for block in section.blocks:
                yield from _of_block(issue.path, block)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its place: a key of the front matter, or the line it begins on. `merges` says whether merge fields
    work in it; `stored` that it comes from the store, whose lines aren't those of issue.md.
    """

    path: str
    place: str | int
    text: str
    merges: bool = False
    stored: bool = False
    is_markdown: bool = True

    @property
    def where(self) -> str:
        """Where the text begins."""
        return f"{self.path}:{self.place}" if isinstance(self.place, int) else f"{self.path}: {self.place}"

    def at(self, line: int) -> str:
        """Where a line of the text stands, counted from 0."""
        if isinstance(self.place, str) or self.stored:
            return self.where
        return f"{self.path}:{self.place + line}"

    def around(self, position: int) -> str:
        """Where a character of the text stands."""
        return self.at(self.text.count("\n", 0, position))


def _of_block(path: str, block: Block) -> Iterator[Passage]:
    match block:
        case Prose():
            yield Passage(path, block.line, block.markdown, merges=True)
        case Picture(photo=photo):
            yield Passage(path, block.line, photo.alt, is_markdown=False)
            yield Passage(path, block.line, photo.credit, is_markdown=False)
        case Story() | PolicyEntry():
            yield Passage(path, block.line, block.headline, is_markdown=False)
            if block.blurb == _stored_summary(block):
                yield Passage(path, block.line, block.blurb, stored=True)
            else:
                yield Passage(path, block.line + 1, block.blurb, merges=True)


def _stored_summary(entry: Story | PolicyEntry) -> str:
    return entry.item.summary if isinstance(entry, Story) else entry.policy.summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`id` is family/name; `summary` is the docstring, on one line; `run` yields places and messages. What is `asked`
    of somebody else, the network or a program, is found only where that is wanted, and not by `run`.
    """

    id: str
    severity: Severity
    summary: str
    run: Callable[[Subject], Found]
    asked: bool = False


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity) -> Callable[[Callable[[Subject], Found]], Callable[[Subject], Found]]:  # noqa: A002
    """Register a function as a rule."""

    def register(run: Callable[[Subject], Found]) -> Callable[[Subject], Found]:
        RULES[id] = Rule(id=id, severity=severity, summary=" ".join((run.__doc__ or "").split()), run=run)
        return run

    return register


def asked_rule(name: str, severity: Severity, summary: str) -> str:
    """Register a rule whose findings somebody else gives; its id."""
    RULES[name] = Rule(id=name, severity=severity, summary=summary, run=lambda _: iter(()), asked=True)
    return name
