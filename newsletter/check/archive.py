"""Rules about the issue's place in the archive, and about what pages are made of there."""

from __future__ import annotations

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity, Story, is_site_folder

#: More commas, or letters, than this are several people in one name.
_COMMAS, _LETTERS = 2, 100


@rule("archive/folder-taken", Severity.ERROR)
def folder_taken(subject: Subject) -> Found:
    """The issue's folder has a name that the archive has for something else: a section, a year, a publication."""
    slug = subject.issue.slug
    if is_site_folder(slug) or slug in subject.config.publications:
        yield subject.issue.path, f'the archive has another folder "{slug}"; rename the issue\'s folder'


@rule("archive/names-in-one", Severity.WARNING)
def names_in_one(subject: Subject) -> Found:
    """Several people stand in one name; they'd have one page together."""
    for entry in subject.issue.entries:
        slug, people = (
            (entry.item.slug, entry.item.people)
            if isinstance(entry, Story)
            else (entry.policy.slug, entry.policy.sponsors)
        )
        for name in people:
            if name.count(",") > _COMMAS or len(name) > _LETTERS:
                yield subject.at(entry.line), f'"{slug}" names "{name[:40]}…" as one person; separate names with ;'
