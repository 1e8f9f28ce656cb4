"""Items and policies: stored, changed, and exchanged as files without a loss."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Literal

import pytest

from newsletter import collect
from newsletter.collect import forms, items, policies, transfer
from newsletter.errors import InputError, NotFound
from newsletter.model import Item, Place, Status, StatusChange
from newsletter.store import Store
from tests.desk import ITEMS, NOW, POLICIES, Desk

BASE = {"kind": "post", "title": "A title", "url": "https://example.org/a", "date": "2022-10-01"}


def read(**keys: object) -> Item:
    return forms.read_item({**BASE, **keys}, base=Path(), workspace=Path())


def test_an_item_takes_its_slug_from_its_title() -> None:
    assert read(title="Eight cities: HB 1 — ¿y ahora?").slug == "eight-cities-hb-1-y-ahora"


def test_a_taken_slug_gets_a_number() -> None:
    item = forms.read_item(BASE, base=Path(), workspace=Path(), taken={"a-title", "a-title-2"})
    assert item.slug == "a-title-3"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"title": " "}, '"title" is missing'),
        ({"kind": "pots"}, 'did you mean "post"'),
        ({"url": "javascript:alert(1)"}, '"url" must be an address'),
        ({"url": ""}, '"url" is missing'),
        ({"date": "next week"}, '"date" is no date'),
        ({"date": "2022-02-31"}, '"date" is no date'),
        ({"places": ["Springfield"]}, "names no state"),
        ({"titel": "x"}, 'did you mean "title"'),
        ({"slug": "Not A Slug"}, 'use "not-a-slug"'),
        ({"topics": 5}, '"topics" must be a list'),
        ({"title": ["x"]}, '"title" must be a text'),
        ({"photo": "gone.jpg"}, "no picture gone.jpg"),
        ({"starts": "2022-10-05", "ends": "2022-10-01"}, "is before"),
    ],
)
def test_a_fault_in_a_form_is_one_clear_line(keys: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(**keys)


@pytest.mark.parametrize("text", ["2022-10-01", "10/01/2022", "October 1, 2022", "1 Oct 2022", "2022-10-01T09:30:00"])
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert read(date=text).date == dt.date(2022, 10, 1)


def test_an_item_is_stored_and_found_again(store: Store) -> None:
    item = read(places=["Durham, NC"], topics=["rent"], people=["A Member"], closes="2022-12-01")
    with store.write() as session:
        items.add(session, item, NOW)
    with store.read() as session:
        assert items.get(session, "a-title") == item
        assert items.find(session, state="NC", topic="RENT", text="title") == [item]
        assert items.find(session, kind="job") == []


def test_a_wrong_slug_names_the_nearest(store: Store) -> None:
    with store.write() as session:
        items.add(session, read(), NOW)
    with store.read() as session, pytest.raises(NotFound, match='did you mean "a-title"'):
        items.get(session, "a-titel")


def test_a_policy_keeps_its_whole_history(store: Store) -> None:
    form = {
        "title": "Prop G",
        "level": "city",
        "place": "San Francisco, CA",
        "status": "passed",
        "status_date": "2022-06-07",
    }
    policy = forms.read_policy(form, base=Path(), workspace=Path())
    later = StatusChange(status=Status.IN_EFFECT, date=dt.date(2022, 10, 1), note="as planned")
    with store.write() as session:
        policies.add(session, policy, NOW)
        assert policies.set_status(session, "prop-g", later, NOW)
        assert not policies.set_status(session, "prop-g", later, NOW)
    with store.read() as session:
        found = policies.get(session, "prop-g")
        assert [change.status for change in found.history] == [Status.PASSED, Status.IN_EFFECT]
        assert policies.find(session, since=dt.date(2022, 9, 1)) == [found]
        assert policies.find(session, since=dt.date(2022, 10, 1)) == [found]
        assert policies.find(session, since=dt.date(2022, 10, 2)) == []
    assert found.latest(dt.date(2022, 9, 30)) == policy.history[0]
    assert found.moved(dt.date(2022, 9, 1), dt.date(2022, 10, 31)) == (later,)
    assert found.place == Place(state="CA", locality="San Francisco")


@pytest.mark.parametrize("ending", transfer.FORMATS)
@pytest.mark.parametrize("what", ["items", "policies"])
def test_an_export_is_imported_without_a_change(desk: Desk, ending: str, what: Literal["items", "policies"]) -> None:
    space = desk.space
    shelf = items if what == "items" else policies
    with space.store.read() as session:
        before = shelf.find(session)
    path = desk.folder / f"export.{ending}"
    path.write_text(transfer.export(before, what, ending), encoding="utf-8", newline="")
    with space.store.write() as session:
        report = transfer.import_file(session, path, what, workspace=desk.folder, now=NOW)
    assert (report.rows, report.unchanged, report.rejected) == (len(before), len(before), [])
    with space.store.read() as session:
        assert shelf.find(session) == before


def test_bad_rows_are_kept_aside_with_their_line_and_good_ones_go_in(desk: Desk) -> None:
    path = desk.folder / "more.csv"
    path.write_text(
        "kind,title,url,date\n"
        'post,"A title\nover two lines",https://example.org/1,2022-10-01\n'
        "gossip,Bad kind,https://example.org/2,2022-10-01\n"
        "\n"
        "post,Bad link,ftp://example.org,2022-10-01\n"
        "post,Good,https://example.org/3,2022-10-02\n",
        encoding="utf-8",
    )
    with desk.space.store.write() as session:
        report = transfer.import_file(session, path, "items", workspace=desk.folder, now=NOW)
    assert (report.rows, report.added) == (4, 2)
    assert [row.line for row, _ in report.rejected] == [4, 6]
    assert report.rejects_file
    rejects = report.rejects_file.read_text(encoding="utf-8")
    assert "Bad kind" in rejects
    assert "Bad link" in rejects
    assert "Good" not in rejects


def test_the_same_slug_twice_in_a_file_is_kept_aside(desk: Desk) -> None:
    path = desk.folder / "twice.json"
    path.write_text(json.dumps([{**BASE, "slug": "x"}, {**BASE, "slug": "x", "title": "Other"}]), encoding="utf-8")
    with desk.space.store.write() as session:
        report = transfer.import_file(session, path, "items", workspace=desk.folder, now=NOW)
    assert report.added == 1
    assert "stands already on line 1" in report.rejected[0][1]


def test_a_row_with_only_a_status_adds_to_the_history_there_is(desk: Desk) -> None:
    path = desk.folder / "moved.csv"
    path.write_text(
        "slug,title,place,level,status,status_date\n"
        'sf-public-health-leave,Emergency Leave,"San Francisco, CA",city,challenged in court,2022-11-05\n',
        encoding="utf-8",
    )
    with desk.space.store.write() as session:
        transfer.import_file(session, path, "policies", workspace=desk.folder, now=NOW)
        history = policies.get(session, "sf-public-health-leave").history
    assert [change.status for change in history] == [Status.PASSED, Status.IN_EFFECT, Status.CHALLENGED]


def test_an_item_may_not_take_the_slug_of_a_policy(desk: Desk) -> None:
    path = desk.folder / "clash.json"
    path.write_text(json.dumps([{**BASE, "slug": "sf-public-health-leave"}]), encoding="utf-8")
    with desk.space.store.write() as session:
        report = transfer.import_file(session, path, "items", workspace=desk.folder, now=NOW)
    assert "another kind of entry" in report.rejected[0][1]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.xlsx", b"PK", "not a workbook that can be read"),
        ("a.json", b"[{", "not valid JSON"),
        ("a.json", b"[1]", "must be a list of objects"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.toml", b"[[items]]\nslug = \n", "not valid TOML"),
        ("a.toml", b"items = 3", "must be tables"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\x00\x01\x02", "not a text file"),
        ("none.csv", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(desk: Desk, name: str, data: bytes | None, said: str) -> None:
    path = desk.folder / name
    if data is not None:
        path.write_bytes(data)
    with desk.space.store.write() as session, pytest.raises(InputError, match=said):
        transfer.import_file(session, path, "items", workspace=desk.folder, now=NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_in_any_usual_encoding(desk: Desk, encoding: str) -> None:
    path = desk.folder / "odd.csv"
    path.write_text("kind;title;url;date\r\npost;Doña Ana;https://example.org/1;2022-10-01\r\n", encoding=encoding)
    with desk.space.store.write() as session:
        transfer.import_file(session, path, "items", workspace=desk.folder, now=NOW)
        assert items.get(session, "dona-ana").title == "Doña Ana"


def test_a_photo_is_kept_once_under_the_hash_of_its_content(desk: Desk) -> None:
    with desk.space.store.read() as session:
        photo = items.get(session, "hb1-hearing").photo
    assert photo
    assert (photo.width, photo.height, photo.alt) == (1200, 675, "The steps of a courthouse")
    assert (desk.folder / photo.file).exists()
    assert photo.file == f"media/{photo.name}"


def test_the_library_holds_items_and_policies(desk: Desk) -> None:
    with desk.space.store.read() as session:
        assert len(collect.library(session)) == ITEMS.count("[[items]]") + POLICIES.count("[[policies]]")


def test_what_comes_into_force_in_a_month_is_listed_with_its_day(desk: Desk) -> None:
    listed = desk.run("policies", "list", "--in-force", "2022-10")
    assert "in effect  2022-10-01" in listed.stdout
    assert desk.run("policies", "list", "--in-force", "2022-09").stdout == ""
