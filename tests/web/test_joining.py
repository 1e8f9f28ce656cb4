"""Joining: a form that anybody may fill in, a mail that only the mailbox's owner gets, and proof of both."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience import Reason
from newsletter.store.records import NoticeRecord, SubscriberRecord
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, StillTime
from tests.web.service import history, mailed, person, standing

NEW = "gus@example.org"


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def join(client: FlaskClient, address: str = NEW, **more: str) -> str:
    form = {"email": address, "list": "network-download", **more}
    return client.post("/subscribe", data=form, headers={"User-Agent": "Reader/1"}).get_data(as_text=True)


def test_nobody_is_mailed_before_they_confirm_and_the_evidence_is_kept(space: Workspace, client: FlaskClient) -> None:
    join(client, first_name="Gus", state="FL")
    (letter,) = mailed(space)
    assert letter.subject == "Please confirm: Network Download"
    assert standing(space, NEW) == {"network-download": "pending"}
    for _ in range(3):
        assert client.get(letter.path).status_code == 200
        assert client.head(letter.path).status_code == 200
    assert standing(space, NEW) == {"network-download": "pending"}
    assert "You are on the list" in client.post(letter.path).get_data(as_text=True)
    assert standing(space, NEW) == {"network-download": "active"}
    asked, confirmed = history(space, NEW)
    assert (asked.status, asked.evidence["agent"], asked.evidence["ip"]) == ("requested", "Reader/1", "127.0.0.1")
    assert (confirmed.status, confirmed.source) == ("active", "confirmed by mail")
    found = person(space, NEW)
    assert found
    assert (found.first_name, found.state, found.consented_at) == ("Gus", "FL", NOW)


def test_confirming_welcomes_once_however_often_it_is_pressed(space: Workspace, client: FlaskClient) -> None:
    join(client)
    (letter,) = mailed(space)
    client.post(letter.path)
    client.post(letter.path)
    (welcome,) = mailed(space)
    assert welcome.subject == "Welcome to Network Download"
    assert client.get(welcome.path).status_code == 200
    assert len(history(space, NEW)) == 2


def test_the_answer_is_the_same_for_known_and_unknown_addresses(space: Workspace, client: FlaskClient) -> None:
    with space.store.write() as session:
        audience.suppress(
            session, "hal@example.org", space.address_hash("hal@example.org"), Reason.MANUAL, source="x", now=NOW
        )
    answers = {
        join(client, name).replace(name, "…") for name in ("ana@example.org", NEW, "dee@example.org", "hal@example.org")
    }
    assert len(answers) == 1


def test_who_is_on_the_list_already_is_told_so_in_their_mailbox_only(space: Workspace, client: FlaskClient) -> None:
    join(client, "ana@example.org")
    (letter,) = mailed(space)
    assert letter.subject == "You are already on the list"
    assert letter.path.startswith("/p/")


def test_who_left_stays_off_until_they_confirm(space: Workspace, client: FlaskClient) -> None:
    join(client, "dee@example.org")
    (letter,) = mailed(space)
    assert standing(space, "dee@example.org") == {"network-download": "unsubscribed"}
    client.post(letter.path)
    assert standing(space, "dee@example.org") == {"network-download": "active"}


def test_a_suppressed_address_gets_no_confirmation(space: Workspace, client: FlaskClient) -> None:
    join(client, "fay@example.org")
    assert mailed(space) == []
    with space.store.read() as session:
        assert session.scalars(select(NoticeRecord.outcome)).all() == ["not sent: complaint"]


def test_an_address_is_not_flooded(space: Workspace, client: FlaskClient, time: StillTime) -> None:
    for _ in range(6):
        join(client)
    assert len(mailed(space)) == 3
    time.at += dt.timedelta(hours=2)
    join(client)
    assert len(mailed(space)) == 1


def test_a_program_that_fills_in_everything_gets_the_same_answer_and_nothing_else(
    space: Workspace, client: FlaskClient
) -> None:
    assert join(client, website="https://spam.example") == join(client)
    assert len(mailed(space)) == 1


def test_one_network_may_only_ask_so_often(space: Workspace, client: FlaskClient) -> None:
    answers = [
        client.post("/subscribe", data={"email": NEW, "list": "network-download"}).status_code for _ in range(12)
    ]
    assert answers == [200] * 10 + [429] * 2
    other = {"REMOTE_ADDR": "203.0.113.9"}
    assert (
        client.post("/subscribe", data={"email": NEW, "list": "network-download"}, environ_base=other).status_code
        == 200
    )
    with space.store.read() as session:
        assert session.scalar(select(func.count()).select_from(NoticeRecord)) == 11


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "nobody", "list": "network-download"}, "That isn't an e-mail address"),
        ({"email": "", "list": "network-download"}, "That isn't an e-mail address"),
        ({"email": NEW}, "Choose at least one."),
        ({"email": NEW, "list": "secret"}, "Choose at least one."),
        ({"email": "<script>@x", "list": "network-download"}, "&lt;script&gt;"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field(client: FlaskClient, form: dict[str, str], said: str) -> None:
    answer = client.post("/subscribe", data=form)
    assert answer.status_code == 400
    assert said in answer.get_data(as_text=True)


def test_a_list_that_is_not_public_cannot_be_joined(space: Workspace) -> None:
    config = space.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[lists.workers-rights]\n", "[lists.workers-rights]\npublic = false\n"), encoding="utf-8"
    )
    again = Workspace.open(config, space.clock)
    client = create_app(again).test_client()
    assert "Workers" not in client.get("/subscribe").get_data(as_text=True)
    assert client.post("/subscribe", data={"email": NEW, "list": "workers-rights"}).status_code == 400
    again.close()


def test_somebody_whose_number_is_gone_cannot_be_confirmed(space: Workspace, client: FlaskClient) -> None:
    join(client)
    (letter,) = mailed(space)
    with space.store.write() as session:
        found = audience.find(session, NEW)
        assert found
        session.delete(session.get_one(SubscriberRecord, found.id))
    assert client.get(letter.path).status_code == 404
    assert client.post(letter.path).status_code == 404


def test_a_mail_that_could_not_go_out_is_tried_again(space: Workspace, client: FlaskClient, time: StillTime) -> None:
    outbox = space.folder / "outbox"
    outbox.write_text("in the way", encoding="utf-8")
    join(client)
    assert mailed(space) == []
    outbox.unlink()
    assert mailed(space) == [], "not at once"
    time.at += dt.timedelta(minutes=3)
    assert [letter.subject for letter in mailed(space)] == ["Please confirm: Network Download"]
    assert mailed(space) == []


def test_the_mail_is_in_the_language_of_the_page(space: Workspace, client: FlaskClient) -> None:
    answer = client.post("/subscribe?lang=es", data={"email": NEW, "list": "network-download"})
    assert "Mire su buzón" in answer.get_data(as_text=True)
    (letter,) = mailed(space)
    assert letter.subject == "Confirme, por favor: Network Download"
    assert "Sí, envíenmelo" in letter.html
    assert "Solo falta un clic" in client.get(letter.path).get_data(as_text=True)


def test_every_text_has_its_translation_with_the_same_gaps() -> None:
    import re

    from babel.messages.extract import extract_from_dir

    from newsletter import languages
    from newsletter.resources import TEMPLATES

    texts = {
        str(found[2])
        for folder, method in ((TEMPLATES / "web", "jinja2"), (Path(languages.__file__).parent / "notices", "python"))
        for found in extract_from_dir(folder, [("**.py", method), ("**.j2", method)])
    }
    assert len(texts) > 80
    for language in languages.LANGUAGES:
        if language == "en":
            continue
        known = languages.translations(language)._catalog
        assert not texts - {text for text, words in known.items() if words}, f"without {language}"
        for text in texts:
            gaps = re.findall(r"%\(\w+\)s|\{\w+\}", text)
            assert sorted(gaps) == sorted(re.findall(r"%\(\w+\)s|\{\w+\}", known[text])), text
