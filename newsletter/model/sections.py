"""The sections of the archive: what each is called, where it lies, what it holds, and whence it's linked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.model.entries import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSection:
    """A section in the folder `folder` at the site's root, with the `words` that lead to it. It holds the items of
    `kind`, or is the list of a `subject` of entries, or neither. `description` is that of a page whose template has
    none. Every page's head links to those that are `main`, its foot to all.
    """

    folder: str
    words: str
    kind: Kind | None = None
    subject: bool = False
    main: bool = False
    description: str = ""


#: In the order in which they're linked.
SECTIONS = (
    ArchiveSection(folder="policies", words="Policy tracker", main=True),
    ArchiveSection(
        folder="topics",
        words="Topics",
        subject=True,
        description="Everything we have published, by what it is about.",
    ),
    ArchiveSection(
        folder="places",
        words="Places",
        subject=True,
        description="Everything we have published, by state and locality.",
    ),
    ArchiveSection(
        folder="people",
        words="People",
        subject=True,
        description="Whom our stories and policies are about.",
    ),
    ArchiveSection(
        folder="news",
        words="In the news",
        kind=Kind.NEWS,
        description="What others write about the network.",
    ),
    ArchiveSection(
        folder="press",
        words="Press releases",
        kind=Kind.PRESS,
        description="What we tell the press.",
    ),
    ArchiveSection(folder="events", words="Events", kind=Kind.EVENT, main=True),
    ArchiveSection(folder="jobs", words="Jobs", kind=Kind.JOB),
    ArchiveSection(folder="search", words="Search", main=True),
)
#: Folders that hold what pages are made of.
_OTHER_FOLDERS = frozenset({"assets", "media", "pagefind"})
#: Every name at the site's root that no issue and no publication can have, but for the years.
SITE_FOLDERS = frozenset(section.folder for section in SECTIONS) | _OTHER_FOLDERS


def is_site_folder(name: str) -> bool:
    """Whether the archive has a folder of that name for something else: a section, or a year."""
    return name in SITE_FOLDERS or bool(re.fullmatch(r"\d{4}", name))
