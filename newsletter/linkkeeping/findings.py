"""What the checker knows of an issue's links, as findings of the check."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import urldefrag

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.check.asked import GONE, MOVED, NUMBER_NOT_ON_PAGE, UNSURE
from newsletter.check.bills import names_bill
from newsletter.check.links import links_of, whose
from newsletter.check.rules import RULES, Subject
from newsletter.fetch import UNREACHABLE
from newsletter.linkkeeping import copies, on_the_web
from newsletter.linkkeeping.visit import Standing
from newsletter.merge import PATTERN
from newsletter.model import Finding, PolicyEntry
from newsletter.store.records import LinkRecord


def addresses(subject: Subject) -> dict[str, list[tuple[str, str]]]:
    """The pages that an issue links to, without fragments, each with places and words. A link that is one reader's own
    is left out: to follow it would be to press it.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for where, words, url in links_of(subject):
        if on_the_web(url) and not PATTERN.search(url) and not whose(url):
            found.setdefault(urldefrag(url)[0], []).append((where, words))
    return found


def findings(session: Session, subject: Subject) -> list[Finding]:
    """A finding for each link that isn't as it should be, and for each policy whose page doesn't name its bill."""
    places = addresses(subject)
    known = {row.url: row for row in session.scalars(select(LinkRecord).where(LinkRecord.url.in_(places)))}
    found = [
        Finding(
            rule=rule, severity=RULES[rule].severity, where=where, message=f'the link "{words}" {fault}: {url[:120]}'
        )
        for url, here in places.items()
        for rule, fault in _judged(known.get(url))
        for where, words in dict.fromkeys(here)
    ]
    return found + _unnamed_bills(session, subject, {url for url, row in known.items() if row.standing})


def _judged(link: LinkRecord | None) -> Iterator[tuple[str, str]]:
    if link is None or not link.standing:
        yield UNSURE, "was not asked: its host has been asked enough for now"
    elif link.standing == Standing.DEAD or link.fault in UNREACHABLE:
        yield GONE, "is gone" + (f" ({link.fault})" if link.fault else "")
    elif link.standing == Standing.REFUSED:
        yield UNSURE, f"is not for programs ({link.fault}), so look yourself"
    elif link.standing == Standing.FAILING:
        yield UNSURE, link.fault
    elif link.standing == Standing.MOVED:
        yield MOVED, f"has moved to {link.moved_to[:120]}" + (f", and {link.fault}" if link.fault else "")


def _unnamed_bills(session: Session, subject: Subject, asked: Collection[str]) -> list[Finding]:
    """Policies whose own page doesn't name their bill; of what has no text, nothing is said."""
    found = []
    for entry in subject.issue.entries:
        if not isinstance(entry, PolicyEntry) or not entry.policy.number or not entry.policy.url:
            continue
        url = urldefrag(entry.policy.url)[0]
        copy = copies.newest(session, url) if url in asked else None
        if copy is None or names_bill(copy.text, entry.policy.number):
            continue
        what = f'the page that "{entry.policy.slug}" links to doesn\'t name {entry.policy.number}: {url[:120]}'
        found.append(
            Finding(
                rule=NUMBER_NOT_ON_PAGE,
                severity=RULES[NUMBER_NOT_ON_PAGE].severity,
                where=subject.at(entry.line),
                message=what,
            )
        )
    return found
