"""Many at once, for one address, on each database; a store that somebody else holds; a background that goes on."""

from __future__ import annotations

import json
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from newsletter import audience
from newsletter.audience import keys
from newsletter.audience.keys import Scope
from newsletter.audience.wishes import FOLDER, Wishes
from newsletter.background import BackgroundJobs
from newsletter.errors import StoreError
from newsletter.model import DeliveryState
from newsletter.store import Store, connect
from newsletter.store.records import NoticeRecord, SubscriberRecord, TagRecord
from newsletter.transactional import TransactionalMail
from newsletter.web import create_app, leaving
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk, StillTime
from tests.send.test_variants import send
from tests.web.service import history, mailed, person, standing

NEW, CHI = "gus@example.org", "chi@example.org"
CONSENT = {"at": "2022-10-01T10:00:00Z", "source": "paper form"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def both(tmp_path: Path, time: StillTime, store: Store) -> Workspace:
    """A workspace on each database."""
    return Desk.make(tmp_path / "desk", time.clock, store=store).space


def together(count: int, act: Callable[[int], int]) -> list[int]:
    """Act in so many threads at once; the answers' statuses, in order."""
    answers: list[int] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        answers.append(act(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@contextmanager
def locked(space: Workspace) -> Iterator[None]:
    """Another program is writing to the SQLite file."""
    other = connect(f"sqlite:///{space.folder / 'newsletter.db'}", space.folder)
    with other.write() as session:
        session.execute(text("SELECT 1"))
        yield
    other.close()


class Program:
    """A program with a key, that acts from many threads."""

    def __init__(self, space: Workspace) -> None:
        with space.store.write() as session:
            self._key = keys.make(session, "p", [Scope.READ, Scope.WRITE], NOW)
        self._app = create_app(space)

    def call(self, method: str, path: str, body: object = None) -> int:
        headers = {"Authorization": f"Bearer {self._key}"}
        return self._app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers).status_code


def test_twenty_programs_that_add_one_new_address_add_one_person(both: Workspace) -> None:
    program = Program(both)
    body = {"email": NEW, "lists": ["network-download", "workers-rights"], "consent": CONSENT, "tags": ["a", "b"]}
    assert together(20, lambda _: program.call("POST", "/subscribers", body)) == [200] * 20
    with both.store.read() as session:
        assert session.scalar(select(func.count()).where(SubscriberRecord.email == NEW)) == 1
    assert standing(both, NEW) == {"network-download": "active", "workers-rights": "active"}
    assert len(history(both, NEW)) == 2


def test_changes_of_the_same_tags_and_lists_at_once_end_as_one_of_them(both: Workspace) -> None:
    program, client = Program(both), create_app(both)
    found = person(both, CHI)
    assert found
    choices = urlsplit(both.unsubscribe_url(found.id, "network-download")).path.replace("/u/", "/p/")

    def act(number: int) -> int:
        match number % 3:
            case 0:
                return program.call(
                    "PATCH", f"/subscribers/{found.id}", {"tags": ["all", f"t{number}"], "role": "staff"}
                )
            case 1:
                return program.call("POST", f"/subscribers/{found.id}/unsubscribe", {})
            case _:
                form = {
                    "list": ["network-download"] if number % 2 else ["workers-rights"],
                    "first_name": f"Chi {number}",
                }
                return client.test_client().post(choices, data=form).status_code

    assert set(together(21, act)) == {200, 303}
    with both.store.read() as session:
        tags = session.scalars(select(TagRecord.tag).where(TagRecord.subscriber_id == found.id)).all()
    assert len(tags) == 2
    assert "all" in tags


def test_confirming_at_once_is_confirming_once(both: Workspace) -> None:
    client = create_app(both)
    client.test_client().post("/subscribe", data={"email": NEW, "list": "network-download"})
    (letter,) = mailed(both)
    assert together(20, lambda _: client.test_client().post(letter.path).status_code) == [200] * 20
    assert [row.status for row in history(both, NEW)] == ["requested", "active"]


def test_leaving_at_once_with_joining_never_ends_on_the_list_after_a_stop(both: Workspace) -> None:
    """Whatever comes first: who has left isn't put back by a program's consent."""
    program, client = Program(both), create_app(both)
    found = person(both, CHI)
    assert found
    leave = urlsplit(both.unsubscribe_url(found.id, "network-download")).path
    body = {"email": CHI, "lists": ["network-download"], "consent": CONSENT}

    def act(number: int) -> int:
        if number % 2:
            return client.test_client().post(leave, data=ONE_CLICK).status_code
        return program.call("POST", "/subscribers", body)

    assert set(together(20, act)) <= {200, 409}
    assert standing(both, CHI)["network-download"] == "unsubscribed"


def test_two_services_and_one_address_that_signs_up_many_times(both: Workspace) -> None:
    first, second = create_app(both), create_app(both)

    def join(number: int) -> int:
        form = {"email": f"gus+{number % 2}@example.org", "list": "network-download"}
        return (first, second)[number % 2].test_client().post("/subscribe", data=form).status_code

    assert together(8, join) == [200] * 8
    assert sum(together(4, lambda _: _delivered(both))) == 3
    with both.store.read() as session:
        outcomes = session.scalars(select(NoticeRecord.outcome)).all()
    assert sorted(set(outcomes)) == ["not sent: too many", "sent"]
    assert outcomes.count("sent") == 3


def _delivered(space: Workspace) -> int:
    return space.transactional_mail().deliver()


def test_the_service_waits_for_others_who_write(space: Workspace) -> None:
    program, answers = Program(space), []
    body = {"email": NEW, "lists": ["network-download"], "consent": CONSENT}
    found = person(space, CHI)
    assert found
    leave = urlsplit(space.unsubscribe_url(found.id, "network-download")).path
    client = create_app(space)
    acts: list[Callable[[], int]] = [
        lambda: program.call("POST", "/subscribers", body),
        lambda: client.test_client().post("/subscribe", data={"email": NEW, "list": "network-download"}).status_code,
        lambda: client.test_client().post(leave, data=ONE_CLICK).status_code,
    ]
    threads = [threading.Thread(target=lambda act=act: answers.append(act())) for act in acts]
    with locked(space):
        for thread in threads:
            thread.start()
        real_time.sleep(6)
    for thread in threads:
        thread.join()
    assert answers == [200] * 3
    Wishes(space.folder / FOLDER).settle(space.store)  # as the service's background does within a second
    assert standing(space, CHI)["network-download"] == "unsubscribed"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service waits shortly only."""
    monkeypatch.setattr(leaving, "_PATIENCE", 0.1)


def leave_while_locked(space: Workspace, address: str = CHI, *, one_click: bool = True) -> str:
    found = person(space, address)
    assert found
    path = urlsplit(space.unsubscribe_url(found.id, "network-download")).path
    client = create_app(space).test_client()
    with locked(space):
        answer = client.post(path, data=ONE_CLICK if one_click else {})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.usefixtures("impatient")
def test_a_wish_to_leave_outlives_a_store_that_is_held_for_long(space: Workspace) -> None:
    assert leave_while_locked(space) == "Unsubscribed.\n"
    assert "You have left Network Download" in leave_while_locked(space, "ana@example.org", one_click=False)
    files = list((space.folder / FOLDER).iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 2
    assert not any("@" in file.read_text(encoding="utf-8") for file in files)
    assert standing(space, CHI)["network-download"] == "active"
    assert Wishes(space.folder / FOLDER).settle(space.store) == 2
    for address in (CHI, "ana@example.org"):
        assert standing(space, address)["network-download"] == "unsubscribed"
    assert history(space, CHI)[-1].source == "one-click"
    assert list((space.folder / FOLDER).iterdir()) == []


@pytest.mark.usefixtures("impatient")
def test_a_wish_that_the_store_could_not_take_is_carried_out_before_a_batch_is_claimed(desk: Desk) -> None:
    leave_while_locked(desk.space)
    send(desk)
    with desk.space.store.read() as session:
        rows = session.execute(text("SELECT address, state FROM deliveries")).all()
    assert (CHI, DeliveryState.SUBMITTED) not in rows
    assert ("ana@example.org", DeliveryState.SUBMITTED) in rows
    assert standing(desk.space, CHI)["network-download"] == "unsubscribed"


@pytest.mark.usefixtures("impatient")
def test_a_wish_that_waited_takes_nobody_off_who_has_come_back_since(space: Workspace, time: StillTime) -> None:
    leave_while_locked(space)
    time.at = NOW.replace(hour=23)
    found = person(space, CHI)
    assert found
    with space.store.write() as session:
        audience.unsubscribe(session, found.id, "network-download", source="x", now=time.at)
        audience.subscribe(session, found.id, "network-download", source="x", evidence={}, now=time.at)
    Wishes(space.folder / FOLDER).settle(space.store)
    assert standing(space, CHI)["network-download"] == "active"


def test_a_file_of_wishes_that_cannot_be_read_is_left_and_stops_nothing(space: Workspace) -> None:
    folder = space.folder / FOLDER
    folder.mkdir()
    (folder / "1.json").write_text("{", encoding="utf-8")
    (folder / "2.json").write_text(json.dumps({"subscriber": 1, "at": "x"}), encoding="utf-8")
    assert Wishes(folder).settle(space.store) == 0
    assert len(list(folder.iterdir())) == 2


@pytest.mark.usefixtures("impatient")
def test_the_background_of_the_service_goes_on_after_any_fault_and_says_so(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real, tries = (
        TransactionalMail.deliver,
        iter([RuntimeError(NEW), ZeroDivisionError(), StoreError("away"), StoreError("away")]),
    )

    def deliver(self: TransactionalMail, most: int = 50) -> int:
        fault = next(tries, None)
        if fault:
            raise fault
        return real(self, most)

    monkeypatch.setattr(TransactionalMail, "deliver", deliver)
    leave_while_locked(space)
    create_app(space).test_client().post("/subscribe", data={"email": NEW, "list": "network-download"})
    jobs = BackgroundJobs(space, said.append, look=0.02)
    jobs.start()
    until = real_time.monotonic() + 20
    while real_time.monotonic() < until and not list(space.folder.glob("outbox/notice-*/*.eml")):
        real_time.sleep(0.02)
    jobs.stop()
    assert jobs.failures == 4
    assert [line.partition(" at ")[0] for line in said] == ["RuntimeError", "ZeroDivisionError", "away"]
    assert not any(NEW in line for line in said)
    assert list(space.folder.glob("outbox/notice-*/*.eml"))
    assert standing(space, CHI)["network-download"] == "unsubscribed"


def test_a_request_at_which_the_program_fails_holds_up_no_other(space: Workspace, time: StillTime) -> None:
    client: FlaskClient = create_app(space).test_client()
    client.post("/subscribe", data={"email": "bad@example.org", "list": "network-download"})
    with space.store.write() as session:
        session.scalars(select(NoticeRecord)).one().details = {"lists": 7}
    client.post("/subscribe", data={"email": NEW, "list": "network-download"})
    with pytest.raises(TypeError):
        space.transactional_mail().deliver()
    assert [letter.subject for letter in mailed(space)] == ["Please confirm: Network Download"]
    for _ in range(8):
        time.at = time.at.replace(year=time.at.year + 1)
        try:
            space.transactional_mail().deliver()
        except TypeError:
            continue
    with space.store.read() as session:
        assert session.scalars(select(NoticeRecord.due_at)).all() == [None, None]
