"""What a page is, among the many things that it holds."""

from __future__ import annotations

import json

import pytest

from newsletter.collect.unfurl import unfurl
from newsletter.config import CollectConfig
from newsletter.fetch import Page

TRACKING = CollectConfig().tracking
URL = "https://news.example/story"
EVENT = {"@type": "Event", "name": "Bake sale", "startDate": "2026-12-05"}
ARTICLE = {"@type": "NewsArticle", "headline": "County votes", "datePublished": "2026-11-03"}


def kind_of(*things: object, head: str = "", title: str = "County votes", url: str = URL) -> str:
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)
    html = f"<html><head><title>{title}</title>{head}{scripts}</head><body><h1>{title}</h1><p>x</p></body></html>"
    page = Page(url=url, status=200, headers={"content-type": "text/html"}, body=html.encode())
    return str(unfurl(page, TRACKING)["kind"])


OG_ARTICLE = '<meta property="og:type" content="article">'


@pytest.mark.parametrize(
    ("things", "head", "kind"),
    [
        ([EVENT, ARTICLE], "", "news"),
        ([ARTICLE, EVENT], "", "news"),
        ([{"@graph": [EVENT, {**ARTICLE, "@type": ["Article", "NewsArticle"]}]}], "", "news"),
        ([{"@type": "VideoObject", "name": "County votes"}, ARTICLE], "", "news"),
        ([{"@type": "VideoObject", "name": "A clip"}], OG_ARTICLE, "news"),
        ([[EVENT, {**EVENT, "name": "Concert"}]], "", "news"),
        ([EVENT], OG_ARTICLE, "news"),
        ([{**EVENT, "url": "https://news.example/calendar/bake-sale"}], "", "news"),
        ([EVENT], "", "event"),
        ([{**EVENT, "name": "County votes"}, {**EVENT, "url": "/calendar/x"}], OG_ARTICLE, "event"),
        ([{**EVENT, "url": URL + "/"}, {**EVENT, "name": "Concert"}], "", "event"),
        ([{"@type": "WebPage", "mainEntity": {**EVENT, "@type": "http://schema.org/MusicEvent"}}], "", "event"),
        ([{"@type": "JobPosting", "title": "County votes"}], "", "job"),
        ([{"@type": "VideoObject", "name": "County votes"}], "", "video"),
        ([{"@type": "Report", "name": "County votes"}], "", "report"),
    ],
)
def test_the_main_thing_of_a_page_wins_over_its_sidebar(things: list[object], head: str, kind: str) -> None:
    assert kind_of(*things, head=head) == kind


def page_of(head: str = "", body: str = "", content_type: str = "text/html") -> Page:
    html = f"<html><head><title>T</title>{head}</head><body>{body}</body></html>"
    return Page(url=URL, status=200, headers={"content-type": content_type}, body=html.encode("cp1252"))


def test_no_day_is_made_of_the_year_in_a_footer() -> None:
    assert "date" not in unfurl(
        page_of(body="<article><p>words</p></article><footer>© 2026 Example</footer>"), TRACKING
    )


def test_what_was_read_with_doubt_is_said() -> None:
    notes: list[str] = []
    event = {"@type": "Event", "name": "T", "startDate": "11/05/2026 6:00 PM", "endDate": "late"}
    form = unfurl(page_of(f'<script type="application/ld+json">{json.dumps(event)}</script>'), TRACKING, notes=notes)
    assert form["starts"] == "2026-11-05"
    assert notes == [
        'its first day "11/05/2026 6:00 PM" was read as 2026-11-05',
        'its last day couldn\'t be read: "late"',
    ]


def test_the_encoding_of_the_header_counts_and_an_author_is_a_name() -> None:
    head = '<meta property="og:title" content="Núñez"><meta name="author" content="ana@example.org">'
    form = unfurl(page_of(head, content_type="text/html; charset=windows-1252"), TRACKING)
    assert form["title"] == "Núñez"
    assert "author" not in form


@pytest.mark.parametrize(
    "address", ["https://[tbd].org/a", "https://news.example:99999/a", "http://u:p@news.example/a", "javascript:x"]
)
def test_addresses_that_can_be_none_are_left_out_of_a_page(address: str) -> None:
    form = unfurl(
        page_of(f'<link rel="canonical" href="{address}"><meta property="og:image" content="{address}">'), TRACKING
    )
    assert form["url"] == URL
    assert "photo" not in form
