"""Segments: read as written, compiled to SQL, wrong ones refused with the place."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter import audience
from newsletter.audience import profile
from newsletter.audience.segments import FIELDS, condition, segment
from newsletter.errors import ConfigError, NotFound
from newsletter.store import Store
from newsletter.store.records import DeliveryRecord, EventRecord, SubscriberRecord
from newsletter.workspace import Workspace
from tests.desk import ISSUE, NOW, Desk, StillTime


def matching(desk: Desk, expression: str) -> set[str]:
    with desk.space.store.read() as session:
        where = condition(expression, "test", desk.space.config, session=session)
        query = select(SubscriberRecord.first_name).where(where)
        return {name or "(none)" for name in session.scalars(query)}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('state = "FL"', {"Ana", "(none)"}),
        ("state = 'florida'", {"Ana", "(none)"}),
        ('state != "FL" and not state = "NY"', {"Chi", "Fay"}),
        ('state in ("TX", "colo.") or first_name = "ANA"', {"Ana", "Chi", "Fay"}),
        ('state not in ("FL", "NY", "TX")', {"Fay"}),
        ('not (locality = "") and (state = "FL" or state = "TX")', {"Ana", "Chi"}),
        ('state = "FL" or state = "TX" and first_name = "nobody"', {"Ana", "(none)"}),
        ('first_name = "x\'; DROP TABLE subscribers"', set()),
    ],
)
def test_an_expression_means_what_it_says(desk: Desk, expression: str, names: set[str]) -> None:
    assert matching(desk, expression) == names


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('sate = "FL"', '"sate" is no field, at character 1 (did you mean "state"?)'),
        ('state = "Ontario"', '"Ontario" is no state, at character 9'),
        ("state = FL", "a text in quotes is expected, at character 9"),
        ('state = "FL" role = "x"', '"role" is not expected here, at character 14'),
        ('state in "FL"', '"(" is expected'),
        ('(state = "FL"', '")" is expected'),
        ("", "it ends too early"),
        ("not " * 60 + 'state = "FL"', "nested too deep"),
        ('state = "FL" and __import__("os")', '"__import__" is no field'),
    ],
)
def test_a_wrong_expression_is_refused_with_its_place(desk: Desk, expression: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        condition(expression, "test", desk.space.config)
    assert said in str(caught.value)


@given(text=st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_condition_or_one_of_our_errors(desk: Desk, text: str) -> None:
    with suppress(ConfigError):
        condition(text, "any", desk.space.config)


PIECES = [*FIELDS, "=", "!=", "in", "not", "and", "or", "(", ")", ",", "since", "before", '"FL"', '"2026-01-01"', "'x'"]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_order_of_our_own_words_is_a_question_that_the_database_answers_or_one_of_our_errors(
    desk: Desk, pieces: list[str]
) -> None:
    with suppress(ConfigError):
        matching(desk, " ".join(pieces))


def test_tags_attributes_and_the_day_of_joining_are_fields_too(tmp_path: Path, time: StillTime, store: Store) -> None:
    made = Desk.make(tmp_path / "desk", time.clock, store=store).space
    space = Workspace(replace(made.config, attributes=("ward",)), made.clock)
    space.__dict__["store"] = store
    there = Desk(space)
    with space.store.write() as session:
        for name, tags, ward, joined in (("ana", ["Donor"], "3", 1), ("chi", ["donor", "press"], "", 10)):
            person = audience.find(session, f"{name}@example.org")
            assert person
            person.consented_at = dt.datetime(2022, 9, joined, 12, tzinfo=dt.UTC)
            profile.change(session, person, {"tags": tags, "attributes": {"ward": ward}}, NOW)
    assert matching(there, 'tag = "DONOR"') == {"Ana", "Chi"}
    assert matching(there, 'tag = "donor" and tag != "press"') == {"Ana"}
    assert matching(there, 'ward = "3"') == {"Ana"}
    assert matching(there, 'ward not in ("3", "4") and tag in ("donor")') == {"Chi"}
    assert matching(there, 'joined since "2022-09-10" and tag = "donor"') == {"Chi"}
    assert matching(there, 'joined before "2022-09-10"') == {"Ana"}


def test_the_day_of_joining_begins_at_midnight_of_the_workspace(desk: Desk) -> None:
    with desk.space.store.write() as session:
        person = audience.find(session, "ana@example.org")
        assert person
        # Still the evening before in New York.
        person.consented_at = dt.datetime(2022, 9, 10, 2, tzinfo=dt.UTC)
    assert "Ana" in matching(desk, 'joined before "2022-09-10"')


def test_who_received_opened_or_clicked_an_issue_is_told_from_the_ledger_without_machines(desk: Desk) -> None:
    issue = "network-download-2022-10"
    assert desk.run("approve", issue).returncode == 0
    assert desk.run("send", issue, "--confirm", issue).returncode == 0
    with desk.space.store.write() as session:
        rows = session.scalars(select(DeliveryRecord).order_by(DeliveryRecord.id)).all()
        for row, kind, machine in ((rows[0], "opened", True), (rows[1], "opened", False), (rows[1], "clicked", False)):
            session.add(
                EventRecord(
                    provider="p", event=f"{row.id}{kind}", type=kind, delivery_id=row.id, at=NOW, machine=machine
                )
            )
    assert matching(desk, f'received = "{issue}"') == {"Ana", "(none)", "Chi"}
    assert len(matching(desk, f'opened = "{issue}"')) == 1
    assert matching(desk, f'opened = "{issue}"') == matching(desk, f'clicked = "{issue}"')
    assert len(matching(desk, f'received = "{issue}" and not opened = "{issue}"')) == 2
    assert matching(desk, f'received = "{issue.upper()}"') == {"Ana", "(none)", "Chi"}


def test_an_unknown_segment_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(NotFound, match='did you mean "florida"'):
        segment(desk.space.config, "floridas")


@pytest.fixture
def there(tmp_path: Path, time: StillTime, store: Store) -> Desk:
    """A workspace on each database, with people whose names, tags and towns are of several alphabets."""
    made = Desk.make(tmp_path / "desk", time.clock, store=store).space
    space = Workspace(replace(made.config, attributes=("ward",)), made.clock)
    space.__dict__["store"] = store
    with store.write() as session:
        for name, first, tag in (
            ("ana", "\u00c9lodie", "\u00c9v\u00e8nement"),
            ("ben", "\u00d8ystein", "\u0391\u03b8\u03ae\u03bd\u03b1"),
        ):
            person = audience.find(session, f"{name}@example.org")
            assert person
            given = {"first_name": first, "role": "Elected Official", "tags": [tag], "attributes": {"ward": first}}
            profile.change(session, person, given, NOW)
    return Desk(space)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('tag = "\u00c9v\u00e8nement"', {"\u00c9lodie"}),
        ('tag = "\u00e9v\u00c8NEMENT"', {"\u00c9lodie"}),
        ('tag = "E\u0301VE\u0300NEMENT"', {"\u00c9lodie"}),
        ('tag != "\u00c9V\u00c8NEMENT" and role = "elected"', {"\u00d8ystein"}),
        ('tag = "\u0391\u0398\u0389\u039d\u0391"', {"\u00d8ystein"}),
        ('first_name in ("\u00e9LODIE", "\u00f8YSTEIN")', {"\u00c9lodie", "\u00d8ystein"}),
        ('first_name not in ("\u00e9lodie", "\u00f8ystein", "", "chi")', {"Dee", "Eli", "Fay"}),
        ('ward = "\u00c9LODIE"', {"\u00c9lodie"}),
        ('role = "Elected Official"', {"\u00c9lodie", "\u00d8ystein"}),
        ('role in ("ELECTED", "reporter")', {"\u00c9lodie", "\u00d8ystein"}),
    ],
)
def test_letters_of_all_alphabets_and_words_for_roles_are_told_on_both_databases(
    there: Desk, expression: str, names: set[str]
) -> None:
    assert matching(there, expression) == names


def test_a_role_is_found_as_an_import_stores_it(desk: Desk) -> None:
    desk.import_people("Email,First Name,Role,Lists\ngus@example.org,Gus,Elected Official,Network Download\n", "r.csv")
    assert matching(desk, 'role = "Elected Official"') == {"Gus"}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (
            'not received = "network-download-2022-1"',
            'no issue "network-download-2022-1", at character 16 (did you mean "network-download-2022-10"?)',
        ),
        ('opened = "made-up" or state = "FL"', 'no issue "made-up", at character 10'),
        ('not clicked in ("network-download-2022-10", "x")', 'no issue "x", at character 45'),
        (
            'tag != "\u00e9v\u00e9nement"',
            'no tag "\u00e9v\u00e9nement", at character 8 (did you mean "\u00c9v\u00e8nement"?)',
        ),
        ('segment = "floridas"', 'no segment "floridas", at character 11 (did you mean "florida"?)'),
    ],
)
def test_a_name_that_nothing_has_is_an_error_with_the_nearest(there: Desk, expression: str, said: str) -> None:
    with there.space.store.read() as session, pytest.raises(ConfigError) as caught:
        condition(expression, "test", there.space.config, saved=True, session=session)
    assert said in str(caught.value)


def test_names_that_nothing_has_are_errors_of_every_command_that_uses_them(desk: Desk) -> None:
    config = desk.folder / "config.toml"
    wrong = '\n[segments.others]\nname = "Others"\nwhere = \'not received = "network-download-2022-11"\'\n'
    config.write_text(config.read_text(encoding="utf-8") + wrong, encoding="utf-8")
    issue = "network-download-2022-10"
    hint = 'did you mean "network-download-2022-10"?'
    said = f'Error: segment "others": no issue "network-download-2022-11", at character 16 ({hint})\n'
    assert desk.run("approve", issue).returncode == 0
    for command in (
        ("config", "check"),
        ("segments", "show", "others"),
        ("segments", "count", "others"),
        ("segments", "preview", "others"),
        ("segments", "list"),
        ("send", issue, "--segment", "others", "--dry-run"),
    ):
        done = desk.run(*command)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said), command
    desk.write_issue("network-download-2022-11", ISSUE.replace("2022-10-12", "2022-11-12"))
    assert desk.run("config", "check").returncode == 0, "an issue that is a draft is one"


def test_a_tag_may_be_asked_for_before_anybody_has_one(desk: Desk) -> None:
    assert matching(desk, 'tag = "donor"') == set()
