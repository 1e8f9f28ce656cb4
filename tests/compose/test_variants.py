"""Parts for some readers only, and each reader's own state first."""

from __future__ import annotations

import pytest

from newsletter import collect
from newsletter.compose import compose
from newsletter.compose.variants import pick
from newsletter.errors import IssueError
from newsletter.model import Issue, PolicyEntry, Prose, Story, Variant
from tests.desk import ISSUE, Desk

FLORIDA, PRESS = 'state = "FL"', 'role = "press"'
BODY = f"""Hi.

::: only {FLORIDA}
For Florida.

[[hb1-hearing]]
:::

Bye.

## News

::: your state first
[[denver-convening]]

[[hb1-hearing]]

[[sf-public-health-leave]]
:::

::: only {PRESS}
## For the press

[[organizer-job]]
:::

## End

Done.
"""


def composed(desk: Desk, body: str = BODY) -> Issue:
    path = desk.write_issue("network-download-2022-10", ISSUE[: ISSUE.index("Hi {{")] + body)
    with desk.space.store.read() as session:
        return compose(path, desk.space.config, collect.library(session))


def shown(issue: Issue, variant: Variant) -> list[str]:
    """What a variant shows: headings, slugs and texts in order."""
    found = []
    for section in pick(issue, variant).sections:
        found += [f"## {section.heading}"] if section.heading else []
        for block in section.blocks:
            match block:
                case Story():
                    found.append(block.item.slug)
                case PolicyEntry():
                    found.append(block.policy.slug)
                case Prose():
                    found.append(block.markdown)
    return found


def test_everybody_else_gets_no_guarded_part(desk: Desk) -> None:
    issue = composed(desk)
    assert issue.guards == (FLORIDA, PRESS)
    assert shown(issue, Variant()) == [
        *("Hi.", "Bye.", "## News", "denver-convening", "hb1-hearing", "sf-public-health-leave", "## End", "Done."),
    ]


def test_a_guard_opens_for_those_it_names(desk: Desk) -> None:
    found = shown(composed(desk), Variant(name="x", guards=frozenset((FLORIDA, PRESS))))
    assert found[:4] == ["Hi.", "For Florida.", "hb1-hearing", "Bye."]
    assert found[7:10] == ["sf-public-health-leave", "## For the press", "organizer-job"]


@pytest.mark.parametrize(
    ("state", "order"),
    [
        ("FL", ["hb1-hearing", "denver-convening", "sf-public-health-leave"]),
        ("CA", ["sf-public-health-leave", "denver-convening", "hb1-hearing"]),
        ("TX", ["denver-convening", "hb1-hearing", "sf-public-health-leave"]),
    ],
)
def test_the_readers_state_comes_first_and_the_rest_keeps_its_order(desk: Desk, state: str, order: list[str]) -> None:
    issue = composed(desk)
    assert issue.local_states == ("CA", "CO", "FL")
    found = shown(issue, Variant(name=state, state=state))
    assert found[found.index("## News") + 1 : found.index("## End")] == order


def test_guarded_words_never_join_the_paragraph_before_them(desk: Desk) -> None:
    issue = composed(desk, f"Hi.\n::: only {FLORIDA}\nSecret.\n:::\nBye.\n")
    assert shown(issue, Variant()) == ["Hi.", "Bye."]


def test_a_guarded_quote_never_becomes_the_blurb_of_an_entry_outside(desk: Desk) -> None:
    issue = composed(desk, f"[[hb1-hearing]]\n::: only {FLORIDA}\n> Secret.\n:::\n")
    (entry,) = issue.entries
    assert isinstance(entry, Story)
    assert "Secret" not in entry.blurb
    assert shown(issue, Variant()) == ["hb1-hearing"]


def test_a_section_whose_blocks_are_all_for_others_is_left_out(desk: Desk) -> None:
    issue = composed(desk, f"## Florida\n\n::: only {FLORIDA}\n[[hb1-hearing]]\n:::\n\n## All\n\nText.\n")
    assert shown(issue, Variant()) == ["## All", "Text."]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("::: only\nx\n:::\n", "doesn't say who"),
        (f"::: only {FLORIDA}\nx\n", "is never closed"),
        ("::: your city first\nx\n:::\n", "is not known here"),
        ("::: olny x\nx\n:::\n", "is no fence here"),
        (f"::: only {FLORIDA}\n## A\n\nx\n:::\n\nlater\n", "belongs to no section"),
        (f":::: only {FLORIDA}\n::: only {PRESS}\nx\n:::\n::::\n", "can't hold another"),
    ],
)
def test_a_wrong_fence_is_one_line_with_its_place(desk: Desk, body: str, said: str) -> None:
    with pytest.raises(IssueError, match=said) as caught:
        composed(desk, body)
    assert "issue.md:1" in str(caught.value)
