"""What staff decided about pages that are public already. Paths are from the site's root, without a slash at either
end, such as `network-download-2022-10`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from newsletter.model.kinds import OTHER_FOLDERS, kind_folders


def is_site_folder(name: str) -> bool:
    """Whether the archive has a folder of that name for something else: a section, or a year."""
    return name in OTHER_FOLDERS or name in kind_folders() or bool(re.fullmatch(r"\d{4}", name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A dated note on an issue's page: what was wrong and is right now. `note` is Markdown."""

    issue: str
    date: dt.date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A page that has another address now; the `old` one leads to the `new`."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A page that had to go, and since when; `reason` is plain text that readers see, and may be empty."""

    path: str
    date: dt.date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A link that no longer leads to what it did, and the recorded copy that pages link to in its place."""

    url: str
    archived: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendments:
    """All that was decided about public pages."""

    corrections: tuple[Correction, ...] = ()
    moved: tuple[Moved, ...] = ()
    gone: tuple[Gone, ...] = ()
    replacements: tuple[Replacement, ...] = ()
