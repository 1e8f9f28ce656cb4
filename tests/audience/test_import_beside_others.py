"""What others write while an import runs: a stop wins, nobody is lost, nothing fails."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from newsletter import audience
from newsletter.audience.merging import Page
from newsletter.audience.people import Person
from newsletter.audience.standing import Standing
from newsletter.store import Store
from newsletter.store.bulk import Bulk
from newsletter.store.records import ImportRecord
from tests.desk import NOW, Desk, StillTime

LIST = "network-download"


@pytest.fixture
def there(tmp_path: Path, time: StillTime, postgres_store: Store) -> Desk:
    """A desk on PostgreSQL, where an import and the service write at the same time."""
    return Desk.make(tmp_path / "desk", time.clock, store=postgres_store)


def status(desk: Desk, email: str) -> str:
    with desk.space.store.read() as session:
        person = audience.find(session, email)
        assert person
        return next(row.status for row in audience.subscriptions(session, person.id) if row.list == LIST)


def test_who_unsubscribes_between_the_reading_and_the_writing_of_a_page_stays_unsubscribed(there: Desk) -> None:
    person = Person(line=2, email="eli@example.org", standings={LIST: Standing.ACTIVE})
    with there.space.store.write() as session:
        record = ImportRecord(file="people.csv", at=NOW)
        session.add(record)
        session.flush()
        page = Page(session, Bulk(session), [person], there.space.address_hash, NOW, record.id)
        page.merge(person)
        with there.space.store.write() as other:
            eli = audience.find(other, person.email)
            assert eli
            audience.unsubscribe(other, eli.id, LIST, source="one click", now=NOW)
        written = page.write("import 2: people.csv")
    assert status(there, person.email) == Standing.UNSUBSCRIBED
    assert not written.standings
    with there.space.store.read() as session:
        held = audience.subscriptions(session, eli.id)
    assert [row.status for row in held] == [Standing.UNSUBSCRIBED]


def test_two_imports_of_the_same_new_people_at_once_both_end_and_nobody_is_there_twice(there: Desk) -> None:
    text = "Email,First Name\n" + "".join(f"p{n}@example.org,P\n" for n in range(3_000))
    paths = [there.folder / f"{number}.csv" for number in range(3)]
    reports, faults = [], []

    def run(path: Path) -> None:
        try:
            reports.append(there.space.import_people(path, lists=(LIST,)))
        except Exception as fault:
            faults.append(fault)

    for path in paths:
        path.write_text(text, encoding="utf-8")
    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sum(report.imported for report in reports) == 3_000
    assert sum(report.merged for report in reports) == 6_000
