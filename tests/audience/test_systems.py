"""Exports of other systems: who left is never active, who is active is never lost."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from newsletter import audience
from newsletter.audience.standing import Reason, Standing
from newsletter.audience.survey import survey
from newsletter.audience.systems import SYSTEMS
from newsletter.store.records import SubscriberRecord
from tests.audience.exported import EXPORTS
from tests.desk import Desk

LIST = "federal-advocacy"
_ENDS: dict[str, tuple[str, str]] = {
    "active": (Standing.ACTIVE, ""),
    "pending": (Standing.PENDING, ""),
    "left": (Standing.UNSUBSCRIBED, ""),
    "bounced": (Standing.UNSUBSCRIBED, Reason.HARD_BOUNCE),
    "complained": (Standing.UNSUBSCRIBED, Reason.COMPLAINT),
    "blocked": (Standing.UNSUBSCRIBED, Reason.MANUAL),
}


def ends(desk: Desk, name: str = LIST) -> dict[str, tuple[str, str]]:
    """Everybody on a list: the standing there, and why the address is suppressed."""
    with desk.space.store.read() as session:
        found = {}
        for person in session.scalars(select(SubscriberRecord)):
            standing = {row.list: row.status for row in audience.subscriptions(session, person.id)}
            if name in standing:
                reason = audience.reason_of(session, desk.space.address_hash(person.email))
                found[person.email] = (standing[name], reason)
    return found


@pytest.mark.parametrize(("system", "file", "text"), EXPORTS, ids=[f"{name}-{file}" for name, file, _ in EXPORTS])
def test_everybody_in_an_export_ends_where_the_system_says(desk: Desk, system: str, file: str, text: str) -> None:
    path = desk.folder / file
    path.write_text(text, encoding="utf-8")
    found = survey(path).system
    assert found
    assert found.name == system
    report = desk.import_people(text, file, LIST)
    assert (report.rejected, report.imported) == (0, text.count("\n") - 1)
    expected = {email: _ENDS[re.sub(r"\d*@.*", "", email)] for email in re.findall(r"\w+@example\.org", text)}
    assert ends(desk) == expected


def test_every_system_has_an_export() -> None:
    assert {name for name, _, _ in EXPORTS} == {system.name for system in SYSTEMS}
    assert all(system.source.startswith("https://") for system in SYSTEMS)


def test_a_systems_export_is_known_by_its_headers_in_any_order_and_case(desk: Desk) -> None:
    for system, file, text in EXPORTS:
        head, _, rest = text.partition("\n")
        (desk.folder / file).write_text(f"{head.upper()}\n{rest}", encoding="utf-8")
        found = survey(desk.folder / file).system
        assert found, system
        assert found.name == system
