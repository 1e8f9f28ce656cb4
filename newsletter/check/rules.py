"""What a rule is, and what rules look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.config import Config, Publication
from newsletter.model import Issue, PolicyEntry, Prose, Reach, Rendered, Severity, Story, Use

Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
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

    def at(self, line: int) -> str:
        """A place in issue.md."""
        return f"{self.issue.path}:{line}"

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that staff wrote or chose for this issue, with its place."""
        yield from self.merging_texts()
        yield from self.fixed_texts()

    def merging_texts(self) -> Iterator[tuple[str, str]]:
        """The texts in which merge fields work: subject, preheader, prose, blurbs written for this issue."""
        yield f"{self.issue.path}: subject", str(self.issue.subject)
        if self.issue.subject_test:
            yield f"{self.issue.path}: subject_b", str(self.issue.subject_test.subject)
        yield f"{self.issue.path}: preheader", str(self.issue.preheader)
        for block in self.issue.blocks:
            if isinstance(block, Prose):
                yield self.at(block.line), block.markdown
            elif isinstance(block, Story | PolicyEntry) and block.blurb != _stored_summary(block):
                yield self.at(block.line), block.blurb

    def fixed_texts(self) -> Iterator[tuple[str, str]]:
        """The texts that are the same for everyone: title, teaser, headings, headlines, stored summaries."""
        yield f"{self.issue.path}: title", self.issue.title
        yield f"{self.issue.path}: teaser", self.issue.teaser
        for section in self.issue.sections:
            yield self.at(section.line), section.heading
        for entry in self.issue.entries:
            yield self.at(entry.line), entry.headline
            if entry.blurb == _stored_summary(entry):
                yield self.at(entry.line), entry.blurb


def _stored_summary(entry: Story | PolicyEntry) -> str:
    return entry.item.summary if isinstance(entry, Story) else entry.policy.summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`id` is family/name; `summary` is the docstring's first line; `run` yields places and messages."""

    id: str
    severity: Severity
    summary: str
    run: Callable[[Subject], Found]


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity) -> Callable[[Callable[[Subject], Found]], Callable[[Subject], Found]]:  # noqa: A002
    """Register a function as a rule."""

    def register(run: Callable[[Subject], Found]) -> Callable[[Subject], Found]:
        RULES[id] = Rule(id=id, severity=severity, summary=(run.__doc__ or "").split("\n")[0], run=run)
        return run

    return register
