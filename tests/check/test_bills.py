"""A bill's number is known however a page writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.check.bills import names_bill
from tests.timing import is_linear


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("HB 1234", "H.B. 1234 was passed"),
        ("HB 1234", "see <b>House Bill No. 1234</b>"),
        ("HB 1234", "HB1234"),
        ("HB 1234", "hb-01234"),
        ("CB 22-0614", "Council Bill 22-0614"),
        ("CF 19-0229", "Council File: 19-0229-S1"),
        ("Prop G", "Proposition G? no: Prop. G"),
        ("Ord. 2022-15", "ORD 2022-015"),
    ],
)
def test_a_bill_is_known_however_it_is_written(number: str, text: str) -> None:
    assert names_bill(text, number)


@pytest.mark.parametrize(
    ("number", "text"),
    [("HB 1234", "HB 12345"), ("HB 1234", "SB 1234"), ("HB 123", "HB 1234"), ("CB 22-0614", "CB 22-0615")],
)
def test_another_bill_is_another(number: str, text: str) -> None:
    assert not names_bill(text, number)


@given(st.sampled_from(["HB", "SB", "AB", "CF"]), st.integers(1, 99999), st.sampled_from(["", " ", ". ", "-", " No. "]))
def test_a_number_is_found_in_any_usual_dress(letters: str, digits: int, between: str) -> None:
    assert names_bill(f"On Monday, {letters}{between}{digits} became law.", f"{letters} {digits}")
    assert not names_bill(f"On Monday, {letters}{between}{digits}0 became law.", f"{letters} {digits}")


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_page_and_any_number_are_survived(text: str, number: str) -> None:
    names_bill(text, number)


@pytest.mark.parametrize("piece", [" ", "hb ", "HB -", "hb 0", "."])
def test_a_long_page_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: names_bill("hb" + piece * (size // len(piece)), "HB 1234"))
