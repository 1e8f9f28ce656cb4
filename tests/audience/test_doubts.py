# ruff: noqa: E501 (rows of tables)
"""What nobody understands is asked about: headers, words and files of others, in others' languages."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from newsletter import audience
from newsletter.audience import cells, stops
from newsletter.audience.planning import MEANINGS, Choices
from newsletter.audience.standing import Reason
from newsletter.errors import InputError
from newsletter.spreadsheet import guarded, unguarded
from tests.audience.test_stops import ACTIVE, BOUNCED, LEFT, PENDING, imported, workbook
from tests.audience.test_systems import LIST, ends
from tests.desk import Desk


def with_choices(desk: Desk, text: str, choices: Choices) -> dict[str, tuple[str, str]]:
    """The same as `imported`, with what somebody decided."""
    path = desk.folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    desk.space.import_people(path, lists=(LIST,), choices=choices)
    return {email.partition("@")[0]: end for email, end in ends(desk).items()}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("NPAI-2", ("oui", "non")),
        ("Avregistrerad", ("Ja", "Nej")),
        ("Odhlášen", ("ano", "ne")),
        ("Abonelikten çıktı", ("Evet", "Hayır")),
        ("Trạng thái", ("Đã hủy đăng ký", "Đã đăng ký")),
        ("Desea recibir boletín", ("No", "Sí")),
        ("Keine Werbung", ("ja", "nein")),
        ("Zgoda na mailing", ("Nie", "Tak")),
        ("Uitgeschreven op", ("2023-01-02", "")),
        ("Rezygnacja", ("2023-01-02", "")),
        ("DNM", ("Yes", "")),
        ("marketable", ("FALSE", "TRUE")),
        ("Kill", ("1", "")),
        ("Opt", ("out", "in")),
        ("E-News", ("N", "Y")),
        ("Member of list", ("No", "Yes")),
        ("Return to sender", ("x", "")),
        ("Dead", ("yes", "")),
        ("Died", ("2022-01-01", "")),
        ("Account closed", ("yes", "no")),
        ("Off list", ("x", "")),
        ("No contact", ("x", "")),
        ("Mail code", ("NM", "")),
        ("Email Status Code", ("U", "S")),
        ("Action", ("Remove", "Keep")),
        ("Reply", ("remove", "")),
        ("non_transactional", ("true", "false")),
        ("delivery_option", ("by hand", "as usual")),
        ("Right to be forgotten", ("yes", "no")),
        ("Erasure requested", ("yes", "no")),
        ("Status history", ("2020-01-01 subscribed > 2021-01-01 opted out", "2020-01-01 subscribed")),
        ("Preferences", ("None", "Email")),
        ("Last event", ("bounce", "unsubscribe")),
        ("Would you like to receive our newsletter?", ("No thanks", "Yes, please!")),
        ("Standing of theirs", ("gone for good", "with us")),
    ],
)
def test_a_column_of_few_words_that_nobody_understands_is_asked_about(
    desk: Desk, header: str, cells: tuple[str, str]
) -> None:
    text = f'Email,{header}\na@example.org,"{cells[0]}"\nb@example.org,"{cells[1]}"\n'
    with pytest.raises(InputError, match="may say who must not be mailed") as raised:
        imported(desk, text)
    assert f'"{header}"' in str(raised.value)
    assert not ends(desk)
    assert set(with_choices(desk, text, Choices(skipped=(header,))).values()) == {ACTIVE}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Volunteer", ("yes", "no")),
        ("Gender", ("f", "m")),
        ("Source", ("web form", "convening")),
        ("T-Shirt Size", ("L", "XL")),
        ("Country", ("US", "CA")),
        ("Nombre de la empresa", ("Uno", "Dos")),
        ("Ward", ("7", "8")),
    ],
)
def test_what_organizations_keep_of_people_is_not_asked_about(desk: Desk, header: str, cells: tuple[str, str]) -> None:
    assert set(imported(desk, f"Email,{header}\na@example.org,{cells[0]}\nb@example.org,{cells[1]}\n").values()) == {
        ACTIVE
    }


def test_all_columns_that_are_in_doubt_are_named_at_once_with_what_each_is_likely_to_be(desk: Desk) -> None:
    text = (
        "Email,Email Invalid,On our black list,Marketing Suspended,IsOptInPending,Marked email as spam,Zzz\n"
        "a@example.org,0,0,0,0,0,no\nb@example.org,1,1,1,1,1,yes\n"
    )
    with pytest.raises(InputError) as raised:
        imported(desk, text)
    for likely in (
        '--map bounced="Email Invalid"',
        '--map stopped="On our black list"',
        '--map stopped="Marketing Suspended"',
        '--map status="IsOptInPending" --word YES=pending',
        '--map complained="Marked email as spam"',
        '--map stopped="Zzz" where yes means that somebody must not be mailed, --map consented="Zzz"',
    ):
        assert likely in str(raised.value)


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("Email;Stato\na@example.org;Iscritto\nb@example.org;Disiscritto\nc@example.org;In attesa\n", (ACTIVE, LEFT, PENDING)),
        ("Email;Estado\na@example.org;Alta\nb@example.org;Baja\nc@example.org;Pendiente\n", (ACTIVE, LEFT, PENDING)),
        ("Email;Estado\na@example.org;Activo\nb@example.org;Activo\nc@example.org;Pendiente\n", (ACTIVE, ACTIVE, PENDING)),
        ("Email,delivery_status\na@example.org,enabled\nb@example.org,by_user\nc@example.org,by_bounces\n", (ACTIVE, LEFT, BOUNCED)),
        ("email;activated;deactivated\na@example.org;1609459300;0\nb@example.org;1609459300;1640995200\nc@example.org;0;0\n", (ACTIVE, LEFT, PENDING)),
        ("Email,Confirmed At\na@example.org,2020-01-01\nb@example.org,\nc@example.org,no\n", (ACTIVE, PENDING, PENDING)),
        ('Email,Opt-in\na@example.org,"1,0"\nb@example.org,"0,0"\nc@example.org,[]\n', (ACTIVE, LEFT, PENDING)),
        ("Members 2023,,\nEmail,Name,Do not email\na@example.org,A,\nb@example.org,B,x\nc@example.org,C,\n", (ACTIVE, LEFT, ACTIVE)),
        ("Contact,,Marketing\nEmail,Name,Unsubscribed\na@example.org,A,\nb@example.org,B,x\nc@example.org,C,\n", (ACTIVE, LEFT, ACTIVE)),
    ],
)  # fmt: skip
def test_others_words_and_forms_are_understood(desk: Desk, text: str, ended: tuple[tuple[str, str], ...]) -> None:
    assert tuple(imported(desk, text)[who] for who in "abc") == ended


@pytest.mark.parametrize(
    "tag",
    ["opted-out 2023", "zz_unsub", "DNC", "Unsubscribed - May 2022", "[Bounced] Gmail", "NL-OptOut", "hardbounce_2023", "Suppression list"],
)  # fmt: skip
def test_a_tag_that_speaks_of_leaving_is_asked_about_and_can_be_decided(desk: Desk, tag: str) -> None:
    text = f'Email,Tags\na@example.org,"donor; {tag}"\nb@example.org,donor\n'
    with pytest.raises(InputError, match="may say who must not be mailed") as raised:
        imported(desk, text)
    assert f'--word "{tag}"=unsubscribed' in str(raised.value)
    left = with_choices(desk, text, Choices(words={tag: MEANINGS["unsubscribed"]}))
    assert left == {"a": LEFT, "b": ACTIVE}


def test_every_word_that_stops_anywhere_stops_among_tags() -> None:
    assert [word for word in cells._CERTAIN if not cells.worth_a_look(word)] == []


@pytest.mark.parametrize("tag", ["undeliverable", "no emails", "NPAI", "Do-Not-Email", "abbestellt"])
def test_a_word_for_having_left_among_tags_stops(desk: Desk, tag: str) -> None:
    found = imported(desk, f'Email,Tags\na@example.org,"donor; {tag}"\nb@example.org,donor\n')
    assert {who: end[0] for who, end in found.items()} == {"a": "unsubscribed", "b": "active"}


@pytest.mark.parametrize("tag", ["opted out of texts", "bounce house", "newsletter", "2022 donor", "spam musubi night"])
def test_a_tag_of_something_else_is_not_asked_about(desk: Desk, tag: str) -> None:
    assert imported(desk, f'Email,Tags\na@example.org,"{tag}"\n') == {"a": ACTIVE}


@pytest.mark.parametrize("encoding", ["cp1251", "iso-8859-7", "cp1250", "cp932"])
def test_letters_of_a_code_page_that_is_not_known_are_never_taken_for_others(desk: Desk, encoding: str) -> None:
    status = {"cp1251": "Статус", "iso-8859-7": "Κατάσταση", "cp1250": "Zażółcić", "cp932": "配信状態"}[encoding]
    word = {"cp1251": "отписан", "iso-8859-7": "διαγραμμένος", "cp1250": "odłączony", "cp932": "配信停止"}[encoding]
    with pytest.raises(InputError, match="encoding"):
        imported(desk, f"Email,{status}\na@example.org,{word}\n".encode(encoding))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a@example.org,Ann,unsubscribed\nb@example.org,Bob,subscribed\n", "names no columns"),
        ('[{"email": "a@example.org"}]\n', "neither a table of text nor a workbook"),
        ("<html><table><tr><td>Email</td></tr></table></html>\n", "neither a table of text nor a workbook"),
        ("Email,Name\tStatus\na@example.org,Bob\tunsubscribed\n", "holds a tab"),
        ('Email,Name\na@example.org,"Ann \\"Al\\" A"\n', "quotes in cells are written as"),
    ],
)
def test_a_file_that_is_no_table_with_names_is_refused_and_nobody_is_lost(desk: Desk, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        imported(desk, text)
    assert not ends(desk)


@pytest.mark.parametrize(
    "row",
    [
        '"a@example.org,Ann,unsubscribed"',
        "a@example.org;Ann;unsubscribed",
        "a @example.org,Ann,unsubscribed",
        "a@@example.org,Ann,unsubscribed",
        "a＠example.org,Ann,unsubscribed",
        '"a@example,org",Ann,unsubscribed',
        '"""a""@example.org",Ann,unsubscribed',
        "'a@example.org,Ann,unsubscribed",
        "a@example.org - unsubscribed,Ann,subscribed",
        "(do not mail) a@example.org,Ann,subscribed",
        '"Ann ""UNSUBSCRIBED"" A <a@example.org>",,subscribed',
        "a@example.org,Ann,Unsubscribed via link",
        "a@example.org,Ann,active/unsubscribed",
        '"The following have opted out: a@example.org",,',
    ],
)
def test_a_stop_holds_however_its_row_is_damaged(desk: Desk, row: str) -> None:
    imported(desk, "Email,Name,Status\na@example.org,Ann,subscribed\nb@example.org,Bob,subscribed\n")
    found = imported(desk, f"Email,Name,Status\nc@example.org,Cy,unsubscribed\n{row}\n", "more.csv")
    assert {who: found[who][0] for who in "ab"} == {"a": "unsubscribed", "b": "active"}


def test_columns_that_are_named_as_lists_say_who_is_on_each(desk: Desk) -> None:
    text = (
        "Email,Network Download,Workers' Rights Round Up status\na@example.org,Y,subscribed\nb@example.org,N,\n"
        "c@example.org,,unsubscribed\nd@example.org,yes,pending\n"
    )
    path = desk.folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    desk.space.import_people(path)
    with desk.space.store.read() as session:
        found = {
            who: {row.list: str(row.status) for row in audience.subscriptions(session, person.id)}
            for who in "abcd"
            if (person := audience.find(session, f"{who}@example.org"))
        }
    assert found == {
        "a": {"network-download": "active", "workers-rights": "active"},
        "b": {"network-download": "unsubscribed"},
        "c": {"workers-rights": "unsubscribed"},
        "d": {"network-download": "active", "workers-rights": "pending"},
    }


def test_a_column_that_was_set_aside_is_asked_about_again_where_it_speaks_of_leaving(desk: Desk) -> None:
    assert with_choices(desk, "Email,Flags\na@example.org,no\nb@example.org,yes\n", Choices(skipped=("Flags",))) == {
        "a": ACTIVE,
        "b": ACTIVE,
    }
    assert imported(desk, "Email,Flags\nc@example.org,yes\nd@example.org,no\n")["c"] == ACTIVE
    with pytest.raises(InputError, match="may say who must not be mailed"):
        imported(desk, "Email,Flags\ne@example.org,unsubscribed\nf@example.org,active\n")


def test_suppressed_addresses_move_to_another_workspace_with_their_reasons(desk: Desk, tmp_path: Path) -> None:
    path = desk.folder / "stops.csv"
    rows = '"x@example.org; y@example.org",,hard bounce\nmailto:z@example.org,network-download,complaint\n'
    path.write_text(f"recipient,list,reason\n{rows}", encoding="utf-8")
    out = tmp_path / "out.csv"
    for source, added in ((path, 3), (out, 0)):
        with desk.space.store.write() as session:
            report = stops.import_stops(
                session, source, reason=None, name="", hash_address=desk.space.address_hash, now=desk.space.clock.now()
            )
        assert (report.added, report.known, report.rejected) == (added, report.rows - added, [])
        with desk.space.store.read() as session, out.open("w", encoding="utf-8", newline="") as file:
            stops.export_stops(session, file)
    assert {
        f"x@example.org,,{Reason.HARD_BOUNCE}",
        f"y@example.org,,{Reason.HARD_BOUNCE}",
        f"z@example.org,network-download,{Reason.COMPLAINT}",
    } <= set(out.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("given", "kept"),
    [("=1+1", "'=1+1"), ("＝1+1", "'＝1+1"), ("x;=1+1;y", "x;'=1+1;y"), ("a; -b", "a; -b"), ("'=1", "''=1"), ("it's; so", "it's; so")],
)  # fmt: skip
def test_no_cell_begins_a_formula_wherever_a_spreadsheet_begins_a_cell(given: str, kept: str) -> None:
    assert guarded(given) == kept
    assert unguarded(kept) == given


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('<c r="B2" s="1"><v>7</v></c>', '<c r="B2"><f>CONCATENATE("A","nn")</f><v></v></c>', "a formula"),
        ("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="C2:C3"/></mergeCells>', "C2:C3"),
        ("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="A1:D1"/></mergeCells>', ""),
    ],
)
def test_a_workbook_that_does_not_hold_what_it_shows_is_refused(desk: Desk, before: str, after: str, said: str) -> None:
    whole = workbook(desk.folder / "whole.xlsx", [["Email", "First Name", "Unsubscribed", "Confirmed"]])
    path = desk.folder / "people.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            text = source.read(name).decode()
            target.writestr(name, text.replace(before, after) if name.endswith("sheet1.xml") else text)
    if not said:
        desk.space.import_people(path, lists=(LIST,))
        assert len(ends(desk)) == 2
        return
    with pytest.raises(InputError, match=said):
        desk.space.import_people(path, lists=(LIST,))
