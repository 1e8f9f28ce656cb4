"""What staff decided about pages that are public already. Paths are from the site's root, without a slash at either
end, such as `network-download-2022-10`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
