"""Links as they are kept."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import CollectConfig
from newsletter.links import canonical

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
