"""Several who write at once: they wait, go again from the beginning, and no value is told when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from newsletter.errors import StoreError
from newsletter.store import Store, connect, insert_new, open_store
from newsletter.store.folding import folded
from newsletter.store.records import FeedRecord, SubscriberRecord, SubscriptionRecord
from tests.desk import NOW

PERSON = {"email": "ana@example.org", "created_at": NOW, "updated_at": NOW}


def together(count: int, work: Callable[[], object]) -> list[BaseException]:
    """Do some work in so many threads at once; what was raised."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@contextmanager
def busy(store: Store, seconds: float) -> Iterator[None]:
    """Another program that holds what is to be written for so many seconds."""
    other = connect(store.engine.url.render_as_string(hide_password=False), Path("/"))
    held = threading.Event()

    def hold() -> None:
        with other.write() as session:
            session.execute(text("UPDATE subscribers SET note = 'x'"))
            held.set()
            time.sleep(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    thread.join()
    other.close()


def test_the_same_new_row_from_twenty_writers_is_one_row(store: Store) -> None:
    def add(session: Session) -> None:
        found = session.scalar(select(SubscriberRecord).where(SubscriberRecord.email == PERSON["email"]))
        if found is None:
            time.sleep(0.02)
            session.execute(insert(SubscriberRecord), [PERSON])

    assert together(20, lambda: store.transact(add)) == []
    with store.read() as session:
        assert len(session.scalars(select(SubscriberRecord)).all()) == 1


def test_rows_that_are_taken_in_another_order_are_taken_again(store: Store) -> None:
    with store.write() as session:
        session.execute(insert(FeedRecord), [{"url": url, "pulled_at": NOW} for url in "ab"])
    turns = iter(["ab", "ba"] * 10)

    def change(order: str, session: Session) -> None:
        for url in order:
            session.execute(text("UPDATE feeds SET etag = etag || 'x' WHERE url = :url"), {"url": url})
            time.sleep(0.02)

    def work() -> None:
        order = next(turns)
        store.transact(lambda session: change(order, session))

    assert together(6, work) == []
    with store.read() as session:
        assert session.scalars(select(FeedRecord.etag)).all() == ["x" * 6] * 2


def test_a_write_waits_for_others_as_long_as_it_is_told(store: Store) -> None:
    with store.write() as session:
        session.execute(insert(SubscriberRecord), [PERSON])

    def note(session: Session) -> None:
        session.execute(text("UPDATE subscribers SET role = 'y'"))

    with busy(store, 1.0):
        began = time.monotonic()
        with pytest.raises(StoreError, match="the database is locked"):
            store.transact(note, patience=0.2)
        assert time.monotonic() - began < 0.9
        store.transact(note, patience=10)
    with store.read() as session:
        assert session.scalars(select(SubscriberRecord.role)).all() == ["y"]


def test_threads_that_queue_for_a_locked_file_give_up_together(tmp_path: Path) -> None:
    store = open_store("sqlite:///a.db", tmp_path)
    with busy(store, 1.5):
        began = time.monotonic()
        faults = together(5, lambda: store.transact(lambda session: session.execute(text("SELECT 1")), patience=0.3))
        assert time.monotonic() - began < 1.2
    assert [type(fault) for fault in faults] == [StoreError] * 5
    store.close()


def test_what_a_database_says_of_a_fault_holds_no_value(store: Store) -> None:
    """Neither the statement's parameters nor what the database itself quotes of the row."""
    statements: list[Callable[[Session], object]] = [
        lambda s: s.execute(insert(SubscriberRecord), [PERSON, PERSON]),
        lambda s: s.execute(insert(SubscriberRecord), [{**PERSON, "language": "ana@example.org" * 9}, {**PERSON}]),
        lambda s: s.execute(
            insert(SubscriptionRecord),
            [{"subscriber_id": 9, "list": "ana@example.org", "status": "active", "changed_at": NOW}],
        ),
        lambda s: s.execute(text("SELECT CAST(:a AS json), ana"), {"a": "ana@example.org"}),
        lambda s: s.execute(text("SELECT CAST(:a AS integer) FROM ana"), {"a": "ana@example.org"}),
        lambda s: s.execute(
            text("SELECT CAST(:a AS date)") if not store.is_sqlite else text("SELECT :a FROM b"),
            {"a": "ana@example.org"},
        ),
    ]
    for statement in statements:
        with pytest.raises((DBAPIError, StoreError)) as caught, store.write() as session:
            statement(session)
        fault: BaseException | None = caught.value
        while fault is not None:
            assert "example.org" not in f"{fault} {fault.args}"
            fault = fault.__cause__


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_others_on_the_machine_cannot_read_the_database(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "people.db"
    if before is not None:
        open_store("sqlite:///people.db", tmp_path).close()
        path.chmod(before)
    store = open_store("sqlite:///people.db", tmp_path)
    with store.write() as session:
        session.execute(insert(SubscriberRecord), [PERSON])
        modes = [file.stat().st_mode & 0o777 for file in tmp_path.iterdir()]
    assert len(modes) == 3
    assert not any(mode & 0o007 for mode in modes)
    assert before is not None or modes == [0o600] * 3
    store.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Évènement", "évènement"), ("ÉLODIE", "Élodie"), ("ΑΘΗΝΑ", "αθηνα"), ("e\u0301", "É"), ("Ł", "ł")],
)
def test_letters_of_all_alphabets_compare_without_case_on_both_databases(store: Store, one: str, other: str) -> None:
    with store.write() as session:
        session.execute(
            insert_new(session, SubscriberRecord), [{**PERSON, "first_name": one, "attributes": {"a": one}}]
        )
        by_name = folded(SubscriberRecord.first_name).in_([folded(other)])
        by_attribute = folded(SubscriberRecord.attributes["a"].as_string()) == folded(other)
        assert session.scalars(select(SubscriberRecord.id).where(by_name, by_attribute)).all()
        assert not session.scalars(select(SubscriberRecord.id).where(folded(SubscriberRecord.first_name) == "x")).all()
