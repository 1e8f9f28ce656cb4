"""An issue in one file for review, and what changed since the approval, in words and pictures."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser

from newsletter import chromium
from newsletter.errors import InputError
from newsletter.review import _marked
from tests.conftest import CHROMIUM, needed
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"


@pytest.fixture
def review(desk: Desk) -> Path:
    desk.write_issue(NAME, ISSUE + '\n::: only state = "TX"\n\nOnly Texas reads these words.\n\n:::\n')
    done = desk.run("render", NAME, "-o", "review.html")
    assert done.returncode == 0, done.stderr
    return desk.folder / "review.html"


def test_a_review_holds_all_that_a_reader_of_it_needs(review: Path) -> None:
    page = review.read_text(encoding="utf-8")
    for words in (
        "📬 Network Download | HB 1 in court | October 2022",
        "HEARD AT LAST",
        "https://example.org/story",
        "Only Texas reads these words.",
        "g1: what differs from the default",
    ):
        assert words.lower() in page.lower(), words


def test_a_review_needs_nothing_from_elsewhere(review: Path, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(review.as_uri())
    frame = page.frame_locator("iframe")
    picture = frame.locator("img").first
    assert picture.evaluate("image => image.naturalWidth") == 1200
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing_in_a_review(review: Path, browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.goto(review.as_uri())
    results = Axe().run(page, options={"iframes": False})
    assert results.response["violations"] == [], results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@pytest.fixture
def chromium_here() -> None:
    if not CHROMIUM:
        needed("chromium is not installed")


@pytest.mark.usefixtures("chromium_here")
def test_a_review_is_printed_with_chromium(desk: Desk) -> None:
    done = desk.run("render", NAME, "-o", "review.pdf")
    assert done.returncode == 0, done.stderr
    data = (desk.folder / "review.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 2


def test_without_chromium_one_line_says_what_is_missing(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("render", NAME, "-o", "review.pdf", PATH=str(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "needs Chromium" in done.stderr


@pytest.mark.usefixtures("chromium_here")
def test_what_changed_is_shown_in_words_and_pictures(desk: Desk) -> None:
    desk.space.approve(NAME, by="Dana")
    desk.write_issue(NAME, ISSUE.replace("This month", "This long month"))
    done = desk.run("diff", NAME, "-o", "changes.html")
    assert (done.returncode, done.stdout) == (0, "changes.html\n")
    page = (desk.folder / "changes.html").read_text(encoding="utf-8")
    assert '<span class="new">+This long month eight cities were heard.' in page
    assert page.count("data:image/png;base64,") == 2


@pytest.mark.usefixtures("chromium_here")
def test_a_picture_of_a_page_ends_where_the_page_ends() -> None:
    shot = chromium.picture("<body style='margin:0'><div style='height:300px;background:#123456'></div>", width=400)
    with Image.open(io.BytesIO(shot)) as image:
        assert image.size == (400, 316)


def test_the_rows_that_differ_are_marked_on_both_sides() -> None:
    old = Image.new("RGB", (50, 60), "#ffffff")
    new = old.copy()
    new.paste("#336699", (20, 30, 40, 40))
    before, after = _marked(chromium.png(old), chromium.png(new))
    with Image.open(io.BytesIO(after)) as marked:
        assert marked.getpixel((2, 35)) == (0xD2, 0x1F, 0x1F)
        assert marked.getpixel((2, 10)) == (255, 255, 255)
    assert before


def test_variants_that_differ_alike_are_told_once(desk: Desk) -> None:
    guarded = ISSUE + '\n::: only state = "TX"\n\nOnly Texas reads these words.\n\n:::\n'
    desk.write_issue(NAME, guarded)
    desk.space.approve(NAME, by="Dana")
    desk.write_issue(NAME, guarded.replace("This month", "This long month"))
    told = desk.run("diff", NAME).stdout
    assert "approved (default, g1)" in told
    assert told.count("+This long month") == 1


def test_a_folder_that_is_not_there_is_one_line(desk: Desk) -> None:
    done = desk.run("render", NAME, "-o", "no/such/folder/review.html")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_what_chromium_cannot_do_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(InputError, match="made nothing of the page"):
        chromium.print_pdf("<p>x", tmp_path / "x.pdf")
