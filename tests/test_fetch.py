"""Fetching, from a website that behaves as badly as real ones do."""

from __future__ import annotations

import gzip
import time

import pytest

from newsletter.errors import InputError
from newsletter.fetch import fetch
from tests.website import Reply, Website

HERE = ("127.0.0.1",)


def test_a_page_comes_with_where_its_redirects_ended(website: Website) -> None:
    end = website.put("/end", "<p>hello")
    start = website.redirect("/start", "/middle")
    website.redirect("/middle", end)
    page = fetch(start, private_hosts=HERE)
    assert (page.url, page.status, page.type, page.body) == (end, 200, "text/html", b"<p>hello")


def test_who_asks_is_said(website: Website) -> None:
    fetch(website.put("/", "x"), private_hosts=HERE)
    assert website.asked[0][1]["User-Agent"] == "newsletter-desk"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_a_private_address_is_never_asked(website: Website, host: str) -> None:
    website.put("/", "secret")
    with pytest.raises(InputError, match=r"not on the public internet|can't be reached"):
        fetch(website.url.replace("127.0.0.1", host) + "/")
    assert website.asked == []


def test_a_redirect_to_a_private_address_is_not_followed(website: Website) -> None:
    start = website.redirect("/", website.url.replace("127.0.0.1", "localhost") + "/secret")
    with pytest.raises(InputError, match="not on the public internet"):
        fetch(start, private_hosts=HERE)
    assert [path for path, _ in website.asked] == ["/"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)"])
def test_a_redirect_out_of_the_web_is_not_followed(website: Website, target: str) -> None:
    with pytest.raises(InputError, match="redirects to an address that doesn't start with https://"):
        fetch(website.redirect("/", target), private_hosts=HERE)


def test_redirects_in_a_loop_are_refused(website: Website) -> None:
    website.redirect("/b", "/a")
    with pytest.raises(InputError, match="in a loop"):
        fetch(website.redirect("/a", "/b"), private_hosts=HERE)


def test_too_many_redirects_are_refused(website: Website) -> None:
    for number in range(9):
        website.redirect(f"/{number}", f"/{number + 1}")
    with pytest.raises(InputError, match="too often"):
        fetch(website.url + "/0", private_hosts=HERE)


def test_a_huge_body_is_refused(website: Website) -> None:
    with pytest.raises(InputError, match="larger than 2 MB"):
        fetch(website.put("/", b"x" * 2_000_001), private_hosts=HERE)


def test_a_small_body_that_swells_is_refused(website: Website) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(InputError, match="larger than 2 MB"):
        fetch(website.put("/", bomb, Content_Encoding="gzip"), private_hosts=HERE)


def test_a_body_that_drips_is_given_up_on(website: Website) -> None:
    website.pages["/"] = Reply(drip=lambda: time.sleep(0.05))
    begun = time.monotonic()
    with pytest.raises(InputError, match="in time"):
        fetch(website.url + "/", private_hosts=HERE, seconds=0.5)
    assert time.monotonic() - begun < 10


def test_a_fault_is_one_line_with_the_address(website: Website) -> None:
    with pytest.raises(InputError) as caught:
        fetch(website.url + "/none", private_hosts=HERE)
    assert str(caught.value) == f"{website.url}/none: answered 404"
    with pytest.raises(InputError, match="can't be reached"):
        fetch("http://127.0.0.1:1/", private_hosts=HERE)
    with pytest.raises(InputError, match=r"has no address|can't be reached|no usable"):
        fetch("https://nobody.invalid/")


def test_a_page_that_sets_a_cookie_and_leads_to_itself_is_asked_again_with_it(website: Website) -> None:
    website.pages["/page"] = Reply(b"words", cookie="seen=1")
    assert fetch(f"{website.url}/page", private_hosts=("127.0.0.1",)).body == b"words"


def test_a_redirect_in_raw_utf_8_is_followed(website: Website) -> None:
    website.put("/a%C3%B1o", "words")
    website.redirect("/page", "/año".encode().decode("latin-1"))
    page = fetch(f"{website.url}/page", private_hosts=("127.0.0.1",))
    assert (page.url, page.body) == (f"{website.url}/a%C3%B1o", b"words")


@pytest.mark.parametrize(
    "target", ["https://[tbd].org/", "javascript:alert(1)", "https://u:p@127.0.0.1/", "ftp://a.example/"]
)
def test_a_redirect_to_what_is_no_address_is_one_line(website: Website, target: str) -> None:
    website.redirect("/page", target)
    with pytest.raises(InputError, match=r"redirects to an address that|gave no usable answer"):
        fetch(f"{website.url}/page", private_hosts=("127.0.0.1",))


@pytest.mark.parametrize(
    "url", ["https://[tbd].org", "https://t.example.org？", "file:///etc/passwd", "https://a b/", ""]
)
def test_what_is_no_address_is_one_line(url: str) -> None:
    with pytest.raises(InputError, match="can't be fetched"):
        fetch(url)
