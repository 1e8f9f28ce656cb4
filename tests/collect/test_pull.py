"""Collecting into the inbox: pages, feeds, letters and files, over real HTTP on loopback."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from newsletter import collect
from newsletter.collect import inbox, items, pull
from newsletter.collect.inbox import Standing, Waiting
from newsletter.collect.pull import Intake
from newsletter.config import Feed
from newsletter.errors import InputError
from tests.desk import Desk
from tests.website import Website

RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>Example Times</title><link>https://times.example/</link>
<item><title>County &amp; city agree</title><link>{url}/agree?utm_source=rss</link>
<pubDate>Mon, 10 Oct 2022 08:00:00 GMT</pubDate>
<description>&lt;p&gt;They &lt;b&gt;agree&lt;/b&gt;.&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;</description>
<media:content url="{url}/photo.png" type="image/png"/></item>
<item><title>No link here</title></item>
<item><title>A plan for next year</title><link>{url}/plan</link>
<pubDate>Sat, 10 Oct 2099 08:00:00 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Chapter</title><id>x</id>
<entry><id>1</id><title>Ballot day</title><link href="{url}/ballot"/><updated>2022-10-09T10:00:00Z</updated>
<summary type="text">Turnout was high.</summary></entry></feed>"""


def png(width: int = 2000) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, 100), "#884422").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def intake(desk: Desk) -> Intake:
    opened = desk.space.intake()
    return replace(opened, rules=replace(opened.rules, private_hosts=("127.0.0.1",)))


def waiting(intake: Intake) -> list[Waiting]:
    with intake.store.read() as session:
        return inbox.waiting(session, intake.rules.tracking)


def rss(website: Website, **headers: str) -> Feed:
    website.put("/photo.png", png(), "image/png")
    return Feed(url=website.put("/rss", RSS.format(url=website.url), "application/rss+xml", **headers))


def test_a_feed_fills_the_inbox(intake: Intake, website: Website) -> None:
    pulled = pull.pull_feed(intake, "times", rss(website))
    assert len(pulled.added) == 2
    first, second = (found.item for found in waiting(intake))
    assert (first.title, first.summary, first.outlet) == ("County & city agree", "They agree.", "Example Times")
    assert (first.url, first.date) == (f"{website.url}/agree", dt.date(2022, 10, 10))
    assert first.photo is not None
    assert (first.photo.width, first.photo.credit) == (1200, "Example Times")
    assert (intake.workspace / first.photo.file).is_file()
    assert second.date == intake.today  # a day to come isn't believed


def test_an_atom_feed_gives_its_entries_what_the_settings_say(intake: Intake, website: Website) -> None:
    url = website.put("/atom", ATOM.format(url=website.url), "application/atom+xml")
    feed = replace(Feed(url=url), topics=("elections",), places=("Durham, NC",), outlet="Durham chapter")
    pull.pull_feed(intake, "durham", feed)
    (found,) = waiting(intake)
    assert (found.item.topics, str(found.item.places[0]), found.item.outlet) == (
        ("elections",),
        "Durham, NC",
        "Durham chapter",
    )
    assert found.source == "feed durham"


def test_a_feed_is_asked_only_for_what_is_new(intake: Intake, website: Website) -> None:
    feed = rss(website, ETag='"one"')
    pull.pull_feed(intake, "times", feed)
    again = pull.pull_feed(intake, "times", feed)
    assert again.unchanged
    assert website.asked[-1][1]["If-None-Match"] == '"one"'
    assert len(waiting(intake)) == 2


def test_what_was_dropped_does_not_come_back(intake: Intake, website: Website) -> None:
    pulled = pull.pull_feed(intake, "times", rss(website))
    with intake.store.write() as session:
        inbox.drop(session, pulled.added[0])
    again = pull.pull_feed(intake, "times", rss(website))
    assert (again.added, again.known) == ([], 2)
    assert len(waiting(intake)) == 1


def test_a_picture_that_cannot_be_had_is_left_out_and_told(intake: Intake, website: Website) -> None:
    feed = rss(website)
    website.put("/photo.png", "<html>not a picture")
    pulled = pull.pull_feed(intake, "times", feed)
    assert len(pulled.added) == 2
    assert "picture was left out" in pulled.notes[0]


@pytest.mark.parametrize("body", ["<html><p>no feed", "", "<rss", "\0\0"])
def test_what_is_no_feed_is_one_line(intake: Intake, website: Website, body: str) -> None:
    with pytest.raises(InputError, match="no RSS or Atom feed"):
        pull.pull_feed(intake, "x", Feed(url=website.put("/feed", body)))


def test_what_waits_is_neither_listed_nor_in_the_library_until_it_is_kept(intake: Intake, website: Website) -> None:
    slug = pull.pull_feed(intake, "times", rss(website)).added[1]
    with intake.store.write() as session:
        assert slug not in collect.library(session)
        inbox.keep(session, slug, intake.now)
        assert slug in collect.library(session)
        inbox.drop(session, slug)
        assert slug not in {item.slug for item in items.find(session)}


def test_a_picture_needs_alt_text_and_a_credit_before_it_is_kept(intake: Intake, website: Website) -> None:
    slug = pull.pull_feed(intake, "times", rss(website)).added[0]
    with pytest.raises(InputError, match="lacks alt text"), intake.store.write() as session:
        inbox.keep(session, slug, intake.now)


def test_an_almost_equal_title_is_pointed_out(intake: Intake, website: Website) -> None:
    form = {"kind": "news", "title": "City & county agree!", "url": f"{website.url}/other", "date": intake.today}
    pull.add(intake, form, "", Standing.KEPT)
    pull.pull_feed(intake, "times", rss(website))
    assert waiting(intake)[0].alike == ("city-county-agree",)


WON = """Hi all,

The council voted seven to two.
See https://duluth.example/vote?mc_eid=abc123.

--
Ana Lee
612-555-0100
"""


def letter(body: str = WON) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = "Fwd: We won in Duluth", "Ana Lee <ana@duluth.example>"
    message["Date"] = "Tue, 11 Oct 2022 09:00:00 -0500"
    message.set_content(body)
    return message


def test_a_letter_becomes_an_item_that_keeps_who_sent_it(intake: Intake, tmp_path: Path) -> None:
    message = letter()
    message.add_attachment(png(), maintype="image", subtype="png", filename="vote.png")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    pulled = pull.pull_letters(intake, tmp_path)
    (found,) = waiting(intake)
    assert pulled.added == ["we-won-in-duluth"]
    assert found.source == "letter from Ana Lee <ana@duluth.example>"
    assert (found.item.title, found.item.url) == ("We won in Duluth", "https://duluth.example/vote")
    assert (found.item.summary, found.item.date) == ("The council voted seven to two.", dt.date(2022, 10, 11))
    assert found.item.photo is not None
    assert found.item.photo.credit == "Ana Lee"
    assert found.lacks == "alt text"


def test_a_letter_in_html_is_read_as_its_reader_sees_it(intake: Intake, tmp_path: Path) -> None:
    message = letter()
    message.set_content(
        '<p>Hello friends,</p><p>We <b>won</b>.</p><style>p{}</style><a href="https://x.example/a">the story</a>',
        subtype="html",
    )
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    pull.pull_letters(intake, tmp_path)
    item = waiting(intake)[0].item
    assert (item.url, item.summary) == ("https://x.example/a", "We won. the story")


def test_a_letter_without_a_link_is_told_and_the_others_come(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter(body="No link in this one.").as_bytes())
    (tmp_path / "b.eml").write_bytes(letter().as_bytes())
    (tmp_path / "c.eml").write_bytes(b"\xff\xfe\0 broken \x00\x80")
    (tmp_path / "d.EML").write_bytes(
        b"Subject: =?utf-8?q?broken=ZZ?=\nFrom: =?x?\nDate: never\n\nhttps://d.example/\xff"
    )
    pulled = pull.pull_letters(intake, tmp_path)
    assert [name for name, _ in pulled.rejected] == ["a.eml", "c.eml"]
    assert len(pulled.added) == 2


def test_the_same_letters_twice_add_nothing(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter().as_bytes())
    pull.pull_letters(intake, tmp_path)
    again = pull.pull_letters(intake, tmp_path)
    assert (again.added, again.known) == ([], 1)


def test_a_table_of_contributions_comes_with_its_sender_and_loses_no_row(intake: Intake, tmp_path: Path) -> None:
    table = tmp_path / "duluth.csv"
    table.write_text(
        "title,url,date\nOne,https://a.example/?utm_source=x,2022-10-01\nTwo,nowhere,\nOne again,https://a.example/,\n"
    )
    pulled = pull.pull_file(intake, table, "Duluth chapter")
    assert (pulled.added, pulled.known, len(pulled.rejected)) == (["one"], 1, 1)
    assert waiting(intake)[0].source == "Duluth chapter"
    assert pulled.rejects_file is not None
    assert "Two" in pulled.rejects_file.read_text()


def test_a_page_that_is_stored_is_not_fetched_again(intake: Intake, website: Website) -> None:
    page = website.put("/story", "<html><head><title>A story</title></head><body><p>Told.")
    pull.add(intake, pull.look_up(intake, page), "page", Standing.INBOX)
    with pytest.raises(InputError, match="stored already: a-story"):
        pull.look_up(intake, page + "?utm_source=again")
    assert len(website.asked) == 1
