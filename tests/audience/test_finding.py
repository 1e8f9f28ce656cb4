"""People are found by what is known of them, and by words as somebody remembers them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from newsletter import audience
from newsletter.audience import finding, moving
from newsletter.audience.finding import Criteria
from newsletter.audience.standing import Reason
from newsletter.errors import InputError
from newsletter.store import Store
from tests.desk import NOW, Desk, StillTime

PEOPLE = """Email,First Name,Last Name,State,City,Tags,Confirmed
maria@example.org,María José,Ñúñez,TX,El Paso,press,2021-01-05
oleary@example.org,Siobhán,O'Leary,ME,Saint Paul,donor,2022-01-05
li@example.org,Li,Wei,CA,Doña Ana County,press; donor,2022-06-05
zoe@sub.example.org,Zoë,Müller,,,,
"""


@pytest.fixture
def there(tmp_path: Path, time: StillTime, store: Store) -> Desk:
    """A desk on each kind of store, with people whose names aren't ASCII."""
    desk = Desk.make(tmp_path / "desk", time.clock, store=store)
    desk.import_people(PEOPLE, "more.csv", "federal-advocacy")
    return desk


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nunez", ["maria"]),
        ("JOSÉ maría", ["maria"]),
        ("o'leary", ["oleary"]),
        ("siobhan", ["oleary"]),
        ("texas", ["chi", "maria"]),
        ("dona ana", ["li"]),
        ("muller zoe", ["zoe"]),
        ("sub.example", ["zoe"]),
        ("ana", ["ana", "li", "eli", "dee", "fay"][:2]),
        ("zoe@sub.example.org", ["zoe"]),
        ("nobody of that name", []),
    ],
)
def test_words_are_found_in_parts_without_regard_to_case_and_accents(there: Desk, words: str, found: list[str]) -> None:
    with there.space.store.read() as session:
        total, people = finding.search(session, words, most=20)
    assert [one.email.partition("@")[0] for one in people][: len(found)] == found
    assert total == len(people) == len(found)


def test_who_has_the_word_as_it_stands_comes_first(there: Desk) -> None:
    with there.space.store.read() as session:
        total, people = finding.search(session, "li", most=1)
    assert total > 1
    assert [one.email for one in people] == ["li@example.org"]


def test_people_are_listed_by_each_criterion_and_in_pages(there: Desk) -> None:
    import datetime as dt

    def names(criteria: Criteria) -> list[str]:
        with there.space.store.read() as session:
            return [one.email.partition("@")[0] for one in finding.people(session, criteria, page=1, size=50)[1]]

    assert names(Criteria(list="federal-advocacy")) == ["li", "maria", "oleary", "zoe"]
    assert names(Criteria(list="network-download", standing="pending")) == ["eli"]
    assert names(Criteria(standing="suppressed")) == ["fay"]
    assert names(Criteria(state="TX")) == ["chi", "maria"]
    assert names(Criteria(tag="Press")) == ["li", "maria"]
    since = dt.datetime(2022, 1, 5, tzinfo=dt.UTC)
    assert names(Criteria(list="federal-advocacy", since=since, before=dt.datetime(2022, 6, 5, tzinfo=dt.UTC))) == [
        "oleary"
    ]
    with there.space.store.read() as session:
        total, second = finding.people(session, Criteria(), page=2, size=4)
        every = [one.email for one in finding.every(session, Criteria())]
    assert (total, len(second)) == (10, 4)
    assert every == sorted(every)
    assert len(every) == 10


def test_a_tag_is_found_without_regard_to_case_in_any_alphabet(there: Desk) -> None:
    there.import_people("Email,Tags\ntagged@example.org,Évènement\n", "tags.csv", "federal-advocacy")
    with there.space.store.read() as session:
        total, found = finding.people(session, Criteria(tag="ÉVÈNEMENT"), page=1, size=5)
    assert (total, [one.email for one in found]) == (1, ["tagged@example.org"])


def test_the_list_is_a_table_json_or_csv(desk: Desk) -> None:
    shown = desk.run("subscribers", "list", "--list", "network-download", "--standing", "active", "--size", "2")
    assert shown.stdout.splitlines()[1].split() == ["ana@example.org", "Ana", "Gainesville,", "FL", "network-download"]
    assert "3 people, 1-2 shown." in shown.stderr
    assert "--page 2" in shown.stderr
    data = json.loads(desk.run("subscribers", "list", "--where", 'state = "FL"', "--json").stdout)
    assert (data["people"], [one["email"] for one in data["subscribers"]]) == (
        2,
        ["ana@example.org", "ben@example.org"],
    )
    rows = list(csv.DictReader(io.StringIO(desk.run("subscribers", "list", "--csv").stdout)))
    assert rows[-1]["email"] == "fay@example.org"
    assert rows[-1]["suppressed"] == "yes"
    found = desk.run("subscribers", "search", "gaines")
    assert "ana@example.org" in found.stdout
    assert "newsletter subscribers show ana@example.org" in found.stderr


def test_somebody_is_edited_field_by_field(desk: Desk) -> None:
    changes = ("--state", "Texas", "--role", "Elected Official", "--language", "Español", "--locality", "")
    done = desk.run("subscribers", "edit", "ana@example.org", *changes)
    assert done.returncode == 0, done.stderr
    with desk.space.store.read() as session:
        ana = audience.find(session, "ana@example.org")
        assert ana
        assert (ana.state, ana.role, ana.language, ana.locality, ana.first_name) == ("TX", "elected", "es", "", "Ana")
    assert desk.run("subscribers", "edit", "nobody@example.org", "--state", "TX").returncode == 1
    assert desk.run("subscribers", "edit", "ana@example.org", "--email", "b@example.org").returncode == 2


def change(desk: Desk, old: str, new: str) -> None:
    with desk.space.store.write() as session:
        person = audience.find(session, old)
        assert person
        moving.change_address(
            session, person, new, hash_address=desk.space.address_hash, source="by hand", why="a letter", now=NOW
        )


def test_a_change_of_address_keeps_lists_consent_and_history(there: Desk) -> None:
    change(there, "maria@example.org", "nunez@example.org")
    with there.space.store.read() as session:
        assert audience.find(session, "maria@example.org") is None
        person = audience.find(session, "nunez@example.org")
        assert person
        assert [row.status for row in audience.subscriptions(session, person.id)] == ["active"]
        held = audience_history(there, "nunez@example.org")
    assert [status for status, _ in held] == ["active", "address changed"]
    assert held[-1][1] == {"from": "maria@example.org", "why": "a letter"}


def audience_history(desk: Desk, email: str) -> list[tuple[str, dict[str, str]]]:
    from newsletter.audience import rights

    with desk.space.store.read() as session:
        person = audience.find(session, email)
        assert person
        return [(row["status"], row["evidence"]) for row in rights.held(session, person)["history"]]


@pytest.mark.parametrize(
    ("reason", "stopped"), [(Reason.COMPLAINT, True), (Reason.MANUAL, True), (Reason.HARD_BOUNCE, False)]
)
def test_a_stop_of_the_person_goes_with_them_and_a_bounce_stays_with_the_mailbox(
    there: Desk, reason: Reason, stopped: bool
) -> None:
    hashed = there.space.address_hash
    with there.space.store.write() as session:
        audience.suppress(session, "li@example.org", hashed("li@example.org"), reason, source="webhook", now=NOW)
    change(there, "li@example.org", "wei@example.org")
    with there.space.store.read() as session:
        assert bool(audience.reason_of(session, hashed("wei@example.org"))) is stopped
        assert audience.reason_of(session, hashed("li@example.org")) == reason


@pytest.mark.parametrize("new", ["ana@example.org", "fay@example.org", "maria@example.org"])
def test_nobody_gets_an_address_that_is_anothers_or_suppressed(there: Desk, new: str) -> None:
    with pytest.raises(InputError):
        change(there, "maria@example.org", new)
