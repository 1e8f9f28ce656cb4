"""Imports: every row ends as imported, merged or rejected, and a stop always wins."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience import columns, rights
from newsletter.audience.addresses import normalize
from newsletter.audience.exports import open_export
from newsletter.audience.people import Reason
from newsletter.errors import InputError
from newsletter.store.records import ConsentRecord, SubscriberRecord, SubscriptionRecord, SuppressionRecord
from tests.desk import NOW, Desk

HEAD = "Email,First Name,State,Lists,Status,Confirmed\n"


def standing(desk: Desk, email: str) -> dict[str, str]:
    with desk.space.store.read() as session:
        person = audience.find(session, email)
        assert person
        return {row.list: row.status for row in audience.subscriptions(session, person.id)}


def person(desk: Desk, email: str) -> SubscriberRecord:
    with desk.space.store.read() as session:
        found = audience.find(session, email)
        assert found
        return found


def mailable(desk: Desk, name: str = "network-download") -> set[str]:
    with desk.space.store.read() as session:
        return {row.email for row in session.execute(audience.mailable(name, desk.space.clock.now()))}


def test_only_active_and_unsuppressed_people_are_mailable(desk: Desk) -> None:
    assert mailable(desk) == {"ana@example.org", "ben@example.org", "chi@example.org"}


def test_rows_add_up_and_rejects_are_written_with_line_and_reason(desk: Desk) -> None:
    report = desk.import_people(
        HEAD
        + "new@example.org,New,Calif.,Network Download,subscribed,03/14/2022\n"
        + "NEW@EXAMPLE.ORG ,,,Network Download,subscribed,\n"
        + '"nobody, at all",X,,Network Download,subscribed,\n'
        + "\n"
        + '"multi@example.org","two\nlines",,Network Download,subscribed,\n'
        + "odd@example.org,X,,Network Download,maybe,\n"
        + "lost@example.org,X,,No Such List,subscribed,\n"
    )
    assert (report.rows, report.imported, report.merged, report.rejected) == (6, 2, 1, 3)
    assert report.rows == report.imported + report.merged + report.rejected
    (rejects_file,) = report.rejects_files
    with rejects_file.open(encoding="utf-8-sig", newline="") as file:
        rejects = list(csv.DictReader(file))
    assert [row["line"] for row in rejects] == ["4", "8", "9"]
    assert rejects[1]["Email"] == "odd@example.org"
    assert 'status "maybe" is not known' in rejects[1]["reason"]
    assert "no list" in rejects[2]["reason"]
    assert person(desk, "new@example.org").state == "CA"


def test_importing_twice_changes_nothing(desk: Desk) -> None:
    text = (
        HEAD
        + "a1@example.org,A,FL,Network Download,subscribed,2022-01-01\nA1@example.org,B,,Network Download,pending,\n"
    )
    desk.import_people(text)
    with desk.space.store.read() as session:
        before = [
            session.execute(select(*record.__table__.c).order_by(*record.__table__.primary_key)).all()
            for record in (SubscriberRecord, SubscriptionRecord, ConsentRecord, SuppressionRecord)
        ]
    report = desk.import_people(text)
    assert (report.imported, report.merged, report.changed) == (0, 2, 0)
    with desk.space.store.read() as session:
        after = [
            session.execute(select(*record.__table__.c).order_by(*record.__table__.primary_key)).all()
            for record in (SubscriberRecord, SubscriptionRecord, ConsentRecord, SuppressionRecord)
        ]
    assert after == before


@pytest.mark.parametrize("stop", ["unsubscribed", "cleaned", "complained", "bounced", "blocklisted"])
def test_a_stop_is_never_resurrected_by_a_later_import(desk: Desk, stop: str) -> None:
    desk.import_people(HEAD + f"x@example.org,X,,Network Download,{stop},\n")
    desk.import_people(HEAD + "x@example.org,X,,Network Download,subscribed,2026-01-01\n")
    assert "x@example.org" not in mailable(desk)
    assert standing(desk, "x@example.org") == {"network-download": "unsubscribed"}


@pytest.mark.parametrize("stop", ["unsubscribed", "cleaned", "complained"])
def test_a_stop_wins_over_an_earlier_subscription(desk: Desk, stop: str) -> None:
    desk.import_people(HEAD + f"ana@example.org,,,Network Download,{stop},\n")
    assert "ana@example.org" not in mailable(desk)


def test_a_bounce_or_complaint_stops_every_list(desk: Desk) -> None:
    desk.import_people(HEAD + "y@example.org,,,Workers' Rights Round Up,subscribed,\n")
    desk.import_people(HEAD + "y@example.org,,,Network Download,complained,\n")
    assert "y@example.org" not in mailable(desk, "workers-rights")
    with desk.space.store.read() as session:
        found = session.scalars(select(SuppressionRecord).where(SuppressionRecord.email == "y@example.org")).one()
    assert found.reason == Reason.COMPLAINT


def test_pending_is_not_mailed_and_does_not_override_active(desk: Desk) -> None:
    desk.import_people(
        HEAD + "p@example.org,,,Network Download,pending,\nana@example.org,,,Network Download,pending,\n"
    )
    assert "p@example.org" not in mailable(desk)
    assert "ana@example.org" in mailable(desk)


def test_the_row_with_the_newer_consent_wins_and_an_empty_cell_replaces_nothing(desk: Desk) -> None:
    desk.import_people(HEAD + "z@example.org,Zed,FL,Network Download,subscribed,2021-01-01\n")
    desk.import_people(HEAD + "z@example.org,Zoe,,Network Download,subscribed,2020-01-01\n")
    assert person(desk, "z@example.org").first_name == "Zed"
    desk.import_people(HEAD + "z@example.org,Zoe,,Network Download,subscribed,2022-01-01\n")
    found = person(desk, "z@example.org")
    assert (found.first_name, found.state) == ("Zoe", "FL")


def test_an_erased_address_is_not_taken_again(desk: Desk) -> None:
    with desk.space.store.write() as session:
        hashed = desk.space.address_hash("gone@example.org")
        session.add(SuppressionRecord(address_hash=hashed, email=None, reason=Reason.ERASED, source="request", at=NOW))
    report = desk.import_people(HEAD + "Gone@example.org,,,Network Download,subscribed,\n")
    assert report.rejected == 1
    assert "asked to be forgotten" in next(iter(report.reasons))


def test_the_evidence_of_consent_is_kept(desk: Desk) -> None:
    text = "Email,Lists,Signup IP,Confirmed\ne@example.org,Network Download,203.0.113.9,03/14/2022\n"
    desk.import_people(text, "signup.csv")
    with desk.space.store.read() as session:
        found = person(desk, "e@example.org")
        consent = session.scalars(select(ConsentRecord).where(ConsentRecord.subscriber_id == found.id)).one()
    assert consent.source == "import 2: signup.csv"
    assert consent.evidence == {"line": 2, "ip": "203.0.113.9", "confirmed": "2022-03-14T00:00:00+00:00"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_usual_encoding_and_delimiter_is_read(desk: Desk, encoding: str, delimiter: str) -> None:
    rows = [("Email Address", "First Name", "Lists"), ("jose@example.org", "José", "Network Download")]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    assert desk.import_people(text.encode(encoding)).imported == 1
    assert person(desk, "jose@example.org").first_name == "José"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"\xd0\xcf\x11\xe0 workbook", "save it as CSV"),
        (b"Email\0,Name\n", "not a text file"),
        (b"Name,State\nA,FL\n", "no column holds the address"),
        (b'Email,Lists\n"never closed' + b"x" * 200_000, "a quote is never closed"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line_and_changes_nothing(desk: Desk, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        desk.import_people(data)
    with desk.space.store.read() as session:
        assert session.scalar(select(func.count()).select_from(SubscriberRecord)) == 6


def test_a_row_without_a_list_goes_to_the_list_that_was_named(desk: Desk) -> None:
    assert desk.import_people("Email\nq@example.org\n", "people.csv", "federal-advocacy").imported == 1
    assert standing(desk, "q@example.org") == {"federal-advocacy": "active"}
    with pytest.raises(InputError, match="no column names the lists"):
        desk.import_people("Email\nr@example.org\n")
    report = desk.import_people("Email,Lists\nr@example.org,\n")
    assert (report.rejected, list(report.reasons)) == (1, ["on no list"])


def test_columns_are_guessed_from_the_headers_that_tools_use() -> None:
    header = ["EMAIL ADDRESS", "FNAME", "lname", "State/Region", "OPTIN_IP", "Notes "]
    assert columns.guess(header) == {
        "email": ("EMAIL ADDRESS",),
        "first_name": ("FNAME",),
        "last_name": ("lname",),
        "state": ("State/Region",),
        "ip": ("OPTIN_IP",),
        "note": ("Notes ",),
    }
    assert columns.given(["note="], header) == {"note": ()}
    with pytest.raises(InputError, match='did you mean "FNAME"'):
        columns.given(["first_name=FNAM"], header)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ana@Example.ORG ", "ana@example.org"),
        ("Council Office <office@example.org>", "office@example.org"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert normalize(text) == address


@pytest.mark.parametrize(
    "text", ["", "n/a", "two@@example.org", "ünï@example.org", "a@b", "a b@example.org", "a@-b.org"]
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InputError) as caught:
        normalize(text)
    assert not text or text not in str(caught.value) or len(text) < 4


@given(st.binary(max_size=400))
def test_any_bytes_end_as_rows_or_as_one_of_our_errors(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "any.csv"
    path.write_bytes(data)
    try:
        with open_export(path) as table:
            list(table.rows)
    except InputError:
        pass


def test_texts_that_are_too_long_are_cut_as_everywhere_else_and_said(desk: Desk) -> None:
    cells = dict.fromkeys(("First Name", "Locality", "Role", "Note", "ward"), "x" * 199 + " " + "y" * 2000)
    header, row = ",".join(cells), ",".join(cells.values())
    report = desk.import_people(
        f'Email,{header},Tags,Lists\nlong@example.org,{row},"{"t" * 150}; b",Network Download\n', "long.csv"
    )
    assert report.imported == 1
    with desk.space.store.read() as session:
        person = audience.find(session, "long@example.org")
        assert person
        assert {person.first_name, person.locality, person.role, person.attributes["ward"]} == {"x" * 199}
        assert len(person.note) == 2_000
        assert sorted(rights.tags(session, person.id)) == ["b", "t" * 100]
