"""The links of an issue's texts, as a reader of Markdown finds them."""

from __future__ import annotations

import pytest

from newsletter.check.links import links_in
from tests.desk import ISSUE, Desk


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("[a](https://en.example/wiki/Lane_(2014))", [("a", "https://en.example/wiki/Lane_(2014)")]),
        ("[a](<https://en.example/a b>)", [("a", "https://en.example/a%20b")]),
        ('[the [2014] case](https://a.example/x "title")', [("the [2014] case", "https://a.example/x")]),
        ("<https://a.example/x_(y)>", [("https://a.example/x_(y)", "https://a.example/x_(y)")]),
        ("[**bold** words][1]\n\n[1]: https://a.example/año", [("bold words", "https://a.example/a%C3%B1o")]),
        ("![picture](https://a.example/x.png) `[code](https://a.example)`", []),
        ("[](https://a.example/)", [("", "https://a.example/")]),
        (
            "[a](https://a.example/1)[b](https://a.example/2)",
            [("a", "https://a.example/1"), ("b", "https://a.example/2")],
        ),
        ("[a](htps://a.example)", [("a", "htps://a.example")]),
    ],
)
def test_links_are_those_that_the_page_has(text: str, links: list[tuple[str, str]]) -> None:
    assert list(links_in(text)) == links


@pytest.mark.parametrize(
    ("url", "wrapped"),
    [
        ("https://www.google.com/url?q=https%3A%2F%2Fx.example%2F", True),
        ("https://urldefense.com/v3/__https://x.example/__;!!Abc!T$", True),
        ("https://bit.ly/abc", True),
        ("https://www.google.com/maps", False),
        ("https://exämple.org/", False),
    ],
)
def test_a_link_that_leads_through_others_is_found(desk: Desk, url: str, wrapped: bool) -> None:
    desk.write_issue("wrapped", ISSUE + f"\n[The report of the board]({url})\n")
    issue = desk.space.compose("wrapped")
    found = {finding.rule for finding in desk.space.check(issue, desk.space.render(issue))}
    assert ("links/shortened" in found) == wrapped
