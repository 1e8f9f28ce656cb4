"""A file's Markdown before it's parsed: without comments, with pasted marks put right, line by line the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.markdown.source import mended, prepared, without_comments


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Words <!-- desk -->", "Words"),
        ("Words <!-- desk -->  \nmore", "Words  \nmore"),
        ("## Heading <!-- desk -->", "## Heading"),
        ("[[slug]] <!-- desk -->", "[[slug]]"),
        ("- one <!-- desk\nstill the desk --> more", "- one \nmore"),
        ("- <!-- a bullet for the desk -->\n- one", "\n- one"),
        ("> quote <!-- desk -->", "> quote"),
        ("| a <!-- desk --> | b |", "| a | b |"),
        ("<!-- desk --> words", "words"),
        ("<!-- desk -->", ""),
        ("a<!---->b<!-->c<!--->d", "abcd"),
        ("one\n<!-- desk\n\n## not a section\n-->\ntwo", "one\n\n\n\n\ntwo"),
        ('[words](https://example.org/ "<!-- desk -->")', '[words](https://example.org/ "")'),
        ("what a word processor makes of it <!— desk —> here <!– desk –>", "what a word processor makes of it here"),
    ],
)
def test_a_comment_is_gone_wherever_it_stands(written: str, read: str) -> None:
    assert without_comments(written) == (read, None)


@pytest.mark.parametrize(
    "code",
    [
        "`<!-- code -->`",
        "``a ` <!-- code -->``",
        "```\n<!-- code -->\n```",
        "> ~~~ html\n> <!-- code -->\n> ~~~",
        "\\<!-- typed -->",
    ],
)
def test_what_stands_in_code_is_no_comment(code: str) -> None:
    assert without_comments(code) == (code, None)


@pytest.mark.parametrize(
    "stray", ["` <!-- desk --> words", "```\n<!-- desk -->\nand no end", "a ` b\n\n<!-- desk --> `"]
)
def test_a_stray_backtick_hides_no_comment(stray: str) -> None:
    assert "desk" not in without_comments(stray)[0]


def test_a_comment_that_is_never_closed_is_told_with_its_line() -> None:
    assert prepared("one\n\ntwo <!-- desk\nthree")[1] == 2


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("•\tOne", "+ One"),
        ("\u00a0\u00a0•\u00a0\u00a0One", "+ One"),
        ("· One", "+ One"),
        ("\uf0b7\tOne", "+ One"),
        ("➢ One", "+ One"),
        ("o\tOne", "  + One"),
        ("▪\tOne", "    + One"),
        ("–\tOne", "+ One"),
        ("— \tOne", "+ One"),
        ("-\u00a0One", "- One"),
        ("– no bullet, but somebody speaking", "– no bullet, but somebody speaking"),
        ("1)\tOne", "1) One"),
        ("12.\u00a0One", "12. One"),
        ("a)\tOne", "+ a) One"),
        ("##\u00a0Heading", "## Heading"),
        (">\u00a0Quote", "> Quote"),
        ("\u00a0", ""),
        ("one\x0btwo\u2028three\u2029four\x85five", "one<br>two<br>three<br>four<br>five"),
        ("[[\u200bslug]]\ufeff", "[[slug]]"),
        ("———", "***"),
        ("![a](Screenshot 2022.png)", "![a](<Screenshot 2022.png>)"),
        (
            '![a](Screenshot 2022.png "us") and [b](https://example.org/ "t")',
            '![a](<Screenshot 2022.png> "us") and [b](https://example.org/ "t")',
        ),
        ("![a](photo (1).jpg “us”)", '![a](<photo (1).jpg> "us")'),
        ("[a](“https://example.org/x”)", "[a](https://example.org/x)"),
        ("[a](https://example.org/x „t“)", '[a](https://example.org/x "t")'),
    ],
)
def test_what_was_pasted_is_read_as_it_was_meant(pasted: str, read: str) -> None:
    assert mended(pasted) == read


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("• a\n  • b\n    ◦ c\n  • d\n• e", "+ a\n  + b\n    + c\n  + d\n+ e"),
        ("• a\n\t• b\n\t\t▪ c\n• d", "+ a\n  + b\n    + c\n+ d"),
        ("•\ta\no\tb\n§\tc\no\td\n•\te", "+ a\n  + b\n    + c\n  + d\n+ e"),
        ("- a\n  • b", "- a\n  + b"),
        ("1. a\n  • b\n2. c", "1. a\n   + b\n2. c"),
        ("• a\n\n  • b", "+ a\n\n  + b"),
        ("   • a\n   • b", "+ a\n+ b"),
        ("• a\n  • b\n\nWords.\n\n  • c", "+ a\n  + b\n\nWords.\n\n+ c"),
    ],
)
def test_how_far_a_pasted_bullet_is_set_in_is_its_level(pasted: str, read: str) -> None:
    assert mended(pasted) == read


@pytest.mark.parametrize("sign", "✓✔✗✘☑☐✅❌")
def test_a_sign_that_says_yes_or_no_is_no_bullet(sign: str) -> None:
    assert mended(f"{sign} Denver") == f"{sign} Denver"


@pytest.mark.parametrize(
    ("typed", "read"), [("\u200f- שלום", "- שלום"), ("\u200e1. one", "1. one"), ("\u200f## a", "## a")]
)
def test_a_sign_of_direction_before_a_mark_hides_it_from_nobody(typed: str, read: str) -> None:
    assert mended(typed) == read


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("\uf0fc Denver", "✓ Denver"),
        ("\uf0fc\tDenver\n\uf0fc\tAurora", "+ ✓ Denver\n+ ✓ Aurora"),
        ("✓\tyes\n✗\tno\n☑️\tdone", "+ ✓ yes\n+ ✗ no\n+ ☑️ done"),
    ],
)
def test_the_tick_of_wingdings_is_a_tick_and_signs_with_a_tab_are_items(pasted: str, read: str) -> None:
    assert mended(pasted) == read


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("Bring:\\\n• one\\\n• two\\", "Bring:\n+ one\n+ two"),
        ("Bring:\\\n- one", "Bring:\n- one"),
        ("Nobody knew.\\\n2022. Then it came.", "Nobody knew.\\\n2022. Then it came."),
        ("a\\\nb\\\n\n\\\n\nc", "a\\\nb\n\n\n\nc"),
        ("> • one\n>\n> • two", "> + one\n>\n> + two"),
        ("```\na\\\n```", "```\na\\\n```"),
        ("It's in C:\\\n\nb", "It's in C:\\\n\nb"),
    ],
)
def test_a_break_before_an_item_or_an_empty_line_goes(pasted: str, read: str) -> None:
    assert mended(pasted) == read


def test_what_stands_in_a_fence_of_code_stays_as_it_is() -> None:
    assert mended("```\n•\tOne\n```\n•\tTwo") == "```\n•\tOne\n```\n+ Two"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<!--", "-->", "`", "```", "\n", "\n\n", "words", "- ", "> ", "\\", "~~~", "•\t", "\x0b", "<!—"]
        )
    )
)
def test_lines_stay_lines_and_no_word_outside_a_comment_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    read, unclosed = prepared(text)
    assert read.count("\n") == text.count("\n")
    if "<!" not in text:
        assert read.count("words") == text.count("words")
    assert unclosed is None or unclosed <= text.count("\n")
