"""Rules about merge fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.check.foreign import foreign_fields, is_filter
from newsletter.check.rules import Found, Subject, rule
from newsletter.errors import nearest
from newsletter.merge import FIELDS, PATTERN, PERSONAL_FIELDS, MergeField, parse
from newsletter.model import Severity

_PLAIN = "{{ first_name | friend }}"


def _fields(subject: Subject) -> Iterator[tuple[str, MergeField]]:
    for passage in subject.passages():
        if passage.merges:
            for match in PATTERN.finditer(passage.text):
                yield passage.around(match.start()), parse(match[0]).fields[0]


@rule("merge/unknown-field", Severity.ERROR)
def unknown_field(subject: Subject) -> Found:
    """A merge field that doesn't exist would come out as its fallback for everyone."""
    for where, field in _fields(subject):
        if field.name not in FIELDS:
            hint = nearest(field.name, FIELDS) or f"there are {', '.join(PERSONAL_FIELDS)}"
            yield where, f'there is no merge field "{field.name}"; {hint}'


@rule("merge/no-fallback", Severity.ERROR)
def no_fallback(subject: Subject) -> Found:
    """A personal merge field needs words for readers of whom it isn't known."""
    for where, field in _fields(subject):
        if field.name in PERSONAL_FIELDS and not field.fallback:
            yield where, f'"{field}" has no fallback; write {{{{ {field.name} | friend }}}}'


@rule("merge/foreign-field", Severity.ERROR)
def foreign_field(subject: Subject) -> Found:
    """A merge field in another tool's writing, or broken, would be mailed as it stands."""
    for passage in subject.passages():
        # Blanked and not cut out: the pieces must not join, and every place must stay.
        literal = PATTERN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), passage.text)
        for position, found in foreign_fields(literal):
            yield passage.around(position), f'"{found}" is not a merge field; write {_PLAIN}'
    for where, field in _fields(subject):
        if is_filter(field.fallback or ""):
            yield where, f'"{field}" has another tool\'s syntax; write the fallback without quotes: {_PLAIN}'


@rule("merge/not-here", Severity.ERROR)
def not_here(subject: Subject) -> Found:
    """Titles, headings, headlines and stored summaries are the same for everyone; a field there stays as it is."""
    for passage in subject.passages():
        for field in () if passage.merges else parse(passage.text).fields:
            yield passage.where, f'"{field}" is not merged here; use it in the text, the subject or the preheader'
