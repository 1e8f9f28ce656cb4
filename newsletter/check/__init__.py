"""Issue and mail -> Findings: what a careful colleague would say before it goes out.

    for finding in check(issue, variants, config): ...

A rule is a function that yields places and messages, registered with its id and severity. Errors block
approval and sending; warnings don't. Every rule has a page entry in docs/check.md and a test that plants
its fault.
"""

from __future__ import annotations

from dataclasses import replace

from newsletter.check import (
    accessibility,
    archive,
    asked,
    audience,
    clients,
    content,
    deliverability,
    facts,
    images,
    leftovers,
    links,
    markup,
    merging,
    opening,
    outlook,
    policy,
    typed,
    unseen,
)
from newsletter.check.rules import RULES, Subject
from newsletter.config import Config
from newsletter.model import Finding, Issue, Reach, Rendered, Severity, Use

__all__ = ["RULES", "blocks", "check", "has_errors", "waived"]

_FAMILIES = (
    *(content, opening, leftovers, typed, unseen, facts, images, links, accessibility, markup, merging, policy),
    *(audience, archive, clients, outlook, deliverability, asked),
)


def check(
    issue: Issue,
    variants: tuple[Rendered, ...],
    config: Config,
    reach: Reach | None = None,
    earlier: tuple[Use, ...] = (),
    names: tuple[str, ...] = (),
) -> list[Finding]:
    """All findings, what blocks first, then by rule in the order in which they were found.

    `reach` is who would get which part of the issue, `earlier` where its items were used before, `names` how
    people on the roster are spelled; without them the rules that look at them are silent.
    """
    subject = Subject(issue=issue, variants=variants, config=config, reach=reach, earlier=earlier, names=names)
    found = [
        waived(Finding(rule=rule.id, severity=rule.severity, where=where, message=message), issue)
        for rule in RULES.values()
        for where, message in dict.fromkeys(rule.run(subject))
    ]
    return sorted(found, key=lambda finding: not blocks(finding))


def waived(finding: Finding, issue: Issue) -> Finding:
    """The finding, with who answers for it where the issue says so."""
    for waiver in issue.waivers:
        if waiver.rule == finding.rule and waiver.about in f"{finding.where} {finding.message}":
            return replace(finding, waived=f"{waiver.by}: {waiver.reason}")
    return finding


def blocks(finding: Finding) -> bool:
    """Whether a finding stands in the way of approval: an error that nobody answers for."""
    return finding.severity is Severity.ERROR and not finding.waived


def has_errors(findings: list[Finding]) -> bool:
    """Whether anything blocks."""
    return any(map(blocks, findings))
