"""The whole way of a reader in a real browser at phone width: in, on, out and back; with and without JavaScript."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from newsletter.languages import translations
from newsletter.workspace import Workspace
from tests.desk import Desk
from tests.web.service import mailed, person, served, standing

NEW = "gus@example.org"
pytestmark = pytest.mark.browser


def looked_at(page: Page, name: str, *, script: bool) -> None:
    """No fault for axe (which needs JavaScript), nothing wider than the phone; a picture where one is wanted."""
    if script:
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if folder := os.environ.get("NEWSLETTER_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("script", "scheme"),
    [(True, "light"), (True, "dark"), (False, "light")],
    ids=["with JavaScript", "with JavaScript in the dark", "without"],
)
def test_a_reader_joins_confirms_chooses_leaves_and_comes_back(
    space: Workspace, browser: Browser, language: str, script: bool, scheme: str
) -> None:
    _ = translations(language).gettext
    context = browser.new_context(
        viewport={"width": 375, "height": 740},
        java_script_enabled=script,
        locale="es-MX" if language == "es" else "en-US",
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    tag = f"{language}-{scheme}"

    def press(words: str) -> None:
        page.get_by_role("button", name=_(words), exact=True).click()

    with served(space) as address:
        page.goto(f"{address}/")
        looked_at(page, f"home-{tag}", script=script)
        page.get_by_role("link", name=_("Subscribe")).click()
        expect(page.get_by_label(_("Email address"))).to_be_visible()
        looked_at(page, f"subscribe-{tag}", script=script)
        press("Subscribe")
        assert page.get_by_label(_("Email address")).evaluate("input => !input.validity.valid")
        page.get_by_label(_("Email address")).fill(NEW)
        page.get_by_label(_("First name")).fill("Gus")
        page.get_by_label(_("State")).select_option("FL")
        press("Subscribe")
        expect(page.get_by_text(_("Choose at least one."))).to_be_visible()
        looked_at(page, f"fault-{tag}", script=script)
        page.get_by_label("Network Download").check()
        press("Subscribe")
        expect(page.get_by_role("heading", name=_("Look into your mailbox"))).to_be_visible()
        looked_at(page, f"mailbox-{tag}", script=script)

        (letter,) = mailed(space)
        page.goto(address + letter.path)
        looked_at(page, f"confirm-{tag}", script=script)
        press("Yes, send it to me")
        expect(page.get_by_role("heading", name=_("You are on the list"))).to_be_visible()
        looked_at(page, f"confirmed-{tag}", script=script)
        assert standing(space, NEW) == {"network-download": "active"}

        (welcome,) = mailed(space)
        page.goto(address + welcome.path)
        looked_at(page, f"preferences-{tag}", script=script)
        page.get_by_label("Workers' Rights Round Up").check()
        page.get_by_label(_("How much")).select_option("monthly")
        page.get_by_label(_("Pause")).select_option("4")
        press("Save")
        expect(page.get_by_text(_("Your choices are saved."))).to_be_visible()
        looked_at(page, f"saved-{tag}", script=script)
        assert standing(space, NEW) == {"network-download": "active", "workers-rights": "active"}

        found = person(space, NEW)
        assert found
        assert (found.language, found.frequency, found.state) == (language, "monthly", "FL")
        leave = space.unsubscribe_url(found.id, "network-download").removeprefix(space.config.service.url.rstrip("/"))
        page.goto(address + leave)
        looked_at(page, f"leave-{tag}", script=script)
        press("Unsubscribe")
        expect(page.get_by_role("button", name=_("That was a mistake, put me back"))).to_be_visible()
        assert standing(space, NEW)["network-download"] == "unsubscribed"
        looked_at(page, f"left-{tag}", script=script)
        press("That was a mistake, put me back")
        back = _("You are back on %(name)s") % {"name": "Network Download"}
        expect(page.get_by_role("heading", name=back)).to_be_visible()
        assert standing(space, NEW)["network-download"] == "active"
        looked_at(page, f"back-{tag}", script=script)

        page.get_by_role("link", name=_("Choose what you get")).click()
        press("Forget me")
        expect(page.get_by_role("heading", name=_("Look into your mailbox"))).to_be_visible()
        (last,) = mailed(space)
        page.goto(address + last.path)
        looked_at(page, f"forget-{tag}", script=script)
        press("Forget me")
        expect(page.get_by_role("heading", name=_("You are forgotten"))).to_be_visible()
        looked_at(page, f"forgotten-{tag}", script=script)
        assert person(space, NEW) is None
    context.close()


def test_a_reader_comes_from_the_archive_moves_to_another_address_and_leaves_by_a_rewritten_link(
    desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    desk.space.publish(tmp_path / "site")
    page = browser.new_context(viewport={"width": 375, "height": 740}, locale="en-US").new_page()
    front = desk.space.config.service.url.rstrip("/")

    def press(words: str) -> None:
        page.get_by_role("button", name=words, exact=True).click()

    with served(desk.space) as address:
        page.goto((tmp_path / "site" / "index.html").as_uri())
        link = page.get_by_role("link", name="Subscribe by email").first.get_attribute("href") or ""
        assert link.startswith(f"{front}/subscribe")
        page.goto(link.replace(front, address))
        page.get_by_label("Email address").fill(NEW)
        page.get_by_label("First name").fill("Gús")
        page.get_by_label("Network Download").check()
        press("Subscribe")
        (asking,) = mailed(desk.space)
        page.goto(f"{address}{asking.path}")
        press("Yes, send it to me")
        (welcome,) = mailed(desk.space)
        assert NEW in desk.run("subscribers", "search", "gus").stdout
        page.goto(f"{address}{welcome.path}")
        looked_at(page, "preferences-address", script=True)
        page.get_by_label("New address").fill("gus.new@example.net")
        press("Change my address")
        (moving,) = mailed(desk.space)
        page.goto(f"{address}{moving.path}")
        looked_at(page, "change-address", script=True)
        press("Change my address")
        expect(page.get_by_role("heading", name="Your address is changed")).to_be_visible()
        looked_at(page, "address-changed", script=True)
        found = person(desk.space, "gus.new@example.net")
        assert found
        leave = desk.space.unsubscribe_url(found.id, "network-download").replace(front, address)
        # As a gateway hands it on: encoded, inside another address, with parameters of its own behind it.
        page.goto(f"{address}/?url={quote(quote(leave, safe=''), safe='')}&data=05%7C02&reserved=0")
        press("Unsubscribe")
        expect(page.get_by_role("heading", name="You have left Network Download")).to_be_visible()
    assert standing(desk.space, "gus.new@example.net") == {"network-download": "unsubscribed"}
    assert person(desk.space, NEW) is None
