"""The studio in a real browser: it follows the files, works with the keyboard, and axe finds nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from newsletter.studio import Studio, create_app
from newsletter.workspace import system_clock
from tests.desk import ISSUE, Desk
from tests.studio.test_studio import NAME

pytestmark = pytest.mark.browser


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """The studio on a free port of this machine."""
    studio = Studio(desk.folder / "config.toml", system_clock())
    application: list[object] = []
    server = make_server("127.0.0.1", 0, lambda *a: application[0](*a), threaded=True)  # type: ignore[operator]
    application.append(create_app(studio, server.port))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    studio.stop()
    server.shutdown()
    thread.join()
    server.server_close()
    studio.space.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that is closed before the studio is, so that no console speaks of a server that went away."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    faults: list[str] = []
    opened.on("pageerror", lambda fault: faults.append(str(fault)))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield opened
    opened.close()
    assert faults == []


def bench(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/issues/{NAME}/{query}")
    expect(page.frame_locator("#frame").get_by_text("Heard at last").first).to_be_visible()


def test_a_save_repaints_the_preview_and_keeps_the_place(page: Page, address: str, desk: Desk) -> None:
    bench(page, address, "?view=phone")
    page.evaluate("document.getElementById('frame').contentWindow.scrollTo(0, 600)")
    desk.write_issue(NAME, ISSUE.replace("Heard at last", "Heard in full"))
    expect(page.frame_locator("#frame").get_by_text("Heard in full").first).to_be_attached()
    expect(page.locator("#panel").get_by_role("button", name="Heard in full", exact=True)).to_be_visible()
    assert page.evaluate("document.getElementById('frame').contentWindow.scrollY") == 600


def test_a_fault_is_shown_and_goes_with_the_next_save(page: Page, address: str, desk: Desk) -> None:
    bench(page, address)
    desk.write_issue(NAME, ISSUE + "\n[[nowhere]]\n")
    expect(page.locator("#panel")).to_contain_text('no stored item or policy "nowhere"')
    desk.write_issue(NAME, ISSUE)
    expect(page.frame_locator("#frame").get_by_text("Heard at last").first).to_be_visible()


def test_a_part_is_moved_dropped_and_brought_back_with_the_keyboard(page: Page, address: str, desk: Desk) -> None:
    path = desk.space.issues / NAME / "issue.md"
    bench(page, address)
    page.get_by_role("button", name="Move down: National convening").focus()
    page.keyboard.press("Enter")
    moved = page.get_by_role("button", name="Move up: National convening")
    expect(moved).to_be_focused()
    assert path.read_text(encoding="utf-8").endswith("- [[organizer-job]]\n- [[denver-convening]]\n")
    page.get_by_role("button", name="Drop: National convening").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Drop: National convening")).to_have_count(0)
    expect(page.get_by_role("button", name="Take back the last change")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Drop: National convening")).to_be_visible()


def test_the_whole_page_is_walked_with_the_tab_key(page: Page, address: str) -> None:
    bench(page, address)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.outerHTML.slice(0, 60)"))
    told = " ".join(reached)
    for part in (
        'class="skip"',
        'type="radio" name="view"',
        'name="reader"',
        'class="find"',
        'class="act"',
        "<summary",
    ):
        assert part in told, part


def test_another_view_is_shown_without_loading_the_page(page: Page, address: str) -> None:
    bench(page, address)
    page.get_by_role("radio", name="Plain text").check(force=True)
    expect(page.frame_locator("#frame").locator("pre")).to_contain_text("IN THE COURTS", ignore_case=True)
    page.get_by_role("radio", name="Archive page").check(force=True)
    expect(page.frame_locator("#frame").locator("h1").first).to_be_visible()
    assert "view=page" in page.url


def test_a_part_is_found_in_the_preview(page: Page, address: str) -> None:
    bench(page, address, "?view=phone")
    page.get_by_role("button", name="We are hiring a membership organizer", exact=True).click()
    assert page.evaluate("document.getElementById('frame').contentWindow.scrollY") > 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_axe_finds_nothing_on_any_page(browser: Browser, address: str, scheme: str, width: int) -> None:
    opened = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    for path in ("/", f"/issues/{NAME}/?scheme={scheme}", f"/issues/{NAME}/?view=text", "/templates/", "/issues/none/"):
        opened.goto(address + path)
        results = Axe().run(opened, options={"iframes": False})
        assert results.response["violations"] == [], (path, results.generate_report())
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    opened.close()


def test_words_are_written_with_the_keyboard_and_what_is_typed_stays(page: Page, address: str, desk: Desk) -> None:
    path = desk.space.issues / NAME / "issue.md"
    bench(page, address)
    part = page.locator("li", has=page.get_by_role("button", name="Heard at last", exact=True))
    part.locator("summary", has_text="Edit headline and blurb").focus()
    page.keyboard.press("Enter")
    part.get_by_label("Headline").fill("Heard in full")
    desk.write_issue(NAME, ISSUE + "\nA word more.\n")
    expect(page.locator("#panel").get_by_role("button", name="A word more.", exact=True)).to_be_visible()
    expect(part.get_by_label("Headline")).to_have_value("Heard in full")
    part.get_by_label("Headline").press("Enter")
    expect(page.frame_locator("#frame").get_by_text("Heard in full").first).to_be_attached()
    assert "[[hb1-hearing]] Heard in full\n" in path.read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8").endswith("A word more.\n")
