"""Days as they were where they were written."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from newsletter.collect.dates import day_of, is_ambiguous
from tests.timing import is_linear

HERE = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Tue, 04 Jun 2024 20:30:00 -0700", "2024-06-04"),
        ("1 May 2024 03:00 +0530", "2024-05-01"),
        ("Thu, 5 Nov 26 22:00:00 EST", "2026-11-05"),
        ("2026-11-05T23:30:00-05:00", "2026-11-05"),
        ("2026-11-06T00:30:00Z", "2026-11-05"),
        ("2026-11-06 00:30:00 UTC", "2026-11-05"),
        ("Mon, 10 Oct 2022 02:00:00 GMT", "2022-10-09"),
        ("Mon, 10 Oct 2022 00:00:00 GMT", "2022-10-10"),
        ("2026-11-06", "2026-11-06"),
        ("20261106T183000", "2026-11-06"),
        ("11/05/2026 6:00 PM", "2026-11-05"),
        ("25/12/2026", "2026-12-25"),
        ("4.12.2026", "2026-12-04"),
        ("November 5, 2026 at 6 pm", "2026-11-05"),
        ("Thursday, 5th of Nov. 2026", "2026-11-05"),
    ],
)
def test_a_day_is_the_one_it_was_there(written: str, day: str) -> None:
    assert day_of(written, HERE) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    "written",
    ["2026", "© 2026", "Copyright 2026 Example", "November 2026", "2026-11", "2026-02-30", "soon", "", "2026-13-01"],
)
def test_no_day_is_made_of_what_names_none(written: str) -> None:
    assert day_of(written, HERE) is None


def test_a_date_that_others_read_otherwise_is_known() -> None:
    assert is_ambiguous("11/05/2026")
    assert not is_ambiguous("11/25/2026")
    assert not is_ambiguous("05/05/2026")
    assert not is_ambiguous("2026-11-05")


@pytest.mark.parametrize("piece", ["1", " ", "1 jan ", "jan ", "1/", "2026-"])
def test_a_long_date_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: day_of(piece * (size // len(piece)), HERE))
