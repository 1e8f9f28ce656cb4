"""An import is numbered, and can be taken back without lifting a stop or undoing what others did."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter import audience
from newsletter.audience import profile
from newsletter.audience.exporting import export_people
from newsletter.errors import InputError, NotFound
from newsletter.store import Store
from newsletter.store.records import ImportRecord
from tests.desk import Desk, StillTime

LIST = "network-download"


@pytest.fixture
def there(tmp_path: Path, time: StillTime, store: Store) -> Desk:
    """A desk on each kind of store."""
    return Desk.make(tmp_path / "desk", time.clock, store=store)


def exported(desk: Desk) -> str:
    out = io.StringIO()
    with desk.space.store.read() as session:
        export_people(session, out, ())
    return out.getvalue()


def standing(desk: Desk, email: str) -> dict[str, str] | None:
    with desk.space.store.read() as session:
        person = audience.find(session, email)
        return {row.list: row.status for row in audience.subscriptions(session, person.id)} if person else None


def test_undoing_an_import_restores_the_state_before_byte_for_byte(there: Desk) -> None:
    there.import_people("Email,First Name,Tags\nben@example.org,,vip\nnew1@example.org,N,\n", "one.csv", LIST)
    before = exported(there)
    rows = "".join(f"p{n}@example.org,P{n},FL,a; b,2022-02-01\n" for n in range(4_500))
    more = "ana@example.org,Anna,TX,press,2022-03-01\nben@example.org,Ben,,donor,2022-03-01\n"
    more += "eli@example.org,,,,2022-03-01\n"
    again = "ana@example.org,Annie,CA,late,2022-04-01\np1@example.org,Pia,,,2022-05-01\n"
    report = there.import_people(f"Email,First Name,State,Tags,Confirmed\n{rows}{more}{rows}{again}", "two.csv", LIST)
    assert (report.number, report.imported) == (3, 4_500)
    assert exported(there) != before
    undone = there.space.undo_import(report.number)
    assert (undone.removed, undone.restored, sum(undone.kept.values())) == (4_500, 3, 0)
    assert exported(there) == before


def test_imports_that_are_undone_one_after_the_other_leave_what_was_before_the_first(
    there: Desk, time: StillTime
) -> None:
    before = exported(there)
    head = "Email,First Name,Tags,Status,Confirmed\n"
    first = (
        "a@example.org,Ann,donor,active,2020-01-01\nana@example.org,A,,active,2020-01-01\nc@example.org,Cy,,pending,\n"
    )
    there.import_people(head + first, "one.csv", LIST)
    between = exported(there)
    time.at += dt.timedelta(minutes=1)
    second = "a@example.org,Anna,late,active,2023-01-01\nana@example.org,B,x,active,2023-01-01\n"
    there.import_people(
        f"{head}{second}c@example.org,,,active,2023-01-01\nd@example.org,Di,,active,\n", "two.csv", LIST
    )
    time.at += dt.timedelta(minutes=1)
    for number, wanted in ((3, between), (2, before)):
        undone = there.space.undo_import(number)
        assert sum(undone.kept.values()) == 0
        assert exported(there) == wanted
        time.at += dt.timedelta(minutes=1)


def test_undoing_lifts_no_stop(there: Desk) -> None:
    words = {"ana": "unsubscribed", "ben": "complained", "gone": "bounced", "ok": "active"}
    text = "Email,Status\n" + "".join(f"{who}@example.org,{word}\n" for who, word in words.items())
    report = there.import_people(text, "stops.csv", LIST)
    undone = there.space.undo_import(report.number)
    assert (undone.removed, undone.kept["a stop is never lifted"]) == (1, 3)
    assert standing(there, "ana@example.org") == {LIST: "unsubscribed"}
    assert standing(there, "gone@example.org") == {LIST: "unsubscribed"}
    assert standing(there, "ok@example.org") is None
    with there.space.store.read() as session:
        assert audience.reason_of(session, there.space.address_hash("ben@example.org")) == "complaint"


def test_what_others_have_changed_since_stays_and_is_said(there: Desk, time: StillTime) -> None:
    text = "Email,First Name,Confirmed\nana@example.org,Anna,2022-03-01\nnew@example.org,N,\nleaver@example.org,L,\n"
    report = there.import_people(text, "people.csv", LIST)
    time.at += dt.timedelta(hours=1)
    with there.space.store.write() as session:
        ana, new, leaver = (audience.find(session, f"{name}@example.org") for name in ("ana", "new", "leaver"))
        assert ana
        assert new
        assert leaver
        profile.change(session, ana, {"first_name": "Anne"}, time.at)
        audience.subscribe(session, new.id, "workers-rights", source="web", evidence={}, now=time.at)
        audience.unsubscribe(session, leaver.id, LIST, source="web", now=time.at)
    undone = there.space.undo_import(report.number)
    assert undone.removed == 0
    assert undone.kept["others have changed them since"] == 3
    with there.space.store.read() as session:
        ana = audience.find(session, "ana@example.org")
        assert ana
        assert ana.first_name == "Anne"
    assert standing(there, "new@example.org") == {"workers-rights": "active"}
    assert standing(there, "leaver@example.org") == {LIST: "unsubscribed"}


def test_an_import_is_undone_once_and_imports_are_listed(desk: Desk) -> None:
    (desk.folder / "people.csv").write_text("Email\nnew@example.org\n", encoding="utf-8")
    done = desk.run("subscribers", "import", "people.csv", "--list", LIST, "--yes")
    assert "newsletter subscribers import --undo 2 takes back all but stops" in done.stderr
    done = desk.run("subscribers", "import", "--undo", "2")
    assert (done.returncode, done.stdout) == (0, "1 person removed, 0 people as before\n")
    listed = desk.run("subscribers", "imports").stdout.splitlines()
    assert listed[0].split() == ["number", "file", "at", "rows", "imported", "merged", "rejected", "undone"]
    assert len(listed) == 3
    assert listed[1].split()[:2] == ["2", "people.csv"]
    with pytest.raises(InputError, match="import 2 was undone"):
        desk.space.undo_import(2)
    with pytest.raises(NotFound, match="no import 9"):
        desk.space.undo_import(9)


def test_a_dry_run_uses_no_number(desk: Desk) -> None:
    path = desk.folder / "people.csv"
    path.write_text("Email\nnew@example.org\n", encoding="utf-8")
    desk.space.import_people(path, lists=(LIST,), dry_run=True)
    with desk.space.store.read() as session:
        assert session.scalars(select(ImportRecord.id)).all() == [1]


def test_a_list_that_a_later_import_named_too_is_kept_when_the_first_is_undone(there: Desk) -> None:
    first = there.import_people("Email\nzed@example.org\n", "a.csv", LIST)
    there.import_people("Email\nzed@example.org\n", "b.csv", LIST)
    undone = there.space.undo_import(first.number)
    assert undone.kept["others have changed them since"] == 1
    assert standing(there, "zed@example.org") == {LIST: "active"}


def test_an_archive_is_one_import_that_is_undone_as_a_whole(desk: Desk) -> None:
    import zipfile

    before = exported(desk)
    path = desk.folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("subscribed_1.csv", "Email Address,LEID,EUID\na@example.org,1,x\n")
        archive.writestr("nonsubscribed_1.csv", "Email Address,LEID,EUID\nb@example.org,1,x\nnone,1,x\n")
    report = desk.space.import_people(path, lists=(LIST,))
    assert (report.number, report.imported, len(report.rejects_files)) == (2, 2, 1)
    assert desk.space.undo_import(2).removed == 2
    assert exported(desk) == before


def test_a_dry_run_leaves_rejected_rows_that_were_put_right_as_they_are(desk: Desk) -> None:
    path = desk.folder / "people.csv"
    path.write_text("Email\nnone\n", encoding="utf-8")
    (first,) = desk.space.import_people(path, lists=(LIST,)).rejects_files
    first.write_text(first.read_text(encoding="utf-8-sig").replace("none", "mended@example.org"), encoding="utf-8")
    mended = first.read_bytes()
    assert not desk.space.import_people(path, lists=(LIST,), dry_run=True).rejects_files
    (second,) = desk.space.import_people(path, lists=(LIST,)).rejects_files
    assert first.read_bytes() == mended
    assert second != first


def test_a_dry_run_needs_no_yes_and_shows_the_first_rows(desk: Desk) -> None:
    (desk.folder / "people.csv").write_text('Email,Name\na@example.org,"López, María"\n', encoding="utf-8")
    done = desk.run("subscribers", "import", "people.csv", "--list", LIST, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "first_name: María; last_name: López" in done.stderr
    assert "the same without --dry-run" in done.stderr
