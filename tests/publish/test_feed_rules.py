"""Feeds and calendars keep to what validators ask, whatever was planted in the texts.

The rules are those of the W3C's feed validator (https://validator.w3.org/feed/docs/), of RFC 4287, and of the RSS
Advisory Board's profile (https://www.rssboard.org/rss-profile).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import icalendar
import jsonschema
import pytest
import vobject
from lxml import etree, html

from tests.publish.test_csp import hostile
from tests.publish.test_publish import JSON_FEED, site
from tests.publish.test_site import snapshot

__all__ = ["hostile", "site", "snapshot"]

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
#: Elements and attributes that the validator calls a security risk, or that readers take out.
RISKS = {"script", "iframe", "object", "embed", "applet", "meta", "link", "style", "form", "base", "title"}


@pytest.fixture(params=["site", "hostile"])
def archive(request: pytest.FixtureRequest) -> Path:
    """A site of the usual texts, and one of hostile ones."""
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder


def is_absolute(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https", "tag", "urn") and not re.search(r"[\s<>\"{}|\\^`]", url)


def faults_of_html(markup: str) -> Iterator[str]:
    """What the validator says of a text that readers take for HTML."""
    if not markup.strip():
        return
    tree = html.fragment_fromstring(markup, create_parent="div")
    for element in tree.iter(etree.Element):
        if element.tag in RISKS:
            yield f"SecurityRisk: {element.tag}"
        for name, value in element.attrib.items():
            if name.startswith("on") or name == "style":
                yield f"SecurityRiskAttr: {name}"
            if name in ("href", "src") and not (value.startswith("mailto:") or is_absolute(value)):
                yield f"ContainsRelRef: {value}"


def test_atom_keeps_to_the_validators_rules(archive: Path) -> None:
    feeds = sorted(archive.rglob("feed.atom"))
    assert feeds
    for path in feeds:
        root = etree.fromstring(path.read_bytes())
        assert root.tag == f"{ATOM}feed"
        for one in (root, *root.iter(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                (element,) = one.findall(f"{ATOM}{name}")
                assert (element.text or "").strip(), (path, name)
            assert is_absolute(one.findtext(f"{ATOM}id") or "")
            assert dt.datetime.fromisoformat(one.findtext(f"{ATOM}updated") or "").tzinfo
            (alternate,) = [link for link in one.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
            assert is_absolute(alternate.get("href", ""))
        entries = root.findall(f"{ATOM}entry")
        ids = [entry.findtext(f"{ATOM}id") for entry in entries]
        assert len(set(ids)) == len(ids), "DuplicateEntries"
        for entry in entries:
            assert (entry.findtext(f"{ATOM}published") or "") <= (entry.findtext(f"{ATOM}updated") or "")
            (content,) = entry.findall(f"{ATOM}content")
            assert content.get("type") == "html"
            assert [*faults_of_html(content.text or "")] == [], path
        assert root.get("{http://www.w3.org/XML/1998/namespace}lang")


def test_rss_keeps_to_the_validators_rules(archive: Path) -> None:
    for path in sorted(archive.rglob("feed.rss")):
        root = etree.fromstring(path.read_bytes())
        assert (root.tag, root.get("version")) == ("rss", "2.0")
        (channel,) = root
        for name in ("title", "link", "description"):
            assert (channel.findtext(name) or "").strip(), (path, name)
        assert is_absolute(channel.findtext("link") or "")
        (itself,) = [link for link in channel.findall(f"{ATOM}link") if link.get("rel") == "self"]
        assert itself.get("href", "").endswith(path.relative_to(archive).as_posix())
        assert parsedate_to_datetime(channel.findtext("lastBuildDate") or "").year > 2000, "ImplausibleDate"
        guids = [item.findtext("guid") for item in channel.iter("item")]
        assert len(set(guids)) == len(guids), "DuplicateGuid"
        for item in channel.iter("item"):
            assert item.findtext("title") or item.findtext("description")
            assert is_absolute(item.findtext("link") or "")
            (guid,) = item.findall("guid")
            assert guid.get("isPermaLink") == "false" or is_absolute(guid.text or "")
            moment = item.findtext("pubDate") or ""
            assert parsedate_to_datetime(moment).strftime("%a, %d %b %Y") == moment[:16], "the day of the week is wrong"
            for markup in (item.findtext("description"), item.findtext(CONTENT)):
                assert [*faults_of_html(markup or "")] == [], path


def test_json_feeds_keep_to_their_schema(archive: Path) -> None:
    for path in sorted(archive.rglob("feed.json")):
        data = json.loads(path.read_bytes())
        jsonschema.validate(data, JSON_FEED, format_checker=jsonschema.FormatChecker())
        assert len({item["id"] for item in data["items"]}) == len(data["items"])
        for item in data["items"]:
            assert [*faults_of_html(item["content_html"])] == [], path


def test_two_parsers_read_the_same_calendar(archive: Path) -> None:
    calendars = sorted(archive.rglob("*.ics"))
    assert calendars
    for path in calendars:
        data = path.read_bytes()
        assert all(len(line) <= 75 for line in data.split(b"\r\n")), "RFC 5545, section 3.1"
        assert b"\n" not in data.replace(b"\r\n", b"")
        one = icalendar.Calendar.from_ical(data)
        other = vobject.readOne(data.decode())
        events = [(str(e["UID"]), str(e["SUMMARY"]), e.decoded("DTSTART")) for e in one.walk("VEVENT")]
        found = [(e.uid.value, e.summary.value, e.dtstart.value) for e in other.vevent_list]
        assert events == found
        assert all("DTSTAMP" in event for event in one.walk("VEVENT"))
        assert {"VERSION", "PRODID"} <= set(one)
