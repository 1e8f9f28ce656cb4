"""Changing the words of an issue's text leaves everything else as it was."""

from __future__ import annotations

import pytest

from newsletter.compose import editing
from newsletter.errors import InputError

TEXT = """+++
publication = "network-download"
title = "A \\"title\\""  # the desk's own
subject = \"\"\"
A long
subject\"\"\"
preheader = ''

[[waivers]]
rule = "content/no-teaser"
+++

Hi {{ first_name | friend }}, <!-- desk -->
two lines.

## One <!-- keep -->

[[a | update]] Own headline <!-- who -->
> Own blurb,
>
> two paragraphs.

![alt](p.jpg)

- [[b]]
- [[c]] Row
  > its blurb

## Two
"""


def line(part: str, text: str = TEXT) -> int:
    return next(n for n, row in enumerate(text.split("\n"), 1) if part in row)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    old, new = before.split("\n"), after.split("\n")
    return [row for row in old if row not in new], [row for row in new if row not in old]


def test_what_can_be_changed_is_read_as_it_stands() -> None:
    found = editing.words(TEXT)
    assert found[line("[[a |")] == editing.Words(headline="Own headline", blurb="Own blurb,\n\ntwo paragraphs.")
    assert found[line("[[c]]")] == editing.Words(headline="Row", blurb="its blurb")
    assert found[line("Hi {{")].markdown.startswith("Hi {{ first_name | friend }}, <!-- desk -->\n")


def test_a_headline_and_a_blurb_are_changed_and_comments_and_marks_stay() -> None:
    after = editing.set_entry(TEXT, line("[[a |"), " Another\nhead ", "New.\r\n\r\nMore.")
    assert changed(TEXT, after) == (
        ["[[a | update]] Own headline <!-- who -->", "> Own blurb,", "> two paragraphs."],
        ["[[a | update]] Another head <!-- who -->", "> New.", "> More."],
    )
    row = editing.set_entry(TEXT, line("- [[b]]"), "", "Words.")
    assert "- [[b]]\n  > Words.\n- [[c]] Row\n" in row
    assert editing.set_entry(TEXT, line("[[c]]"), "Row", "") == TEXT.replace("  > its blurb\n", "")


def test_a_change_that_would_lose_a_comment_is_refused() -> None:
    text = TEXT.replace("> Own blurb,", "> Own blurb, <!-- ask Bo -->")
    with pytest.raises(InputError, match="holds a comment"):
        editing.set_entry(text, line("[[a |", text), "x", "New.")
    assert "<!-- ask Bo -->" in editing.set_entry(
        text, line("[[a |", text), "x", editing.words(text)[line("[[a |", text)].blurb
    )


def test_a_comment_as_a_word_processor_writes_it_stays() -> None:
    text = TEXT.replace("<!-- who -->", "<!– who –>")
    assert editing.words(text)[line("[[a |", text)].headline == "Own headline"
    assert "[[a | update]] Other <!– who –>\n" in editing.set_entry(text, line("[[a |", text), "Other", "x")


def test_prose_a_picture_and_a_heading_are_changed() -> None:
    assert changed(TEXT, editing.set_markdown(TEXT, line("![alt]"), "![other](p.jpg)")) == (
        ["![alt](p.jpg)"],
        ["![other](p.jpg)"],
    )
    assert "## Uno <!-- keep -->\n" in editing.set_heading(TEXT, line("## One"), " Uno ")
    for place, words in ((1, "x"), (line("## One"), " ")):
        with pytest.raises(InputError):
            editing.set_heading(TEXT, place, words)
    with pytest.raises(InputError, match="no words"):
        editing.set_markdown(TEXT, line("![alt]"), " \n")


@pytest.mark.parametrize(
    ("key", "gone", "come"),
    [
        ("title", ['title = "A \\"title\\""  # the desk\'s own'], ['title = "N \\"q\\" é \\\\ 📬"  # the desk\'s own']),
        ("subject", ['subject = """', "A long", 'subject"""'], ['subject = "N \\"q\\" é \\\\ 📬"']),
        ("preheader", ["preheader = ''"], ['preheader = "N \\"q\\" é \\\\ 📬"']),
        ("teaser", [], ['teaser = "N \\"q\\" é \\\\ 📬"']),
    ],
)
def test_a_key_of_the_front_matter_is_changed_or_added(key: str, gone: list[str], come: list[str]) -> None:
    assert changed(TEXT, editing.set_field(TEXT, key, ' N "q"\né \\ 📬 ')) == (gone, come)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('title = "Old"   # the desk says so', "   # the desk says so"),
        ('title = "Old # 1"# a "note" # more', '# a "note" # more'),
        ("title = 'Old #1'", ""),
        ('title = """\nOld # 1\n"""\t# note', "\t# note"),
        ('title = "Old \\" # 1" # note', " # note"),
    ],
)
def test_the_comment_behind_a_key_stays(written: str, kept: str) -> None:
    assert editing.set_field(f"+++\n{written}\ndate = 2022-10-12\n+++\n", "title", "N # 2") == (
        f'+++\ntitle = "N # 2"{kept}\ndate = 2022-10-12\n+++\n'
    )


def test_no_other_key_is_changed() -> None:
    with pytest.raises(InputError):
        editing.set_field(TEXT, "publication", "x")


def test_an_entry_is_put_at_the_end_of_a_section_as_what_stands_before_it() -> None:
    assert "  > its blurb\n- [[new]]\n\n## Two\n" in editing.insert(TEXT, line("## One"), "new")
    assert editing.insert(TEXT, line("## Two"), "new").endswith("## Two\n\n[[new]]\n")
    assert "two lines.\n\n[[new]]\n\n## One" in editing.insert(TEXT, 0, "new")
    with pytest.raises(InputError, match="no section"):
        editing.insert(TEXT, 5, "new")


def test_line_ends_stay_as_they_are() -> None:
    windows = TEXT.replace("\n", "\r\n")
    after = editing.set_entry(windows, line("[[a |"), "x", "y\nz")
    assert after.replace("\r\n", "").count("\n") == 0
    assert editing.set_field(windows, "teaser", "x").replace("\r\n", "").count("\n") == 0
