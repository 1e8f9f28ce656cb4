"""Whatever comes in ends as something to store, or as one line that says why not."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.collect import feeds, transfer
from newsletter.collect.letters import read_letter
from newsletter.collect.unfurl import unfurl
from newsletter.config import CollectConfig, Feed
from newsletter.errors import NewsletterError
from newsletter.fetch import Page

TRACKING = CollectConfig().tracking
TODAY = dt.date(2026, 11, 26)
small = settings(
    max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "&",
            "]]>",
            "<![CDATA[",
            "&#55357;",
            "&#x110000;",
            "\0",
            "\x1b",
            "\ud83d",
            "é",
            " ",
            "\n",
            "{",
            "}",
        ),
        *("<item>", "</item>", "<title>", "</title>", "<link>", "</link>", "<entry>", "<guid>", "<pubDate>", "<!--"),
        *(
            "https://[tbd].org",
            "https://t.example.org？",
            "https://a.example/(",
            "2026-11-05T00:30:00Z",
            "=?utf-8?b?/?=",
        ),
        *("Subject: ", "Date: ", "Content-Type: multipart/mixed; boundary=a", "--a", "charset=", "[[items]]"),
        *("<meta property=og:title content=", "<script type=application/ld+json>", '"@type":"Event"', "url = ", '"'),
    ]
)
NOISE = st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join)


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@small
@given(NOISE)
def test_any_feed_is_read_or_told(text: str) -> None:
    body = raw(f"<rss version='2.0'><channel><title>T</title><item>{text}</item></channel></rss>")
    page = Page(url="https://a.example/feed", status=200, headers={"content-type": "text/xml"}, body=body)
    try:
        answer = feeds.read(Feed(url=page.url), page, TRACKING, TODAY)
    except NewsletterError as fault:
        told = str(fault)
    else:
        told = "".join(f"{entry.name}{entry.fault}{entry.form}" for entry in answer.entries)
    told.encode()  # nothing that no database takes


@small
@given(NOISE)
def test_any_page_is_read_or_told(text: str) -> None:
    page = Page(url="https://a.example/", status=200, headers={"content-type": "text/html"}, body=raw(f"<html>{text}"))
    try:
        told = str(unfurl(page, TRACKING))
    except NewsletterError as fault:
        told = str(fault)
    told.encode()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["Event", "NewsArticle", "@graph"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["@type", "@graph", "mainEntity", "url", "name", "startDate", "location", "datePublished"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@small
@given(JSON)
def test_any_json_ld_is_read_or_told(thing: object) -> None:
    script = f"<html><script type='application/ld+json'>{json.dumps(thing)}</script><title>T</title><p>x"
    page = Page(url="https://a.example/x", status=200, headers={"content-type": "text/html"}, body=script.encode())
    try:
        assert unfurl(page, TRACKING)["url"] == page.url
    except NewsletterError as fault:
        raise AssertionError("a page with a title says something of itself") from fault


@small
@given(NOISE, NOISE)
def test_any_letter_is_read_or_told(head: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.eml"
        path.write_bytes(raw(f"Subject: A story\n{head}\n\nhttps://a.example/x {text}"))
        try:
            told = str(read_letter(path, TRACKING, TODAY))
        except NewsletterError as fault:
            told = str(fault)
    told.encode()


@small
@given(NOISE, st.sampled_from([".toml", ".json", ".csv"]))
def test_any_table_is_read_or_told(text: str, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        path.write_bytes(raw(f'[[items]]\ntitle = "x"\n{text}' if ending == ".toml" else text))
        try:
            told = str([row.line for row in transfer.read_file(path, "items")])
        except NewsletterError as fault:
            told = str(fault)
    assert told
