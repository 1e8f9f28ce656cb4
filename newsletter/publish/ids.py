"""The ids by which feed readers and calendars know what is public.

An id is made once, of the address that a thing has then, and kept in the store over moves and another domain: with
another id, every reader would get the thing again (RFC 4287, section 4.2.6; RFC 7986, section 5.3). When the content
changes, the day of that is kept (RFC 4287, section 4.2.15), and its number (SEQUENCE: RFC 5545, section 3.8.7.4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicId:
    """An id; the `digest` of the content that it was published with last, how often that had changed by then, and
    when it did.
    """

    id: str
    digest: str
    sequence: int = 0
    updated: dt.date | None = None


@dataclass(slots=True)
class Ids:
    """The ids of one build: those `known` by the key of what they're for, and those `made`, or made anew, in it.

    `moved` are the names that issues and policies had, by the names that they have now.
    """

    known: Mapping[str, PublicId] = field(default_factory=dict)
    moved: Mapping[str, list[str]] = field(default_factory=dict)
    today: dt.date = dt.date.min
    made: dict[str, PublicId] = field(default_factory=dict)

    def of(self, kind: str, name: str, rest: str, url: str, *content: object) -> PublicId:
        """The id of a thing: `rest` is its place in what is named, `url` its address today, `content` what readers get
        of it.
        """
        key = f"{kind}/{name}/{rest}".rstrip("/")
        if key not in self.made:
            digest = hashlib.sha256(repr(content).encode("utf-8", "replace")).hexdigest()
            names = [name, *self.moved.get(name, ())]
            keys = (f"{kind}/{one}/{rest}".rstrip("/") for one in names)
            old = next((self.known[one] for one in keys if one in self.known), None)
            self.made[key] = self._next(old, digest) if old else PublicId(id=url, digest=digest)
        return self.made[key]

    def _next(self, old: PublicId, digest: str) -> PublicId:
        if old.digest == digest:
            return old
        return replace(old, digest=digest, sequence=old.sequence + 1, updated=self.today)

    @property
    def changed(self) -> dict[str, PublicId]:
        """What has to be kept, by key."""
        return {key: one for key, one in self.made.items() if self.known.get(key) != one}


def moved_names(moves: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that issues and policies had by those that they have now, of their pages' old and new paths."""
    found: dict[str, list[str]] = {}
    for old, new in sorted(moves.items()):
        found.setdefault(new.removeprefix("policies/"), []).append(old.removeprefix("policies/"))
    return found
