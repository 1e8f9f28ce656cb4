"""Links as mail programs, gateways and scanners leave them: wherever the token can be told, they work; else nothing."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient

from newsletter import audience
from newsletter.config import MailingList
from newsletter.store.records import SubscriptionRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW
from tests.web.service import person, standing

CHI = "chi@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def token(space: Workspace, list_: str = "network-download", address: str = CHI) -> str:
    found = person(space, address)
    assert found
    return space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=found.id, list=list_))


def of_an_earlier_release(token: str) -> str:
    raw = bytes.fromhex(token)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def safelinks(token: str) -> str:
    url = quote(f"https://mail.example.org/u/{token}", safe="")
    return f"/u/https://eur01.safelinks.protection.outlook.com/?url={url}&data=05%7C02%7Cx&reserved=0"


WAYS: dict[str, Callable[[str], str]] = {
    **{
        f"with {tail!r} behind it": lambda t, tail=tail: f"/u/{t}{tail}"  # type: ignore[misc]  # a default of a lambda's
        for tail in (
            *("=", ".", "/", ">", ")", "]", ",", ";", "'", '"', "%3D", "=3D", "&", "&amp;", "&amp;data=05", "%22", "*"),
            *("&data=05%7C01%7C", "?utm_source=a&utm_medium=email", "&utm_source=x", "?", "??", "%20", "%0D%0A", "//"),
            *("%E2%80%8B", "%C2%A0", "...", "%3E%3C/a%3E", "=20", "__;!!abc!xyz$", "_", "-", "/index.html", "%252F"),
        )
    },
    "in capital letters": lambda t: f"/U/{t.upper()}",
    "in lower case": lambda t: f"/u/{t.lower()}",
    "behind two slashes": lambda t: f"/u//{t}",
    "quoted": lambda t: f"/u/%22{t}%22",
    "in angle brackets": lambda t: f"/u/%3C{t}%3E",
    "encoded letter by letter": lambda t: "/u/" + "".join(f"%{ord(c):02X}" for c in t),
    "encoded twice": lambda t: quote(quote(f"/u/{t}=", safe=""), safe="/"),
    "as quoted-printable": lambda t: "/u/=3D" + quopri.encodestring(t.encode(), quotetabs=True).decode().strip(),
    "with a soft line end": lambda t: f"/u/{t[:20]}=%0D%0A{t[20:]}",
    "with a soft line end that lost its end": lambda t: f"/u/{t[:20]}={t[20:]}",
    "with a blank in it": lambda t: f"/u/{t[:20]}%20{t[20:]}",
    "with a soft hyphen in it": lambda t: f"/u/{t[:20]}%C2%AD{t[20:]}",
    "within SafeLinks": safelinks,
    "within urldefense 3": lambda t: f"/v3/__https:/mail.example.org/u/{t}__;!!K!x$",
    "within urldefense 2": lambda t: f"/v2/url?u=https-3A__mail.example.org_u_{t}&d=DwMF",
    "as a parameter": lambda t: f"/?url=https%3A%2F%2Fmail.example.org%2Fu%2F{t}",
    "as a parameter of a page that isn't there": lambda t: f"/redirect?to={t}&x=1",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_link_works_however_it_comes(space: Workspace, client: FlaskClient, way: str) -> None:
    address = WAYS[way](token(space))
    page = client.get(address)
    assert (page.status_code, "Leave Network Download?" in page.text) == (200, True)
    assert standing(space, CHI)["network-download"] == "active"
    assert client.post(address, data=ONE_CLICK).status_code == 200
    assert standing(space, CHI) == {"network-download": "unsubscribed", "workers-rights": "active"}


@pytest.mark.parametrize("way", [way for way in WAYS if "case" not in way and "capital" not in way])
def test_a_link_of_an_earlier_release_works_however_it_comes(space: Workspace, client: FlaskClient, way: str) -> None:
    address = WAYS[way](of_an_earlier_release(token(space)))
    assert client.post(address, data=ONE_CLICK).status_code == 200
    assert standing(space, CHI)["network-download"] == "unsubscribed"


def test_a_link_of_an_earlier_release_in_lower_case_offers_a_fresh_one(space: Workspace, client: FlaskClient) -> None:
    address = f"/u/{of_an_earlier_release(token(space)).lower()}"
    page = client.get(address)
    assert (page.status_code, "/preferences" in page.text) == (404, True)
    assert client.post(address, data=ONE_CLICK).status_code == 404
    assert standing(space, CHI)["network-download"] == "active"


def test_other_pages_are_found_too_and_what_stands_behind_their_tokens(space: Workspace, client: FlaskClient) -> None:
    mine = token(space)
    assert "What you get" in client.get(f"/p/{mine}=").text
    assert "What you get" in client.get(f"/P/{mine.upper()}?utm_source=x&lang=en").text
    assert "Look into your mailbox" in client.post(f"/p/{mine}=/data/").text
    client.post(f"/u/{mine}")
    assert "You are back" in client.post(f"/u/{mine.upper()}/undo").text
    found = person(space, CHI)
    assert found
    forget = space.signer.sign(Purpose.FORGET, Claim(subscriber=found.id, list="2022-10-12"))
    assert "Shall we forget you?" in client.get(f"/forget/{forget}.").text
    assert "Shall we forget you?" in client.get(f"/u/{forget}.").text, "a token opens its own page only"


@pytest.mark.parametrize("change", ["a", "7", "0", "aa"])
def test_a_token_that_cannot_be_told_for_certain_opens_nothing(
    space: Workspace, client: FlaskClient, change: str
) -> None:
    mine = token(space)
    for address in (f"/u/{mine}{change}", f"/u/{mine[:-1]}", f"/u/{mine[1:]}=", f"/u/{change}{mine}."):
        assert client.post(address, data=ONE_CLICK).status_code == 404, address
    assert standing(space, CHI)["network-download"] == "active"


def test_the_language_and_other_parameters_still_count(space: Workspace, client: FlaskClient) -> None:
    assert '<html lang="es">' in client.get(f"/u/{token(space)}=?lang=es").text


def renamed(space: Workspace, **lists: MailingList) -> Workspace:
    kept = {slug: one for slug, one in space.config.lists.items() if slug != "network-download"}
    again = Workspace(replace(space.config, lists={**kept, **lists}), space.clock)
    again.__dict__["store"] = space.store
    return again


def test_a_link_of_a_list_that_was_renamed_works(space: Workspace) -> None:
    mine = token(space)
    new = MailingList(slug="download", name="The Download", aliases=("network-download",))
    with space.store.write() as session:
        found = audience.find(session, CHI)
        assert found
        session.add(SubscriptionRecord(subscriber_id=found.id, list="download", status="active", changed_at=NOW))
    client = create_app(renamed(space, download=new)).test_client()
    assert "Leave The Download?" in client.get(f"/u/{mine}").text
    assert client.post(f"/u/{mine}", data=ONE_CLICK).status_code == 200
    gone = {"network-download": "unsubscribed", "download": "unsubscribed", "workers-rights": "active"}
    assert standing(space, CHI) == gone
    client.post(f"/u/{mine}/undo")
    page = client.get(f"/p/{mine}").text
    assert 'value="download"' in page
    assert 'value="network-download"' not in page
    client.post(f"/p/{mine}", data={"list": "workers-rights"})
    assert standing(space, CHI) == {**gone, "download": "unsubscribed"}


def test_a_link_of_a_list_that_is_in_the_settings_no_more_works(space: Workspace) -> None:
    mine = token(space)
    client = create_app(renamed(space)).test_client()
    assert "Leave network-download?" in client.get(f"/u/{mine}").text
    assert client.post(f"/u/{mine}", data=ONE_CLICK).status_code == 200
    assert standing(space, CHI)["network-download"] == "unsubscribed"


def test_the_page_says_whose_address_it_is_and_not_to_whom_else(space: Workspace, client: FlaskClient) -> None:
    page = urlsplit(space.unsubscribe_url(1, "network-download")).path
    asked, done = client.get(page).text, client.post(page).text
    for text in (asked, done):
        assert "a••••@example.org" in text
        assert "ana@example.org" not in text


def test_nothing_of_a_link_is_changed_by_looking_at_it(space: Workspace, client: FlaskClient, tmp_path: Path) -> None:
    for way in WAYS.values():
        client.get(way(token(space)))
        client.head(way(token(space)))
    assert standing(space, CHI)["network-download"] == "active"
