"""What providers tell over HTTP: proved first, kept once, answered when it's on the disk."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from benchmarks import webhooks as load
from newsletter.errors import StoreError
from newsletter.feedback.effects import Effects
from newsletter.feedback.intake import Intake
from newsletter.model import Event, EventType
from newsletter.store.records import CampaignRecord, DeliveryRecord, EventRecord, SuppressionRecord, WebhookRecord
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk
from tests.providers.test_webhooks import KEYS, SECRETS, basic, svix
from tests.send.test_variants import send
from tests.web.service import standing

Signed = tuple[bytes, dict[str, str]]

PROVIDERS = """
[providers.resend]
[providers.postmark]
[providers.unset]
type = "mailjet"
webhook_secret_env = "NOBODY_SET_THIS"
"""


@pytest.fixture
def client(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    for name, value in {**KEYS, **SECRETS}.items():
        monkeypatch.setenv(name, value)
    config = desk.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + PROVIDERS, encoding="utf-8")
    again = Workspace.open(config, desk.space.clock)
    again.__dict__["store"] = desk.space.store
    return create_app(again).test_client()


def bounce(number: int, address: str = "ana@example.org", mark: str = "") -> Signed:
    told = {"RecordType": "Bounce", "Type": "HardBounce", "ID": number, "MessageID": f"m{number}", "Email": address}
    about = {"delivery": mark} if mark else {}
    return basic(json.dumps({**told, "BouncedAt": "2022-10-12T14:00:00Z", "Metadata": about}).encode())


def post(client: FlaskClient, call: Signed, name: str = "postmark") -> int:
    body, headers = call
    return client.post(f"/webhooks/{name}", data=body, headers=headers).status_code


def counted(space: Workspace, *tables: Any) -> list[int]:
    with space.store.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_a_call_is_kept_raw_with_its_events_and_what_follows(desk: Desk, client: FlaskClient) -> None:
    send(desk)
    with desk.space.store.write() as session:
        campaign = session.scalars(select(CampaignRecord)).one()
        campaign.provider = "postmark"
        delivery = session.scalars(select(DeliveryRecord).where(DeliveryRecord.address == "ben@example.org")).one()
        mark = desk.space.marks.mark(campaign.nonce, delivery.id)
    call = bounce(1, "Ben@example.org", mark)
    assert post(client, call) == 200
    with desk.space.store.read() as session:
        raw = session.scalars(select(WebhookRecord)).one()
        event = session.scalars(select(EventRecord)).one()
        stop = session.scalars(select(SuppressionRecord).where(SuppressionRecord.source == "postmark")).one()
    assert (raw.provider, raw.body, raw.events) == ("postmark", call[0], 1)
    assert (event.type, event.delivery_id) == ("hard bounce", delivery.id)
    assert stop.email == "ben@example.org"
    assert desk.run("report", "network-download-2022-10").returncode == 0


def test_a_replayed_call_is_one_event(desk: Desk, client: FlaskClient) -> None:
    assert [post(client, bounce(1)) for _ in range(3)] == [200] * 3
    assert counted(desk.space, EventRecord) == [1]


def test_a_call_that_does_not_prove_itself_leaves_nothing(desk: Desk, client: FlaskClient) -> None:
    body, headers = bounce(1)
    assert post(client, (body, {})) == 403
    assert post(client, basic(body, "wrong")) == 403
    assert post(client, svix(b"{}", key=b"wrong"), "resend") == 403
    assert post(client, (body, headers), "unset") == 403
    assert post(client, basic(b"\xff not JSON")) == 403
    assert counted(desk.space, EventRecord, WebhookRecord) == [0, 0]


@pytest.mark.parametrize("name", ["files", "smtp", "nobody", "%00", "..", "x" * 3_000])
def test_a_provider_without_webhooks_is_not_there(client: FlaskClient, name: str) -> None:
    assert post(client, bounce(1), name) == 404


def test_get_and_head_are_no_calls(client: FlaskClient) -> None:
    assert (client.get("/webhooks/postmark").status_code, client.head("/webhooks/postmark").status_code) == (405, 405)


def test_a_call_that_is_too_large_is_refused(client: FlaskClient) -> None:
    assert post(client, basic(b"[" + b" " * 9_000_000 + b"]")) == 413


def test_a_store_that_cannot_be_written_asks_them_to_try_again(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StoreError("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "_write", locked)
        assert post(client, bounce(1)) == 503
    assert post(client, bounce(1)) == 200
    assert counted(desk.space, EventRecord) == [1]


def test_calls_at_the_same_time_share_a_commit_and_none_takes_another_down(desk: Desk) -> None:
    """One call of forty can't be written; the others are kept, and only its own caller is told."""
    intake = Intake(desk.space.store, _Picky(desk.space), desk.space.marks, lambda: NOW)
    faults: list[str] = []

    def call(number: int) -> None:
        event = Event(id=f"e{number}", type=EventType.DELIVERED, at=NOW)
        try:
            intake.keep("p", b"{}", [event])
        except StoreError:
            faults.append(event.id)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == ["e13"]
    assert counted(desk.space, EventRecord, WebhookRecord) == [39, 39]


class _Picky(Effects):
    """Fails on one event."""

    def __init__(self, space: Workspace) -> None:
        super().__init__(space.config.feedback, space.address_hash)

    def apply(self, session: Any, provider: str, events: Any, now: Any) -> None:
        if any(event.id == "e13" for event in events):
            raise StoreError("not this one")
        super().apply(session, provider, events, now)


def test_a_stranger_who_has_the_address_alone_takes_nobody_off(desk: Desk, client: FlaskClient) -> None:
    told = {"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": "chi@example.org"}
    told |= {"MessageID": "m", "ChangedAt": "2022-10-12T14:00:00Z"}
    assert post(client, basic(json.dumps(told).encode())) == 200
    assert set(standing(desk.space, "chi@example.org").values()) == {"active"}


def test_whatever_was_answered_with_200_outlives_a_kill(desk: Desk) -> None:
    """The service is killed in the middle of a load, and started again; what wasn't answered is sent again."""
    config = desk.folder / "config.toml"
    config.write_text(
        config.read_text(encoding="utf-8") + "\n[providers.sendgrid]\n[providers.resend]\n", encoding="utf-8"
    )
    calls = [load.resend(number) for number in range(3_000)]
    process, port = load.start(desk.folder)

    def kill() -> None:
        while process.poll() is None and counted(desk.space, EventRecord)[0] < 300:
            time.sleep(0.01)
        process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    answered = load.load(port, calls)
    process.wait()
    killer.join()
    kept = _told(desk.space)
    assert any(answered), "it was killed before it began"
    assert not all(answered), "it was done before it was killed"
    assert {number for number, fine in enumerate(answered) if fine} <= kept
    process, port = load.start(desk.folder)
    try:
        assert all(load.load(port, calls))
    finally:
        process.terminate()
        process.wait(30)
    assert _told(desk.space) == set(range(3_000))
    assert counted(desk.space, EventRecord) == [3_000]


def _told(space: Workspace) -> set[int]:
    with space.store.read() as session:
        return {int(name.removeprefix("msg_")) for name in session.scalars(select(EventRecord.event))}


def test_receiving_needs_the_receiving_secret_alone(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    assert post(client, bounce(1)) == 200
    assert post(client, svix(json.dumps({"type": "email.delivered", "data": {}}).encode()), "resend") == 200


def test_each_kind_of_refusal_is_logged_once_and_without_what_was_called_with(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    body, _ = bounce(1, "reader@example.org")
    for _ in range(3):
        post(client, basic(body, "wrong"))
        post(client, (body, {}), "unset")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "webhooks of postmark: invalid webhook signature: the password is wrong",
        "webhooks of unset: webhooks aren't set up (set $NOBODY_SET_THIS)",
    ]


def test_unknown_names_cost_nothing(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(200):
        assert post(client, bounce(1), f"{number}{'x' * 2_000}") == 404
    assert caplog.records == []
