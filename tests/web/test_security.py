"""What the log says of those who try what they may not, and of our own faults; and what it never says."""

from __future__ import annotations

import gc
import logging
import tracemalloc
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError
from werkzeug.test import create_environ, run_wsgi_app

from benchmarks import webhooks as load
from newsletter import audience, transactional
from newsletter.audience import keys
from newsletter.audience.keys import Scope
from newsletter.errors import StoreError
from newsletter.web import create_app
from newsletter.web.security import SecurityLog
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk
from tests.web.service import person

CHI = "chi@example.org"


@pytest.fixture
def client(space: Workspace) -> FlaskClient:
    return create_app(space).test_client()


def leave(space: Workspace) -> str:
    found = person(space, CHI)
    assert found
    return urlsplit(space.unsubscribe_url(found.id, "network-download")).path


def said(caplog: pytest.LogCaptureFixture, name: str = "newsletter.security") -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == name]


def test_refused_keys_links_and_limits_are_logged_without_what_was_given(
    space: Workspace, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with space.store.write() as session:
        key = keys.make(session, "reader", [Scope.READ], NOW)
    client.get("/api/v1/lists", headers={"Authorization": "Bearer nd_wrong_secret"})
    client.patch("/api/v1/subscribers/1", json={}, headers={"Authorization": f"Bearer {key}"})
    client.post(leave(space)[:-1], data={"email": CHI}, environ_base={"REMOTE_ADDR": "2001:db8:7:9::1"})
    for _ in range(11):
        client.post("/preferences", data={"email": CHI})
    lines = said(caplog)
    assert lines == [
        "API key refused: there's none, or it's unknown or revoked (from 127.0.0.0/24)",
        "API key refused: it isn't good for write (from 127.0.0.0/24)",
        "link refused: no token of ours for unsubscribe (from 2001:db8:7::/48)",
        "limit reached: 10 per 1 minute network (from 127.0.0.0/24)",
    ]


def test_nobody_fills_a_disk_with_the_security_log(caplog: pytest.LogCaptureFixture) -> None:
    log = SecurityLog()
    for _ in range(1_000):
        log.note("link refused", "x")
    assert 20 <= len(said(caplog)) <= 42


@pytest.mark.parametrize("at", ["page", "api"])
def test_a_fault_of_ours_is_logged_without_the_path_and_its_message(
    space: Workspace, client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        try:
            raise KeyError(CHI)
        except KeyError as fault:
            raise RuntimeError(f"no {CHI}") from fault

    path = leave(space)
    with space.store.write() as session:
        key = keys.make(session, "p", [Scope.READ], NOW)
    if at == "page":
        monkeypatch.setattr("newsletter.audience.wishes.unsubscribe", broken)
        answer = client.post(path)
    else:
        monkeypatch.setattr(audience, "find", broken)
        answer = client.get(f"/api/v1/subscribers?email={CHI}", headers={"Authorization": f"Bearer {key}"})
        assert answer.content_type == "application/problem+json"
    assert answer.status_code == 500
    (line,) = said(caplog, "newsletter.web")
    rule = "POST /u/<token>" if at == "page" else "GET /api/v1/subscribers"
    assert line.startswith(f"a fault of ours at {rule}: RuntimeError at ")
    assert "from KeyError at" in line
    everything = caplog.text + answer.text
    assert not any(word in everything for word in (CHI, path.rpartition("/")[2], key))


def test_a_fault_of_the_database_is_logged_without_the_row(
    space: Workspace, client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(session: Any, *_: object) -> None:
        session.connection().exec_driver_sql("INSERT INTO subscribers (email) VALUES (?)", (CHI,))

    monkeypatch.setattr(transactional, "ask", ask)
    assert client.post("/preferences", data={"email": CHI}).status_code == 500
    assert IntegrityError.__name__ in caplog.text
    assert CHI not in caplog.text


def test_a_store_that_is_away_asks_to_try_again(
    space: Workspace, client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("the database can't be used", where="db")

    monkeypatch.setattr(transactional, "ask", away)
    answer = client.post("/preferences", data={"email": CHI})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Please try again in a minute" in answer.text
    assert said(caplog, "newsletter.web") == ["POST /preferences: db: the database can't be used"]


def test_names_that_nobody_knows_leave_nothing_in_memory(space: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Of webhooks, tokens, languages, looks, lists and keys."""
    app = create_app(space)

    def call(method: str, path: str, query: str = "", **more: str) -> None:
        environ = create_environ("/", method=method)  # the client would keep addresses itself
        run_wsgi_app(app.wsgi_app, {**environ, "PATH_INFO": path, "QUERY_STRING": query, **more})

    def ask(number: int) -> None:
        name = f"{number}{'x' * 20_000}"
        call("POST", f"/webhooks/{name}")
        call("GET", f"/u/{name}", HTTP_ACCEPT_LANGUAGE=f"{name[:200]},en")
        call("GET", "/style.css", f"look={name}")
        call("GET", "/subscribe", f"lang={name}&list={name}")
        call("GET", "/api/v1/lists", HTTP_AUTHORIZATION=f"Bearer {name[:2_000]}")

    with caplog.at_level(logging.CRITICAL):
        for number in range(20):
            ask(number)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(20, 60):
            ask(number)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown < 300_000


def test_the_body_of_a_webhook_that_nobody_has_set_up_is_not_read(space: Workspace) -> None:
    class Unread:
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

        readline = readlines = read

    environ: dict[str, Any] = {"wsgi.input": Unread(), "CONTENT_LENGTH": "7000000"}
    answer = create_app(space).test_client().post("/webhooks/nobody", environ_overrides=environ)
    assert answer.status_code == 404


def test_no_answer_says_which_version_of_what_answers(desk: Desk) -> None:
    process, port = load.start(desk.folder)
    try:
        for path in ("", "nowhere", "api/v1/lists"):
            headers = requests.get(f"http://127.0.0.1:{port}/{path}", timeout=10).headers
            assert not {"Server", "X-Powered-By", "Via"} & headers.keys(), path
    finally:
        process.kill()
        process.wait()
