"""Places that are known, and those that are nearly."""

from __future__ import annotations

import pytest

from newsletter.gazetteer import doubts
from newsletter.places import parse_place
from tests.desk import Desk


@pytest.mark.parametrize(
    "place",
    [
        *("Durham, NC", "Doña Ana County, NM", "St. Louis, MO", "City of Gainesville, FL", "Orleans Parish, LA"),
        *("Cook County, IL", "New York City, NY", "SeaTac, WA", "Prince George's County, MD", "FL", "Brooklyn, NY"),
    ],
)
def test_a_place_that_there_is_is_not_in_doubt(place: str) -> None:
    assert doubts([parse_place(place)]) == []


def test_a_place_that_is_nearly_one_is_told_with_its_neighbour() -> None:
    assert doubts([parse_place("Durhm, NC")]) == ['no "Durhm" is known in North Carolina; did you mean Durham?']


def test_a_county_in_the_wrong_state_is_told() -> None:
    assert 'no "Cook County" is known in Florida' in doubts([parse_place("Cook County, FL")])[0]


def test_a_doubtful_place_is_pointed_out_and_stored_all_the_same(desk: Desk) -> None:
    done = desk.run("policies", "add", "--title", "A policy", "--level", "city", "--place", "Durhm, NC")
    assert (done.returncode, "did you mean Durham?" in done.stderr) == (0, True)
    table = 'title,level,place\nOne,county,"Coook County, IL"\nTwo,school district,"Unified District 9, IL"\n'
    (desk.folder / "p.csv").write_text(table)
    done = desk.run("policies", "import", "p.csv")
    assert "2 policies: 2 added" in done.stdout
    assert "p.csv:2: no" in done.stderr
    assert "p.csv:3" not in done.stderr
