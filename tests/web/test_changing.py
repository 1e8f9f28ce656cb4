"""Changing an address in the preference center."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import audience
from newsletter.store.records import NoticeRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import StillTime
from tests.web.service import history, mailed, person, standing

CHI, NEW, THIRD = "chi@example.org", "chi.new@example.net", "chi.third@example.net"


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def asked(space: Workspace, client: FlaskClient, address: str, whose: str = CHI) -> None:
    found = person(space, whose)
    assert found
    token = space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=found.id, list="network-download"))
    assert client.post(f"/p/{token}/address", data={"email": address}).status_code == 200


def letter_path(space: Workspace) -> str:
    (letter,) = mailed(space)
    return letter.path


def test_an_address_changes_when_its_new_mailbox_confirms(space: Workspace, client: FlaskClient) -> None:
    before, number = standing(space, CHI), getattr(person(space, CHI), "id", 0)
    asked(space, client, f" {NEW.upper()} ")
    link = letter_path(space)
    page = client.get(link).get_data(as_text=True)
    assert NEW in page
    assert CHI not in page
    assert person(space, NEW) is None, "reading changes nothing"
    assert client.post(link).status_code == 200
    assert standing(space, NEW) == before
    assert getattr(person(space, NEW), "id", 0) == number
    assert person(space, CHI) is None
    assert history(space, NEW)[-1].status == "address changed"


def test_the_old_mailbox_can_take_the_change_back_and_an_old_letter_never_does_it_again(
    space: Workspace, client: FlaskClient
) -> None:
    asked(space, client, NEW)
    first = letter_path(space)
    client.post(first)
    back = letter_path(space)
    assert person(space, NEW)
    client.post(back)
    assert person(space, CHI)
    assert mailed(space) == []
    assert client.post(first).status_code == 410
    assert person(space, CHI)
    assert person(space, NEW) is None


def test_pressing_twice_is_as_once(space: Workspace, client: FlaskClient) -> None:
    asked(space, client, NEW)
    link = letter_path(space)
    client.post(link)
    before = len(history(space, NEW))
    assert client.post(link).status_code == 200
    assert len(history(space, NEW)) == before


def test_a_letter_about_an_address_ends_after_seven_days(
    space: Workspace, client: FlaskClient, time: StillTime
) -> None:
    asked(space, client, NEW)
    link = letter_path(space)
    time.at += dt.timedelta(days=8)
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert person(space, CHI)


def test_somebody_elses_address_cannot_be_taken_and_the_page_does_not_say_whose_it_is(
    space: Workspace, client: FlaskClient
) -> None:
    asked(space, client, "ana@example.org")
    letters = mailed(space)
    assert all("/address/" not in letter.text for letter in letters)
    assert person(space, CHI)
    assert person(space, "ana@example.org")


def test_a_suppressed_address_gets_no_letter_about_a_change(space: Workspace, client: FlaskClient) -> None:
    with space.store.write() as session:
        audience.suppress(
            session, NEW, space.address_hash(NEW), audience.Reason.COMPLAINT, source="test", now=space.clock.now()
        )
    asked(space, client, NEW)
    assert mailed(space) == []


def test_an_address_that_was_taken_since_the_letter_is_left_alone(space: Workspace, client: FlaskClient) -> None:
    asked(space, client, NEW)
    link = letter_path(space)
    asked(space, client, NEW, "ana@example.org")
    other = letter_path(space)
    client.post(other)
    assert client.post(link).status_code == 410
    assert person(space, CHI)


def test_what_is_no_address_is_asked_for_again(space: Workspace, client: FlaskClient) -> None:
    found = person(space, CHI)
    assert found
    token = space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=found.id, list="network-download"))
    answer = client.post(f"/p/{token}/address", data={"email": "chi at example"})
    assert answer.status_code == 400
    assert "chi at example" in answer.get_data(as_text=True)
    assert mailed(space) == []


def test_forgetting_somebody_forgets_the_addresses_that_they_asked_for(space: Workspace, client: FlaskClient) -> None:
    asked(space, client, NEW)
    found = person(space, CHI)
    assert found
    token = space.signer.sign(Purpose.FORGET, Claim(subscriber=found.id, list=space.clock.now().date().isoformat()))
    client.post(f"/forget/{token}")
    with space.store.read() as session:
        assert session.scalars(select(NoticeRecord).where(NoticeRecord.address == NEW)).all() == []
