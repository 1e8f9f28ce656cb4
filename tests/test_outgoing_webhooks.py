"""Other programs are told of what changes, signed, in order of their wishes, until they have answered."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from newsletter import audience
from newsletter.audience import Reason
from newsletter.config import Hook
from newsletter.errors import ConfigError
from newsletter.outgoing_webhooks import OutgoingWebhooks, sign
from newsletter.store import Store
from newsletter.store.records import HookCallRecord, SubscriberRecord
from tests.desk import NOW, StillTime

SECRET = "whsec_" + base64.b64encode(b"a secret of at least 24 bytes").decode()


class Listener:
    """A program that listens; `answers` are the statuses of its next answers, 200 when there are none."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.calls.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(listener.answers.pop(0) if listener.answers else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener().listening() as opened:
        yield opened


def hooks(store: Store, listener: Listener, time: StillTime, *events: str, secret: str = SECRET) -> OutgoingWebhooks:
    hook = Hook(url=listener.url, secret_env="HOOK", **({"events": events} if events else {}))
    return OutgoingWebhooks(store, {"crm": hook}, time.clock, {"HOOK": secret})


def add(store: Store, name: str = "ana") -> int:
    with store.write() as session:
        person = SubscriberRecord(email=f"{name}@example.org", created_at=NOW, updated_at=NOW)
        session.add(person)
        session.flush()
        audience.subscribe(session, person.id, "news", source="api", evidence={}, now=NOW)
        return person.id


def told(listener: Listener) -> list[tuple[str, str]]:
    documents = [json.loads(body) for _, body in listener.calls]
    return [(document["type"], document["data"]["email"]) for document in documents]


def test_changes_are_told_once_signed_as_the_standard_says(store: Store, listener: Listener, time: StillTime) -> None:
    made = hooks(store, listener, time)
    number = add(store)
    with store.write() as session:
        audience.unsubscribe(session, number, "news", source="one-click", now=NOW)
        for name, reason in (("bo", Reason.HARD_BOUNCE), ("co", Reason.COMPLAINT), ("di", Reason.MANUAL)):
            audience.suppress(session, f"{name}@example.org", name, reason, source="p", now=NOW, tell=True)
    time.at = dt.datetime.now(dt.UTC)
    made.gather()
    made.deliver()
    assert told(listener) == [
        ("subscriber.subscribed", "ana@example.org"),
        ("subscriber.unsubscribed", "ana@example.org"),
        ("subscriber.bounced", "bo@example.org"),
        ("subscriber.complained", "co@example.org"),
    ]
    for headers, body in listener.calls:
        Webhook(SECRET).verify(body.decode(), headers)
    assert len({headers["webhook-id"] for headers, _ in listener.calls}) == 4
    assert (made.gather(), made.deliver()) == (0, 0)


def test_only_what_a_hook_wants_is_told(store: Store, listener: Listener, time: StillTime) -> None:
    made = hooks(store, listener, time, "subscriber.bounced")
    add(store)
    assert made.gather() == 0


def test_a_call_that_fails_is_made_again_with_the_same_identity_until_it_is_given_up(
    store: Store, listener: Listener, time: StillTime
) -> None:
    made = hooks(store, listener, time)
    add(store)
    made.gather()
    listener.answers = [500, 302, 200]
    assert made.deliver() == 0
    assert made.deliver() == 0, "not at once"
    time.at += dt.timedelta(seconds=6)
    assert made.deliver() == 0, "a redirect is no answer"
    time.at += dt.timedelta(minutes=6)
    assert made.deliver() == 1
    assert len({headers["webhook-id"] for headers, _ in listener.calls}) == 1
    add(store, "ben")
    made.gather()
    listener.answers = [500] * 20
    for _ in range(20):
        made.deliver()
        time.at += dt.timedelta(days=2)
    assert len(listener.calls) == 3 + 10
    with store.read() as session:
        assert session.scalars(select(HookCallRecord.outcome)).all() == ["answered 200", "answered 500"]


def test_a_listener_that_is_gone_is_asked_no_more(store: Store, listener: Listener, time: StillTime) -> None:
    made = hooks(store, listener, time)
    add(store)
    made.gather()
    listener.answers = [410]
    made.deliver()
    time.at += dt.timedelta(days=2)
    made.deliver()
    assert len(listener.calls) == 1


def test_nobody_who_listens_loses_nothing(store: Store, time: StillTime) -> None:
    nobody = Listener()
    nobody.url = "http://127.0.0.1:9/"
    made = hooks(store, nobody, time)
    add(store)
    made.gather()
    assert made.deliver() == 0
    with Listener().listening() as listener:
        time.at += dt.timedelta(seconds=6)
        assert hooks(store, listener, time).deliver() == 1


def test_a_hook_that_was_taken_out_ends_its_calls(store: Store, listener: Listener, time: StillTime) -> None:
    made = hooks(store, listener, time)
    add(store)
    made.gather()
    OutgoingWebhooks(store, {}, time.clock, {}).deliver()
    with store.read() as session:
        assert session.scalars(select(HookCallRecord.due_at)).all() == [None]
    assert listener.calls == []


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not Base64!"])
def test_a_secret_that_proves_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="at least 24 bytes"):
        sign(secret, "msg_1", 1, b"{}")
