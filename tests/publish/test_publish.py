"""The archive: whole pages and valid feeds, nothing of any reader, the same bytes for the same snapshots."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import feedparser
import jsonschema
import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from lxml.html import HtmlElement
from playwright.sync_api import Browser

from newsletter import merge
from newsletter.errors import CheckFailed, InputError, TemplateError
from newsletter.merge import reader_links
from newsletter.model import Block, Issue, Policy, PolicyEntry, Snapshot, Status, StatusChange, Story
from newsletter.publish import Approved, Report, publish
from newsletter.publish.swap import MANIFEST, swap_in
from newsletter.workspace import Workspace
from tests.browsing import ORIGIN, serve
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
SECOND = "workers-rights-2022-10"
ROUND_UP = re.sub(
    r"\[\[([\w-]+)\]\]",
    r"[[\1 | update]]",
    ISSUE.replace('"network-download"', '"workers-rights"').replace("The Network Download: HB 1", "Round Up: HB 1"),
)


@pytest.fixture
def site(desk: Desk) -> Path:
    """A built archive of two issues."""
    desk.write_issue(SECOND, ROUND_UP)
    for name in (NAME, SECOND):
        desk.space.approve(name, by="Ada")
    desk.space.publish()
    return desk.folder / "archive"


def built(space: Workspace, *snapshots: Snapshot) -> Report:
    """Publish snapshots as if they had been approved."""
    themes = space.template_folders("archive")
    return publish(Approved.of(snapshots), space.config, today=space.today(), themes=themes)


def contents(folder: Path) -> dict[str, bytes]:
    """The site's files but those of the search index, which Pagefind writes with different bytes each time."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    own = b"".join(line for line in files.get(MANIFEST, b"").splitlines(True) if not line.startswith(b"pagefind/"))
    return {name: data for name, data in files.items() if not name.startswith("pagefind/")} | {MANIFEST: own}


def parsed(page: Path) -> HtmlElement:
    return html.fromstring(page.read_text(encoding="utf-8"))


def found(tree: HtmlElement, path: str) -> list[str]:
    """The attributes that an XPath names."""
    result = tree.xpath(path)
    assert isinstance(result, list)
    return [str(value) for value in result]


def test_there_is_a_page_for_the_index_each_publication_and_each_issue(site: Path) -> None:
    for name in ("index.html", "404.html", "robots.txt", "sitemap.xml", "workers-rights/index.html"):
        assert (site / name).exists(), name
    for name in (NAME, SECOND):
        for file in ("index.html", "as-mailed.html", "plain.txt"):
            assert (site / name / file).exists()
    cards = parsed(site / "index.html").find_class("card")
    titles = [str(heading.text_content()) for card in cards for heading in card.iter("h2")]
    assert len(titles) == 2
    assert "The Network Download: HB 1 in court and more | Oct 2022" in titles


def test_every_internal_link_and_picture_resolves(site: Path) -> None:
    seen = 0
    for page in site.rglob("*.html"):
        tree = parsed(page)
        ids = set(found(tree, "//@id"))
        for address in found(tree, "//@href | //@src"):
            parts = urlsplit(address)
            if parts.scheme or page.name == "as-mailed.html":
                continue
            seen += 1
            if page.name == "404.html":  # it's given for any address, so that its links begin at the root
                assert (site / unquote(parts.path.removeprefix("/"))).is_file() or parts.fragment in ids
                continue
            if parts.path:
                assert (page.parent / unquote(parts.path)).is_file(), f"{page}: {address}"
            elif parts.fragment:
                assert parts.fragment in ids, f"{page}: {address}"
    assert seen > 40


def test_the_anchors_that_the_mail_links_to_are_on_the_page(site: Path) -> None:
    mail = (site / NAME / "as-mailed.html").read_text(encoding="utf-8")
    page = (site / NAME / "index.html").read_text(encoding="utf-8")
    anchors = re.findall(rf"https://news\.example\.org/{NAME}/#([\w-]+)", mail)
    assert anchors
    for anchor in anchors:
        assert f'id="{anchor}"' in page


def test_no_page_holds_anything_of_a_reader(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    assert desk.run("send", NAME, "--confirm", NAME).returncode == 0
    desk.space.publish()
    tokens = [
        url.rpartition("/")[2] for url in (desk.space.unsubscribe_url(n, "network-download") for n in range(1, 7))
    ]
    planted = [b"ana@", b"ben@", b"Gainesville is", *(token.encode() for token in tokens)]
    for name, data in contents(desk.folder / "archive").items():
        for secret in planted:
            assert secret not in data, name
        if name.endswith((".html", ".txt")):
            assert b"{{" not in data, name


def test_merge_fields_show_their_fallbacks(site: Path) -> None:
    page = (site / NAME / "index.html").read_text(encoding="utf-8")
    assert "Hi friend," in page
    assert "Friend, your neighbours in your town were in the room." in page


def test_the_same_snapshots_give_the_same_bytes(site: Path, space: Workspace) -> None:
    space.publish(space.folder / "again")
    assert contents(space.folder / "again") == contents(site)


def test_a_second_build_rewrites_nothing(site: Path, space: Workspace) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    report = space.publish()
    assert (report.written, report.removed) == (0, 0)
    assert report.unchanged == len([path for path in before if path.name != MANIFEST])
    after = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file() and path.name[0] != "."}
    assert all(before[path] == time for path, time in after.items())


def test_one_changed_issue_rewrites_only_what_it_touches(site: Path, desk: Desk) -> None:
    desk.write_issue(NAME, ISSUE.replace("This month", "This busy month"))
    desk.space.approve(NAME, by="Ada")
    report = desk.space.publish()
    assert 0 < report.written <= 10 + len(list((site / "pagefind").rglob("*.*")))
    assert "This busy month" in (site / NAME / "index.html").read_text(encoding="utf-8")
    assert report.unchanged > 5


def test_the_draft_is_never_published(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    desk.write_issue(NAME, ISSUE.replace("This month", "This secret month"))
    desk.write_issue(SECOND, ROUND_UP)
    desk.space.publish()
    site = desk.folder / "archive"
    assert "secret" not in (site / NAME / "index.html").read_text(encoding="utf-8")
    assert not (site / SECOND).exists()


def test_feeds_are_well_formed_and_complete(site: Path) -> None:
    for folder, count in (("", 2), ("workers-rights/", 1)):
        for ending in ("atom", "rss"):
            feed = feedparser.parse((site / f"{folder}feed.{ending}").read_bytes())
            assert not feed.bozo, feed.get("bozo_exception")
            assert len(feed.entries) == count
            entry = feed.entries[0]
            assert entry.title
            assert entry.link.startswith("https://news.example.org/")
            assert "in the room" in entry.content[0].value
        atom = feedparser.parse((site / f"{folder}feed.atom").read_bytes()).feed
        assert atom.id == next(link.href for link in atom.links if link.rel == "self")
        assert atom.id == f"https://news.example.org/{folder}feed.atom"
        assert atom.updated
        assert atom.author


# What jsonfeed.org's version 1.1 asks of the members that we use.
_TEXT = {"type": "string", "minLength": 1}
_URL = {"type": "string", "pattern": "^https://"}
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
JSON_FEED: dict[str, Any] = {
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": _TEXT,
        "description": _TEXT,
        "language": _TEXT,
        **dict.fromkeys(("home_page_url", "feed_url"), _URL),
        "authors": {"type": "array", "items": {"properties": {"name": _TEXT, "url": _URL}, "minProperties": 1}},
        "items": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "required": ["id", "content_html"],
                "additionalProperties": False,
                "properties": {
                    **dict.fromkeys(("id", "title", "content_html"), _TEXT),
                    **dict.fromkeys(("url", "image"), _URL),
                    "summary": {"type": "string"},
                    **dict.fromkeys(("date_published", "date_modified"), _MOMENT),
                },
            },
        },
    },
}


def test_the_json_feed_is_of_version_1_1(site: Path) -> None:
    for folder in ("", "workers-rights/"):
        feed = json.loads((site / f"{folder}feed.json").read_text(encoding="utf-8"))
        jsonschema.validate(feed, JSON_FEED, format_checker=jsonschema.FormatChecker())
        assert feed["feed_url"] == f"https://news.example.org/{folder}feed.json"
        for item in feed["items"]:
            addresses = found(html.fromstring(item["content_html"]), "//@href | //@src")
            assert addresses
            assert all(urlsplit(address).scheme == "https" for address in addresses), (
                "a reader knows no page to start at"
            )


def test_an_empty_archive_is_a_site_with_valid_feeds(space: Workspace) -> None:
    report = built(space)
    assert report.written > 5
    assert "No issue has been published yet" in (space.folder / "archive" / "index.html").read_text(encoding="utf-8")
    assert not feedparser.parse((space.folder / "archive" / "feed.atom").read_bytes()).bozo


def test_the_mail_as_mailed_is_what_was_approved_and_is_not_indexed(site: Path, space: Workspace) -> None:
    from newsletter.send import latest

    with space.store.read() as session:
        snapshot = latest(session, NAME)
    assert snapshot
    mailed = (site / NAME / "as-mailed.html").read_text(encoding="utf-8")
    assert 'name="robots" content="noindex"' in mailed
    expected = snapshot.variants[0].html.merge_html(reader_links("https://mail.example.org/u/"))
    page, message = html.fromstring(mailed), html.fromstring(expected)
    words = "//body//text()[not(parent::style) and normalize-space()]"
    assert " ".join(found(page, words)).split() == " ".join(found(message, words)).split()
    assert found(page, "//a/@href") == found(message, "//a/@href")
    pictures = found(parsed(site / NAME / "as-mailed.html"), "//img/@src")
    assert pictures
    assert all((site / NAME / picture).is_file() for picture in pictures)


HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> {{ first_name | x }} %recipient.name% \u202e ]]>'


def _spoiled(issue: Issue) -> Issue:
    def spoil(block: object) -> object:
        if isinstance(block, Story):
            item = replace(block.item, title=HOSTILE, summary=HOSTILE, url="javascript:alert(3)", venue=HOSTILE)
            return replace(block, item=item, headline=HOSTILE, blurb=HOSTILE)
        if isinstance(block, PolicyEntry):
            policy: Policy = replace(block.policy, title=HOSTILE, summary=HOSTILE, number=HOSTILE, sponsors=(HOSTILE,))
            return replace(block, policy=policy, headline=HOSTILE, blurb=HOSTILE)
        return block

    sections = tuple(replace(s, heading=HOSTILE, blocks=tuple(map(spoil, s.blocks))) for s in issue.sections)  # type: ignore[arg-type]
    return replace(issue, title=HOSTILE, teaser=HOSTILE, sections=sections, subject=merge.parse(HOSTILE))


def test_hostile_content_is_inert(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    spoiled: Snapshot = replace(snapshot, issue=_spoiled(snapshot.issue))
    built(space, spoiled)
    site = space.folder / "archive"
    for page in (site / "index.html", site / NAME / "index.html", site / "network-download" / "index.html"):
        tree = parsed(page)
        for node in tree.iter("script"):
            assert node.get("type") == "application/ld+json" or (node.get("src") and not node.text)
        assert not found(tree, "//@onerror")
        assert not [href for href in found(tree, "//@href") if href.startswith("javascript")]
        assert "{{ first_name | x }}" in str(tree.text_content())
    for node in parsed(site / NAME / "index.html").iter("script"):
        assert node.get("src") or json.loads(node.text or "")
    assert not feedparser.parse((site / "feed.atom").read_bytes()).bozo


def test_characters_that_xml_forbids_are_left_out(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    issue = replace(
        _spoiled(snapshot.issue), title="A bell\x07, a tab\x0b and half\ud800 a pair", teaser="nul\x00\uffff"
    )
    built(space, replace(snapshot, issue=issue))
    site = space.folder / "archive"
    title = "A bell, a tab and half a pair"
    assert title in (site / NAME / "index.html").read_text(encoding="utf-8")
    for ending in ("atom", "rss"):
        feed = feedparser.parse((site / f"feed.{ending}").read_bytes())
        assert not feed.bozo
        assert feed.entries[0].title == title
    assert json.loads((site / "feed.json").read_bytes())["items"][0]["id"].endswith(f"/{NAME}/")


def test_a_policy_shows_its_picture_and_a_linked_history(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    (photo,) = snapshot.issue.photos.values()
    day = snapshot.issue.date
    policy = replace(
        next(entry.policy for entry in snapshot.issue.entries if isinstance(entry, PolicyEntry)),
        photo=photo,
        history=(
            StatusChange(status=Status.ENACTED, date=day, url="https://example.org/vote", note="By **one** vote."),
            StatusChange(status=Status.CHALLENGED, date=day, url="javascript:alert(1)"),
            StatusChange(status=Status.UPHELD, date=day + dt.timedelta(days=1)),
        ),
    )

    def put(block: Block) -> Block:
        return replace(block, policy=policy, compact=False) if isinstance(block, PolicyEntry) else block

    sections = tuple(replace(s, blocks=tuple(map(put, s.blocks))) for s in snapshot.issue.sections)
    issue = replace(snapshot.issue, sections=sections)
    built(space, replace(snapshot, issue=issue))
    card = parsed(space.folder / "archive" / NAME / "index.html").get_element_by_id(policy.slug)
    assert found(card, ".//img/@src") == [f"../media/{photo.name}"]
    assert found(card, ".//ol//a/@href") == ["https://example.org/vote"]
    words = str(card.text_content())
    assert "By one vote." in words
    assert "Upheld" not in words, "what came after the issue"


@pytest.mark.parametrize("name", ["workers-rights", "media"])
def test_an_issue_never_takes_the_folder_of_a_publication_or_of_the_pictures(desk: Desk, name: str) -> None:
    desk.write_issue(name, ISSUE)
    with pytest.raises(CheckFailed, match=f'another folder "{name}".*rename'):
        desk.space.approve(name, by="Ada")
    desk.write_issue(NAME, ISSUE)
    snapshot, _ = desk.space.approve(NAME, by="Ada")
    with pytest.raises(InputError, match=f'another folder "{name}".*rename'):
        built(desk.space, replace(snapshot, issue=replace(snapshot.issue, slug=name)))


def test_a_designer_overrides_one_template_in_the_workspace(site: Path, desk: Desk) -> None:
    own = desk.folder / "templates" / "archive"
    own.mkdir(parents=True)
    (own / "404.html.j2").write_text('{% extends "base.html.j2" %}{% block main %}Our own words{% endblock %}')
    desk.space.publish()
    assert "Our own words" in (site / "404.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("text", "said"), [("{{ nope }}", "404.html.j2:1"), ("{% if %}", "404.html.j2:1")])
def test_a_fault_in_a_template_is_one_line_and_leaves_the_old_site(
    site: Path, desk: Desk, text: str, said: str
) -> None:
    own = desk.folder / "templates" / "archive"
    own.mkdir(parents=True)
    (own / "404.html.j2").write_text(text)
    before = contents(site)
    with pytest.raises(TemplateError, match=said):
        desk.space.publish()
    assert contents(site) == before


def test_a_picture_that_is_gone_is_named_with_its_issue(desk: Desk) -> None:
    snapshot, _ = desk.space.approve(NAME, by="Ada")
    (photo,) = snapshot.issue.photos.values()
    (desk.folder / "media" / photo.name).unlink()
    with pytest.raises(InputError, match=NAME):
        desk.space.publish()


def test_a_folder_of_somebody_else_is_never_replaced(desk: Desk) -> None:
    (desk.folder / "mine").mkdir()
    (desk.folder / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not an archive of ours"):
        desk.space.publish(desk.folder / "mine")
    assert (desk.folder / "mine" / "thesis.txt").read_text() == "years of work"


def test_files_that_others_put_into_the_site_are_carried_over(site: Path, space: Workspace) -> None:
    (site / "CNAME").write_text("news.example.org")
    (site / ".well-known").mkdir()
    (site / ".well-known" / "x").write_text("y")
    (site / ".git" / "refs" / "tags").mkdir(parents=True)
    (site / "latest").symlink_to(NAME)
    space.publish()
    assert (site / ".git" / "refs" / "tags").is_dir()
    assert (site / "latest").readlink() == Path(NAME)
    assert (site / "CNAME").read_text() == "news.example.org"
    assert (site / ".well-known" / "x").read_text() == "y"


def test_a_page_that_is_no_longer_made_is_taken_away(tmp_path: Path) -> None:
    swap_in([("a.html", b"a"), ("b/index.html", b"b")], tmp_path / "site")
    report = swap_in([("a.html", b"a")], tmp_path / "site")
    assert report == Report(written=0, unchanged=1, removed=1)
    assert not (tmp_path / "site" / "b").exists()


def test_a_build_killed_at_any_moment_leaves_a_whole_site(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from newsletter.publish.swap import MANIFEST, swap_in\n"
        "n = 0\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    n += 1\n"
        "    swap_in([(f'{i}.html', str(n).encode() * 2000) for i in range(60)], Path(sys.argv[1]))\n"
    )
    target, chance = tmp_path / "site", random.Random(3)
    for _ in range(12):
        process = subprocess.Popen([sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.01, 0.4))
        process.stdout.close()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        standing = target if target.exists() else target.with_name(".site.old")
        if standing.exists():
            pages = [path.read_bytes() for path in standing.glob("*.html")]
            assert len(set(pages)) == 1, "pages of two builds side by side"
            assert len(pages) == 60
    assert target.exists()
    swap_in([("last.html", b"x")], target)
    assert [path.name for path in target.glob("*.html")] == ["last.html"]
    assert not target.with_name(".site.old").exists()
    assert [path.name for path in target.with_name(".site.spare").glob("*.html")] == ["last.html"]


@pytest.mark.browser
@pytest.mark.parametrize("path", ["index.html", f"{NAME}/index.html", "workers-rights/index.html", "404.html"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(site: Path, browser: Browser, path: str) -> None:
    for width, scheme in ((320, "light"), (375, "dark"), (1280, "light"), (1280, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        serve(page, site)
        page.goto(f"{ORIGIN}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        page.close()
