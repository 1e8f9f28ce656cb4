"""What lists of issues and entries need to know of an issue: small enough to hold all of them.

Summaries are kept from build to build by the digest of their snapshot, so that an issue that hasn't changed isn't
read again. Their rows are plain lists for JSON.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from newsletter import codec
from newsletter.compose.variants import pick
from newsletter.model import POLICY, Issue, Item, Photo, PolicyEntry, Snapshot, Story, Variant
from newsletter.publish.prose import blurb_html, lead_photo, legal
from newsletter.publish.public import public

Row = list[Any]


class Entry(NamedTuple):
    """One item or policy as an issue tells it; `blurb` is HTML, `date` the day of the item, or of the issue for a
    policy, in ISO's form.
    """

    issue: str
    slug: str
    kind: str
    headline: str
    blurb: str
    date: str
    topics: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    document: dict[str, Any] | None

    def day(self, key: str) -> dt.date | None:
        """One of the item's days: `starts`, `ends` or `closes`."""
        value = (self.document or {}).get(key)
        return dt.date.fromisoformat(value) if value else None

    @property
    def item(self) -> Item:
        """The item told; only for what is no policy."""
        return codec.build(self.document, Item)


@dataclass(frozen=True, slots=True)
class Summary:
    """An issue as lists show it. `lead` is its picture, `photos` all that its pages show; `covers` are earlier issues
    that it points to; `path` is its issue.md. `told` is the digest of what lists of entries show of it.
    """

    slug: str
    digest: str
    publication: str
    title: str
    day: str
    teaser: str
    path: str
    told: str
    lead: Photo | None
    photos: tuple[Photo, ...]
    covers: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def date(self) -> dt.date:
        """The day of the issue."""
        return dt.date.fromisoformat(self.day)

    @property
    def year(self) -> str:
        """The year of the issue, four digits."""
        return self.day[:4]

    def row(self) -> Row:
        """The summary for JSON."""
        return [
            *(self.slug, self.digest, self.publication, self.title, self.day, self.teaser, self.path, self.told),
            codec.plain(self.lead) if self.lead else None,
            [codec.plain(photo) for photo in self.photos],
            self.covers,
            [
                [e.slug, e.kind, e.headline, e.blurb, e.date, e.topics, e.places, e.people, e.document]
                for e in self.entries
            ],
        ]


def public_issue(snapshot: Snapshot, tracking: tuple[str, ...]) -> Issue:
    """The issue as the web gets it: what is for some readers only isn't, nor is what tells of one of them."""
    return public(pick(snapshot.issue, Variant()), tracking)


def summarize(snapshot: Snapshot, digest: str, tracking: tuple[str, ...]) -> Summary:
    """The summary of an approved issue."""
    issue = public_issue(snapshot, tracking)
    entries = tuple(_entries(issue))
    told = hashlib.sha256(repr((issue.publication, issue.date, entries)).encode("utf-8", "replace"))
    covered = (e.covered.issue for e in issue.entries if isinstance(e, PolicyEntry) and e.covered)
    return Summary(
        slug=issue.slug,
        digest=digest,
        publication=issue.publication,
        title=legal(issue.title),
        day=issue.date.isoformat(),
        teaser=legal(issue.teaser),
        path=issue.path,
        told=told.hexdigest()[:32],
        lead=lead_photo(issue),
        photos=tuple(issue.photos.values()),
        covers=tuple(dict.fromkeys(covered)),
        entries=entries,
    )


def _entries(issue: Issue) -> Iterator[Entry]:
    for entry in issue.entries:
        headline, blurb = legal(entry.headline), str(blurb_html(entry))
        if isinstance(entry, Story):
            item = entry.item
            places = tuple((place.state, place.locality) for place in item.places)
            document = {**codec.plain(item), "summary": ""}
            date = item.date.isoformat()
            yield Entry(
                issue.slug, item.slug, item.kind, headline, blurb, date, item.topics, places, item.people, document
            )
        else:
            policy, day = entry.policy, issue.date.isoformat()
            places = ((policy.place.state, policy.place.locality),)
            yield Entry(
                issue.slug, policy.slug, POLICY, headline, blurb, day, policy.topics, places, policy.sponsors, None
            )


def from_row(row: Row) -> Summary:
    """The summary that `row` wrote; ValueError, TypeError or KeyError for anything else."""
    *texts, lead, photos, covers, entries = row
    slug, digest, publication, title, day, teaser, path, told = texts
    return Summary(
        slug,
        digest,
        publication,
        title,
        day,
        teaser,
        path,
        told,
        Photo(**lead) if lead else None,
        tuple(Photo(**photo) for photo in photos),
        tuple(covers),
        tuple(
            Entry(slug, name, kind, headline, blurb, date, tuple(topics), tuple(map(tuple, places)), tuple(people), doc)
            for name, kind, headline, blurb, date, topics, places, people, doc in entries
        ),
    )
