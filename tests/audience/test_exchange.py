"""Files of other systems in, and our own file out and in again."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter import audience
from newsletter.audience import profile, rights, stops
from newsletter.audience.exporting import export_people
from newsletter.audience.people import Reason
from newsletter.errors import InputError
from newsletter.spreadsheet import guarded, unguarded
from newsletter.store import Store
from newsletter.store.records import SubscriberRecord, SuppressionRecord
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk, StillTime

ATTRIBUTES = ("ward", "party")


def with_attributes(desk: Desk) -> Desk:
    space = Workspace(replace(desk.space.config, attributes=ATTRIBUTES), desk.space.clock)
    space.__dict__["store"] = desk.space.store
    return Desk(space)


@pytest.fixture
def there(tmp_path: Path, time: StillTime, store: Store) -> Desk:
    """A desk on each kind of store, with attributes."""
    return with_attributes(Desk.make(tmp_path / "desk", time.clock, store=store))


def told(desk: Desk, email: str) -> tuple[dict[str, str], list[str], dict[str, str], str]:
    """Standing by list, tags, attributes, and why the address is suppressed."""
    with desk.space.store.read() as session:
        person = audience.find(session, email)
        assert person, email
        standing = {row.list: row.status for row in audience.subscriptions(session, person.id)}
        reason = audience.reason_of(session, desk.space.address_hash(email))
        return standing, rights.tags(session, person.id), dict(person.attributes), reason


def exported(desk: Desk, name: str = "") -> str:
    out = io.StringIO()
    with desk.space.store.read() as session:
        export_people(session, out, desk.space.config.attributes, name=name)
    return out.getvalue()


def test_an_export_of_mailchimp_is_understood(there: Desk) -> None:
    head = (
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,'
        "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
    )
    row = (
        'm1@example.org,Mae,Ito,2,"2021-03-04 10:00:00",203.0.113.4,"2021-03-04 10:05:00",203.0.113.4,'
        ',,,,,us,fl,"2022-01-01 00:00:00",1,ab,,"""donor"",""board member"""'
    )
    report = there.import_people(f"{head}\n{row}\n", "subscribed.csv", "network-download")
    assert (report.imported, report.rejected) == (1, 0)
    assert told(there, "m1@example.org") == ({"network-download": "active"}, ["board member", "donor"], {}, "")

    left = head.replace("LEID", "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,LEID")
    gone = row.replace("m1@", "m2@").replace(",1,ab", ',"2022-02-02 00:00:00",Sept,1,ab')
    there.import_people(f"{left}\n{gone}\n", "unsubscribed.csv", "network-download")
    assert told(there, "m2@example.org")[0] == {"network-download": "unsubscribed"}

    cleaned = head.replace("LEID", "CLEAN_TIME,LEID")
    gone = row.replace("m1@", "m3@").replace(",1,ab", ',"2022-02-02 00:00:00",1,ab')
    there.import_people(f"{cleaned}\n{gone}\n", "cleaned.csv", "network-download")
    assert told(there, "m3@example.org")[3] == Reason.HARD_BOUNCE


def test_an_export_of_listmonk_is_understood(there: Desk) -> None:
    text = (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '1,l1@example.org,Lou Vega,"{""ward"": 7, ""shoe"": ""42"", ""party"": """"}",enabled,2021-01-01T00:00:00Z,x\n'
        "2,l2@example.org,Leo,not json,blocklisted,2021-01-01T00:00:00Z,x\n"
    )
    report = there.import_people(text, "listmonk.csv", "network-download")
    assert report.imported == 2
    assert told(there, "l1@example.org") == ({"network-download": "active"}, [], {"ward": "7"}, "")
    assert told(there, "l2@example.org")[3] == Reason.MANUAL
    assert {what: noted.examples for what, noted in report.warnings.items()} == {
        "an attribute is not in config.toml; left out": ["shoe"],
        "attributes that are no JSON object; left out": ["not json"],
    }


def test_an_export_of_action_network_is_understood(there: Desk) -> None:
    text = (
        "email,first_name,last_name,can2_user_city,can2_county,can2_state_abbreviated,can2_user_tags,"
        "can2_subscription_status,created_at\n"
        'n1@example.org,Nia,Bell,Durham,Durham County,NC,"rally, petition",subscribed,2021-05-05 10:00:00\n'
        "n2@example.org,Ned,,,,,,bouncing,\n"
        "n3@example.org,Noa,,,,,,spam complaint,\n"
    )
    assert there.import_people(text, "an.csv", "network-download").imported == 3
    assert told(there, "n1@example.org")[:2] == ({"network-download": "active"}, ["petition", "rally"])
    assert told(there, "n2@example.org")[3] == Reason.HARD_BOUNCE
    assert told(there, "n3@example.org")[3] == Reason.COMPLAINT


def test_exports_of_ghost_and_buttondown_are_understood(there: Desk) -> None:
    ghost = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
        "1,g1@example.org,Gia Roy,met in Denver,true,false,,2021-01-02T00:00:00.000Z,,press,\n"
        "2,g2@example.org,Gus,,false,false,,2021-01-02T00:00:00.000Z,,,\n"
    )
    assert there.import_people(ghost, "ghost.csv", "network-download").imported == 2
    assert told(there, "g1@example.org")[:2] == ({"network-download": "active"}, ["press"])
    assert told(there, "g2@example.org")[0] == {"network-download": "unsubscribed"}
    buttondown = (
        "email,notes,tags,metadata,subscriber_type,creation_date\n"
        'b1@example.org,,"a,b","{""party"": ""none""}",regular,2021-01-02\n'
        "b2@example.org,,,{},unactivated,2021-01-02\nb3@example.org,,,,unsubscribed,2021-01-02\n"
    )
    assert there.import_people(buttondown, "buttondown.csv", "network-download").imported == 3
    assert told(there, "b1@example.org") == ({"network-download": "active"}, ["a", "b"], {"party": "none"}, "")
    assert told(there, "b2@example.org")[0] == {"network-download": "pending"}
    assert told(there, "b3@example.org")[0] == {"network-download": "unsubscribed"}


@pytest.mark.parametrize("first", ["sep=;\r\n", ""])
def test_a_workbook_saved_as_csv_is_read(there: Desk, first: str) -> None:
    text = first + 'E-mail;First Name;Notes\r\n"x1@example.org";"Xe";"two\r\nlines; and ""quotes"""\r\n'
    there.import_people(text.encode("cp1252"), "book.csv", "network-download")
    with there.space.store.read() as session:
        found = audience.find(session, "x1@example.org")
        assert found
        assert found.note == 'two lines; and "quotes"'


def people_of_all_kinds(desk: Desk) -> None:
    with desk.space.store.write() as session:
        ana, ben, chi = (audience.find(session, f"{name}@example.org") for name in ("ana", "ben", "chi"))
        assert ana
        assert ben
        assert chi
        profile.change(session, ana, {"tags": ["=HYPERLINK", "press"], "attributes": {"ward": "-3"}}, NOW)
        profile.change(session, ben, {"first_name": "@SUM(1)", "note": "+1 303", "role": "Board Chair"}, NOW)
        chi.frequency, chi.paused_until, chi.consented_at = "monthly", NOW, NOW
        hashed = desk.space.address_hash
        audience.suppress(session, chi.email, hashed(chi.email), Reason.HARD_BOUNCE, source="webhook", now=NOW)
        audience.suppress(
            session, ana.email, hashed(ana.email), Reason.MANUAL, source="hand", now=NOW, name="workers-rights"
        )
        session.add(SubscriberRecord(email="-lone@example.org", attributes={}, created_at=NOW, updated_at=NOW))


def test_an_export_brought_back_changes_nothing(there: Desk) -> None:
    people_of_all_kinds(there)
    text = exported(there)
    report = there.import_people(text, "back.csv")
    assert (report.imported, report.rejected, report.changed, report.suppressed) == (0, 0, 0, 0)
    assert report.merged == 7
    assert not report.standings
    assert exported(there) == text


def test_an_export_fills_an_empty_workspace_with_the_same_people_and_the_same_stops(
    there: Desk, tmp_path: Path, time: StillTime
) -> None:
    people_of_all_kinds(there)
    text = exported(there)
    other = with_attributes(Desk.make(tmp_path / "other", time.clock))
    with other.space.store.write() as session:
        for person in session.scalars(select(SubscriberRecord)):
            session.delete(person)
        for stop in session.scalars(select(SuppressionRecord)):
            session.delete(stop)
    report = other.import_people(text, "all.csv")
    assert (report.imported, report.rejected) == (7, 0)
    assert exported(other) == text
    other.space.close()


def test_no_cell_of_an_export_is_a_formula(there: Desk) -> None:
    people_of_all_kinds(there)
    cells = [cell for row in csv.reader(io.StringIO(exported(there))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'@SUM(1)" in cells


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(cell)) == cell


def test_an_export_can_be_of_one_list_or_one_segment(there: Desk) -> None:
    assert exported(there, name="workers-rights").count("\n") == 2
    assert exported(there, name="federal-advocacy").count("\n") == 1


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=120))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_row_is_imported_merged_or_rejected(desk: Desk, text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow((text, text, text, text, text, "x@example.org"))
    head = "Tags,Attributes,Frequency,Confirmed,Status,Email,Lists\n"
    report = desk.import_people(
        head.encode() + out.getvalue().encode("utf-8", "replace"), "any.csv", "network-download"
    )
    assert report.rows == report.imported + report.merged + report.rejected


@pytest.mark.parametrize(
    ("text", "reason", "added"),
    [
        ("EmailAddress,SuppressionReason,Origin\na1@example.org,HardBounce,Recipient\n", None, {"hard bounce": 1}),
        ("EmailAddress,Reason,LastUpdateTime\na1@example.org,COMPLAINT,2022\n", None, {"complaint": 1}),
        ("email,created,reason\na1@example.org,1,550 5.1.1 unknown\n", "hard bounce", {"hard bounce": 1}),
        ("a1@example.org\nA1@example.org\na2@example.org\n", "manual", {"manual": 2}),
    ],
)
def test_the_stops_of_a_provider_are_taken_over(
    there: Desk, text: str, reason: str | None, added: dict[str, int]
) -> None:
    path = there.folder / "stops.csv"
    path.write_text(text, encoding="utf-8")
    for again in (False, True):
        with there.space.store.write() as session:
            report = stops.import_stops(
                session,
                path,
                reason=Reason(reason) if reason else None,
                name="",
                hash_address=there.space.address_hash,
                now=NOW,
            )
        assert report.reasons == ({} if again else added)
        assert report.rows == report.added + report.known + len(report.rejected)


@pytest.mark.parametrize("way", ["people", "stops"])
def test_a_stop_that_lasts_takes_the_place_of_soft_bounces_which_may_be_forgiven(there: Desk, way: str) -> None:
    address = "ana@example.org"
    hashed = there.space.address_hash(address)
    with there.space.store.write() as session:
        audience.suppress(session, address, hashed, Reason.SOFT_BOUNCES, source="webhook", now=NOW)
    if way == "people":
        there.import_people(f"Email,Lists,Status\n{address},Network Download,complained\n", "later.csv")
    else:
        path = there.folder / "stops.csv"
        path.write_text(f"email,reason\n{address},complaint\n", encoding="utf-8")
        with there.space.store.write() as session:
            stops.import_stops(session, path, reason=None, name="", hash_address=there.space.address_hash, now=NOW)
    with there.space.store.read() as session:
        assert audience.reason_of(session, hashed) == Reason.COMPLAINT


def test_a_stop_without_a_reason_is_refused_whole(there: Desk) -> None:
    path = there.folder / "stops.csv"
    path.write_text("email,reason\nok@example.org,HardBounce\nodd@example.org,whatever\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"stops.csv:3: no reason that's known"), there.space.store.write() as session:
        stops.import_stops(session, path, reason=None, name="", hash_address=there.space.address_hash, now=NOW)
    with there.space.store.read() as session:
        assert audience.reason_of(session, there.space.address_hash("ok@example.org")) == ""


def test_an_import_that_is_killed_half_way_leaves_the_audience_as_it_was(desk: Desk) -> None:
    import signal
    import subprocess
    import sys
    import time as clock

    (desk.folder / "many.csv").write_text(
        "Email,Lists\n" + "".join(f"k{n}@example.org,Network Download\n" for n in range(60_000)), encoding="utf-8"
    )
    before = exported(desk)
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", "many.csv", "--yes"]
    process = subprocess.Popen(command, cwd=desk.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wal = desk.folder / "newsletter.db-wal"
    while process.poll() is None and not (wal.exists() and wal.stat().st_size > 1_000_000):
        clock.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert exported(desk) == before
    assert desk.run("subscribers", "import", "many.csv", "--yes").returncode == 0
    assert exported(desk).count("\n") == before.count("\n") + 60_000
