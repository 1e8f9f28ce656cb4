"""The archive as a whole: what it tells and what it never does, what changes with a change, how a browser takes it."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import feedparser
import icalendar
import jsonschema
import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from PIL import Image
from playwright.sync_api import Browser, Page

from newsletter.config import MediaInquiry
from newsletter.model import (
    Amendments,
    Correction,
    Gone,
    Issue,
    Level,
    Member,
    Moved,
    Place,
    Policy,
    PolicyEntry,
    Prose,
    Replacement,
    Snapshot,
    Status,
    StatusChange,
    Story,
)
from newsletter.publish import Approved, Report, publish
from newsletter.publish.ids import PublicId
from newsletter.workspace import Workspace
from tests.desk import Desk
from tests.publish.test_publish import JSON_FEED, NAME, contents, found, parsed

TODAY = dt.date(2022, 10, 20)
LEAVE = "sf-public-health-leave"


def copy_of(snapshot: Snapshot, slug: str, day: dt.date, title: str = "") -> Snapshot:
    issue = replace(snapshot.issue, slug=slug, date=day, title=title or f"Issue {slug}")
    return replace(snapshot, issue=issue, digest=slug)


def changed(snapshot: Snapshot, change: Callable[[Issue], Issue]) -> Snapshot:
    return replace(snapshot, issue=change(snapshot.issue))


def with_urls(url: str) -> Callable[[Issue], Issue]:
    """Every link of every entry, and one in the prose, is `url`."""

    def put(block: object) -> object:
        if isinstance(block, Story):
            return replace(block, item=replace(block.item, url=url), blurb=f"See [this]({url}).")
        if isinstance(block, PolicyEntry):
            return replace(block, policy=replace(block.policy, url=url))
        return replace(block, markdown=f"Read [this]({url}) and <{url}>.") if isinstance(block, Prose) else block

    def change(issue: Issue) -> Issue:
        sections = tuple(replace(s, blocks=tuple(map(put, s.blocks))) for s in issue.sections)  # type: ignore[arg-type]
        return replace(issue, sections=sections)

    return change


@pytest.fixture
def snapshot(space: Workspace) -> Snapshot:
    return space.approve(NAME, by="Ada")[0]


@pytest.fixture
def policies(space: Workspace) -> list[Policy]:
    from newsletter.collect import policies as stored

    with space.store.read() as session:
        return stored.find(session)


def build(
    space: Workspace,
    snapshots: Sequence[Snapshot],
    policies: Sequence[Policy] = (),
    *,
    today: dt.date = TODAY,
    amendments: Amendments | None = None,
    members: Sequence[Member] = (),
    folder: Path | None = None,
    ids: Mapping[str, PublicId] | None = None,
) -> Report:
    return publish(
        Approved.of(snapshots),
        space.config,
        today=today,
        themes=space.template_folders("archive"),
        policies=policies,
        amendments=amendments,
        members=members,
        ids=ids,
        folder=folder,
        searchable=False,
    )


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_no_file_holds_an_address_a_token_or_a_tracking_parameter(desk: Desk, snapshot: Snapshot) -> None:
    space = desk.space
    url = "https://example.org/bill?utm_source=mail&id=7&mc_eid=cafe01&fbclid=f00&emci=e1&emdi=e2&ceid=c3"
    planted = ["utm_source", "mc_eid", "cafe01", "fbclid", "emci", "emdi", "ceid", "ana@example.org", "ben@example.org"]
    planted += [space.unsubscribe_url(n, "network-download").rpartition("/")[2] for n in range(1, 7)]
    policy = Policy(
        slug=LEAVE,
        title="Leave",
        place=Place(state="CA"),
        level=Level.CITY,
        url=url,
        history=(StatusChange(status=Status.PASSED, date=TODAY, url=url, note=f"See [it]({url})."),),
        sponsors=("Ana Perez",),
    )
    member = Member(slug="ana-perez", name="Ana Perez", email="ana@example.org")
    spoiled = changed(snapshot, with_urls(url))
    mail = spoiled.variants[0]
    first = mail.html.parts[0]
    assert isinstance(first, str)
    link = f'<a href="{url.replace("&", "&amp;")}">link</a>'
    body = first.index(">", first.index("<body", first.index("</head>"))) + 1
    parts = (f"{first[:body]}<!-- {url} -->{link}{first[body:]}", *mail.html.parts[1:])
    spoiled = replace(spoiled, variants=(replace(mail, html=type(mail.html)(parts)),))
    build(space, [spoiled], [policy], members=[member])
    files = contents(desk.folder / "archive")
    assert len(files) > 40
    for name, data in files.items():
        for secret in planted:
            place = data.find(secret.encode())
            assert place < 0, (name, secret, data[max(0, place - 200) : place + 200])
    assert b"https://example.org/bill?id=7" in files[f"{NAME}/index.html"]
    assert b"https://example.org/bill?id=7" in files[f"{NAME}/as-mailed.html"]


def test_there_is_a_page_for_each_topic_place_and_policy_and_none_that_is_empty(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    build(space, [snapshot], policies)
    site = space.folder / "archive"
    made = ("topics/protest", "topics/leave", "places/fl", "places/fl/gainesville", "places/ca/san-francisco")
    for folder in (*made, "events", "jobs", f"policies/{LEAVE}", "policies", "2022", "network-download/2022"):
        assert (site / folder / "index.html").is_file(), folder
    for folder in ("people", "news", "press", "search"):
        assert not (site / folder).exists(), folder
        assert f"{folder}/index.html" not in text(site / "index.html")
    assert "Heard at last" in text(site / "topics" / "protest" / "index.html")


def test_a_policy_is_public_once_an_issue_has_told_of_it_or_if_all_are(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    untold = replace(policies[0], slug="untold", title="Not told of yet")
    build(space, [snapshot], [*policies, untold])
    assert not (space.folder / "archive" / "policies" / "untold").exists()
    config = replace(space.config, archive=replace(space.config.archive, policies="all"))
    build(replace(space, config=config), [snapshot], [*policies, untold])
    assert (space.folder / "archive" / "policies" / "untold" / "index.html").exists()


def test_a_policy_page_goes_on_after_the_issue_and_names_every_issue_that_told_of_it(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    later = StatusChange(status=Status.CHALLENGED, date=dt.date(2022, 10, 18), note="By the chamber.")
    policy = replace(policies[0], history=(*policies[0].history, later))
    build(space, [snapshot, copy_of(snapshot, "second", dt.date(2022, 10, 19))], [policy])
    page = text(space.folder / "archive" / "policies" / LEAVE / "index.html")
    assert "By the chamber." in page
    assert f"../../{NAME}/index.html#{LEAVE}" in page
    assert f"../../second/index.html#{LEAVE}" in page
    assert "Challenged" not in text(space.folder / "archive" / NAME / "index.html")
    data = json.loads(found(html.fromstring(page), "//script[@type='application/ld+json']/text()")[0])
    assert data["@type"] == "Legislation"
    assert data["legislationIdentifier"] == "Prop G"


def test_the_downloads_hold_every_policy_and_no_formula(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    build(space, [snapshot], [replace(policies[0], title='=HYPERLINK("https://evil.example")')])
    folder = space.folder / "archive" / "policies"
    (row,) = csv.DictReader(text(folder / "policies.csv").splitlines())
    assert row["title"].startswith("'=")
    assert row["status"] == "in effect"
    (policy,) = json.loads(text(folder / "policies.json"))
    assert [step["status"] for step in policy["history"]] == ["passed", "in effect"]


def test_every_feed_is_valid_and_names_the_hub(space: Workspace, snapshot: Snapshot, policies: list[Policy]) -> None:
    config = replace(space.config, archive=replace(space.config.archive, hub="https://hub.example.org/"))
    build(replace(space, config=config), [snapshot], policies)
    site = space.folder / "archive"
    schema = {**JSON_FEED, "properties": {**JSON_FEED["properties"], "hubs": {"type": "array"}}}
    folders = ("", "network-download/", "topics/leave/", "topics/protest/", "policies/")
    for folder in folders:
        for ending in ("atom", "rss"):
            feed = feedparser.parse((site / f"{folder}feed.{ending}").read_bytes())
            assert not feed.bozo, feed.get("bozo_exception")
            assert feed.entries, folder
            assert "https://hub.example.org/" in [link.href for link in feed.feed.links if link.rel == "hub"]
        data = json.loads(text(site / f"{folder}feed.json"))
        jsonschema.validate(data, schema, format_checker=jsonschema.FormatChecker())
        assert data["hubs"] == [{"type": "WebSub", "url": "https://hub.example.org/"}]
    assert [e.title for e in feedparser.parse(text(site / "policies" / "feed.atom")).entries] == [
        "San Francisco, CA: Public Health Emergency Leave – in effect",
        "San Francisco, CA: Public Health Emergency Leave – passed",
    ]


def test_events_are_calendar_files(space: Workspace, snapshot: Snapshot) -> None:
    build(space, [snapshot])
    folder = space.folder / "archive" / "events"
    for name in ("denver-convening.ics", "calendar.ics"):
        calendar = icalendar.Calendar.from_ical((folder / name).read_bytes())
        (event,) = calendar.walk("VEVENT")
        assert event["SUMMARY"] == "National convening"
        assert event.decoded("DTSTART") == dt.date(2022, 11, 2)


def test_a_job_is_taken_down_after_its_day(space: Workspace, snapshot: Snapshot) -> None:
    jobs = space.folder / "archive" / "jobs" / "index.html"
    build(space, [snapshot], today=dt.date(2022, 11, 15))
    assert "membership organizer" in text(jobs)
    report = build(space, [snapshot], today=dt.date(2022, 11, 16))
    assert "membership organizer" not in text(jobs)
    assert 0 < report.written <= 4


def test_pictures_come_in_two_sizes_and_modern_formats_with_their_size(space: Workspace, snapshot: Snapshot) -> None:
    build(space, [snapshot])
    site = space.folder / "archive"
    page = parsed(site / NAME / "index.html")
    pictures = page.xpath("//picture")
    assert isinstance(pictures, list)
    assert pictures
    for picture in pictures:
        assert isinstance(picture, html.HtmlElement)
        kinds = found(picture, ".//source/@type")
        assert kinds == ["image/avif", "image/webp"]
        for files in found(picture, ".//source/@srcset"):
            widths = []
            for one in files.split(", "):
                name, width = one.split()
                with Image.open(site / NAME / name) as image:
                    assert f"{image.width}w" == width
                widths.append(width)
            assert widths == ["640w", "1200w"]
        assert found(picture, ".//img/@width")
        assert found(picture, ".//img/@height")
    with Image.open(site / NAME / "card.jpg") as card:
        assert card.size == (1200, 630)


def test_what_was_corrected_moved_gone_or_replaced_is_told(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    second = copy_of(snapshot, "second", dt.date(2022, 10, 19), "A second issue")
    amendments = Amendments(
        corrections=(Correction(issue=NAME, date=dt.date(2022, 10, 20), note="It was **nine** cities."),),
        moved=(Moved(old="old-name", new=NAME), Moved(old=f"policies/{LEAVE}-x", new=f"policies/{LEAVE}")),
        gone=(Gone(path="second", date=dt.date(2022, 10, 20), reason="It named a child."),),
        replacements=(Replacement(url="https://example.org/hb1", archived="https://archive.example.org/hb1"),),
    )
    build(space, [snapshot, second], policies, amendments=amendments)
    site = space.folder / "archive"
    page = text(site / NAME / "index.html")
    assert "It was <strong>nine</strong> cities." in page
    data = json.loads(found(html.fromstring(page), "//script[@type='application/ld+json']/text()")[0])
    assert data["dateModified"] == "2022-10-20"
    assert data["correction"][0]["text"] == "It was nine cities."
    assert feedparser.parse(text(site / "feed.atom")).entries[0].updated.startswith("2022-10-20")
    assert 'href="https://archive.example.org/hb1"' in page
    assert "archived copy of https://example.org/hb1" in page
    for old, target in (("old-name", f"../{NAME}/index.html"), (f"policies/{LEAVE}-x", f"../{LEAVE}/index.html")):
        moved = text(site / old / "index.html")
        assert f'content="0; url={target}"' in moved
        assert (site / old / target).resolve().is_file()
        assert "noindex" in moved
    gone = text(site / "second" / "index.html")
    assert "It named a child." in gone
    assert "noindex" in gone
    assert sorted(path.name for path in (site / "second").iterdir()) == ["index.html"]
    for name, content in contents(site).items():
        assert b"A second issue" not in content, name
        assert name.startswith(("second/", ".")) or b"/second/" not in content, name


def _amended(chance: random.Random, names: Sequence[str]) -> Amendments:
    day = TODAY + dt.timedelta(days=chance.randrange(30))
    note = Correction(issue=chance.choice(names), date=day, note=f"Note {chance.random()}.")
    path = chance.choice([*names, "topics/leave", f"policies/{LEAVE}"])
    copy = Replacement(url="https://example.org/hb1", archived="https://a.example/")
    return Amendments(
        corrections=(note,) * chance.randint(0, 1),
        gone=(Gone(path=path, date=day),) * chance.randint(0, 1),
        moved=(Moved(old="elsewhere", new=chance.choice(names)),) * chance.randint(0, 1),
        replacements=(copy,) * chance.randint(0, 1),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_build_after_any_changes_gives_the_bytes_of_a_fresh_one(
    space: Workspace, snapshot: Snapshot, policies: list[Policy], seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    issues = {NAME: snapshot}
    stored, today, amendments = list(policies), TODAY, Amendments()
    site, cache = space.folder / "archive", space.folder / ".cache" / "archive"
    for step in range(8):
        match chance.randrange(8):
            case 0 | 1:
                name = f"issue-{chance.randrange(4)}"
                issues[name] = copy_of(snapshot, name, TODAY - dt.timedelta(days=chance.randrange(400)), f"{step}")
            case 2:
                change = StatusChange(status=chance.choice(list(Status)), date=TODAY + dt.timedelta(days=step))
                stored[0] = replace(stored[0], history=(*stored[0].history, change))
            case 3:
                today += dt.timedelta(days=chance.choice((1, 10, 40)))
            case 4:
                amendments = _amended(chance, list(issues))
            case 5 if len(issues) > 1:
                issues.pop(chance.choice(list(issues)))
            case 6 if cache.exists():
                for path in cache.glob("*.json"):
                    path.write_bytes(path.read_bytes()[: chance.randrange(2000)])
            case 7 if site.exists():
                victim = chance.choice(sorted(site.rglob("*.html")))
                victim.write_text("somebody wrote here")
        build(space, list(issues.values()), stored, today=today, amendments=amendments)
    fresh = tmp_path / f"fresh-{seed}"
    shutil.rmtree(cache)
    build(space, list(issues.values()), stored, today=today, amendments=amendments, folder=fresh)
    assert contents(site) == contents(fresh)


def test_several_processes_make_the_same_site_as_one(space: Workspace, snapshot: Snapshot, tmp_path: Path) -> None:
    many = [copy_of(snapshot, f"issue-{n}", TODAY - dt.timedelta(days=n)) for n in range(80)]
    for count in (40, 80):  # few enough files each time for one process
        build(space, many[:count])
    report = build(space, many, folder=tmp_path / "fresh")
    assert report.written > 300
    assert contents(tmp_path / "fresh") == contents(space.folder / "archive")


def test_a_file_that_somebody_changed_is_made_again(space: Workspace, snapshot: Snapshot) -> None:
    build(space, [snapshot])
    page = space.folder / "archive" / NAME / "index.html"
    before = page.read_bytes()
    page.write_bytes(b"x" * len(before))
    assert build(space, [snapshot]).written == 1
    assert page.read_bytes() == before


def test_journalists_find_whom_to_ask(space: Workspace, snapshot: Snapshot) -> None:
    inquiry = MediaInquiry(name="Press desk", email="desk@example.org", phone="+1 555 0199")
    config = replace(space.config, archive=replace(space.config.archive, media_inquiry=inquiry))
    build(replace(space, config=config), [snapshot])
    page = text(space.folder / "archive" / "index.html")
    assert "mailto:desk@example.org" in page
    assert "tel:+15550199" in page


def test_the_search_index_is_kept_while_nothing_it_holds_changes(space: Workspace, snapshot: Snapshot) -> None:
    def go() -> Report:
        themes = space.template_folders("archive")
        return publish(Approved.of([snapshot]), space.config, today=TODAY, themes=themes, searchable=True)

    go()
    assert (space.folder / "archive" / "pagefind" / "pagefind.js").is_file()
    assert (space.folder / "archive" / "search" / "index.html").is_file()
    assert go().written == 0


def many_policies(policies: list[Policy]) -> list[Policy]:
    texas = replace(policies[0], slug="tx-one", title="Rest breaks", place=Place(state="TX"), topics=("breaks",))
    return [*policies, replace(texas, history=(StatusChange(status=Status.PREEMPTED, date=dt.date(2021, 9, 1)),))]


@pytest.fixture
def tracker(space: Workspace, snapshot: Snapshot, policies: list[Policy]) -> Path:
    config = replace(space.config, archive=replace(space.config.archive, policies="all"))
    build(replace(space, config=config), [snapshot], many_policies(policies))
    return space.folder / "archive" / "policies"


def rows(page: Page) -> list[str]:
    return [row.inner_text().split("\n")[0] for row in page.locator(".tracker tbody tr").all() if row.is_visible()]


@pytest.mark.browser
def test_the_tracker_filters_at_once_with_the_filter_in_the_address(tracker: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((tracker / "index.html").as_uri() + "?state=tx")
    assert rows(page) == ["Rest breaks"]
    page.locator("select[name=state]").select_option("ca")
    assert rows(page) == ["Public Health Emergency Leave"]
    assert page.locator("output").inner_text() == "1 policy"
    page.locator("select[name=status]").select_option("preempted")
    assert rows(page) == []
    assert page.locator(".nothing").is_visible()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Clear").press("Enter")
    page.wait_for_function("document.querySelectorAll('.tracker tbody tr:not([hidden])').length === 2")
    page.close()


@pytest.mark.browser
def test_the_tracker_filters_by_links_without_javascript(tracker: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tracker / "index.html").as_uri())
    assert not page.locator("#filters").is_visible()
    page.get_by_text("By status").click()
    page.get_by_role("link", name="Preempted").click()
    assert page.url.endswith("policies/status/preempted/index.html")
    assert rows(page) == ["Rest breaks"]
    context.close()


@pytest.mark.browser
def test_the_pages_can_be_used_by_keyboard_alone(tracker: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((tracker.parent / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Subscribe by email"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{NAME}/index.html")
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.add(str(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName")))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")
    assert {"#policy-wins", "#hb1-hearing", f"../policies/{LEAVE}/index.html", "SUMMARY"} <= seen
    page.close()


@pytest.mark.browser
def test_axe_finds_nothing_on_any_kind_of_page_at_320_pixels(tracker: Path, browser: Browser) -> None:
    site = tracker.parent
    folders = ("policies/", f"policies/{LEAVE}/", "policies/state/tx/", "events/", "jobs/", "topics/", "topics/leave/")
    for folder in (*folders, "places/", "places/fl/", "2022/"):
        page = browser.new_page(viewport={"width": 320, "height": 800}, color_scheme="dark")
        page.goto((site / folder / "index.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), folder
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        page.close()


def test_style_and_script_are_small(space: Workspace, snapshot: Snapshot) -> None:
    build(space, [snapshot])
    assets = {path.suffix: path.stat().st_size for path in (space.folder / "archive" / "assets").iterdir()}
    assert assets[".css"] < 20_000
    assert assets[".js"] < 10_000
