"""Nobody who left is mailed, not even to find out what became of a call; and at whatever moment they leave."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import make_url

from newsletter import audience, send
from newsletter.audience import rights
from newsletter.errors import StoreError
from newsletter.model import DeliveryState
from newsletter.send import control
from newsletter.store import connect
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord
from newsletter.workspace import Workspace
from tests.desk import Desk, StillTime
from tests.postgres import fresh
from tests.send.shop import Shop, shop
from tests.send.test_nobody_twice import lost
from tests.send.test_send import Flaky, started, submit

LEAVING: dict[str, Callable[[Shop, str], None]] = {
    "unsubscribed": Shop.leave,
    "suppressed": Shop.suppress,
    "erased": Shop.erase,
}


@pytest.fixture(params=["resend", "mailjet", "brevo"])
def replayed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, request.param, 6) as opened:
        yield opened


@pytest.mark.parametrize("way", LEAVING)
def test_a_call_with_somebody_who_has_left_since_is_never_made_again(replayed: Shop, way: str) -> None:  # S8
    replayed.fake.faults = [lost(taken=False)] * 99
    assert replayed.send() == {DeliveryState.UNKNOWN: 6}
    LEAVING[way](replayed, "r3@example.org")
    replayed.fake.faults = []
    assert replayed.send() == {DeliveryState.UNKNOWN: 6}
    assert replayed.fake.taken == []
    assert "somebody in it has left" in replayed.errors()


def test_an_erased_address_is_nowhere_in_what_is_stored_of_a_call(replayed: Shop) -> None:  # S8
    replayed.fake.faults = [lost(taken=False)] * 99
    replayed.send()
    replayed.erase("r3@example.org")
    with replayed.space.store.read() as session:
        stored = " ".join(session.scalars(select(BatchRecord.request)))
    assert "r2@example.org" in stored
    assert "r3@example.org" not in stored


@pytest.mark.parametrize("vendor", ["mailgun", "postmark"])
@pytest.mark.parametrize("way", LEAVING)
def test_where_a_log_can_be_read_those_who_left_are_looked_up_and_the_rest_goes_on(
    tmp_path: Path, vendor: str, way: str
) -> None:
    with shop(tmp_path, vendor, 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost(taken=False)]
        opened.send()
        opened.later(hours=1)
        LEAVING[way](opened, "r1@example.org")
        opened.desk.import_people("Email,Lists\nlate@example.org,Network Download\n")
        snapshot, publication = (
            opened.service.snapshot(opened.campaign),
            opened.space.config.publication("network-download"),
        )
        more = opened.service.plan(publication, snapshot, segment="", provider=vendor, campaign=opened.campaign)
        opened.service.add_new(opened.campaign, more, publication)
        opened.send()
        opened.send()
        assert "r1@example.org" not in opened.copies
        assert opened.states == {"submitted": 8, "withheld": 1}
        assert set(opened.copies.values()) == {1}


def test_somebody_erased_of_a_call_that_came_is_not_said_to_have_had_nothing(tmp_path: Path) -> None:
    """Nobody can look for them any more, and the log shows that the call came."""
    with shop(tmp_path, "postmark", 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost()]
        opened.send()
        opened.later(hours=1)
        opened.erase("r1@example.org")
        opened.desk.import_people("Email,Lists\nlate@example.org,Network Download\n")
        snapshot = opened.service.snapshot(opened.campaign)
        publication = opened.space.config.publication("network-download")
        more = opened.service.plan(publication, snapshot, segment="", provider="postmark", campaign=opened.campaign)
        opened.service.add_new(opened.campaign, more, publication)
        opened.fake.lag = dt.timedelta(hours=2)
        opened.send()
        opened.fake.lag = dt.timedelta(0)
        opened.send()
        assert opened.states == {"submitted": 8, "unknown": 1}
        assert set(opened.copies.values()) == {1}


def test_a_canceled_campaign_submits_nothing_more_and_says_what_is_unknown(replayed: Shop) -> None:  # S9
    replayed.fake.faults = [lost(taken=False)] * 99
    replayed.send()
    done = replayed.desk.run("campaigns", "cancel", "network-download-2022-10", "--confirm", "network-download-2022-10")
    assert done.returncode == 0, done.stderr
    assert "6 messages may have gone out" in done.stderr
    replayed.fake.faults = []
    replayed.service.run(replayed.campaign)
    due = replayed.desk.run("run-due")
    assert due.returncode == 4, due.stderr
    assert replayed.fake.taken == []
    assert replayed.states == {"unknown": 6}
    again = replayed.desk.run("send", "network-download-2022-10", "--confirm", "network-download-2022-10")
    assert (again.returncode, "is canceled" in again.stderr) == (1, True)


def test_what_turns_out_not_to_have_been_taken_of_a_canceled_campaign_is_withheld(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", 4, settings="parallel = 1") as opened:
        fake = opened.fake
        fake.answers = {"END": ["451 4.3.0 later"]}  # type: ignore[attr-defined]
        opened.send()
        with opened.space.store.write() as session:
            assert control.cancel(session, opened.campaign.id, "canceled", opened.time.at) == 4
        fake.answers = {}  # type: ignore[attr-defined]
        opened.service.run(opened.campaign)
        assert opened.states == {"withheld": 4}
        assert fake.taken == []


def leave(space: Workspace, way: str) -> None:
    with space.store.write() as session:
        person = audience.find(session, "ben@example.org")
        if person is None:
            return
        if way == "unsubscribed":
            audience.unsubscribe(session, person.id, "network-download", source="test", now=space.clock.now())
        elif way == "suppressed":
            hashed = space.address_hash(person.email)
            now = space.clock.now()
            audience.suppress(session, person.email, hashed, audience.Reason.MANUAL, source="test", now=now)
        else:
            hashed = space.address_hash(person.email)
            rights.forget(session, person, hashed, source="test", now=space.clock.now())


class _Stop(BaseException):
    """The process dies here."""


class Copies:
    """A campaign that has begun, in a workspace on SQLite or PostgreSQL, copied as often as wanted."""

    def __init__(self, folder: Path, server: str = "") -> None:
        self._folder, self._server = folder, make_url(server) if server else None
        store = None
        if self._server:
            self._run("DROP DATABASE IF EXISTS template_of_copies", "CREATE DATABASE template_of_copies")
            store = fresh(self._address("template_of_copies"), folder)
        desk = Desk.make(folder / "template", StillTime().clock, store=store)
        self.campaign = started(desk.space, size=3)
        desk.space.close()

    def _address(self, name: str) -> str:
        assert self._server
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _run(self, *statements: str) -> None:
        assert self._server
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    @contextmanager
    def one(self) -> Iterator[Workspace]:
        """A copy, gone afterwards."""
        shutil.copytree(self._folder / "template", self._folder / "copy")
        space = Workspace.open(self._folder / "copy" / "config.toml", StillTime().clock)
        if self._server:
            self._run("DROP DATABASE IF EXISTS copy WITH (FORCE)", "CREATE DATABASE copy TEMPLATE template_of_copies")
            space.__dict__["store"] = connect(self._address("copy"), self._folder)
        yield space
        space.close()
        shutil.rmtree(self._folder / "copy")


@pytest.mark.parametrize(("way", "database"), [*((way, "sqlite") for way in LEAVING), ("unsubscribed", "postgresql")])
def test_whoever_leaves_at_any_moment_of_a_run_gets_nothing_after_it(
    tmp_path: Path, way: str, database: str, request: pytest.FixtureRequest
) -> None:
    """A run is stopped before its first statement, its second, and so on; then somebody leaves, and it goes on. Their
    message went out only if the call with it had begun before they left, and nobody's went out twice.
    """
    copies = Copies(tmp_path, request.getfixturevalue("postgres") if database == "postgresql" else "")
    for moment in range(1, 400):
        with copies.one() as space:
            provider = Flaky(provable=moment % 2 == 0)
            ended = _stopped_at(space, copies.campaign, provider, moment)
            before = set(provider.kept.values())
            leave(space, way)
            with space.store.write() as session:
                control.resume(session, send.get(session, copies.campaign.name))
            submit(space, copies.campaign, provider)
            assert "ben@example.org" in before or "ben@example.org" not in provider.kept.values(), f"moment {moment}"
            with space.store.read() as session:
                left = {str(state) for state in session.scalars(select(DeliveryRecord.state))}
            assert left <= {DeliveryState.SUBMITTED, DeliveryState.WITHHELD, DeliveryState.UNKNOWN}
        if ended:
            break
    assert moment > 20, "a run has more statements than that"


def _stopped_at(space: Workspace, campaign: CampaignRecord, provider: Flaky, moment: int) -> bool:
    """Run, and stop before the statement of that number; whether the run had ended before."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == moment:
            raise _Stop

    event.listen(space.store.engine, "before_cursor_execute", count)
    try:
        submit(space, campaign, provider)
    except (_Stop, StoreError):
        return False
    finally:
        event.remove(space.store.engine, "before_cursor_execute", count)
    return True
