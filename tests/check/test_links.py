"""The links of an issue's texts, as a reader of Markdown finds them."""

from __future__ import annotations

import pytest

from newsletter.check.links import links_in
from tests.timing import is_linear


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


@pytest.mark.parametrize("piece", ["[", "[a](", "](", "<https://a", "\\", "[a]( "])
def test_a_long_text_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: list(links_in(piece * (size // len(piece)))), size=1_500)
