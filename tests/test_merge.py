"""Merge fields: taken apart once, merged by a join."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter import codec, merge
from newsletter.merge import MergeField, MergeText


def test_a_field_gives_the_value_or_the_fallback() -> None:
    text = merge.parse("Hi {{ first_name | friend }}!")
    assert text.merge({"first_name": "Ana"}) == "Hi Ana!"
    assert text.merge({}) == "Hi friend!"
    assert text.merge({"first_name": "  "}) == "Hi friend!"


def test_a_field_without_a_fallback_gives_nothing_and_says_so() -> None:
    (field,) = merge.parse("{{first_name}}").fields
    assert field == MergeField(name="first_name", fallback=None)
    assert merge.parse("{{first_name}}").merge({}) == ""


def test_values_are_escaped_in_html_and_literals_are_not() -> None:
    text = MergeText(("<b>", MergeField(name="first_name"), "</b>"))
    assert text.merge_html({"first_name": '<i>"A"</i>'}) == "<b>&lt;i&gt;&quot;A&quot;&lt;/i&gt;</b>"


def test_a_value_with_braces_is_not_merged_again() -> None:
    text = merge.parse("{{ first_name | x }}")
    assert text.merge({"first_name": "{{ last_name | y }}", "last_name": "no"}) == "{{ last_name | y }}"


def test_a_text_is_written_as_it_was_typed() -> None:
    assert str(merge.parse("Hi {{first_name|friend}}")) == "Hi {{ first_name | friend }}"


@given(st.text())
def test_any_text_survives_being_taken_apart(text: str) -> None:
    taken = merge.parse(text)
    if not taken.fields:
        assert taken.merge({}) == text
    assert codec.loads(codec.dumps(taken), MergeText) == taken
