"""What pages say of themselves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.collect.unfurl import refreshed, unfurl
from newsletter.config import CollectConfig
from newsletter.errors import InputError
from newsletter.fetch import Page

TRACKING = CollectConfig().tracking


def page(
    head: str = "", body: str = "", url: str = "https://news.example/story?utm_source=x", kind: str = "text/html"
) -> Page:
    html = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return Page(url=url, status=200, headers={"content-type": f"{kind}; charset=utf-8"}, body=html.encode())


def meta(**properties: str) -> str:
    return "".join(
        f'<meta property="{name.replace("_", ":", 1)}" content="{value}">' for name, value in properties.items()
    )


def ld(**thing: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", **thing})}</script>'


def test_an_article_says_all_that_an_item_needs() -> None:
    head = meta(
        og_title="County program praised",
        og_description="A response team, in the paper.",
        og_site_name="Example Times",
        og_image="/photo.jpg",
        article_published_time="2026-11-02T10:00:00Z",
        article_author="Robin Writer",
    )
    assert unfurl(page(head), TRACKING) == {
        "kind": "news",
        "title": "County program praised",
        "url": "https://news.example/story",
        "summary": "A response team, in the paper.",
        "date": "2026-11-02",
        "outlet": "Example Times",
        "author": "Robin Writer",
        "photo": "https://news.example/photo.jpg",
        "photo_credit": "Example Times",
    }


def test_json_ld_is_enough() -> None:
    head = ld(
        **{"@type": "NewsArticle"},
        headline="Ranges in every ad",
        datePublished="2026-11-03",
        author={"@type": "Person", "name": "Ana Lee"},
        publisher={"@type": "Organization", "name": "Example Post"},
    )
    form = unfurl(page(head), TRACKING)
    assert (form["title"], form["date"], form["author"]) == ("Ranges in every ad", "2026-11-03", "Ana Lee")


def test_a_page_of_our_own_is_a_post_without_an_outlet() -> None:
    form = unfurl(page(meta(og_title="T", og_site_name="Us")), TRACKING, own_host="www.news.example")
    assert form["kind"] == "post"
    assert "outlet" not in form


def test_an_event_has_its_days_and_its_place() -> None:
    head = meta(og_title="Convening") + ld(
        **{"@type": "Event"},
        startDate="2026-12-05T18:30:00-05:00",
        endDate="2026-12-07",
        location={"@type": "Place", "name": "City Hall"},
    )
    form = unfurl(page(head), TRACKING)
    assert (form["kind"], form["starts"], form["ends"], form["venue"]) == (
        "event",
        "2026-12-05",
        "2026-12-07",
        "City Hall",
    )


def test_a_job_has_its_closing_day() -> None:
    head = meta(og_title="Organizer") + ld(**{"@graph": [{"@type": ["JobPosting"], "validThrough": "2026-12-31"}]})
    form = unfurl(page(head), TRACKING)
    assert (form["kind"], form["closes"]) == ("job", "2026-12-31")


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/real?fbclid=1", "https://news.example/real"),
        ("https://www.news.example/real", "https://www.news.example/real"),
        ("https://elsewhere.example/real", "https://news.example/story"),
        ("/", "https://news.example/story"),
    ],
)
def test_a_canonical_address_is_taken_from_the_same_site_only(href: str, url: str) -> None:
    assert unfurl(page(f'<link rel="canonical" href="{href}">' + meta(og_title="T")), TRACKING)["url"] == url


def test_a_page_that_says_nothing_leaves_the_other_keys_out() -> None:
    assert set(unfurl(page(body="<p>hi</p>"), TRACKING)) <= {"kind", "url", "outlet"}


def test_a_long_description_is_cut_after_a_sentence() -> None:
    text = "One sentence is this. " * 40
    summary = unfurl(page(meta(og_title="T", og_description=text)), TRACKING)["summary"]
    assert len(summary) <= 400
    assert summary.endswith("this.")


def test_what_is_no_web_page_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="no web page but application/pdf"):
        unfurl(page(kind="application/pdf"), TRACKING)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(body: bytes) -> None:
    try:
        unfurl(Page(url="https://news.example/", status=200, headers={}, body=body), TRACKING)
    except InputError:
        return


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/new", "https://news.example/new"),
        ("0;URL='https://other.example/new'", "https://other.example/new"),
        ("3, /new", "https://news.example/new"),
        ("0.1; url = new", "https://news.example/new"),
        ("300; url=/new", ""),
        ("60", ""),
        ("0; url=javascript:alert(1)", ""),
        ("0; url=https://news.example/old", ""),
        ("", ""),
    ],
)
def test_a_page_that_only_leads_to_another_is_followed(content: str, target: str) -> None:
    body = f'<html><head><META HTTP-EQUIV="Refresh" CONTENT="{content}"></head></html>'.encode()
    page = Page(url="https://news.example/old", status=200, headers={"content-type": "text/html"}, body=body)
    assert refreshed(page) == target
