"""What policies provide goes in and out unchanged, and comes up where it's wanted."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.collect import compilation, forms, policies, provisions
from newsletter.compose.news import Window
from newsletter.errors import InputError
from newsletter.model import Level, Place, Policy, Provision, Unit
from newsletter.render.provisions import amount, compared
from tests.desk import Desk

SLUG = "sf-public-health-leave"
WAGE = Provision(
    topic="minimum wage", date=dt.date(2023, 1, 1), amount="15.5", unit=Unit.DOLLARS_AN_HOUR, covers="large employers"
)
LEAVE = Provision(topic="leave", date=dt.date(2022, 10, 1), amount="80", unit=Unit.HOURS)
LATER = replace(WAGE, date=dt.date(2024, 1, 1), amount="16.25")
POLICY = Policy(
    slug="a", title="A", place=Place(state="CA"), level=Level.CITY, provisions=(LEAVE, WAGE, LATER)
)  # fmt: skip
TOML = """
[[policies]]
slug = "sf-public-health-leave"
title = "Public Health Emergency Leave"
place = "San Francisco, CA"
level = "city"

[[policies.provisions]]
topic = "minimum wage"
date = 2023-01-01
amount = 15.50
unit = "$/hour"
covers = "large employers"
"""


def test_a_form_reads_back_to_the_same_policy(tmp_path: Path) -> None:
    form = forms.write_policy(POLICY)
    assert forms.read_policy(form, base=None, workspace=tmp_path) == POLICY
    cell = "\n".join(map(provisions.line, form["provisions"]))
    assert forms.read_policy({**form, "provisions": cell}, base=None, workspace=tmp_path) == POLICY


@pytest.mark.parametrize(
    ("line", "provision"),
    [
        ("minimum wage | 2023-01-01 | $15.50 an hour | large employers", WAGE),
        ("minimum wage|1/1/2023|15.50 $/hour|large employers", WAGE),
        ("leave | 2022-10-01 | 80 hours", LEAVE),
        ("rent cap | 2023-01-01 | 3%", Provision(topic="rent cap", date=WAGE.date, amount="3", unit=Unit.PERCENT)),
        ("fee | 2023-01-01 | $1,500", Provision(topic="fee", date=WAGE.date, amount="1500", unit=Unit.DOLLARS)),
        ("just cause | 2023-01-01 | | tenants | all evictions",
         Provision(topic="just cause", date=WAGE.date, covers="tenants", note="all evictions")),
    ],
)  # fmt: skip
def test_a_line_is_read_as_people_write_it(tmp_path: Path, line: str, provision: Provision) -> None:
    form = {"title": "A", "level": "city", "provisions": line}
    assert forms.read_policy(form, base=None, workspace=tmp_path).provisions == (provision,)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"topic": "wage"}, '"date" is missing'),
        ({"topic": "wage", "date": "soon"}, "is no date"),
        ({"topic": "wage", "date": "2023-01-01", "amount": "much", "unit": "hours"}, "must be a number"),
        ({"topic": "wage", "date": "2023-01-01", "amount": "15"}, "belong together"),
        ({"topic": "wage", "date": "2023-01-01", "amount": "15", "unit": "bananas"}, "unit"),
        ({"topic": "wage", "date": "2023-01-01", "ammount": "15"}, 'unknown key "ammount"'),
        ("wage", "must be a list of tables"),
    ],
)
def test_what_is_no_provision_is_refused_with_the_reason(tmp_path: Path, table: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        forms.read_policy(
            {"title": "A", "level": "city", "provisions": [table]}, base=None, workspace=tmp_path
        )  # fmt: skip


@pytest.mark.parametrize(
    ("provision", "english", "spanish"),
    [
        (WAGE, "$15.50 an hour", "15.50"),
        (LEAVE, "80 hours", "80 horas"),
        (replace(LEAVE, amount="1", unit=Unit.WEEKS), "1 week", "1 semana"),
        (replace(LEAVE, amount="3.5", unit=Unit.PERCENT), "3.5%", "%"),
        (Provision(topic="x", date=WAGE.date, note="all evictions"), "all evictions", "all evictions"),
    ],
)
def test_an_amount_is_said_in_words(provision: Provision, english: str, spanish: str) -> None:
    assert amount(provision) == english
    assert spanish.rstrip("%") in amount(provision, "es").replace(",", ".")


def test_side_by_side_stand_what_holds_today_and_what_comes_next() -> None:
    found = compared([POLICY], dt.date(2023, 6, 1))
    assert list(found) == ["leave", "minimum wage"]
    ((wage,), (leave,)) = found["minimum wage"], found["leave"]
    assert (wage.now, wage.next, wage.covers) == (WAGE, LATER, "large employers")
    assert (leave.now, leave.next) == (LEAVE, None)


def test_the_next_step_comes_up_in_the_draft_of_its_month() -> None:
    ahead = replace(POLICY, provisions=(replace(WAGE, date=dt.date(2023, 1, 15)),))
    assert Window(day=dt.date(2023, 1, 5), since=dt.date(2022, 12, 5)).holds(ahead)
    assert not Window(day=dt.date(2022, 12, 5), since=dt.date(2022, 11, 5)).holds(ahead)


def test_the_compilation_of_a_year_has_what_came_into_force_in_it() -> None:
    begin, end = dt.date(2023, 1, 1), dt.date(2023, 12, 31)
    wanted = "2023-01-01: minimum wage $15.50 an hour (large employers)"
    for form in compilation.FORMATS:
        text = compilation.compile_report([POLICY], begin, end, form)
        assert wanted in text
        assert "16.25" not in text


def test_an_import_keeps_provisions_that_it_does_not_speak_of(desk: Desk) -> None:
    path = desk.folder / "more.toml"
    path.write_text(TOML, encoding="utf-8")
    assert desk.run("policies", "import", str(path)).returncode == 0
    path.write_text(TOML.partition("[[policies.provisions]]")[0], encoding="utf-8")
    assert desk.run("policies", "import", str(path)).returncode == 0
    with desk.space.store.read() as session:
        assert policies.get(session, SLUG).provisions == (WAGE,)
    exported = desk.run("policies", "export", "--format", "csv").stdout
    assert "minimum wage | 2023-01-01 | 15.5 dollars an hour | large employers" in exported


def test_provisions_are_on_the_tracker_in_the_data_and_in_mail_where_wanted(desk: Desk) -> None:
    from tests.desk import ISSUE

    name = "network-download-2022-10"
    path = desk.folder / "more.toml"
    path.write_text(TOML, encoding="utf-8")
    desk.run("policies", "import", str(path))
    desk.write_issue(name, ISSUE)
    assert "$15.50 an hour" not in desk.space.render(desk.space.compose(name))[0].html.merge_html({})
    publication = desk.space.config.publications["network-download"]
    wanted = {**desk.space.config.publications, "network-download": replace(publication, provisions=True)}
    asked = replace(desk.space, config=replace(desk.space.config, publications=wanted))
    for text in (
        asked.render(asked.compose(name))[0].html.merge_html({}),
        asked.render(asked.compose(name))[0].text.merge({}),
    ):
        assert "$15.50 an hour" in text
    desk.space.approve(name, by="Ada")
    desk.space.publish()
    archive = desk.folder / "archive" / "policies"
    for file in ("index.html", f"{SLUG}/index.html", f"{SLUG}/index.md", "policies.csv"):
        assert "$15.50 an hour" in (archive / file).read_text(encoding="utf-8"), file
    (row,) = [row for row in json.loads((archive / "policies.json").read_text("utf-8")) if row["slug"] == SLUG]
    assert row["provisions"][0]["amount"] == 15.5
