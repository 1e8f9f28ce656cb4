"""What browsers may load, and what is planted into every field on its way out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from lxml import html
from playwright.sync_api import Browser

from newsletter.merge import MergeField, MergeText
from newsletter.model import (
    Amendments,
    Correction,
    Gone,
    Level,
    Link,
    Place,
    Policy,
    PolicyEntry,
    Snapshot,
    Status,
    StatusChange,
    Story,
)
from newsletter.publish import Approved, publish, search
from newsletter.publish.public import public
from tests.browsing import ORIGIN, serve
from tests.desk import Desk
from tests.publish.test_publish import NAME, site
from tests.publish.test_site import snapshot

__all__ = ["site", "snapshot"]

TRACKED = "https://t.example.org/s?q=(a)b&utm_source=n&emci=abc123"
#: A link that an indexer would follow into a script, wrapped as a search engine does.
WRAPPED = "https://www.google.com/url?q=" + quote('https://x.example/#"><script>alert(1)</script>', safe="")
PLANTED = (
    f'<script>alert(2)</script>"><img src=x onerror=alert(3)> {TRACKED} [a]({TRACKED}) [b]({WRAPPED}) <{TRACKED}> '
    f"[c](javascript:alert(4)) https://safe.example/?a=1&amp;utm_medium=n&amp;emdi=abc123"
)
LEAKS = (b"utm_source", b"utm_medium", b"emci", b"emdi", b"abc123", b"google.com/url")


def planted(value: Any) -> Any:
    """The value with something bad in every text that isn't a name or an address; addresses are tracked ones."""
    if isinstance(value, tuple):
        return tuple(planted(part) for part in value)
    if isinstance(value, MergeText):
        return value
    if not dataclasses.is_dataclass(value) or isinstance(value, type | MergeField | Place):
        return value
    fixed = {"slug", "path", "name", "file", "publication", "only", "mark", "issue", "time"}
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if field.name == "url":
            changed[field.name] = TRACKED
        elif type(old) is str and field.name not in fixed:
            changed[field.name] = f"{old} {PLANTED}"
        elif field.name not in fixed:
            changed[field.name] = planted(old)
    return replace(value, **changed)


def spoiled(snapshot: Snapshot) -> Snapshot:
    sections = []
    for section in snapshot.issue.sections:
        blocks = [planted(block) for block in section.blocks]
        stories = [block for block in blocks if isinstance(block, Story)]
        for story, kind in zip(stories, ("event", "news", "press", "job"), strict=False):
            item = replace(story.item, kind=kind, starts=dt.date(2022, 12, 1), topics=("rent",), time=PLANTED)
            blocks[blocks.index(story)] = replace(story, item=item)
        sections.append(replace(section, blocks=tuple(blocks)))
    issue = replace(snapshot.issue, sections=tuple(sections), teaser=PLANTED, title=f"Title {PLANTED}")
    variants = [
        replace(one, html=_with_link(one.html), text=MergeText((*one.text.parts, f"\n{PLANTED}\n")))
        for one in snapshot.variants
    ]
    return replace(snapshot, issue=issue, variants=tuple(variants))


def _with_link(message: MergeText) -> MergeText:
    first = message.parts[0]
    assert isinstance(first, str)
    link = f'<a href="{WRAPPED}">{TRACKED.replace("&", "&amp;")}</a><script>alert(5)</script>'
    begin, _, end = first.partition("</head>")
    body = end.index(">", end.index("<body")) + 1
    return MergeText((f"{begin}</head>{end[:body]}{link}{end[body:]}", *message.parts[1:]))


@pytest.fixture
def hostile(desk: Desk, snapshot: Snapshot) -> Path:
    """A site whose every text was planted."""
    change = StatusChange(status=Status.PASSED, date=dt.date(2022, 10, 1), url=TRACKED, note=PLANTED)
    told = next(e.policy for e in snapshot.issue.entries if isinstance(e, PolicyEntry))
    policy = planted(replace(told, links=(Link(label="Text", url=TRACKED),), history=(change,), level=Level.CITY))
    amendments = Amendments(
        corrections=(Correction(issue=NAME, date=dt.date(2022, 10, 15), note=PLANTED),),
        gone=(Gone(path="old", date=dt.date(2022, 10, 15), reason=PLANTED),),
    )
    space = desk.space
    publish(
        Approved.of([spoiled(snapshot)]),
        space.config,
        today=space.today(),
        themes=space.template_folders("archive"),
        policies=[policy],
        amendments=amendments,
    )
    return desk.folder / "archive"


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in (".jpg", ".png", ".webp", ".avif"):
            yield path.relative_to(folder).as_posix(), path.read_bytes().replace(b"\r\n ", b"")


def test_nothing_that_goes_out_says_who_clicked_or_runs_a_script(hostile: Path) -> None:
    seen = set()
    for name, data in files(hostile):
        seen.add(name.rpartition(".")[2])
        for leak in LEAKS:
            place = data.find(leak)
            assert place < 0, (name, leak, data[max(0, place - 150) : place + 150])
        if name.endswith(".html"):
            tree: Any = html.document_fromstring(data)
            scripts = [s for s in tree.xpath("//script") if s.get("type") != "application/ld+json"]
            assert all(script.get("src") and not script.text for script in scripts), name
            assert not tree.xpath("//*[@onerror or @onclick or @onload] | //iframe | //object | //base"), name
            assert not [
                link for link in tree.xpath("//@href | //@src") if link.strip().lower().startswith("javascript")
            ]
            assert tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content"), name
    assert seen >= {"html", "txt", "atom", "rss", "json", "ics", "csv", "xml"}


@pytest.mark.browser
def test_the_pages_of_a_hostile_site_run_nothing(hostile: Path, browser: Browser) -> None:
    page = browser.new_page()
    complaints = serve(page, hostile)
    for name in ("index.html", f"{NAME}/index.html", f"{NAME}/as-mailed.html", "policies/index.html"):
        page.goto(f"{ORIGIN}/{name}")
    page.close()
    assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("under", ["/", "/news/archive/"])
def test_no_page_is_stopped_by_its_own_policy(site: Path, browser: Browser, under: str) -> None:
    page = browser.new_page()
    complaints = serve(page, site, under=under)
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if not name.startswith("pagefind/") and name != "404.html":
            page.goto(f"{ORIGIN}{under}{name}")
    page.goto(f"{ORIGIN}{under}{NAME}/index.html")
    brand = page.evaluate("getComputedStyle(document.querySelector('.banner')).backgroundColor")
    page.close()
    assert complaints == []
    assert brand != "rgba(0, 0, 0, 0)"


@pytest.mark.browser
@pytest.mark.skipif(not search.installed(), reason="Pagefind is not installed")
def test_the_search_finds_something_under_its_policy(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    complaints = serve(page, site)
    page.goto(f"{ORIGIN}/search/index.html")
    page.locator("#search input").first.fill("Denver")
    page.wait_for_selector(".pagefind-ui__message:has-text('result')")
    page.close()
    assert complaints == []


def test_what_holds_nothing_of_a_reader_is_the_same_object(snapshot: Snapshot) -> None:
    assert public(snapshot.issue, ("utm_*",)) is snapshot.issue
    policy = Policy(
        slug="a", title="A", place=Place(), level=Level.CITY, url="https://a.example/?utm_source=n", summary="x"
    )
    assert public(policy, ("utm_*",)) == replace(policy, url="https://a.example/")
