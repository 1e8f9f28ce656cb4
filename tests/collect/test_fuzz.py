"""Whatever comes in ends as something to store, or as one line that says why not."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.collect import feeds, forms, transfer
from newsletter.collect.letters import read_letter
from newsletter.collect.unfurl import refreshed, unfurl
from newsletter.config import CollectConfig, Feed
from newsletter.errors import NewsletterError
from newsletter.fetch import Page
from newsletter.readable import lines
from tests.pdf import pdf

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


FEED_JSON = st.fixed_dictionaries(
    {},
    optional={
        "version": JSON,
        "title": JSON,
        "items": st.lists(
            st.dictionaries(
                st.sampled_from(["id", "url", "external_url", "title", "content_html", "authors", "author", "image"])
                | st.sampled_from(["date_published", "summary", "content_text", "banner_image"]),
                JSON | NOISE,
                max_size=5,
            )
            | JSON,
            max_size=3,
        ),
    },
)


@small
@given(FEED_JSON)
def test_any_json_feed_is_read_or_told(thing: object) -> None:
    body = json.dumps(thing).encode()
    page = Page(url="https://a.example/feed", status=200, headers={"content-type": "application/json"}, body=body)
    try:
        answer = feeds.read(Feed(url=page.url), page, TRACKING, TODAY)
        told = "".join(f"{entry.name}{entry.fault}{entry.form}" for entry in answer.entries)
    except NewsletterError as fault:
        told = str(fault)
    told.encode()


TYPES = st.sampled_from(
    [
        *("text/plain", "text/html", "text/plain; format=flowed; delsp=yes", "message/rfc822", "application/ms-tnef"),
        *("multipart/mixed; boundary=b", "multipart/signed; boundary=b", "multipart/alternative; boundary=b", "x", ""),
    ]
)
CODINGS = st.sampled_from(["7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "x"])
PART = st.builds("Content-Type: {}\nContent-Transfer-Encoding: {}\n\n{}\n".format, TYPES, CODINGS, NOISE)


@small
@given(TYPES, CODINGS, st.lists(PART, max_size=3), st.binary(max_size=20))
def test_any_letter_of_parts_is_read_or_told(kind: str, coding: str, parts: list[str], raw_bytes: bytes) -> None:
    inside = "".join(f"--b\n{part}" for part in parts) + "--b--\n"
    head = f"MIME-Version: 1.0\nContent-Type: {kind}\nContent-Transfer-Encoding: {coding}\n\n{inside}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.eml"
        path.write_bytes(b"Subject: A " + raw_bytes.replace(b"\n", b"") + b"\n" + raw(head))
        try:
            told = str(read_letter(path, TRACKING, TODAY).form)
        except NewsletterError as fault:
            told = str(fault)
    told.encode()


@small
@given(
    NOISE, st.sampled_from(["text/html", "text/plain; charset=utf-8", "application/pdf", "text/html; charset=x", ""])
)
def test_any_page_has_lines_or_none(text: str, kind: str) -> None:
    for body in (raw(text), raw(f"<html><base href={text}><meta http-equiv=refresh content='0;{text}'>{text}")):
        lines(body, kind).encode()
        refreshed(Page(url="https://a.example/x", status=200, headers={"content-type": kind}, body=body)).encode()


@small
@given(st.integers(0, 400), st.binary(min_size=1, max_size=6))
def test_any_pdf_that_is_broken_has_lines_or_none(place: int, noise: bytes) -> None:
    whole = pdf("Leave of 80 hours")
    lines(whole[:place] + noise + whole[place + len(noise) :], "application/pdf").encode()


@small
@given(NOISE | st.from_regex(r"[^|\n]{1,9}( ?\| ?[^|\n]{0,12}){0,5}"))
def test_any_provision_is_read_or_told(text: str) -> None:
    form = {"title": "A", "level": "city", "provisions": text}
    try:
        told = str(forms.read_policy(form, base=None, workspace=Path()))
    except NewsletterError as fault:
        told = str(fault)
    assert told
