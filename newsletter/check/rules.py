"""What a rule is, and what rules look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.config import Config, Publication
from newsletter.model import Issue, PolicyEntry, Prose, Rendered, Severity, Story

Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An issue under check, with all its variants as mail."""

    issue: Issue
    variants: tuple[Rendered, ...]
    config: Config

    @property
    def publication(self) -> Publication:
        """The issue's publication."""
        return self.config.publications[self.issue.publication]

    def at(self, line: int) -> str:
        """A place in issue.md."""
        return f"{self.issue.path}:{line}"

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that staff wrote or chose for this issue, with its place."""
        issue = self.issue
        yield f"{issue.path}: title", issue.title
        yield f"{issue.path}: subject", str(issue.subject)
        yield f"{issue.path}: preheader", str(issue.preheader)
        yield f"{issue.path}: teaser", issue.teaser
        for section in issue.sections:
            yield self.at(section.line), section.heading
            for block in section.blocks:
                if isinstance(block, Prose):
                    yield self.at(block.line), block.markdown
                elif isinstance(block, Story | PolicyEntry):
                    yield self.at(block.line), block.headline
                    yield self.at(block.line), block.blurb


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
