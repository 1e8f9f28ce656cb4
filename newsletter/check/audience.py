"""Rules about who gets which part."""

from __future__ import annotations

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Guard, Severity


def _where(subject: Subject, guard: Guard) -> str:
    """The line of the first part that a guard lets somebody see."""
    lines = [
        part.line
        for section in subject.issue.sections
        for part in (section, *section.blocks)
        if part.only == guard.expression
    ]
    return subject.at(min(lines, default=1))


def _guards(subject: Subject) -> tuple[Guard, ...]:
    return subject.reach.guards if subject.reach else ()


@rule("audience/unknown-guard", Severity.ERROR)
def unknown_guard(subject: Subject) -> Found:
    """A guard that can't be understood lets nobody in."""
    for guard in _guards(subject):
        if guard.fault:
            yield _where(subject, guard), f"nobody gets this part: {guard.fault}"


@rule("audience/empty-guard", Severity.WARNING)
def empty_guard(subject: Subject) -> Found:
    """A part that nobody on the list would get."""
    for guard in _guards(subject):
        if not guard.readers and not guard.fault:
            yield _where(subject, guard), f"nobody on the list is {guard.expression}"


@rule("audience/guard-for-all", Severity.ERROR)
def guard_for_all(subject: Subject) -> Found:
    """A part that is meant for some would reach everybody."""
    for guard in _guards(subject):
        if subject.reach and subject.reach.readers > 1 and guard.readers == subject.reach.readers:
            message = f"this part is guarded, but all {guard.readers:,} readers are {guard.expression}"
            yield _where(subject, guard), message
