"""Segments: read as written, compiled to SQL, wrong ones refused with the place."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.audience.segments import condition, segment
from newsletter.errors import ConfigError, NotFound
from newsletter.store.records import SubscriberRecord
from tests.desk import Desk


def matching(desk: Desk, expression: str) -> set[str]:
    with desk.space.store.read() as session:
        query = select(SubscriberRecord.first_name).where(condition(expression, "test"))
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
def test_a_wrong_expression_is_refused_with_its_place(expression: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        condition(expression, "test")
    assert said in str(caught.value)


@given(st.text(max_size=80))
def test_any_text_is_a_condition_or_one_of_our_errors(text: str) -> None:
    with suppress(ConfigError):
        condition(text, "any")


def test_an_unknown_segment_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(NotFound, match='did you mean "florida"'):
        segment(desk.space.config, "floridas")
