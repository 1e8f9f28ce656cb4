"""What the web, mailboxes and spreadsheets really hold: one bad entry is one entry less, and no other."""

from __future__ import annotations

import datetime as dt
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from newsletter.collect import feeds, inbox, pull
from newsletter.collect.inbox import Known, Standing
from newsletter.collect.letters import read_letter
from newsletter.collect.limits import time_limit
from newsletter.collect.pull import Intake, Pulled
from newsletter.config import CollectConfig, Feed
from newsletter.errors import InputError
from newsletter.fetch import Page
from newsletter.model import Item
from newsletter.store.records import ItemRecord
from tests.desk import Desk
from tests.timing import is_linear
from tests.website import Website

TRACKING = CollectConfig().tracking
TODAY = dt.date(2026, 11, 26)


@pytest.fixture
def intake(desk: Desk) -> Intake:
    opened = desk.space.intake()
    return replace(opened, rules=replace(opened.rules, private_hosts=("127.0.0.1",)), today=TODAY)


def rss(*entries: str) -> str:
    inside = "".join(f"<item>{entry}</item>" for entry in entries)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Times</title>{inside}</channel></rss>'


def read(body: str | bytes, kind: str = "application/rss+xml") -> feeds.Answer:
    data = body.encode() if isinstance(body, str) else body
    page = Page(url="https://times.example/rss", status=200, headers={"content-type": kind}, body=data)
    return feeds.read(Feed(url=page.url), page, TRACKING, TODAY)


def pulled(intake: Intake, website: Website, *entries: str) -> Pulled:
    return pull.pull_feed(intake, "times", Feed(url=website.put("/rss", rss(*entries), "application/rss+xml")))


def stored(intake: Intake) -> list[Item]:
    with intake.store.read() as session:
        return [found.item for found in inbox.waiting(session, intake.rules.tracking)]


GOOD = "<title>Good</title><link>https://times.example/good</link>"
BAD = [
    "https://[tbd].org",
    "https://t.example.org？",
    "https://a.example:99999/",
    "javascript:alert(1)",
    "https://u:p@a.example/",
]


@pytest.mark.parametrize("address", BAD)
def test_an_entry_with_an_impossible_address_is_rejected_and_the_others_come(
    intake: Intake, website: Website, address: str
) -> None:
    report = pulled(intake, website, f"<title>Bad</title><link>{address}</link>", GOOD)
    assert report.added == ["good"]
    assert [name for name, _ in report.rejected] == ["Bad"] or report.rejected[0][0].startswith("http")
    assert len(report.added) + report.known + len(report.rejected) == 2


@pytest.mark.parametrize("address", BAD)
def test_a_row_with_an_impossible_address_is_rejected_with_its_place(
    intake: Intake, tmp_path: Path, address: str
) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(f"title,url\nBad,{address}\nGood,https://times.example/good\n", encoding="utf-8")
    report = pull.pull_file(intake, table, "")
    assert report.added == ["good"]
    (place, reason), *_ = report.rejected
    assert place.endswith("rows.csv:2")
    assert '"url" must be an address' in reason
    assert "u:p" not in reason


@pytest.mark.parametrize("address", BAD)
def test_what_an_older_version_stored_stops_nobody(intake: Intake, website: Website, address: str) -> None:
    pulled(intake, website, GOOD)
    with intake.store.write() as session:
        session.execute(update(ItemRecord).values(url=address))
    report = pulled(intake, website, "<title>Next</title><link>https://times.example/next</link>")
    assert report.added == ["next"]
    assert len(stored(intake)) == 2
    pull.add(intake, {"kind": "news", "title": "T", "url": "https://a.example/", "date": TODAY}, "", Standing.KEPT)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Well done &#55357;&#56399;", "Well done 👏"),
        ("Well done &amp;#55357;&amp;#56399;", "Well done 👏"),
        ("Well &#x110000;done", "Well done"),
        ("Well &#55357; done", "Well done"),
        ("Well\x0b \x1bdone", "Well done"),
        ("<![CDATA[Well &#xD83D;done]]>", "Well done"),
    ],
)
def test_what_is_no_character_goes_alone_and_the_entry_stays(written: str, title: str) -> None:
    first, second = read(rss(f"<title>{written}</title><link>https://a.example/1</link>", GOOD)).entries
    assert first.form["title"] == title
    assert second.form["title"] == "Good"


def test_entries_of_one_page_are_told_apart_by_their_ids(intake: Intake, website: Website) -> None:
    changes = [
        f"<title>Change {n}</title><link>https://times.example/changes#{n}</link><guid isPermaLink='false'>{n}</guid>"
        for n in "ab"
    ]
    same_page = [f"<title>Note {n}</title><link>https://times.example/notes</link><guid>x{n}</guid>" for n in "ab"]
    assert len(pulled(intake, website, *changes, *same_page).added) == 4
    again = pulled(intake, website, *changes, *same_page)
    assert (again.added, again.known, again.rejected) == ([], 4, [])


def test_an_entry_whose_title_or_address_changed_is_still_known_by_its_id(intake: Intake, website: Website) -> None:
    pulled(intake, website, "<title>Frist</title><link>https://times.example/1</link><guid>x1</guid>")
    report = pulled(intake, website, "<title>First</title><link>https://times.example/first</link><guid>x1</guid>")
    assert (report.added, report.known) == ([], 1)


def test_an_entry_that_was_given_a_new_id_and_kept_its_title_is_known(intake: Intake, website: Website) -> None:
    pulled(intake, website, "<title>First</title><link>https://times.example/1</link><guid>x1</guid>")
    report = pulled(intake, website, "<title>First</title><link>https://times.example/1</link><guid>x1?rev=2</guid>")
    assert (report.added, report.known) == ([], 1)


def test_every_entry_ends_as_new_known_or_rejected(intake: Intake, website: Website) -> None:
    report = pulled(
        intake,
        website,
        "<title>No link</title>",
        "<link>https://times.example/untitled</link><description>Words of its own, and more.</description>",
        "<link>https://times.example/silent</link>",
        "",
        GOOD,
        GOOD,
    )
    assert [item.title for item in stored(intake)] == ["Words of its own, and more.", "Good"]
    assert report.known == 1
    assert [name for name, _ in report.rejected] == [
        "No link",
        "https://times.example/silent",
        "an entry that says nothing",
    ]
    assert len(report.added) + report.known + len(report.rejected) == 6


def test_an_address_never_becomes_a_byline(intake: Intake, website: Website, tmp_path: Path) -> None:
    pulled(intake, website, GOOD + "<author>jane.doe@example.org</author>")
    table = tmp_path / "rows.csv"
    table.write_text("title,url,author\nRow,https://a.example/row,Ana Lee <ana@example.org>\n", encoding="utf-8")
    pull.pull_file(intake, table, "")
    assert [item.author for item in stored(intake)] == ["", "Ana Lee"]


def test_a_date_that_cannot_be_read_is_said(intake: Intake, website: Website) -> None:
    report = pulled(intake, website, GOOD + "<pubDate>some day</pubDate>")
    assert stored(intake)[0].date == TODAY
    assert report.notes == ['good: its date couldn\'t be read: "some day"']


def test_a_feeds_day_is_the_one_it_was_there() -> None:
    entry = GOOD + "<pubDate>Tue, 04 Jun 2024 20:30:00 -0700</pubDate>"
    assert read(rss(entry)).entries[0].form["date"] == dt.date(2024, 6, 4)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"<html><body>Hello</body></html>", b"\0" * 50])
def test_what_is_no_feed_is_one_line(body: bytes) -> None:
    with pytest.raises(InputError, match="feed"):
        read(body)


def test_a_picture_comes_only_from_beside_the_file(intake: Intake, tmp_path: Path) -> None:
    folder, private = tmp_path / "given", tmp_path / "private"
    for path in (folder / "below", private):
        path.mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(path / "holiday.png")
    (folder / "link.png").symlink_to(private / "holiday.png")
    (folder / "room").symlink_to(private)
    names = [
        "below/holiday.png",
        "../private/holiday.png",
        "link.png",
        "room/holiday.png",
        str(private / "holiday.png"),
    ]
    rows = "".join(f"Story {n},https://a.example/{n},{name},alt,me\n" for n, name in enumerate(names))
    table = folder / "rows.csv"
    table.write_text("title,url,photo,photo_alt,photo_credit\n" + rows, encoding="utf-8")
    report = pull.pull_file(intake, table, "")
    assert report.added == ["story-0"]
    assert all("lies elsewhere" in reason for _, reason in report.rejected)
    assert len(report.rejected) == 4


def eml(tmp_path: Path, text: str, **headers: str) -> Path:
    path = tmp_path / "a.eml"
    fields = {"Subject": "A story", "From": "ana@example.org", "Content-Type": "text/plain; charset=utf-8", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    path.write_bytes(f"{head}\r\n{text}".encode("utf-8", "surrogatepass"))
    return path


@pytest.mark.parametrize("piece", [" ", "see ", ": ", "\t", "(", "[", "https://", "On ", "hi ", "<", "> ", "&"])
def test_a_long_line_of_a_letter_takes_no_more_than_its_share_of_time(tmp_path: Path, piece: str) -> None:
    def run(size: int) -> object:
        line = piece * (size // len(piece))
        return read_letter(eml(tmp_path, f"https://a.example/x\n{line}x\n"), TRACKING, TODAY)

    assert is_linear(run)


@pytest.mark.parametrize("piece", [" ", "<p>", "&lt;", "&amp;", "https://a ", "(", "&#1;"])
def test_a_long_entry_of_a_feed_takes_no_more_than_its_share_of_time(piece: str) -> None:
    def run(size: int) -> object:
        return read(rss(f"{GOOD}<description><![CDATA[{piece * (size // len(piece))}]]></description>"))

    assert is_linear(run)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("See https://en.example/wiki/Lane_(2014).", "https://en.example/wiki/Lane_(2014)"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://[tbd].org/ and https://a.example/x", "https://a.example/x"),
        ("<https://a.example/x?utm_source=n>", "https://a.example/x"),
        ("https://urldefense.com/v3/__https://a.example/x__;!!Abc!T$", "https://a.example/x"),
    ],
)
def test_a_letters_link_is_the_first_that_can_be_one(tmp_path: Path, text: str, url: str) -> None:
    assert read_letter(eml(tmp_path, text), TRACKING, TODAY).form["url"] == url


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "=?utf-8?b?////?= A story"},
        {"From": '"' + "(" * 500 + '" <a@example.org>'},
        {"Content-Type": "multipart/mixed; boundary=a"},
        {"Content-Type": "text/plain; charset=no-such"},
        {"Date": "Thu, 99 Foo 2026 99:99:99 +9999"},
        {"Content-Transfer-Encoding": "base64"},
        {"MIME-Version": "1.0", "Content-Type": "image/png; name*=utf-8''%ff"},
    ],
)
def test_a_broken_letter_is_read_or_told_in_one_line_and_the_others_come(
    intake: Intake, tmp_path: Path, headers: dict[str, str]
) -> None:
    (tmp_path / "b.eml").write_bytes(eml(tmp_path, "https://a.example/x", **headers).read_bytes())
    (tmp_path / "a.eml").write_text("Subject: Good\n\nhttps://a.example/good\n")
    report = pull.pull_letters(intake, tmp_path)
    assert len(report.added) + report.known + len(report.rejected) == 2
    assert "good" in report.added
    assert all("\n" not in reason for _, reason in report.rejected)


def test_known_addresses_count_once(intake: Intake) -> None:
    with intake.store.read() as session:
        known = Known.of(session, TRACKING)
    known.add("a", "https://[tbd].org", "A")
    assert known.same("https://[tbd].org") == "a"
    assert known.same("https://www.a.example/") == ""


def test_what_takes_too_long_is_told_though_a_library_catches_what_it_can() -> None:
    def endless() -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(InputError, match=r"takes longer than 0\.1 seconds to read"), time_limit(0.1, "a.eml"):
        endless()
    assert signal.getsignal(signal.SIGALRM) == before
