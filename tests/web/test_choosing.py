"""The preference center, somebody's data, and forgetting them."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import audience
from newsletter.store.records import (
    ConsentRecord,
    DeliveryRecord,
    EventRecord,
    NoticeRecord,
    SubscriberRecord,
    SuppressionRecord,
    WebhookRecord,
)
from newsletter.tokens import Claim, Purpose, Signer
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk, StillTime
from tests.send.test_variants import send
from tests.web.service import history, mailed, person, standing

CHI = "chi@example.org"


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def path(space: Workspace, address: str = CHI) -> str:
    found = person(space, address)
    assert found
    token = space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=found.id, list="network-download"))
    return f"/p/{token}"


FORM = {"list": ["network-download", "workers-rights"], "first_name": "Chi", "state": "TX", "language": "en"}


def test_the_page_shows_what_somebody_has_and_not_who_they_are(space: Workspace, client: FlaskClient) -> None:
    page = client.get(path(space)).get_data(as_text=True)
    assert "c••••@example.org" in page
    assert CHI not in page
    assert page.count(" checked") == 2
    assert '<option value="TX" selected>' in page


def test_the_archives_copies_of_messages_lead_to_the_form_that_mails_a_link(client: FlaskClient) -> None:
    assert client.get("/p/").get_data(as_text=True) == client.get("/preferences").get_data(as_text=True)


def test_choices_are_kept_with_their_evidence(space: Workspace, client: FlaskClient) -> None:
    form = {"list": ["workers-rights"], "first_name": " Chi\n C. ", "last_name": "", "state": "NM", "language": "es"}
    answer = client.post(path(space), data={**form, "frequency": "monthly"}, follow_redirects=True)
    assert "Sus preferencias están guardadas." in answer.get_data(as_text=True)
    assert standing(space, CHI) == {"network-download": "unsubscribed", "workers-rights": "active"}
    found = person(space, CHI)
    assert found
    assert (found.first_name, found.state, found.language, found.frequency) == ("Chi C.", "NM", "es", "monthly")
    assert (history(space, CHI)[-1].source, history(space, CHI)[-1].evidence["ip"]) == (
        "preference center",
        "127.0.0.1",
    )


def test_saving_twice_is_as_once(space: Workspace, client: FlaskClient) -> None:
    client.post(path(space), data=FORM)
    before = len(history(space, CHI))
    client.post(path(space), data=FORM)
    assert len(history(space, CHI)) == before


def test_a_pause_ends_by_itself_or_by_hand(space: Workspace, client: FlaskClient, time: StillTime) -> None:
    def mailable() -> bool:
        with space.store.read() as session:
            people = session.execute(audience.mailable("network-download", space.clock.now()))
            return CHI in {row.email for row in people}

    client.post(path(space), data={**FORM, "pause": "4"})
    assert not mailable()
    assert "Paused until November 9, 2022" in client.get(path(space)).get_data(as_text=True)
    client.post(path(space), data={**FORM, "pause": ""})
    assert not mailable(), "saving something else leaves the pause as it is"
    time.at += dt.timedelta(weeks=4, seconds=1)
    assert mailable()
    client.post(path(space), data={**FORM, "pause": "2"})
    client.post(path(space), data={**FORM, "pause": "0"})
    assert mailable()


def test_whoever_wants_one_message_a_month_gets_no_second_one(desk: Desk, client: FlaskClient, time: StillTime) -> None:
    time.at = dt.datetime.now(dt.UTC)
    client.post(path(desk.space), data={**FORM, "frequency": "monthly"})
    send(desk)
    with desk.space.store.read() as session:
        for days, wanted in ((1, False), (26, False), (28, True)):
            now = desk.space.clock.now() + dt.timedelta(days=days)
            query = audience.mailable("workers-rights", now)
            assert (CHI in {row.email for row in session.execute(query)}) is wanted, days


def test_whoever_paused_is_left_out_of_the_plan(desk: Desk, client: FlaskClient, time: StillTime) -> None:
    time.at = dt.datetime.now(dt.UTC)
    client.post(path(desk.space), data={**FORM, "pause": "4"})
    assert desk.run("approve", "network-download-2022-10").returncode == 0
    done = desk.run("send", "network-download-2022-10", "--dry-run")
    assert "1 paused" in done.stderr
    assert done.stdout.endswith("network-download-2022-10 2\n")
    told = json.loads(desk.run("explain", "network-download-2022-10", CHI, "--json").stdout)
    assert (told["paused"], told["mailed"]) == ("yes", "no")
    counted = json.loads(desk.run("lists", "list", "--json").stdout)[0]
    assert (counted["active"], counted["paused"], counted["mailable"]) == (3, 1, 2)


@pytest.mark.parametrize("pause", ["99", "-1", "x", "1e9", "٤"])
def test_what_the_form_does_not_offer_changes_nothing(space: Workspace, client: FlaskClient, pause: str) -> None:
    form = {"list": ["network-download", "workers-rights", "made-up"], "state": "Atlantis", "frequency": "hourly"}
    client.post(path(space), data={**form, "pause": pause, "language": "tlh"})
    found = person(space, CHI)
    assert found
    assert (found.state, found.frequency, found.language, found.paused_until) == ("TX", "", "", None)
    assert standing(space, CHI) == {"network-download": "active", "workers-rights": "active"}


def test_a_lost_link_is_mailed_to_its_owner_only(space: Workspace, client: FlaskClient) -> None:
    answers = {
        client.post("/preferences", data={"email": name}).get_data(as_text=True).replace(name, "…")
        for name in (CHI, "nobody@example.org")
    }
    assert len(answers) == 1
    (letter,) = mailed(space)
    assert letter.subject == "Your newsletter preferences"
    assert client.get(letter.path).status_code == 200


def test_data_goes_to_the_mailbox_only_and_holds_everything(desk: Desk, client: FlaskClient, time: StillTime) -> None:
    space = desk.space
    send(desk)
    assert "Look into your mailbox" in client.post(f"{path(space)}/data").get_data(as_text=True)
    (letter,) = mailed(space)
    assert letter.subject == "Your data"
    assert client.get(letter.path).headers["Content-Type"].startswith("text/html")
    answer = client.post(letter.path)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="newsletter-data.json"'
    held = json.loads(answer.data)
    assert (held["email"], held["first_name"], [row["list"] for row in held["lists"]]) == (
        CHI,
        "Chi",
        ["network-download", "workers-rights"],
    )
    assert [(message["issue"], message["state"]) for message in held["messages"]] == [
        ("network-download-2022-10", "submitted")
    ]
    assert {row["source"] for row in held["history"]} == {"import 1: people.csv"}
    time.at += dt.timedelta(days=8)
    assert client.post(letter.path).status_code == 404, "the link has ended"


def test_somebody_who_is_forgotten_leaves_a_mark_that_stops_an_import(desk: Desk, client: FlaskClient) -> None:
    space = desk.space
    send(desk)
    client.post(f"{path(space)}/forget")
    (letter,) = mailed(space)
    with space.store.write() as session:
        delivery = session.scalars(select(DeliveryRecord).where(DeliveryRecord.address == CHI)).one()
        session.add(
            EventRecord(
                provider="x", event="1", type="soft bounce", delivery_id=delivery.id, at=NOW, detail=f"<{CHI}> is full"
            )
        )
        session.add(WebhookRecord(provider="x", received_at=NOW, body=f'{{"to": "{CHI}"}}'.encode(), events=1))
    assert client.get(letter.path).status_code == 200
    assert person(space, CHI)
    assert "You are forgotten" in client.post(letter.path).get_data(as_text=True)
    assert person(space, CHI) is None
    with space.store.read() as session:
        stop = session.scalars(select(SuppressionRecord).where(SuppressionRecord.reason == "erased")).one()
        assert (stop.email, stop.address_hash) == (None, space.address_hash(CHI))
        assert session.scalars(select(NoticeRecord)).all() == []
        assert session.scalars(select(WebhookRecord)).all() == []
        assert session.scalars(select(EventRecord.detail)).all() == [""]
        assert session.scalars(select(DeliveryRecord.state).where(DeliveryRecord.subscriber_id.is_(None))).all() == [
            "submitted"
        ]
    raw = b"".join(file.read_bytes() for file in space.folder.glob("newsletter.db*"))
    assert CHI.encode() not in raw or _only_free_pages(space), "nothing of the address is in any row"
    report = desk.import_people(f"Email,Lists\n{CHI},Network Download\n", "again.csv")
    assert (report.rejected, report.imported) == (1, 0)
    assert client.post(letter.path).status_code == 404


def _only_free_pages(space: Workspace) -> bool:
    """Whether an address is in no table any more."""
    from newsletter.store.records import Base

    with space.store.read() as session:
        rows = [str(row) for table in Base.metadata.sorted_tables for row in session.execute(table.select())]
    return not any(CHI in row for row in rows)


def test_somebody_who_was_forgotten_may_come_back_by_themselves(desk: Desk, client: FlaskClient) -> None:
    space = desk.space
    client.post(f"{path(space)}/forget")
    client.post(mailed(space)[0].path)
    client.post("/subscribe", data={"email": CHI, "list": "network-download"})
    client.post(mailed(space)[0].path)
    assert standing(space, CHI) == {"network-download": "active"}
    with space.store.read() as session:
        assert session.scalars(select(SuppressionRecord.reason)).all() == ["complaint"]
        assert CHI in {row.email for row in session.execute(audience.mailable("network-download", NOW))}


def test_links_of_one_purpose_open_nothing_else(space: Workspace, client: FlaskClient) -> None:
    found = person(space, CHI)
    assert found
    about = {
        Purpose.UNSUBSCRIBE: "network-download",
        Purpose.CONFIRM: "network-download",
        Purpose.DATA: "2022-10-12",
        Purpose.FORGET: "2022-10-12",
    }
    ways = {
        Purpose.UNSUBSCRIBE: ("u", "p"),
        Purpose.CONFIRM: ("confirm",),
        Purpose.DATA: ("data",),
        Purpose.FORGET: ("forget",),
    }
    for purpose, text in about.items():
        token = space.signer.sign(purpose, Claim(subscriber=found.id, list=text))
        foreign = Signer(b"another").sign(purpose, Claim(subscriber=found.id, list=text))
        for other, words in ways.items():
            for word in words:
                status = client.get(f"/{word}/{token}").status_code
                assert status == (200 if other is purpose else 404)
                for bad in (foreign, token[:-1], token + "A", "", "%00", "x" * 5_000):
                    assert client.post(f"/{word}/{bad}").status_code in (404, 405)
    assert person(space, CHI)
    assert standing(space, CHI) == {"network-download": "active", "workers-rights": "active"}


def test_scanners_that_open_everything_three_times_change_nothing(space: Workspace, client: FlaskClient) -> None:
    found = person(space, CHI)
    assert found
    for kind in ("data", "forget"):
        client.post(f"{path(space)}/{kind}")
    letters = mailed(space)
    with space.store.read() as session:
        before = [
            session.scalars(select(table)).all().__repr__() for table in (ConsentRecord.id, SubscriberRecord.updated_at)
        ]
    for address in [
        path(space),
        path(space).replace("/p/", "/u/"),
        "/",
        "/subscribe",
        "/preferences",
        *(letter.path for letter in letters),
    ]:
        for _ in range(3):
            assert client.get(address).status_code == 200
            assert client.head(address).status_code == 200
            assert client.options(address).status_code == 200
    with space.store.read() as session:
        assert before == [
            session.scalars(select(table)).all().__repr__() for table in (ConsentRecord.id, SubscriberRecord.updated_at)
        ]


def test_leaving_can_be_undone(space: Workspace, client: FlaskClient) -> None:
    leave = path(space).replace("/p/", "/u/")
    client.post(leave)
    assert standing(space, CHI)["network-download"] == "unsubscribed"
    assert "You are back on Network Download" in client.post(f"{leave}/undo").get_data(as_text=True)
    assert standing(space, CHI)["network-download"] == "active"
    assert [row.status for row in history(space, CHI)[-2:]] == ["unsubscribed", "active"]


def test_leaving_can_be_undone_for_an_hour_and_by_a_fresh_letter_later(
    space: Workspace, client: FlaskClient, time: StillTime
) -> None:
    leave = path(space).replace("/p/", "/u/")
    client.post(leave)
    time.at += dt.timedelta(hours=1, seconds=1)
    answer = client.post(f"{leave}/undo")
    assert (answer.status_code, "This link has expired" in answer.text) == (410, True)
    assert standing(space, CHI)["network-download"] == "unsubscribed"
    assert "Look into your mailbox" in client.post(f"{leave}/again").text
    (letter,) = mailed(space)
    client.post(letter.path)
    assert standing(space, CHI)["network-download"] == "active"


@pytest.mark.parametrize("who", ["dee", "eli", "fay"])
def test_undo_puts_nobody_on_who_was_not_active_before_or_is_suppressed(
    space: Workspace, client: FlaskClient, who: str
) -> None:
    """Somebody who left long ago, who never confirmed, who complained."""
    address = f"{who}@example.org"
    leave = path(space, address).replace("/p/", "/u/")
    for _ in range(2):
        client.post(leave)
        assert client.post(f"{leave}/undo").status_code == 410
    assert standing(space, address) == {"network-download": "unsubscribed"}


def test_undo_takes_back_nothing_but_what_its_page_did(space: Workspace, client: FlaskClient) -> None:
    leave = path(space).replace("/p/", "/u/")
    client.post(path(space), data={"shown": ["network-download"], "had": ["network-download"]})
    assert client.post(f"{leave}/undo").status_code == 410
    with space.store.write() as session:
        found = audience.find(session, "ana@example.org")
        assert found
        audience.unsubscribe(session, found.id, "network-download", source="API", now=NOW)
    assert client.post(path(space, "ana@example.org").replace("/p/", "/u/") + "/undo").status_code == 410
    assert standing(space, CHI)["network-download"] == "unsubscribed"


def test_a_form_changes_only_what_is_in_it(space: Workspace, client: FlaskClient) -> None:
    with space.store.write() as session:
        found = audience.find(session, CHI)
        assert found
        found.last_name, found.frequency, found.language = "Chen", "weekly", "es"
        found.paused_until = NOW + dt.timedelta(days=9)

    def kept() -> tuple[str, ...]:
        found = person(space, CHI)
        assert found
        texts = (found.first_name, found.last_name, found.state, found.frequency, found.language)
        return (*texts, str(found.paused_until), *sorted(standing(space, CHI).values()))

    before = kept()
    for form in (
        {},
        {"lang": "es"},
        {"made": "up"},
        {"first_name": "Chi"},
        {"state": "Atlantis"},
        {"shown": "made-up"},
    ):
        assert client.post(path(space), data=form).status_code == 303
        assert kept() == before, form
    client.post(path(space), data={"last_name": ""})
    assert kept() == (before[0], "", *before[2:])


def test_all_lists_can_be_left_by_ticking_none(space: Workspace, client: FlaskClient) -> None:
    page = client.get(path(space)).text
    shown = re.findall(r'name="shown" value="([\w-]+)"', page)
    assert len(shown) == 3
    client.post(path(space), data={"shown": shown, "had": re.findall(r'name="had" value="([\w-]+)"', page)})
    assert set(standing(space, CHI).values()) == {"unsubscribed"}


def test_a_page_that_was_opened_before_somebody_left_puts_them_back_on_nothing(
    space: Workspace, client: FlaskClient
) -> None:
    lists = ["network-download", "workers-rights"]
    client.post(path(space).replace("/p/", "/u/"))
    client.post(path(space), data={"shown": lists, "had": lists, "list": lists, "pause": "2"})
    assert standing(space, CHI) == {"network-download": "unsubscribed", "workers-rights": "active"}


@pytest.mark.parametrize("language", ["es-MX", "es-mx", "fr", "zh-hant", "x", "", "pt_BR"])
def test_the_language_of_a_reader_is_kept_when_something_else_is_saved(
    space: Workspace, client: FlaskClient, language: str
) -> None:
    with space.store.write() as session:
        found = audience.find(session, CHI)
        assert found
        found.language = language
    page = client.get(path(space)).text
    select = re.search(r'<select id="language".*?</select>', page, re.DOTALL)
    assert select
    chosen = re.findall(r'<option value="([^"]*)"[^>]* selected', select[0])
    assert chosen == [language]
    client.post(path(space), data={**FORM, "language": chosen[0], "pause": "4"})
    kept = person(space, CHI)
    assert kept
    assert (kept.language, kept.paused_until is not None) == (language, True)


def test_a_name_that_is_longer_than_the_page_takes_is_kept_whole(space: Workspace, client: FlaskClient) -> None:
    with space.store.write() as session:
        found = audience.find(session, CHI)
        assert found
        found.first_name = long = "Chi " * 70
    client.post(path(space), data={**FORM, "first_name": long[:200]})
    kept = person(space, CHI)
    assert kept
    assert kept.first_name == long


def test_text_from_a_form_is_cleaned(space: Workspace, client: FlaskClient) -> None:
    client.post(path(space), data={"first_name": "\x1b]52;c;eA==\x07C\u202ehi\u0000", "last_name": "e\u0301"})
    found = person(space, CHI)
    assert found
    assert (found.first_name, found.last_name) == ("]52;c;eA==Chi", "é")
