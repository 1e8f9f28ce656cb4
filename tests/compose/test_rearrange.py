"""Moving and dropping parts of an issue's text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.rearrange import drop, movable, move
from newsletter.errors import InputError

HEAD = """+++
title = "T"  # not touched
+++
"""
TEXT = (
    HEAD
    + """
Hi there,

this is prose.
<!-- a note to myself -->

More prose.

## One

[[a]] Own headline
> Own blurb,
> two lines.

[[b]]

<!-- between b and c -->

[[c]]

## Two

- [[d]]
- [[e]]
  > With a blurb.
- [[f]]

## Three

::: only state = "FL"
[[g]]

[[h]]
:::

[[i]]
"""
)


def line_of(text: str, part: str) -> int:
    return text.split("\n").index(next(line for line in text.split("\n") if f"[[{part}]]" in line)) + 1


def order(text: str) -> str:
    return "".join(re.findall(r"\[\[(\w)\]\]", text))


def moved(part: str, direction: str, text: str = TEXT) -> str:
    return move(text, line_of(text, part), "up" if direction == "up" else "down")


@pytest.mark.parametrize(
    ("part", "direction", "expected"),
    [
        ("b", "up", "bacdefghi"),
        ("b", "down", "acbdefghi"),
        ("a", "down", "bacdefghi"),
        ("e", "up", "abcedfghi"),
        ("e", "down", "abcdfeghi"),
        ("c", "down", "abcdefghi"),
        ("d", "up", "abcdefghi"),
        ("h", "up", "abcdefhgi"),
        ("i", "up", "abcdefigh"),
    ],
)
def test_a_part_moves_past_its_neighbour(part: str, direction: str, expected: str) -> None:
    assert order(moved(part, direction)) == expected


def test_a_card_takes_its_blurb_along_and_leaves_comments_where_they_are() -> None:
    assert "[[b]]\n\n[[a]] Own headline\n> Own blurb,\n> two lines.\n\n<!-- between b and c -->" in moved("a", "down")
    assert "[[a]] Own headline\n> Own blurb,\n> two lines.\n\n[[c]]\n\n<!-- between b and c -->\n\n[[b]]" in moved(
        "b", "down"
    )


def test_a_row_takes_its_blurb_along() -> None:
    assert "- [[e]]\n  > With a blurb.\n- [[d]]\n- [[f]]\n" in moved("e", "up")


def test_a_part_at_the_edge_goes_over_the_heading() -> None:
    assert "## Two\n\n[[c]]\n\n- [[d]]" in moved("c", "down")
    assert "[[c]]\n\n- [[d]]\n\n## Two\n\n- [[e]]" in moved("d", "up")
    assert "More prose.\n\n[[a]] Own headline\n> Own blurb,\n> two lines.\n\n## One\n\n[[b]]" in moved("a", "up")


def test_a_part_passes_a_fence_as_a_whole_and_one_within_stays_within() -> None:
    assert ":::\n\n[[i]]" not in moved("i", "up")
    assert '## Three\n\n[[i]]\n\n::: only state = "FL"\n[[g]]\n\n[[h]]\n:::\n' in moved("i", "up")
    with pytest.raises(InputError, match="first already"):
        moved("g", "up")
    with pytest.raises(InputError, match="last already"):
        moved("h", "down")


def test_a_card_and_a_row_change_places_with_a_blank_line_between() -> None:
    text = HEAD + "## S\n[[a]]\n- [[b]]\n- [[c]]\n"
    assert moved("a", "down", text) == HEAD + "## S\n- [[b]]\n\n[[a]]\n\n- [[c]]\n"


def test_what_is_dropped_goes_with_its_blurb_and_one_blank_line() -> None:
    assert "## One\n\n[[b]]\n\n<!-- between b and c -->" in drop(TEXT, line_of(TEXT, "a"))
    assert "- [[d]]\n- [[f]]\n" in drop(TEXT, line_of(TEXT, "e"))
    assert drop(TEXT, line_of(TEXT, "i")).endswith(":::\n\n") or drop(TEXT, line_of(TEXT, "i")).endswith(":::\n")


def test_prose_moves_as_one_stretch() -> None:
    text = HEAD + "## S\n\n[[a]]\n\nOne.\n\nTwo.\n\n[[b]]\n"
    line = text.split("\n").index("One.") + 1
    assert move(text, line, "up") == HEAD + "## S\n\nOne.\n\nTwo.\n\n[[a]]\n\n[[b]]\n"


@pytest.mark.parametrize("line", [0, 1, 2, 4, 999])
def test_where_nothing_can_be_moved_it_is_said(line: int) -> None:
    with pytest.raises(InputError, match="nothing that can be moved"):
        drop(TEXT, line)


def test_the_line_ends_and_the_byte_order_mark_of_another_system_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    changed = moved("c", "down", text)
    assert changed.startswith("\ufeff+++\r\n")
    assert changed.count("\r\n") == changed.count("\n")
    assert order(changed) == order(TEXT)


def test_every_part_says_where_it_can_go() -> None:
    can = movable(TEXT)
    assert can[line_of(TEXT, "a")] == (True, True)
    assert can[line_of(TEXT, "g")] == (False, True)
    assert can[line_of(TEXT, "h")] == (True, False)
    assert can[line_of(TEXT, "i")] == (True, False)
    assert can[5] == (False, True)


PARTS = st.sampled_from(
    [
        "[[{}]]",
        "[[{}]] A headline\n> A blurb.",
        "- [[{}]]",
        "- [[{}]]\n  > A blurb.",
        "Prose [x](https://a.example) {}.",
    ]
)
GAPS = st.sampled_from(["\n\n", "\n\n<!-- note -->\n\n", "\n\n## Section\n\n", "\n\n\n"])
LAYOUT = st.lists(st.tuples(PARTS, GAPS), min_size=2)


@settings(deadline=None)
@given(LAYOUT, st.data())
def test_moving_loses_no_line_and_can_be_taken_back(layout: list[tuple[str, str]], data: st.DataObject) -> None:
    text = HEAD + "\n" + "".join(part.format(f"p{n}") + gap for n, (part, gap) in enumerate(layout))
    can = movable(text)
    line = data.draw(st.sampled_from(sorted(can)))
    up, down = can[line]
    for allowed, direction in ((up, "up"), (down, "down")):
        if not allowed:
            continue
        changed = move(text, line, "up" if direction == "up" else "down")
        assert sorted(filter(str.strip, changed.split("\n"))) == sorted(filter(str.strip, text.split("\n")))
        assert len(movable(changed)) <= len(can)
    dropped = drop(text, line)
    assert len(dropped) < len(text)
