"""Rules about policies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import PolicyEntry, Severity, Status


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


#: What a text calls a policy, and the statuses that make it true.
_CLAIMS = {
    "in effect": (Status.IN_EFFECT, Status.ENFORCED),
    "enacted": (Status.ENACTED, Status.IN_EFFECT, Status.ENFORCED),
    "vetoed": (Status.VETOED,),
    "repealed": (Status.REPEALED,),
    "struck down": (Status.STRUCK_DOWN,),
    "upheld": (Status.UPHELD,),
}
_DONE = (Status.PASSED, Status.ENACTED, Status.IN_EFFECT, Status.ENFORCED, Status.REPEALED, Status.STRUCK_DOWN)
_EARLIER = re.compile(r"\b(?:proposes|proposed|would|introduced|is considering|takes up)\b", re.IGNORECASE)


@rule("policy/claims-unrecorded", Severity.WARNING)
def claims_unrecorded(subject: Subject) -> Found:
    """The text says what the policy's history doesn't."""
    for entry in _policies(subject):
        told = {change.status for change in entry.policy.history if change.date <= subject.issue.date}
        text = f"{entry.headline} {entry.blurb}".lower()
        for words, statuses in _CLAIMS.items():
            if re.search(rf"\b{words}\b", text) and not told.intersection(statuses):
                message = (
                    f'"{entry.policy.slug}" is called "{words}", but its history has no such step by the issue\'s date'
                )
                yield subject.at(entry.line), message


@rule("policy/told-as-older", Severity.WARNING)
def told_as_older(subject: Subject) -> Found:
    """The headline tells a policy as proposed that is further by now."""
    for entry in _policies(subject):
        match = _EARLIER.search(entry.headline)
        if match and entry.status and entry.status.status in _DONE:
            status = f"{entry.status.status} since {entry.status.date}"
            yield subject.at(entry.line), f'"{match.group()}" tells "{entry.policy.slug}" as older than it is: {status}'


@rule("policy/no-place", Severity.WARNING)
def no_place(subject: Subject) -> Found:
    """A policy below the federal level without a state."""
    for entry in _policies(subject):
        if entry.policy.level != "federal" and not entry.policy.place.state:
            yield subject.at(entry.line), f'the policy "{entry.policy.slug}" has no state'
