"""Links as they are kept."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import CollectConfig
from newsletter.links import canonical, cleaned_text
from tests.timing import is_linear

TRACKING = CollectConfig().tracking


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://example.org/a?utm_source=x&utm_medium=email", "https://example.org/a"),
        ("https://example.org/a?id=7&UTM_Source=x&page=2", "https://example.org/a?id=7&page=2"),
        ("https://example.org/a?emci=1-2&emdi=3&ceid=44", "https://example.org/a"),
        ("https://example.org/a?mc_eid=abc&mc_cid=d#part", "https://example.org/a#part"),
        ("https://example.org/a#utm_source=rss", "https://example.org/a"),
        ("HTTPS://Example.ORG:443/A?#", "https://example.org/A"),
        ("http://example.org:8080", "http://example.org:8080/"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/a%20b?q=a%26b", "https://example.org/a%20b?q=a%26b"),
        ("  https://example.org/ ", "https://example.org/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("https://[::1", "https://[::1"),
    ],
)
def test_tracking_goes_and_what_the_page_needs_stays(given: str, kept: str) -> None:
    assert canonical(given, TRACKING) == kept


TARGET = "https://example.org/story?id=7"


@pytest.mark.parametrize(
    "wrapped",
    [
        f"https://nam02.safelinks.protection.outlook.com/?url={quote(TARGET, safe='')}&data=05%7C01&reserved=0",
        f"https://www.google.com/url?q={quote(TARGET, safe='')}&sa=D&source=editors",
        f"https://l.facebook.com/l.php?u={quote(TARGET + '&fbclid=x', safe='')}&h=AT0",
        f"https://urldefense.proofpoint.com/v1/url?u={quote(TARGET, safe='')}",
        f"https://l.facebook.com/l.php?u={quote('https://www.google.com/url?q=' + quote(TARGET, safe=''), safe='')}",
    ],
)
def test_a_wrapped_link_is_unwrapped(wrapped: str) -> None:
    assert canonical(wrapped, TRACKING) == TARGET


@pytest.mark.parametrize(
    "url",
    ["https://www.google.com/url?q=javascript:alert(1)", "https://l.facebook.com/l.php", "https://www.google.com/maps"],
)
def test_a_wrapper_that_holds_no_address_is_left_alone(url: str) -> None:
    assert canonical(url, TRACKING) == url


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    canonical(text, TRACKING)
    canonical(f"https://example.org/{text}", TRACKING)


@given(st.text(min_size=1), st.dictionaries(st.sampled_from(["utm_source", "id", "q", "fbclid"]), st.text()))
def test_what_is_canonical_stays_as_it_is(path: str, query: dict[str, str]) -> None:
    pairs = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    once = canonical(f"https://example.org/{quote(path)}?{pairs}", TRACKING)
    assert canonical(once, TRACKING) == once
    assert "utm_source" not in once.partition("?")[2].split("=")[0]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://t.example.org/s?q=(a)b&utm_source=n&emci=abc", "https://t.example.org/s?q=(a)b"),
        ("see https://example.org/a?utm_source=n, or not", "see https://example.org/a, or not"),
        ("[a](https://example.org/?q=(a)b&emci=1)[b](https://example.org/?ceid=2)", None),
        ("<https://example.org/?utm\\_source=n&amp;emci=b&id=4>", "<https://example.org/?id=4>"),
        (
            "https://example.org/?n={{ first_name | friend }}&utm_source=n",
            "https://example.org/?n={{ first_name | friend }}",
        ),
        ('"https://example.org/?q="b"&utm_source=n&emci=abc"', '"https://example.org/?q="b""'),
        ("https://example.org/a?utm_source=n。次", "https://example.org/a。次"),
        ("https://example.org/#/page?id=1&utm_source=x", "https://example.org/#/page?id=1"),
        ("https://example.org/a?a=1;utm_medium=y", "https://example.org/a?a=1"),
        ("HTTPS://EXAMPLE.ORG/A?FBCLID=1", "https://example.org/A"),
        (
            "https://example.org/?next=https%3A%2F%2Fb.example%2F%3Futm_source%3Dn%26id%3D1",
            "https://example.org/?next=https%3A%2F%2Fb.example%2F%3Fid%3D1",
        ),
        ("https://jane:secret@example.org/a?utm_source=n", "https://example.org/a"),
        ("www.example.org/a?utm_source=n", "www.example.org/a"),
        ("no address: a=b & c?", "no address: a=b & c?"),
        ("https://exämple.org/ä stays as it's written", "https://exämple.org/ä stays as it's written"),
    ],
)
def test_addresses_in_a_text_hold_nothing_of_who_clicked(given: str, kept: str | None) -> None:
    expected = kept or "[a](https://example.org/?q=(a)b)[b](https://example.org/)"
    assert cleaned_text(given, TRACKING) == expected


@pytest.mark.parametrize(
    "piece",
    [
        "https://a.org/(",
        "https://a.org/?b=",
        "(https://)",
        "&utm_source=",
        "https://x?a=b&",
        "https://l.facebook.com/l.php?u=",
        " ",
        "](",
        "\\_",
    ],
)
def test_a_longer_text_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: cleaned_text(piece * (size // len(piece)), TRACKING))
