"""What is public keeps the ids by which readers' programs know it."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from icalendar import Calendar

from newsletter import amendments
from newsletter.amendments import Decision
from newsletter.model import Amendments, Correction, Level, Place, Policy, Snapshot, Status, StatusChange, Story
from newsletter.publish import Report
from newsletter.publish.ids import Ids, PublicId
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk
from tests.publish.test_publish import NAME, parsed
from tests.publish.test_site import TODAY, build, snapshot

__all__ = ["snapshot"]

DAY = dt.date(2022, 10, 14)


def ids_in(site: Path) -> dict[str, list[str]]:
    """Every id in the feeds and the calendar of a site."""
    found = {}
    for path in sorted(site.rglob("feed.*")):
        name = path.relative_to(site).as_posix()
        if path.suffix == ".json":
            found[name] = [entry["id"] for entry in json.loads(path.read_bytes())["items"]]
        else:
            found[name] = [entry.id for entry in feedparser.parse(path.read_bytes()).entries]
    for path in sorted(site.rglob("*.ics")):
        found[path.name] = [str(event["uid"]) for event in events(path)]
    return found


def events(path: Path) -> list[Any]:
    return list(Calendar.from_ical(path.read_bytes()).walk("VEVENT"))


def published(space: Workspace, snapshot: Snapshot, known: Report | None, **more: Any) -> Report:
    report = build(space, [snapshot], ids=known.ids if known else None, **more)
    if known:
        report.ids = {**known.ids, **report.ids}
    return report


def test_steps_of_one_status_on_one_day_have_ids_of_their_own(space: Workspace, snapshot: Snapshot) -> None:
    twice = [StatusChange(status=Status.PASSED, date=DAY, note=f"By the {which}.") for which in ("House", "Senate")]
    policy = Policy(
        slug="two-chambers",
        title="Two chambers",
        level=Level.STATE,
        place=Place(state="CA"),
        history=tuple(twice),
        topics=("rent",),
    )
    config = replace(space.config, archive=replace(space.config.archive, policies="all"))
    build(replace(space, config=config), [snapshot], [policy])
    site = space.folder / "archive"
    page = parsed(site / "policies" / "two-chambers" / "index.html")
    anchors = [str(found) for found in page.xpath("//ol[@class='timeline']/li/@id")]
    assert sorted(anchors) == [f"passed-{DAY}", f"passed-{DAY}-2"]
    for name, ids in ids_in(site).items():
        assert len(ids) == len(set(ids)), name
    assert len([one for one in ids_in(site)["policies/feed.atom"] if "two-chambers" in one]) == 2


def test_another_domain_changes_no_id(space: Workspace, snapshot: Snapshot) -> None:
    report = published(space, snapshot, None)
    before = ids_in(space.folder / "archive")
    moved = replace(space.config, archive=replace(space.config.archive, url="https://elsewhere.example/news"))
    published(replace(space, config=moved), snapshot, report)
    assert ids_in(space.folder / "archive") == before
    rss = (space.folder / "archive" / "feed.rss").read_text()
    assert '<guid isPermaLink="false">' in rss
    assert "<link>https://elsewhere.example/news/" in rss


def test_ids_are_kept_in_the_store_over_a_move(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    desk.space.publish()
    before = ids_in(desk.folder / "archive")
    (desk.folder / "issues" / NAME).rename(desk.folder / "issues" / "renamed")
    with desk.space.store.write() as session:
        amendments.move(session, NAME, "renamed", Decision(by="Ada", at=NOW, day=DAY))
    desk.space.approve("renamed", by="Ada")
    desk.space.publish()
    assert (desk.folder / "archive" / "renamed" / "index.html").is_file()
    assert ids_in(desk.folder / "archive") == before


def test_a_preview_at_another_address_keeps_no_id(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    desk.space.publish(base_url="http://localhost:8000/")
    desk.space.publish()
    assert "localhost" not in str(ids_in(desk.folder / "archive"))


def test_an_event_that_moved_has_a_number_and_a_day_of_change(space: Workspace, snapshot: Snapshot) -> None:
    report = published(space, snapshot, None)
    path = space.folder / "archive" / "events" / "calendar.ics"
    (before,) = events(path)
    again = published(space, snapshot, report)
    (same,) = events(path)
    assert same == before
    assert again.written == 0
    later = _with_later_event(snapshot)
    published(space, later, report)
    (after,) = events(path)
    assert after["uid"] == before["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)
    assert after["last-modified"].dt.date() == after["dtstamp"].dt.date() == TODAY
    feed = feedparser.parse((space.folder / "archive" / "feed.atom").read_bytes())
    assert feed.entries[0].updated[:10] == TODAY.isoformat()


def _with_later_event(snapshot: Snapshot) -> Snapshot:
    sections = []
    for section in snapshot.issue.sections:
        blocks = tuple(
            replace(block, item=replace(block.item, starts=dt.date(2022, 12, 24)))
            if isinstance(block, Story) and block.item.kind == "event"
            else block
            for block in section.blocks
        )
        sections.append(replace(section, blocks=blocks))
    return replace(snapshot, issue=replace(snapshot.issue, sections=tuple(sections)))


def test_content_that_changes_twice_is_counted_and_what_stays_is_not() -> None:
    first = Ids(today=DAY).of("event", "a", "", "a@example.org", "one")
    assert first == PublicId(id="a@example.org", digest=first.digest)
    second = Ids({"event/a": first}, today=DAY).of("event", "a", "", "a@elsewhere.example", "two")
    assert (second.id, second.sequence, second.updated) == ("a@example.org", 1, DAY)
    later = Ids({"event/a": second}, today=DAY + dt.timedelta(days=9))
    assert later.of("event", "a", "", "a@elsewhere.example", "two") == second
    assert later.changed == {}


def test_corrections_are_rendered_in_feeds_and_texts_of_rss_are_escaped(space: Workspace, snapshot: Snapshot) -> None:
    note = "It was **eight**, see [the record](https://a.example/x)."
    told = replace(snapshot, issue=replace(snapshot.issue, teaser="The <Fair> Act & more"))
    changes = Amendments(corrections=(Correction(issue=NAME, date=DAY, note=note),))
    build(space, [told], amendments=changes)
    site = space.folder / "archive"
    content = json.loads((site / "feed.json").read_bytes())["items"][0]["content_html"]
    assert "It was <strong>eight</strong>" in content
    assert '<a href="https://a.example/x">' in content
    rss = (site / "feed.rss").read_text()
    (description,) = re.findall(r"<description>(The .*?)</description>", rss)
    assert description == "The &amp;lt;Fair&amp;gt; Act &amp;amp; more"


@pytest.mark.parametrize("name", ["feed.atom", "feed.rss", "feed.json"])
def test_every_feed_has_each_id_once(space: Workspace, snapshot: Snapshot, name: str) -> None:
    build(space, [snapshot])
    for feed, ids in ids_in(space.folder / "archive").items():
        if feed.endswith(name):
            assert len(ids) == len(set(ids))
