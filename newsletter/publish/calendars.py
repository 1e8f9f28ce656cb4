"""Events as iCalendar (RFC 5545): a file for each, and one calendar of all of a kind that a reader may subscribe to.

An event's time is a text such as "6 pm MT", so that it stands in the calendar as a whole day, with its time in words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from newsletter.publish.catalog import event_path
from newsletter.publish.feeds import moment
from newsletter.publish.planned import Page, Site
from newsletter.publish.prose import legal
from newsletter.publish.summary import Entry
from newsletter.render.words import places

if TYPE_CHECKING:
    from icalendar import Event

#: How many events the one calendar holds.
_LENGTH = 200


def pages(site: Site) -> Iterator[Page]:
    """The files of each part that lists events."""
    for section in site.listed:
        if section.kind and section.kind.dated_by == "starts":
            yield from _of_kind(site, section.folder, site.catalog.kinds[section.kind.name])


def _of_kind(site: Site, folder: str, entries: Sequence[Entry]) -> Iterator[Page]:
    dated = [entry for entry in entries if (entry.document or {}).get("starts")]
    for entry in dated:
        key = site.key(site.marks([entry]), site.catalog.event_id(entry))
        yield Page(event_path(entry.item), key, lambda e=entry: _calendar(site, [e]))
    newest = dated[:_LENGTH]
    key = site.key("calendar", site.marks(newest), *map(site.catalog.event_id, newest))
    yield Page(f"{folder}/calendar.ics", key, lambda: _calendar(site, newest))


def _calendar(site: Site, entries: Sequence[Entry]) -> bytes:
    from icalendar import Calendar

    config = site.catalog.config
    calendar = Calendar()
    calendar.add("prodid", f"-//{legal(config.organization.name)}//newsletter//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", config.archive.title)
    for entry in entries:
        calendar.add_component(_event(site, entry))
    return bytes(calendar.to_ical())


def _event(site: Site, entry: Entry) -> Event:
    from icalendar import Event

    item, issue = entry.item, site.catalog.by_slug[entry.issue]
    assert item.starts  # noqa: S101 (others aren't asked for)
    last = item.ends if item.ends and item.ends > item.starts else item.starts
    event = Event()
    known = site.catalog.event_id(entry)
    changed = moment(max(issue.date, known.updated or issue.date))
    event.add("uid", known.id)
    event.add("sequence", known.sequence)
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("dtstart", item.starts)
    event.add("dtend", last + dt.timedelta(days=1))
    event.add("summary", legal(f"{entry.headline} ({item.time})" if item.time else entry.headline))
    if where := item.venue or places(item):
        event.add("location", legal(where))
    event.add("url", legal(item.url))
    event.add("description", legal("\n".join(part for part in (item.time, item.url) if part)))
    return event
