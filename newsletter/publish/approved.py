"""The approved snapshots, of which those are read that a build needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter import codec
from newsletter.model import Snapshot


@dataclass(frozen=True)
class Approved:
    """`digests` of the snapshots by issue; `read` gives the issues' names and snapshots, as JSON, one by one."""

    digests: Mapping[str, str]
    read: Callable[[Collection[str]], Iterator[tuple[str, str]]]

    @classmethod
    def of(cls, snapshots: Iterable[Snapshot]) -> Approved:
        """Snapshots that are at hand."""
        found = {snapshot.issue.slug: snapshot for snapshot in snapshots}
        digests = {slug: _digest(codec.dumps(snapshot)) for slug, snapshot in found.items()}
        return cls(digests, lambda slugs: ((slug, codec.dumps(found[slug])) for slug in slugs))


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()
