"""Joining: a form that anybody may fill in, a mail that only the mailbox's owner gets, and proof of both."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience import Reason
from newsletter.errors import ConfigError
from newsletter.store.records import NoticeRecord, SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk, StillTime
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


def test_an_old_letter_puts_nobody_back_who_left_since(space: Workspace, client: FlaskClient, time: StillTime) -> None:
    join(client)
    (letter,) = mailed(space)
    client.post(letter.path)
    found = person(space, NEW)
    assert found
    client.post(urlsplit(space.unsubscribe_url(found.id, "network-download")).path)
    time.at += dt.timedelta(minutes=5)
    for method in (client.get, client.post):
        answer = method(letter.path)
        assert (answer.status_code, "This link has expired" in answer.text) == (410, True)
    assert standing(space, NEW) == {"network-download": "unsubscribed"}
    mailed(space)
    client.post(f"{letter.path}/again")
    (fresh,) = mailed(space)
    assert "You are on the list" in client.post(fresh.path).text
    assert standing(space, NEW) == {"network-download": "active"}
    assert client.post(letter.path).status_code == 200, "who is on the list is told so"
    assert len(history(space, NEW)) == 5


def test_a_letter_to_confirm_is_good_for_some_days(space: Workspace, client: FlaskClient, time: StillTime) -> None:
    join(client)
    (letter,) = mailed(space)
    time.at += dt.timedelta(days=7, minutes=1)
    assert client.get(letter.path).status_code == client.post(letter.path).status_code == 410
    assert standing(space, NEW) == {"network-download": "pending"}
    assert client.post(f"{letter.path}/again").status_code == 200
    (fresh,) = mailed(space)
    client.post(fresh.path)
    assert standing(space, NEW) == {"network-download": "active"}


def test_a_letter_of_an_earlier_release_confirms_nothing_and_offers_a_fresh_one(
    space: Workspace, client: FlaskClient
) -> None:
    """It says neither when it was asked for nor by which request."""
    for name, before in (("dee", "unsubscribed"), ("eli", "pending")):
        found = person(space, f"{name}@example.org")
        assert found
        token = space.signer.sign(Purpose.CONFIRM, Claim(subscriber=found.id, list="network-download"))
        answer = client.post(f"/confirm/{token}")
        assert (answer.status_code, f"/confirm/{token}/again" in answer.text) == (410, True)
        assert standing(space, f"{name}@example.org") == {"network-download": before}


def test_nobody_confirms_by_the_request_of_somebody_else(space: Workspace, client: FlaskClient) -> None:
    join(client)
    (letter,) = mailed(space)
    claim = space.signer.verify(Purpose.CONFIRM, letter.path.rpartition("/")[2])
    eli = person(space, "eli@example.org")
    assert claim
    assert eli
    token = space.signer.sign(Purpose.CONFIRM, Claim(subscriber=eli.id, list=claim.list))
    assert client.post(f"/confirm/{token}").status_code == 410


def test_forty_sign_ups_for_one_mailbox_from_forty_networks_are_three_letters(
    space: Workspace, client: FlaskClient
) -> None:
    for number in range(40):
        form = {"email": f"victim+{number}@example.org", "list": "network-download"}
        network = {"REMOTE_ADDR": f"2001:db8:{number:x}::1"}
        assert client.post("/subscribe", data=form, environ_base=network).status_code == 200
    assert len(mailed(space)) == 3
    assert mailed(space) == []


def test_dots_and_other_names_of_gmail_are_one_mailbox(space: Workspace, client: FlaskClient) -> None:
    addresses = [
        "vic.tim@gmail.com",
        "v.i.c.tim@googlemail.com",
        "victim+a@gmail.com",
        "victim@gmail.com",
        "vict.im@gmail.com",
    ]
    for address in addresses:
        join(client, address)
    join(client, "other@gmail.com")
    assert len(mailed(space)) == 4


@pytest.mark.parametrize(
    ("addresses", "taken"),
    [
        ([f"2001:db8:7:{n:x}::1" for n in range(12)], 10),
        ([f"203.0.113.{n}" for n in range(12)], 10),
        ([f"::ffff:203.0.113.{n}" for n in range(6)] + [f"203.0.113.{n}" for n in range(6)], 10),
        ([f"2001:db8:{n:x}::1" for n in range(12)], 12),
        ([f"203.0.{n}.1" for n in range(12)], 12),
        (["fe80::1%eth0"] * 12, 10),
    ],
)
def test_a_network_is_what_one_customer_has(client: FlaskClient, addresses: list[str], taken: int) -> None:
    form = {"email": NEW, "list": "network-download"}
    answers = [client.post("/subscribe", data=form, environ_base={"REMOTE_ADDR": one}).status_code for one in addresses]
    assert answers.count(200) == taken


def test_there_are_limits_by_list_and_in_all_and_lower_ones_while_nobody_confirms(
    space: Workspace, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    rules = replace(space.config.service, list_limit="8 per hour", total_limit="12 per hour")
    limited = Workspace(replace(space.config, service=rules), space.clock)
    limited.__dict__["store"] = space.store

    def asked(client: FlaskClient, name: str, count: int, begin: int) -> list[int]:
        return [
            client.post(
                "/subscribe",
                data={"email": f"a{number}@example.org", "list": name},
                environ_base={"REMOTE_ADDR": f"198.{begin}.{number}.1"},
            ).status_code
            for number in range(count)
        ]

    other = create_app(limited).test_client()
    assert asked(other, "network-download", 10, 18) == [200] * 8 + [429] * 2
    assert asked(other, "workers-rights", 6, 19) == [200] * 4 + [429] * 2
    assert asked(client, "network-download", 40, 20) == [200] * 40
    slowed = create_app(limited).test_client()
    assert asked(slowed, "network-download", 4, 21) == [200] * 2 + [429] * 2
    lines = [record.getMessage() for record in caplog.records if record.name == "newsletter.security"]
    assert lines[0] == "limit reached: 8 per 1 hour list (from 198.18.8.0/24)"
    assert lines[-1] == "limit reached: 2 per 1 hour list, most who ask don't confirm (from 198.21.3.0/24)"
    assert not any("example.org" in line for line in lines)


def test_every_text_has_its_translation_with_the_same_gaps() -> None:
    import re

    from babel.messages.extract import extract_from_dir

    from newsletter import languages
    from newsletter.resources import TEMPLATES

    package = Path(languages.__file__).parent
    texts = {
        str(found[2])
        for folder, method in (
            (TEMPLATES / "web", "jinja2"),
            (package / "transactional", "python"),
        )
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


def test_a_list_is_described_in_the_language_of_the_page(client: FlaskClient) -> None:
    assert "Cada mes: lo que pasa en la red." in client.get("/subscribe?lang=es").get_data(as_text=True)
    assert "Monthly: what happens across the network." in client.get("/subscribe?lang=en").get_data(as_text=True)


def test_a_description_in_no_language_is_refused(desk: Desk) -> None:
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('{ es = "Cada mes', '{ Spanish = "Cada mes'), encoding="utf-8")
    with pytest.raises(ConfigError, match="Spanish"):
        Workspace.open(path, desk.space.clock)
