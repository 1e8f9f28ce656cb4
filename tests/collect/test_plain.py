"""The words of other people's HTML, and their names."""

from __future__ import annotations

import pytest

from newsletter.collect.plain import names_only, words
from tests.timing import is_linear


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a &#55357;&#56399; b", "a 👏 b"),
        ("a &#xD83D;&#xDC4F; b", "a 👏 b"),
        ("a &amp;#55357;&amp;#56399; b", "a 👏 b"),
        ("a &#55357; b &#x110000; c &#0; d", "a b c d"),
        ("a\x00b\x0bc\x1bd\ud800e\ufffff", "ab\ncdef"),
        ("a <b>c</b> &lt;d&gt; &#233;", "a c <d> é"),
    ],
)
def test_what_is_no_character_goes_alone(markup: str, text: str) -> None:
    assert words(markup) == text


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("jane.doe@example.org", ""),
        ("jane.doe@example.org (Jane Doe)", "Jane Doe"),
        ("Jane Doe <jane@example.org>", "Jane Doe"),
        ("mailto:jane@example.org", ""),
        ("By Jane Doe and Ann O'Hara", "Jane Doe and Ann O'Hara"),
        ("https://www.facebook.com/janedoe", ""),
        ("Jane Doe, https://example.org/jane", "Jane Doe"),
        ("@jane", ""),
        ("Jane Doe; Bob Poe", "Jane Doe, Bob Poe"),
        ("Núria Ñ. (WFAE)", "Núria Ñ. (WFAE)"),
    ],
)
def test_a_byline_holds_names_only(byline: str, names: str) -> None:
    assert names_only(byline) == names


@pytest.mark.parametrize("piece", ["&#55357;", "&amp;", "a@", "@", " ", "(", "https://", "<a href=x>", "<p>"])
def test_long_markup_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: words(piece * (size // len(piece))))
    assert is_linear(lambda size: names_only(piece * (size // len(piece))))
