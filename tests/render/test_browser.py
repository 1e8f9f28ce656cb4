from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from newsletter.check.accessibility import contrast
from newsletter.config import Config
from newsletter.model import Issue
from newsletter.render import render
from newsletter.render.specimen import specimen
from tests.samples import FOLDERS, sample_config, sample_issue, sample_round_up

pytestmark = pytest.mark.browser
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><path d="M0 0h1200v800H0" fill="#456"/></svg>'
# A message has no landmarks of a page's: mail programs show it inside a page of their own.
AXE = {
    "resultTypes": ["violations"],
    "rules": {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}},
}
VIEWS = tuple(itertools.product((375, 600), ("light", "dark")))


def opened(browser: Browser, issue: Issue, width: int, scheme: str, config: Config | None = None) -> Page:
    """The merged message in a window of that width, with a picture in every place and no network."""
    result = render(issue, config or sample_config(), folders=FOLDERS)
    dark: Literal["light", "dark"] = "dark" if scheme == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=dark)

    def answer(route: Route) -> None:
        route.fulfill(body=SVG, content_type="image/svg+xml")

    page.route("**/*", answer)
    page.set_content(result.html.merge_html({"unsubscribe_url": "https://mail.example.org/u/token"}))
    return page


def boxes(page: Page) -> tuple[dict[str, float], dict[str, float]]:
    """Where the photo and the words of the first card with both stand."""
    photo = page.locator(".mj-column-per-38").first.bounding_box()
    words = page.locator(".mj-column-per-62").first.bounding_box()
    assert photo
    assert words
    return dict(photo), dict(words)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [sample_issue, sample_round_up])
def test_columns_stand_side_by_side_at_600(browser: Browser, make: type) -> None:
    page = opened(browser, make(), 600, "light")
    photo, words = boxes(page)
    assert photo["y"] == pytest.approx(words["y"], abs=2)
    assert photo["x"] + photo["width"] <= words["x"] + 1
    assert 200 < photo["width"] < 240
    page.close()


@pytest.mark.parametrize("make", [sample_issue, sample_round_up])
def test_columns_are_stacked_at_375(browser: Browser, make: type) -> None:
    page = opened(browser, make(), 375, "light")
    photo, words = boxes(page)
    assert photo["y"] + photo["height"] <= words["y"] + 1
    assert photo["width"] == pytest.approx(words["width"], abs=1)
    page.close()


@pytest.mark.parametrize("make", [sample_issue, sample_round_up])
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_axe_finds_nothing_and_nothing_is_too_wide(browser: Browser, make: type, width: int, scheme: str) -> None:
    page = opened(browser, make(), width, scheme)
    found = Axe().run(page, options=AXE)
    assert not [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found.response["violations"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("make", [sample_issue, sample_round_up])
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_no_words_are_smaller_than_14_pixels(browser: Browser, make: type, width: int, scheme: str) -> None:
    page = opened(browser, make(), width, scheme)
    smallest = page.evaluate(
        """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let least = 99;
        while (walk.nextNode()) if (walk.currentNode.data.trim() && walk.currentNode.parentElement.offsetParent)
          least = Math.min(least, parseFloat(getComputedStyle(walk.currentNode.parentElement).fontSize));
        return least }"""
    )
    assert smallest >= 14
    page.close()


@pytest.mark.parametrize("template", ["network-download", "workers-rights", "state-download", "press-bulletin"])
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_axe_finds_nothing_in_any_component(browser: Browser, template: str, width: int, scheme: str) -> None:
    config = sample_config()
    publication = replace(config.publications["workers-rights"], template=template)
    tried = replace(config, publications={**config.publications, publication.slug: publication})
    page = opened(browser, specimen(publication), width, scheme, tried)
    found = Axe().run(page, options=AXE)
    assert not [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found.response["violations"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_dark_readers_get_a_dark_page(browser: Browser) -> None:
    page = opened(browser, sample_issue(), 600, "dark")
    grounds = page.evaluate(
        "[...document.querySelectorAll('.paper,.foot,.box table,body')].map(e => getComputedStyle(e).backgroundColor)"
    )
    for ground in grounds:
        assert max(map(int, ground.removeprefix("rgb(").removesuffix(")").split(", "))) < 70, ground
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("template", ["network-download", "press-bulletin", "state-download", "workers-rights"])
def test_alternative_texts_can_be_read_where_pictures_are_off(browser: Browser, template: str, scheme: str) -> None:
    config = sample_config()
    publication = replace(config.publications["network-download"], template=template)
    config = replace(config, publications={**config.publications, publication.slug: publication})
    page = opened(browser, specimen(publication), 600, scheme, config)
    pairs = page.evaluate(
        """() => [...document.images].map(image => {
            const clear = "rgba(0, 0, 0, 0)"
            let around = image
            while (getComputedStyle(around).backgroundColor === clear) around = around.parentElement
            return [getComputedStyle(image).color, getComputedStyle(around).backgroundColor]
        })"""
    )
    page.close()
    assert len(pairs) > 3
    for ink, ground in pairs:
        assert contrast(_hex(ink), _hex(ground)) >= 4.5, (ink, ground)


def _hex(colour: str) -> str:
    """`rgb(1, 2, 3)` as #010203."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])
