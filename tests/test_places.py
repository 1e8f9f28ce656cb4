"""States and places, however people write them."""

from __future__ import annotations

import pytest

from newsletter.model import Place
from newsletter.places import parse_place, state_code, states


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FL", "FL"),
        (" fl ", "FL"),
        ("Florida", "FL"),
        ("Calif.", "CA"),
        ("pennsylvania", "PA"),
        ("N.M.", "NM"),
        ("D.C.", "DC"),
        ("District of Columbia", "DC"),
        ("Puerto Rico", "PR"),
        ("", ""),
        ("Ontario", None),
        ("Arizonna", None),
    ],
)
def test_a_state_is_known_by_name_code_and_press_abbreviation(text: str, code: str | None) -> None:
    assert state_code(text) == code


def test_a_place_is_a_locality_and_a_state() -> None:
    assert parse_place("Doña Ana County, N.M.") == Place(state="NM", locality="Doña Ana County")
    assert parse_place("Texas") == Place(state="TX")


def test_a_place_without_a_state_is_refused() -> None:
    with pytest.raises(ValueError, match="names no state"):
        parse_place("Springfield")


def test_there_are_all_states_the_district_and_the_territories() -> None:
    assert len(states()) == 56
