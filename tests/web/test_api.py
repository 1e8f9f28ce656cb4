"""The API: behind keys, as it describes itself, and never a way around somebody's no."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select
from werkzeug.test import TestResponse

from newsletter import audience
from newsletter.audience import Reason, keys
from newsletter.audience.fields import ATTRIBUTE, PROFILE, TAG
from newsletter.audience.keys import Scope
from newsletter.config import MailingList
from newsletter.errors import InputError, NotFound
from newsletter.store import Store
from newsletter.store.records import ApiTokenRecord, ConsentRecord
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk, StillTime
from tests.web.service import mailed, standing

NEW = "gus@example.org"
CONSENT = {"at": "2022-10-01T10:00:00Z", "source": "paper form at the convening"}


class Program:
    """A program with a key."""

    def __init__(self, space: Workspace, *scopes: Scope) -> None:
        with space.store.write() as session:
            self.key = keys.make(session, "-".join(scopes) or "none", scopes, NOW)
        self.client: FlaskClient = create_app(space).test_client()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.key}", **headers}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=given)


@pytest.fixture
def program(space: Workspace) -> Program:
    return Program(space, Scope.READ, Scope.WRITE)


def test_somebody_without_consent_is_mailed_to_confirm(space: Workspace, program: Program) -> None:
    answer = program.call("POST", "/subscribers", {"email": NEW, "lists": ["network-download"], "first_name": "Gus"})
    assert answer.status_code == 202
    assert standing(space, NEW) == {}
    (letter,) = mailed(space)
    program.client.post(letter.path)
    assert standing(space, NEW) == {"network-download": "active"}


def test_somebody_with_consent_is_on_the_list_and_the_consent_is_kept(space: Workspace, program: Program) -> None:
    body = {
        "email": " Gus@Example.org",
        "lists": ["network-download"],
        "consent": CONSENT,
        "state": "FL",
        "tags": ["board"],
    }
    told = program.call("POST", "/subscribers", body).get_json()
    assert (told["email"], told["state"], told["tags"]) == (NEW, "FL", ["board"])
    assert told["lists"] == {"network-download": "active"}
    with space.store.read() as session:
        query = select(ConsentRecord).where(ConsentRecord.subscriber_id == told["id"])
        assert session.scalars(query).one().evidence == {"consented_at": CONSENT["at"], "consent": CONSENT["source"]}
    found = program.call("GET", "/subscribers?email=gus@example.org").get_json()
    assert found == {"subscribers": [told]}
    assert program.call("GET", f"/subscribers/{told['id']}").get_json() == told


def test_nobody_who_left_or_was_stopped_comes_back_by_a_program(space: Workspace, program: Program) -> None:
    body = {"email": "dee@example.org", "lists": ["network-download"], "consent": CONSENT}
    answer = program.call("POST", "/subscribers", body)
    assert (answer.status_code, answer.get_json()["title"]) == (409, "They have left the list")
    with space.store.write() as session:
        audience.suppress(session, NEW, space.address_hash(NEW), Reason.ERASED, source="x", now=NOW)
    assert program.call("POST", "/subscribers", {**body, "email": NEW}).status_code == 409
    assert standing(space, "dee@example.org") == {"network-download": "unsubscribed"}
    assert standing(space, NEW) == {}


@pytest.mark.parametrize("address", ["chi@example.org", "ana@example.org", NEW])
@pytest.mark.parametrize("name", ["", "workers-rights"])
@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.HARD_BOUNCE, Reason.MANUAL, Reason.ERASED])
def test_nobody_who_is_suppressed_is_put_on_a_list_by_a_program(
    space: Workspace, program: Program, address: str, name: str, reason: Reason
) -> None:
    """Whether they are known or not, and whether all lists may not mail them or one of those that are asked for."""
    with space.store.write() as session:
        audience.suppress(session, address, space.address_hash(address), reason, source="x", now=NOW, name=name)
    before = standing(space, address)
    body = {"email": address, "lists": ["network-download", "workers-rights"], "consent": CONSENT}
    answer = program.call("POST", "/subscribers", body)
    assert (answer.status_code, answer.get_json()["title"]) == (409, "The address is suppressed")
    assert standing(space, address) == before
    if name:
        assert program.call("POST", "/subscribers", {**body, "lists": ["federal-advocacy"]}).status_code == 200


def test_what_is_not_public_is_described_to_programs_with_a_key_only(space: Workspace) -> None:
    lists = {**space.config.lists, "board": MailingList(slug="board", name="The board", public=False)}
    hidden = Workspace(replace(space.config, lists=lists, attributes=("major_donor",)), space.clock)
    hidden.__dict__["store"] = space.store
    program = Program(hidden, Scope.READ)
    open_to_all = program.client.get("/api/v1/openapi.json")
    wrong = program.call("GET", "/openapi.json", Authorization="Bearer nd_wrong")
    for answer in (open_to_all, wrong):
        assert answer.status_code == 200
        assert "network-download" in answer.text
        assert not any(word in answer.text for word in ("board", "major_donor"))
    assert all(word in program.call("GET", "/openapi.json").text for word in ("board", "major_donor"))


@pytest.mark.parametrize("name", [*PROFILE, "attribute", "tag"])
def test_a_field_holds_what_one_place_says(tmp_path: Path, time: StillTime, store: Store, name: str) -> None:
    """As much as may be, on each database; a letter more is refused, and what isn't text is dropped."""
    desk = Desk.make(tmp_path / "desk", time.clock, store=store)
    space = Workspace(replace(desk.space.config, attributes=("attribute",)), time.clock)
    space.__dict__["store"] = store
    program, longest = Program(space, Scope.WRITE), {**PROFILE, "attribute": ATTRIBUTE, "tag": TAG}[name].longest

    def change(text: str) -> tuple[int, Any]:
        body: Any = (
            {"attributes": {name: text}} if name == "attribute" else {"tags": [text]} if name == "tag" else {name: text}
        )
        answer = program.call("PATCH", "/subscribers/1", body)
        told = answer.get_json()
        return answer.status_code, (
            told.get("attributes", {}).get(name)
            if name == "attribute"
            else told.get("tags")
            if name == "tag"
            else told.get(name)
        )

    if name == "state":
        assert change("FL") == (200, "FL")
        assert change("Florida")[0] == 400
        return
    fits = "é" * longest
    assert change(fits) == (200, [fits] if name == "tag" else fits)
    assert change("é" * (longest + 1))[0] == 400
    assert change(f"a{chr(0x202E)}b{chr(0x9B)}") == (200, ["ab"] if name == "tag" else "ab")


def test_a_role_is_stored_as_one_word_however_it_is_written(program: Program) -> None:
    assert program.call("PATCH", "/subscribers/1", {"role": "Elected Official"}).get_json()["role"] == "elected"


def test_letters_that_programs_ask_for_are_limited_too(space: Workspace) -> None:
    limited = Workspace(
        replace(space.config, service=replace(space.config.service, total_limit="2 per hour")), space.clock
    )
    limited.__dict__["store"] = space.store
    program = Program(limited, Scope.WRITE)
    body = {"lists": ["network-download"]}
    answers = [program.call("POST", "/subscribers", {**body, "email": f"a{n}@example.org"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].content_type == "application/problem+json"


def test_update_and_unsubscribe(desk: Desk, program: Program) -> None:
    number = program.call("GET", "/subscribers?email=chi@example.org").get_json()["subscribers"][0]["id"]
    told = program.call("PATCH", f"/subscribers/{number}", {"first_name": "Chi-Chi", "tags": ["a", "b"]}).get_json()
    assert (told["first_name"], told["state"], told["tags"]) == ("Chi-Chi", "TX", ["a", "b"])
    for _ in range(2):
        told = program.call("POST", f"/subscribers/{number}/unsubscribe", {"list": "network-download"}).get_json()
        assert told["lists"] == {"network-download": "unsubscribed", "workers-rights": "active"}
    told = program.call("POST", f"/subscribers/{number}/unsubscribe", {}).get_json()
    assert set(told["lists"].values()) == {"unsubscribed"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/subscribers", {"email": "nobody", "lists": ["network-download"]}, 400),
        ("POST", "/subscribers", {"email": NEW, "lists": ["made-up"]}, 400),
        ("POST", "/subscribers", {"email": NEW, "lists": []}, 400),
        ("POST", "/subscribers", {"email": NEW, "lists": ["network-download"], "admin": True}, 400),
        (
            "POST",
            "/subscribers",
            {"email": NEW, "lists": ["network-download"], "consent": {"at": "soon", "source": "x"}},
            400,
        ),
        ("POST", "/subscribers", [], 400),
        ("PATCH", "/subscribers/1", {"first_name": "a\x00b"}, 400),
        ("PATCH", "/subscribers/1", {"first_name": "\ud800"}, 400),
        ("PATCH", "/subscribers/1", {}, 400),
        ("PATCH", "/subscribers/1", {"attributes": {"undeclared": "x"}}, 400),
        ("GET", "/subscribers", None, 400),
        ("GET", "/subscribers/99999", None, 404),
        ("GET", "/subscribers/99999999999999999999999", None, 404),
        ("DELETE", "/subscribers/1", None, 405),
        ("GET", "/nothing", None, 404),
    ],
)
def test_what_is_not_as_described_is_a_problem(
    program: Program, method: str, path: str, body: Any, status: int
) -> None:
    answer = program.call(method, path, body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["status"] == status


def test_a_body_that_is_not_json_is_a_problem(program: Program) -> None:
    def post(path: str, data: bytes, kind: str = "application/json") -> int:
        headers = {"Authorization": f"Bearer {program.key}"}
        return program.client.post(f"/api/v1{path}", data=data, content_type=kind, headers=headers).status_code

    assert post("/subscribers", b"email=x", "application/x-www-form-urlencoded") == 415
    assert post("/subscribers", b"{") == 400
    assert post("/subscribers", b"\xff") == 400
    assert post("/subscribers", b"[" * 60_000) == 400
    assert post("/subscribers", b" " * 99_999) == 413


def test_an_answer_of_the_api_is_never_shown_as_a_page(program: Program) -> None:
    for path in ("/lists", "/openapi.json", "/subscribers/999999"):
        answer = program.call("GET", path)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="api.json"', path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_key_is_needed_and_good_for_its_scopes_only(space: Workspace) -> None:
    reader = Program(space, Scope.READ)
    assert reader.call("GET", "/lists").status_code == 200
    assert reader.call("PATCH", "/subscribers/1", {"first_name": "x"}).status_code == 403
    for wrong in ("", "Bearer", "Bearer nd_wrong", f"Basic {reader.key}", f"Bearer {reader.key}x", "Bearer \xff"):
        answer = reader.call("GET", "/lists", Authorization=wrong)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_key_is_kept_as_a_digest_and_ends_when_it_is_revoked(space: Workspace, program: Program) -> None:
    with space.store.write() as session:
        record = session.scalars(select(ApiTokenRecord)).one()
        assert program.key not in json.dumps([record.digest, record.name, record.scopes])
        assert keys.revoke(session, record.name, NOW)
        assert not keys.revoke(session, record.name, NOW)
        with pytest.raises(NotFound):
            keys.revoke(session, "another", NOW)
        with pytest.raises(InputError, match="already"):
            keys.make(session, record.name, [Scope.READ], NOW)
    assert program.call("GET", "/lists").status_code == 401


def test_the_api_is_as_it_describes_itself(space: Workspace, program: Program) -> None:
    """schemathesis tries every operation with what's described and with what isn't; each answer has to be described."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(space))
    tried: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation: Any = found
        operation = operation.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def holds(case: Any) -> None:
            tried[case.operation.label] += 1
            case.call_and_validate(headers={"Authorization": f"Bearer {program.key}"})

        holds()
    assert len(tried) == 6
    assert min(tried.values()) >= 1
    assert tried.total() > 200
