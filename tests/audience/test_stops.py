# ruff: noqa: E501 (rows of tables)
"""A stop in an export never becomes a yes: not as a flag, not as a date, not in a row that's rejected."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience.planning import MEANINGS, Choices
from newsletter.audience.standing import Reason
from newsletter.errors import InputError
from newsletter.store.records import SubscriberRecord
from tests.audience.test_systems import LIST, ends
from tests.desk import Desk

ACTIVE, PENDING, LEFT = ("active", ""), ("pending", ""), ("unsubscribed", "")
BOUNCED, COMPLAINED = ("unsubscribed", Reason.HARD_BOUNCE), ("unsubscribed", Reason.COMPLAINT)


def imported(desk: Desk, text: str | bytes, name: str = "people.csv") -> dict[str, tuple[str, str]]:
    """Where everybody of a file stands, by what is before the @."""
    desk.import_people(text, name, LIST)
    return {email.partition("@")[0]: end for email, end in ends(desk).items()}


YES = ("true", "TRUE", "1", "yes", "Y", "x", "X", "t", "on", "Sí", "✓")
NO = ("false", "0", "No", "n", "", "f")
DATES = ("2022-01-31", "1/31/22", "Jan 31, 2022 4:15 PM", "31.01.2022", "1643587200", "44592", "2022-01-31T10:00:00Z")
NO_DATES = ("", "NULL", "-", "0000-00-00 00:00:00", "\\N", "00/00/0000", "n/a", "1970-01-01 00:00:00")


def leaving(desk: Desk, header: str, stops: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Import a file with a row for each cell, and see who has left."""
    rows = [(f"s{n}", cell) for n, cell in enumerate(stops)] + [(f"o{n}", cell) for n, cell in enumerate(others)]
    found = imported(desk, f"Email,{header}\n" + "".join(f'{who}@example.org,"{cell}"\n' for who, cell in rows))
    assert found == {who: LEFT if who[0] == "s" else ACTIVE for who, _ in rows}


@pytest.mark.parametrize(
    "header", ["Do Not Email", "HasOptedOutOfEmail", "is_unsubscribed", "Email Opt-Out", "blacklisted"]
)
def test_a_flag_for_leaving_stops_whoever_has_it(desk: Desk, header: str) -> None:
    leaving(desk, header, YES, NO)


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [
        ("Opted In", "true", "false"),
        ("Accepts Marketing", "yes", "no"),
        ("Subscribed", "1", "0"),
        ("email_opt_in", "Y", "N"),
        ("Subscribed", "2021-03-04", "no"),
        ("Email Marketing Consent", "SUBSCRIBED", "UNSUBSCRIBED"),
    ],
)
def test_a_flag_for_agreeing_is_consent_only_where_it_says_so(desk: Desk, header: str, yes: str, no: str) -> None:
    found = imported(desk, f"Email,{header}\na@example.org,{yes}\nb@example.org,{no}\nc@example.org,\n")
    assert found == {"a": ACTIVE, "b": LEFT, "c": PENDING}


@pytest.mark.parametrize("word", ["", "Awaiting confirmation", "No Permissions Set", "never subscribed", "NULL", "-"])
def test_only_a_word_that_means_consent_is_consent(desk: Desk, word: str) -> None:
    assert imported(desk, f"Email,Status\na@example.org,active\nb@example.org,{word}\n") == {"a": ACTIVE, "b": PENDING}


@pytest.mark.parametrize(
    "header", ["state", "type", "Role", "Member Type", "Subscription", "Contact State", "Standing"]
)
def test_a_column_whose_cells_are_standings_is_a_status_whatever_its_name(desk: Desk, header: str) -> None:
    text = f"Email,{header}\na@example.org,active\nb@example.org,cancelled\nc@example.org,bounced\nd@example.org,complained\n"
    assert imported(desk, text) == {"a": ACTIVE, "b": LEFT, "c": BOUNCED, "d": COMPLAINED}


def test_a_state_that_is_a_place_stays_one(desk: Desk) -> None:
    imported(desk, "Email,State\na@example.org,IN\nb@example.org,OR\nc@example.org,no\n")
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert found.state == "IN"


def test_a_word_for_having_left_stops_in_whatever_column_it_stands(desk: Desk) -> None:
    text = (
        "Email,First Name,Tags,Notes,Shoe\na@example.org,Ann,donor,,7\nb@example.org,Bob,Unsubscribed,,8\n"
        "c@example.org,Cy,,opted out,9\nd@example.org,Di,,,Do-Not-Email\ne@example.org,Unsubscribed,,,\n"
    )
    assert imported(desk, text) == {"a": ACTIVE, "b": LEFT, "c": LEFT, "d": LEFT, "e": LEFT}


@pytest.mark.parametrize("header", ["Unsubscribed", "unsubscribed_at", "Opt-Out Date"])
def test_a_date_of_leaving_stops_and_the_lack_of_one_does_not(desk: Desk, header: str) -> None:
    leaving(desk, header, DATES, NO_DATES)


@pytest.mark.parametrize("cell", ["2022-01-01", "1", "yes"])
def test_a_file_in_which_a_flag_or_a_date_lets_everybody_leave_asks_first(desk: Desk, cell: str) -> None:
    text = f"Email,unsubscribed_at\na@example.org,{cell}\nb@example.org,{cell}\n"
    with pytest.raises(InputError, match="all 2 rows have left"):
        imported(desk, text)
    path = desk.folder / "people.csv"
    desk.space.import_people(path, lists=(LIST,), choices=Choices(everybody=MEANINGS["unsubscribed"]))
    assert set(ends(desk).values()) == {LEFT}


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Mail hold", "1"),
        ("Bounces", "3"),
        ("Email deactivated", "yes"),
        ("Removed by", "Kim"),
        ("Suppression list", "A"),
        ("Reclamos de spam", "1"),
        ("Motivo de baja", "otro"),
        ("Membership", "cancelled"),
        ("Newsletter", "unengaged"),
        ("gesperrt", "ja"),
    ],
)
def test_what_may_be_a_stop_waits_until_somebody_says_what_it_is(desk: Desk, header: str, cell: str) -> None:
    text = f"Email,{header}\na@example.org,{cell}\nb@example.org,\n"
    with pytest.raises(InputError, match="may say who must not be mailed"):
        imported(desk, text)
    path = desk.folder / "people.csv"
    assert not ends(desk)
    desk.space.import_people(path, lists=(LIST,), choices=Choices(pairs=(f"stopped={header}",)))
    assert {email[0]: end for email, end in ends(desk).items()} == {"a": LEFT, "b": ACTIVE}


@pytest.mark.parametrize(
    ("header", "no", "yes"),
    [
        ("May we write?", "No", "Yes"),
        ("Mail allowed", "0", "1"),
        ("is_active", "False", "True"),
        ("enabled", "f", "t"),
        ("GDPR", "declined", "accepted"),
        ("Newsletter", "nein", "ja"),
        ("Communication Preferences", "none", "weekly"),
        ("Email valid", "❌", "✅"),
        ("Chapter Status", "Lapsed", "Current"),
        ("Consent (Consent)", "", "Checked"),
        ("Archived", "yes", "no"),
        ("End Date", "2022-01-01", ""),
        ("ステータス", "退会", "有効"),
        ("Статус", "отписан", "активен"),
    ],
)
def test_a_column_that_may_say_what_somebody_wants_waits_until_it_is_known(
    desk: Desk, header: str, no: str, yes: str
) -> None:
    text = f"Email,{header}\na@example.org,{no}\nb@example.org,{yes}\n"
    with pytest.raises(InputError, match="may say who must not be mailed") as raised:
        imported(desk, text)
    assert f'--skip "{header}"' in str(raised.value)
    desk.space.import_people(desk.folder / "people.csv", lists=(LIST,), choices=Choices(skipped=(header,)))
    assert {end[0] for end in ends(desk).values()} == {"active"}


def test_a_column_of_leaving_in_which_nobody_left_is_not_asked_about(desk: Desk) -> None:
    text = "Email,Email delivery disabled,Removed from list\na@example.org,no,No\nb@example.org,no,\n"
    assert imported(desk, text) == {"a": ACTIVE, "b": ACTIVE}


def test_a_column_of_numbers_is_no_refusal(desk: Desk) -> None:
    header = "Email,Emails Opened,Newsletter visits,email_count,Subscription months"
    rows = "a@example.org,0,0,0,0\nb@example.org,1,12,1,24\n"
    assert imported(desk, f"{header}\n{rows}") == {"a": ACTIVE, "b": ACTIVE}


@pytest.mark.parametrize(
    "header", ["Favorite color", "Email client", "Member since", "Chapter Role", "Donations", "都市"]
)
def test_a_column_that_says_nothing_of_mail_is_not_asked_about(desk: Desk, header: str) -> None:
    rows = "".join(f"p{number}@example.org,value {number}\n" for number in range(20))
    assert set(imported(desk, f"Email,{header}\n{rows}").values()) == {ACTIVE}


@pytest.mark.parametrize(
    "note",
    [
        "please remove me from your list",
        "3/4/21: asked to be taken off",
        "Spoke to her, wants off",
        "DO NOT EMAIL per Ada",
        "Don't contact him any more",
        "no more emails, she said",
        "No emails please",
        "said to drop them from the newsletter",
        "opted out of all emails in 2019",
        "take me off this mailing list, and don't call either",
        "Deceased",
    ],
)
def test_what_somebody_asked_for_in_a_note_stops_them(desk: Desk, note: str) -> None:
    text = f'Email,Notes\na@example.org,"{note}"\nb@example.org,met at the convening and wants to help\n'
    assert imported(desk, text) == {"a": LEFT, "b": ACTIVE}


@pytest.mark.parametrize(
    "note",
    [
        "opted out of texts only",
        "do not call the mobile phone",
        "takes notes off the record",
        "never contacted before May",
        "asks to be sent two copies",
        "removed from her seat on the council",
    ],
)
def test_a_note_about_something_else_stops_nobody(desk: Desk, note: str) -> None:
    assert imported(desk, f'Email,Notes\na@example.org,"{note}"\n') == {"a": ACTIVE}


@pytest.mark.parametrize("header", ["Mail hold", "Removed by"])
def test_a_column_that_was_set_aside_by_name_says_nothing_and_is_remembered_so(desk: Desk, header: str) -> None:
    path = desk.folder / "people.csv"
    path.write_text(f"Email,{header}\na@example.org,1\nb@example.org,\n", encoding="utf-8")
    desk.space.import_people(path, lists=(LIST,), choices=Choices(skipped=(header,)))
    assert set(ends(desk).values()) == {ACTIVE}
    path.write_text(f"Email,{header}\nc@example.org,1\n", encoding="utf-8")
    desk.space.import_people(path, lists=(LIST,))
    assert len(ends(desk)) == 3


@pytest.mark.parametrize("header", ["SMS opt-out", "Do Not Call", "Mobile unsubscribed", "Phone disabled"])
def test_a_stop_for_another_way_than_mail_is_none_for_mail(desk: Desk, header: str) -> None:
    assert imported(desk, f"Email,{header}\na@example.org,yes\nb@example.org,no\n") == {"a": ACTIVE, "b": ACTIVE}


@pytest.mark.parametrize("cells", ["unsubscribed,X,active", "active,X,unsubscribed", "active,X,1", "false,X,cleaned"])
def test_of_two_columns_of_one_name_the_stop_wins(desk: Desk, cells: str) -> None:
    found = imported(desk, f"Email,Status,Name,Status\na@example.org,{cells}\n")
    assert found["a"][0] == ("active" if cells.endswith("1") else "unsubscribed")


def test_two_columns_of_addresses_with_one_name_are_refused_by_name(desk: Desk) -> None:
    with pytest.raises(InputError, match='two columns are named "Email"'):
        imported(desk, "Email,Name,Email\na@example.org,A,b@example.org\n")


@pytest.mark.parametrize(
    ("head", "row", "end"),
    [
        ("Email,Lists,Status", "a@example.org,Federal Advocacy; Old List,unsubscribed", "unsubscribed"),
        ("Email,Lists,Status", "a@example.org,Old List,Opted out", "unsubscribed"),
        ("Email,First Name,Status", "a@example.org,Bob,Lee,unsubscribed", "unsubscribed"),
        ("Email,First Name,Opted out", "a@example.org,Bob,Lee,true", "unsubscribed"),
        ("Email,First Name,Status", "a@example.org;b@example.org,Bob,cancelled", "unsubscribed"),
        ("Email,First Name,Status,Opted Out", "a@example.org,Bob,whatever,yes", "unsubscribed"),
        ("Email,Lists,Status", "a@example.org,Old List,cleaned", Reason.HARD_BOUNCE),
        ("Email,First Name,Status", "a@example.org,Bob,Lee,complained", Reason.COMPLAINT),
        ("Email,First Name,Status", '"a@example.org, Bob",Lee,unsubscribed', "unsubscribed"),
    ],
)
def test_a_stop_holds_even_where_its_row_is_rejected(desk: Desk, head: str, row: str, end: str) -> None:
    desk.import_people("Email\na@example.org\n", "before.csv", LIST)
    assert ends(desk) == {"a@example.org": ACTIVE}
    report = desk.import_people(f"{head}\nok@example.org,,\n{row}\n", "people.csv", LIST)
    assert (report.rejected, report.stopped >= 1) == (1, True)
    assert report.rows == report.imported + report.merged + report.rejected
    assert end in ends(desk)["a@example.org"]


def test_a_stop_without_a_list_holds_for_all(desk: Desk) -> None:
    report = desk.import_people("Email,Lists,Status\nana@example.org,,unsubscribed\nnew@example.org,,complained\n")
    assert (report.rejected, report.stopped) == (2, 2)
    assert ends(desk, "network-download")["ana@example.org"] == LEFT
    assert ends(desk)["new@example.org"] == COMPLAINED


@pytest.mark.parametrize(
    "text",
    [
        'a@example.org\t"Bob\tunsubscribed\nb@example.org\tAnn\tunsubscribed\n',
        'a@example.org\t"Bob\tunsubscribed\nb@example.org\t"Ann\tunsubscribed\nc@example.org\tCy\tactive\n',
        'a@example.org\tBob\tactive\nb@example.org\t"Ann" Lee\tunsubscribed\n',
        'a@example.org\t"Bob\tactive\nb@example.org\tAnn"\tunsubscribed\n',
    ],
)
def test_a_stray_quote_is_refused_with_its_line_and_swallows_nobody(desk: Desk, text: str) -> None:
    with pytest.raises(InputError, match=r"people.tsv:[23]: .*quote"):
        imported(desk, "email\tname\tstatus\n" + text, "people.tsv")
    assert not ends(desk)


def test_a_note_of_several_lines_with_an_address_in_it_is_no_fault(desk: Desk) -> None:
    text = 'Email,Notes\na@example.org,"Call first\nor write to kim@example.org, who knows"\n'
    assert imported(desk, text) == {"a": ACTIVE}


@pytest.mark.parametrize("link", [False, True])
def test_rejected_rows_never_overwrite_the_file_they_come_from(desk: Desk, link: bool) -> None:
    path = desk.folder / "people.csv"
    path.write_text("Email\nnot an address\n", encoding="utf-8")
    target = path
    if link:
        target = desk.folder / "link.csv"
        target.symlink_to(path)
    for other in (target, desk.folder / "config.toml"):
        before = other.read_bytes()
        with pytest.raises(InputError, match="rejected rows can't be written"):
            desk.space.import_people(path, lists=(LIST,), rejects=other)
        assert other.read_bytes() == before


def test_rejected_rows_are_for_their_owner_alone_hold_no_formula_and_can_be_brought_back(desk: Desk) -> None:
    report = desk.import_people('Email,First Name\nnone,"=HYPERLINK(""x"")"\n', "people.csv", LIST)
    (rejects,) = report.rejects_files
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    text = rejects.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in text
    mended = text.replace("none", "a@example.org")
    assert imported(desk, mended, "mended.csv") == {"a": ACTIVE}


JOSE = "Email,First Name\na@example.org,José\nb@example.org,Zoë Müller\nc@example.org,Ana\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"])
def test_letters_come_out_as_they_were_in_each_encoding(desk: Desk, encoding: str) -> None:
    imported(desk, JOSE.encode(encoding))
    with desk.space.store.read() as session:
        names = set(session.scalars(select(SubscriberRecord.first_name)))
    assert {"José", "Zoë Müller"} <= names


@pytest.mark.parametrize("byte", [b"\xe9", b"\x92", b"\xff", b"\xc3"])
def test_a_byte_that_is_not_utf_8_among_letters_that_are_is_refused_with_its_line(desk: Desk, byte: bytes) -> None:
    data = JOSE.encode().replace(b"Ana", b"Ren" + byte)
    with pytest.raises(InputError, match=r"people.csv:4: not UTF-8"):
        imported(desk, data)


def test_a_file_that_is_the_same_in_two_encodings_is_asked_about(desk: Desk) -> None:
    with pytest.raises(InputError, match="in which encoding"):
        imported(desk, b"Email,First Name\na@example.org,\xe7ngel\n")


@pytest.mark.parametrize(
    "date",
    [
        "2021-11-03 16:15:00 UTC",
        "11/03/2021 04:15:00 PM",
        "Nov 3, 2021 4:15 PM",
        "11/3/21 16:15",
        "Wed, 03 Nov 2021 16:15:00 +0000",
        "2021-11-03T16:15:00.000Z",
        "3 November 2021 16:15",
        "1635956100",
        "2021-11-03 12:15:00 EDT",
        "2021/11/03 16:15",
        "03.11.2021 16:15",
        "20211103T161500Z",
    ],
)
def test_a_date_of_consent_is_read_however_it_is_written(desk: Desk, date: str) -> None:
    report = desk.import_people(f'Email,Confirmed\na@example.org,"{date}"\n', "people.csv", LIST)
    assert not report.warnings
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert f"{found.consented_at:%Y-%m-%d %H:%M}" == "2021-11-03 16:15"


def test_days_come_first_where_the_file_shows_it(desk: Desk) -> None:
    imported(desk, "Email,Confirmed\na@example.org,03/11/2021\nb@example.org,25/12/2021\n")
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert f"{found.consented_at:%Y-%m-%d}" == "2021-11-03"


def test_dates_that_cannot_be_read_or_lie_in_the_future_are_counted_with_three_examples(desk: Desk) -> None:
    rows = "".join(f"p{n}@example.org,sometime {n}\n" for n in range(1_000))
    report = desk.import_people(f"Email,Confirmed\n{rows}late@example.org,2031-01-01\n", "people.csv", LIST)
    assert {what: (noted.rows, len(noted.examples)) for what, noted in report.warnings.items()} == {
        "a date of consent can't be read; left empty": (1_000, 3),
        "a date of consent lies in the future; left empty": (1, 1),
    }


@pytest.mark.parametrize(
    "cell",
    [
        '{""ward"": ""\\ud800x""}',
        '{""ward"": ""\\u0000x""}',
        '{""ward"": ""\\u001b]52;c;x\\u0007""}',
        '{""ward"": ""\\u202ex""}',
    ],
)
def test_no_text_that_breaks_a_database_or_a_terminal_gets_in(desk: Desk, cell: str) -> None:
    import json
    from dataclasses import replace

    from newsletter.workspace import Workspace

    space = Workspace(replace(desk.space.config, attributes=("ward",)), desk.space.clock)
    space.__dict__["store"] = desk.space.store
    Desk(space).import_people(f'Email,First Name,Attributes\na@example.org,B\x1b[31mo\u202eb,"{cell}"\n', "p.csv", LIST)
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert "x" in found.attributes["ward"]
        assert (found.attributes["ward"] + found.first_name).isprintable()
        json.dumps(found.attributes, ensure_ascii=False).encode()


def test_words_that_nobody_knows_are_listed_with_their_counts_before_anything_is_stored(desk: Desk) -> None:
    path = desk.folder / "people.csv"
    path.write_text(
        "Email,Status\na@example.org,vip\nb@example.org,vip\nc@example.org,gone fishing\n", encoding="utf-8"
    )
    plan = desk.space.import_plan(path, lists=(LIST,))
    assert dict(plan.survey.unknown(plan.mapping, plan.rules.words)) == {"vip": 2, "gone fishing": 1}
    done = desk.run("subscribers", "import", "people.csv", "--list", LIST)
    assert done.returncode == 1
    assert '"vip": 2 rows will be rejected' in done.stderr
    words = ("--word", "vip=active", "--word", "gone fishing=unsubscribed")
    done = desk.run("subscribers", "import", "people.csv", "--list", LIST, "--yes", *words)
    assert done.returncode == 0, done.stderr
    assert {email[0]: end for email, end in ends(desk).items()} == {"a": ACTIVE, "b": ACTIVE, "c": LEFT}


def test_somebody_who_got_only_a_tag_is_counted_as_changed(desk: Desk) -> None:
    imported(desk, "Email\na@example.org\n")
    report = desk.import_people("Email,Tags\na@example.org,donor\n", "tags.csv", LIST)
    assert (report.merged, report.changed) == (1, 1)
    assert desk.import_people("Email,Tags\na@example.org,donor\n", "tags.csv", LIST).changed == 0


def test_the_files_of_mailchimps_archive_are_read_each_as_what_it_is(desk: Desk) -> None:
    head = "Email Address,First Name,LEID,EUID"
    path = desk.folder / "audience_export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, who in (("subscribed", "a"), ("unsubscribed", "b"), ("cleaned", "c"), ("nonsubscribed", "d")):
            archive.writestr(f"{name}_email_audience_export_1.csv", f"{head}\n{who}@example.org,X,1,ab\n")
    report = desk.space.import_people(path, lists=(LIST,))
    assert (report.rows, report.imported) == (4, 4)
    found = {email[0]: end for email, end in ends(desk).items()}
    assert found == {"a": ACTIVE, "b": LEFT, "c": BOUNCED, "d": PENDING}


def test_a_file_that_by_its_name_is_of_people_who_left_asks_where_they_stand(desk: Desk) -> None:
    with pytest.raises(InputError, match="by its name"):
        imported(desk, "Email\na@example.org\n", "unsubscribes-2022.csv")
    path = desk.folder / "unsubscribes-2022.csv"
    desk.space.import_people(path, lists=(LIST,), choices=Choices(everybody=MEANINGS["unsubscribed"]))
    assert set(ends(desk).values()) == {LEFT}


def test_a_workbook_is_read_with_its_dates_and_numbers(desk: Desk) -> None:
    path = workbook(desk.folder / "people.xlsx", [["Email", "First Name", "Unsubscribed", "Confirmed"]])
    desk.space.import_people(path, lists=(LIST,))
    assert {email[0]: end for email, end in ends(desk).items()} == {"a": ACTIVE, "b": LEFT}
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert f"{found.consented_at:%Y-%m-%d %H:%M}" == "2021-11-03 16:15"


def workbook(path: Path, rows: list[list[str]]) -> Path:
    """A workbook as spreadsheets write it: shared strings left out, a date as a number with a date's format."""
    day = "44503.677083333336"
    cells = [*rows, ["a@example.org", "7", "", day], ["b@example.org", "Bob", day, ""]]
    body = "".join(
        f'<row r="{n}">'
        + "".join(
            f'<c r="{"ABCD"[i]}{n}" s="1"><v>{cell}</v></c>'
            if re.fullmatch(r"[\d.]+", cell)
            else f'<c r="{"ABCD"[i]}{n}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for i, cell in enumerate(row)
            if cell
        )
        + "</row>"
        for n, row in enumerate(cells, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{sheet}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{sheet}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{rel}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


def test_standard_input_is_read_like_a_file(desk: Desk) -> None:
    done = desk.run(
        "subscribers", "import", "-", "--list", LIST, "--yes", stdin="Email,Status\na@example.org,opted out\n"
    )
    assert done.returncode == 0, done.stderr
    assert ends(desk) == {"a@example.org": LEFT}


@pytest.mark.parametrize(
    ("text", "tag"),
    [("Español", "es"), ("spanish", "es"), ("es-MX", "es-mx"), ("es_MX", "es-mx"), ("Français", "fr"), ("zz", "")],
)
def test_languages_are_stored_as_tags_however_they_are_written(desk: Desk, text: str, tag: str) -> None:
    imported(desk, f"Email,Language\na@example.org,{text}\n")
    with desk.space.store.read() as session:
        found = audience.find(session, "a@example.org")
        assert found
        assert found.language == tag


def test_the_import_shows_the_first_rows_and_what_each_would_become_before_it_asks(desk: Desk) -> None:
    rows = "".join(f"p{n}@example.org,P{n},{word}\n" for n, word in enumerate(("active", "bounced", "opted out") * 3))
    (desk.folder / "people.csv").write_text(f"email,first_name,status\n{rows}odd,,active\n", encoding="utf-8")
    done = desk.run("subscribers", "import", "people.csv", "--list", LIST)
    assert done.returncode == 1
    assert "p0@example.org; first_name: P0; federal-advocacy active" in done.stderr
    assert done.stderr.count("first_name: P") == 5
    assert "10 rows would become: 3 active, 3 suppressed (hard bounce), 3 unsubscribed, 1 rejected." in done.stderr


STOPS = ("unsubscribed", "Opted Out", "bounced", "complained", "do not email", "hard bounce", "blocklisted")
HEADERS = (
    "First Name", "State", "Status", "Type", "Tags", "Notes", "Unsubscribed", "Opted In", "Do Not Email", "LEID", "EUID",
    "can2_subscription_status", "subscribed_to_emails", "email_disabled", "confirmed", "blacklisted", "created_at", "City",
)  # fmt: skip
CELLS = st.sampled_from(
    ("", "active", "true", "false", "0", "1", "FL", "2021-01-01", "Ann", "subscribed", "donor", *STOPS)
)


@given(
    headers=st.lists(st.sampled_from(HEADERS), min_size=1, max_size=5, unique=True),
    rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_nobody_with_a_stop_anywhere_in_their_row_is_mailable(
    desk: Desk, headers: list[str], rows: list[list[str]]
) -> None:
    with desk.space.store.write() as session:
        for person in session.scalars(select(SubscriberRecord)):
            session.delete(person)
    width = len(headers)
    lines = [f"p{n}@example.org,{','.join(row[: width + n % 2])}" for n, row in enumerate(rows)]
    text = f"Email,{','.join(headers)}\n" + "\n".join(lines) + "\n"
    path = desk.folder / "any.csv"
    path.write_text(text, encoding="utf-8")
    try:
        report = desk.space.import_people(path, lists=(LIST,))
    except InputError:
        return
    assert report.rows == len(rows) == report.imported + report.merged + report.rejected
    with desk.space.store.read() as session:
        mailable = {row.email for row in session.execute(audience.mailable(LIST, desk.space.clock.now()))}
    stopped = {f"p{n}@example.org" for n, line in enumerate(lines) if set(line.split(",")[1:]) & set(STOPS)}
    assert not mailable & stopped
    assert session.scalar(select(func.count()).select_from(SubscriberRecord)) is not None
