"""Rules about policies."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import PolicyEntry, Severity


def _policies(subject: Subject) -> Iterator[PolicyEntry]:
    return (entry for entry in subject.issue.entries if isinstance(entry, PolicyEntry))


@rule("policy/no-text", Severity.WARNING)
def no_text(subject: Subject) -> Found:
    """A policy without a link to its own text."""
    for entry in _policies(subject):
        if not entry.policy.url:
            yield subject.at(entry.line), f'the policy "{entry.policy.slug}" has no link to its text'


@rule("policy/no-status", Severity.WARNING)
def no_status(subject: Subject) -> Found:
    """A policy that has no status on the issue's date."""
    for entry in _policies(subject):
        if entry.status is None:
            message = f'the policy "{entry.policy.slug}" has no status by {subject.issue.date}'
            yield subject.at(entry.line), message
