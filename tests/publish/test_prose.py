"""Links of a page lead to recorded copies, and nothing else of the page changes."""

from __future__ import annotations

import pytest
from lxml import html

from newsletter.publish.prose import with_archived_copies

COPY = "https://web.archive.example/1"
PAGE = (
    '<!doctype html>\n<html lang="en"><head><title>T</title><script type="application/ld+json">{"a":"<\\/b"}</script>'
    '</head><body><svg viewBox="0 0 1 1"><rect width="1"></rect></svg><p>One {} two.</p></body></html>\n'
)


def led(link: str, url: str = "https://a.example/x?a=1&b=2") -> str:
    return with_archived_copies({url: COPY})(PAGE.replace("{}", link, 1))


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://a.example/x?a=1&amp;b=2">words</a>',
        "<a href='https://a.example/x?a=1&b=2'>words</a>",
        '<a class="k" href="https://A.example:443/x?a=1&amp;b=2" rel="x"><b>words</b></a>',
        '<a href="https://a.example/x?a=1&#38;b=2"\n>words</a>',
    ],
)
def test_a_link_leads_to_its_copy_however_it_is_written(link: str) -> None:
    tree = html.fromstring(led(link))
    said = str(tree.xpath("string(//p)"))
    (anchor,) = tree.iter("a")
    assert anchor.get("href") == COPY
    told = " ".join(said.split()).replace("A.example:443", "a.example")
    assert told == "One words (archived copy of https://a.example/x?a=1&b=2) two."


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://b.example/">https://a.example/x?a=1&amp;b=2</a>',
        "https://a.example/x?a=1&amp;b=2",
        '<a href="https://a.example/y">words</a>',
        '<a name="https://a.example/x?a=1&amp;b=2">words</a>',
    ],
)
def test_a_page_without_the_link_stays_as_it_is(link: str) -> None:
    assert led(link) == PAGE.replace("{}", link, 1)


def test_scripts_and_drawings_of_a_changed_page_stay() -> None:
    page = led('<a href="https://a.example/x?a=1&amp;b=2">words</a>')
    assert '<script type="application/ld+json">{"a":"<\\/b"}</script>' in page
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert html.fromstring(page).xpath("//*[local-name()='rect']/@width") == ["1"]
