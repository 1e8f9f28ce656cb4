"""Leaving a list: one press, from a page or a mail program; a scanner's GET changes nothing."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from newsletter import audience
from newsletter.store.records import ConsentRecord
from newsletter.tokens import Signer
from newsletter.web import create_app
from newsletter.workspace import Workspace


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def person(space: Workspace, name: str = "chi") -> int:
    with space.store.read() as session:
        found = audience.find(session, f"{name}@example.org")
        assert found
        return found.id


def path(space: Workspace, name: str = "chi", list_: str = "network-download") -> str:
    return urlsplit(space.unsubscribe_url(person(space, name), list_)).path


def standing(space: Workspace, name: str = "chi") -> dict[str, str]:
    with space.store.read() as session:
        return {row.list: row.status for row in audience.subscriptions(session, person(space, name))}


BEFORE = {"network-download": "active", "workers-rights": "active"}
AFTER = {"network-download": "unsubscribed", "workers-rights": "active"}


def test_get_and_head_change_nothing(space: Workspace, client: FlaskClient) -> None:
    for _ in range(3):
        for address in ("/", "/u/", "/style.css", path(space)):
            assert client.get(address).status_code == 200
            assert client.head(address).status_code == 200
    assert standing(space) == BEFORE


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_works_in_both_encodings_without_cookie_or_redirect(
    space: Workspace, client: FlaskClient, kind: str
) -> None:
    done = client.post(path(space), data={"List-Unsubscribe": "One-Click"}, content_type=kind)
    assert (done.status_code, done.headers.get("Location"), done.headers.get("Set-Cookie")) == (200, None, None)
    assert standing(space) == AFTER


def test_twice_is_as_once(space: Workspace, client: FlaskClient) -> None:
    for _ in range(2):
        assert client.post(path(space), data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with space.store.read() as session:
        rows = session.query(ConsentRecord).filter_by(subscriber_id=person(space), source="one-click").all()
    assert len(rows) == 1


def test_the_page_names_the_list_and_its_button_leaves_it(space: Workspace, client: FlaskClient) -> None:
    assert "Leave Network Download?" in client.get(path(space)).text
    done = client.post(path(space))
    assert "You have left Network Download" in done.text
    assert standing(space) == AFTER


@pytest.mark.parametrize("token", ["x", "A" * 60, "%00", "é", "A" * 5_000, "../../etc"])
def test_a_bad_token_gets_the_same_answer_whatever_is_wrong(space: Workspace, client: FlaskClient, token: str) -> None:
    mine = path(space)
    foreign = mine[:-2] + ("aa" if mine[-2:] != "aa" else "bb")
    answers = {client.get(f"/u/{token}").text, client.post(f"/u/{token}").text, client.get(foreign).text}
    assert len(answers) == 1
    assert standing(space) == BEFORE


def test_a_token_of_another_key_opens_nothing(space: Workspace) -> None:
    address = path(space)
    space.__dict__["signer"] = Signer(b"another key")
    assert create_app(space).test_client().post(address).status_code == 404
    assert standing(space) == BEFORE


def test_a_huge_body_is_refused(space: Workspace, client: FlaskClient) -> None:
    assert client.post(path(space), data={"List-Unsubscribe": "x" * 200_000}).status_code == 413
    assert standing(space) == BEFORE


def test_pages_are_guarded_and_not_indexed(client: FlaskClient) -> None:
    headers = client.get("/").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_an_https_service_says_that_it_is_always_https(client: FlaskClient) -> None:
    for path in ("/", "/nowhere", "/style.css", "/api/v1/lists"):
        assert client.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_link_in_a_submitted_message_is_the_readers_own(space: Workspace) -> None:
    name = "network-download-2022-10"
    snapshot, _ = space.approve(name, by="Ada")
    mailing, publication = space.campaigns(), space.config.publication("network-download")
    campaign = mailing.start(snapshot, mailing.plan(publication, snapshot, segment="", provider="files"), publication)
    mailing.run(campaign)
    client = create_app(space).test_client()
    for file in (space.folder / "outbox" / name).iterdir():
        raw = file.read_bytes()
        to = re.search(rb"^To: (\w+)@", raw, re.MULTILINE)
        url = re.search(rb"^List-Unsubscribe: <(\S+)>", raw, re.MULTILINE)
        assert to
        assert url
        client.post(urlsplit(url.group(1).decode()).path, data={"List-Unsubscribe": "One-Click"})
        assert standing(space, to.group(1).decode())["network-download"] == "unsubscribed"


@pytest.mark.browser
def test_a_reader_leaves_with_the_keyboard_and_axe_finds_nothing(space: Workspace, browser: Browser) -> None:
    import threading

    server = make_server("127.0.0.1", 0, create_app(space), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page = browser.new_page(viewport={"width": 375, "height": 700}, java_script_enabled=True)
        page.goto(f"http://127.0.0.1:{server.port}{path(space)}")
        assert Axe().run(page).violations_count == 0
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=You have left Network Download")
        assert Axe().run(page).violations_count == 0
        page.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert standing(space) == AFTER
