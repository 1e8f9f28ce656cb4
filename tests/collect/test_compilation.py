"""The compilation: what moved in a span of time, in three forms."""

from __future__ import annotations

import csv
import datetime as dt
import io

from lxml import html

from newsletter.collect.compilation import compile_report
from newsletter.model import Level, Place, Policy, Status, StatusChange
from tests.desk import Desk

SINCE, UNTIL = dt.date(2022, 1, 1), dt.date(2022, 12, 31)


def policy(title: str, state: str, *steps: tuple[Status, dt.date], **more: str) -> Policy:
    history = tuple(StatusChange(status=status, date=day, note="<b>=1+1</b>") for status, day in steps)
    return Policy(slug=title.lower(), title=title, place=Place(state=state), level=Level.STATE, history=history, **more)  # type: ignore[arg-type]


POLICIES = [
    policy("Zed", "FL", (Status.PASSED, dt.date(2022, 5, 1)), (Status.IN_EFFECT, dt.date(2023, 1, 1))),
    policy("=Evil", "CA", (Status.PROPOSED, dt.date(2022, 3, 1)), url="https://example.org/evil"),
    policy("Old", "TX", (Status.PASSED, dt.date(2021, 5, 1))),
]


def test_only_what_moved_in_the_span_is_compiled_by_state() -> None:
    text = compile_report(POLICIES, SINCE, UNTIL, "md")
    assert text.index("## California") < text.index("## Florida")
    assert "Old" not in text
    assert "2022-05-01: passed" in text
    assert "in effect" not in text
    assert "2 policies in 2 states" in text


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(compile_report(POLICIES, SINCE, UNTIL, "csv"))))
    assert [row["policy"] for row in rows] == ["Zed", "'=Evil"]
    assert rows[0]["date"] == "2022-05-01"


def test_the_page_is_inert() -> None:
    page = html.fromstring(compile_report(POLICIES, SINCE, UNTIL, "html"))
    assert not list(page.iter("b"))
    assert [heading.text for heading in page.iter("h2")] == ["California", "Florida"]


def test_the_command_writes_it_to_standard_output(desk: Desk) -> None:
    done = desk.run("policies", "report", "--since", "2022-01-01", "--until", "2022-12-31", "--state", "ca")
    assert done.returncode == 0, done.stderr
    assert "### [Public Health Emergency Leave](https://example.org/sf/prop-g)" in done.stdout
    assert "- 2022-10-01: in effect" in done.stdout
