"""Rules about what is told: days, names, titles, wordings."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity, Story

#: Of 100: a name is taken for another's misspelling when it is as much like it as this, and not the same.
_ALIKE = 84
_NAME = re.compile(r"\b[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’.-]*)+")


@rule("facts/past-event", Severity.ERROR)
def past_event(subject: Subject) -> Found:
    """An event that is over on the issue's date."""
    for entry in subject.issue.entries:
        if isinstance(entry, Story) and entry.item.facts.dated_by == "starts":
            over = entry.item.last_day
            if over and over < subject.issue.date:
                yield subject.at(entry.line), f'the {entry.item.kind} "{entry.item.slug}" was on {over}'


@rule("facts/closed-job", Severity.ERROR)
def closed_job(subject: Subject) -> Found:
    """A job whose closing date has passed on the issue's date."""
    for entry in subject.issue.entries:
        if isinstance(entry, Story) and entry.item.closes and entry.item.closes < subject.issue.date:
            yield subject.at(entry.line), f'the {entry.item.kind} "{entry.item.slug}" closed on {entry.item.closes}'


@rule("facts/from-the-future", Severity.WARNING)
def from_the_future(subject: Subject) -> Found:
    """A story dated after the issue."""
    for entry in subject.issue.entries:
        if not isinstance(entry, Story) or entry.item.facts.passes:
            continue
        if entry.item.date > subject.issue.date:
            yield subject.at(entry.line), f'"{entry.item.slug}" is dated {entry.item.date}, after the issue'


@rule("facts/no-outlet", Severity.WARNING)
def no_outlet(subject: Subject) -> Found:
    """A news clip that doesn't say whose it is."""
    for entry in subject.issue.entries:
        if isinstance(entry, Story) and entry.item.facts.by_others and not entry.item.outlet:
            yield subject.at(entry.line), f'the clip "{entry.item.slug}" has no outlet'


@rule("facts/name-spelled-otherwise", Severity.WARNING)
def name_spelled_otherwise(subject: Subject) -> Found:
    """A name that is nearly, but not quite, that of somebody on the roster or whom the issue's entries name."""
    known = set(subject.names)
    for entry in subject.issue.entries:
        known.update(entry.item.people if isinstance(entry, Story) else entry.policy.sponsors)
    for where, text in subject.texts():
        for found in _NAME.findall(text):
            for name in known:
                if _misspelled(found, name, known):
                    yield where, f'"{found}" may be {name}'


def _misspelled(found: str, name: str, known: set[str]) -> bool:
    words = name.split()
    candidates = found.split()
    for start in range(len(candidates) - len(words) + 1):
        part = " ".join(candidates[start : start + len(words)]).removesuffix("'s").removesuffix("’s")
        if part not in known and fuzz.ratio(part, name) >= _ALIKE:
            return name not in found
    return False


@rule("facts/house-words", Severity.WARNING)
def house_words(subject: Subject) -> Found:
    """A wording that the house style doesn't use; the list is in config.toml, [check.words]."""
    for where, text in subject.texts():
        for wrong, right in subject.config.check.words.items():
            if re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", text, re.IGNORECASE):
                yield where, f'"{wrong}" is written "{right}" here'


@rule("facts/title-pattern", Severity.WARNING)
def title_pattern(subject: Subject) -> Found:
    """The title should follow the publication's pattern, so that the archive reads as a series."""
    if subject.issue.corrects:
        return
    pattern = re.escape(subject.publication.title)
    for name, within in (("name", re.escape(subject.publication.name)), ("headlines", ".+"), ("month", r".+\d{4}")):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), within)
    if not re.fullmatch(pattern, subject.issue.title):
        yield f"{subject.issue.path}: title", f'the title is not of the pattern "{subject.publication.title}"'
