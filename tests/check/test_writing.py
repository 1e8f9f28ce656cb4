"""What staff write and paste, as far as readers get it: mailed as it was meant, or found with its line."""

from __future__ import annotations

import pytest

from newsletter.check import check
from newsletter.check.foreign import foreign_fields, is_filter
from newsletter.errors import IssueError
from newsletter.model import Finding, Rendered
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
#: The line of issue.md on which what is added to the sample begins.
FIRST = ISSUE.count("\n") + 2


def mailed(desk: Desk, body: str) -> tuple[Rendered, list[Finding]]:
    desk.write_issue(NAME, f"{ISSUE}\n{body}\n")
    issue = desk.space.compose(NAME)
    (mail,) = desk.space.render(issue)
    return mail, check(issue, (mail,), desk.space.config)


def of_rule(found: list[Finding], rule: str) -> list[str]:
    return [finding.where.rpartition(":")[2].strip() for finding in found if finding.rule == rule]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Words\n\n**not closed", 2),
        ("Words\n\n__not closed", 2),
        ("Words ** apart ** here", 0),
        ("[words](a b)", 0),
        ("[words] (https://example.org/a)", 0),
        ("[words][nowhere]", 0),
        ("![no picture](a", 0),
        ("A note[^1]\n\n[^1]: The note", 2),
        ("~~not closed", 0),
        ("| a | b |\n| 1 | 2 |", 0),
        ("##No blank", 0),
        ("One &amp;amp; two", 0),
        ("One \\<b\\>bold\\</b\\>", 0),
        ("Typed \\<!-- desk --\\>", 0),
        ("==marked==", 0),
        ("- [ ] to do", 0),
        ("a\nb\nc `d\ne` {{{f", 3),
    ],
)
def test_a_mark_that_is_left_in_the_finished_mail_is_found_with_its_line(desk: Desk, body: str, line: int) -> None:
    body = f"Before.\n\n{body}"
    assert str(FIRST + 2 + line) in of_rule(mailed(desk, body)[1], "content/leftover-marks")


@pytest.mark.parametrize(
    "body",
    [
        "Use `**two stars**`, `~~x~~` and `a | b`.",
        "```\n**bold** [a](b) <!-- kept -->\n```",
        "2 * 3 * 4, s**t, f(x) = y, #hashtag, No. #1, file_name_here, <3, a > b, R&D; AT&T",
        "Rates: 4% & 5% - 6 -- 7; [sic] [1] [Update]",
        "https://example.org/a__b__c/**/d?x=~~1",
        "| Name | City |\n|---|---|\n| Ana | Denton |",
    ],
)
def test_what_is_meant_as_it_stands_is_no_leftover(desk: Desk, body: str) -> None:
    found = mailed(desk, body)[1]
    assert [f for f in found if f.rule in ("content/leftover-marks", "merge/foreign-field")] == []


def test_the_code_that_is_shown_hides_no_mark_elsewhere(desk: Desk) -> None:
    _, found = mailed(desk, "Write `**` so.\n\n**not closed")
    assert of_rule(found, "content/leftover-marks") == [str(FIRST + 2)]


@pytest.mark.parametrize(
    "field",
    [
        "{{first_name|friend}",
        "{first_name|friend}}",
        "{first_name}",
        "{{{first_name}}}",
        "{{ contact.first name }}",
        "{{lead.First Name:default=friend}}",
        '{{ first_name | default: "friend" | capitalize }}',
        "{!Contact.FirstName}",
        "{$name}",
        "${name}",
        "#{name}",
        "{% if first_name %}",
        "{{#if name}}",
        "*|FNAME|*",
        "*|IF:FNAME|*",
        "%recipient.first_name%",
        "%FIRSTNAME%",
        "%%First Name%%",
        "%%=v(@name)=%%",
        "<%= name %>",
        "[% member:name %]",
        "<<First Name>>",
        "«First_Name»",
        "[FIRSTNAME]",
        "[First Name]",
        "[firstname,fallback=there]",
        "@FIRSTNAME@",
        "##name##",
        "$name$",
        "-name-",
        "[[data:firstname]]",
        "{ MERGEFIELD First }",
    ],
)
def test_a_field_in_any_tools_writing_is_found_wherever_it_stands(desk: Desk, field: str) -> None:
    assert [found for _, found in foreign_fields(f"Hi {field}, you")]
    in_toml = field.replace("\\", "\\\\").replace('"', '\\"')
    text = ISSUE.replace('subject = "', f'subject = "{in_toml} ').replace('teaser = "', f'teaser = "{in_toml} ')
    desk.write_issue(NAME, text.replace("Heard at last", f"Heard {field}"))
    issue = desk.space.compose(NAME)
    places = of_rule(check(issue, desk.space.render(issue), desk.space.config), "merge/foreign-field")
    assert {"subject", "teaser"} <= set(places)
    assert any(place.isdecimal() for place in places)


def test_every_foreign_field_is_told_with_its_own_line(desk: Desk) -> None:
    _, found = mailed(
        desk, "Hi {{first_name|friend},\n\n*|FNAME|* and %name%\n<<Name>>\n\n[words](https://example.org/${x})"
    )
    assert of_rule(found, "merge/foreign-field") == [str(FIRST + line) for line in (0, 2, 2, 3, 5)]


@pytest.mark.parametrize(
    "words",
    [
        "100% of 50% and 20%",
        "«Hola», dijo el alcalde",
        "the [state's] law, [1], [sic]",
        "first-name-basis",
        "desk@example.org or name@name.org",
        "5 < 6 > 4, 2 << 3",
        "| Name | City |",
        "_name_ and **name** and ~~name~~",
        "Name: and [the name](https://example.org/name)",
        "cost $5 or $10",
    ],
)
def test_what_people_write_is_no_field(words: str) -> None:
    assert list(foreign_fields(words)) == []


@pytest.mark.parametrize("fallback", ['default: "friend"', '"friend"', "“friend”", "capitalize", "default('x')", "'x'"])
def test_a_filter_of_another_tool_is_no_fallback(desk: Desk, fallback: str) -> None:
    assert is_filter(fallback)
    _, found = mailed(desk, f"Hi {{{{ first_name | {fallback} }}}},")
    assert of_rule(found, "merge/foreign-field") == [str(FIRST)]


@pytest.mark.parametrize(
    "fallback", ["friend", "Default county", "your own district", "title holder", "O'Brien's friend"]
)
def test_words_are_a_fallback(fallback: str) -> None:
    assert not is_filter(fallback)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("![][image1]\n\n[image1]: <data:image/jpeg;base64,/9j/4AAQSkZJRg>", "a picture is written into the text"),
        ("![A field](https://example.org/a.jpg)", "is on the web"),
        ("![A field](phto.png)", 'did you mean "photo.png"'),
        (f"![A field]({'x' * 4000}.png)", "is no file's name"),
        ("| a |\n|---|\n| ![A field](photo.png) |", "a picture can't stand in a table, a heading or a blurb"),
        ("## ![A field](photo.png)", "a picture can't stand in a table, a heading or a blurb"),
        ("[[hb1-hearing]]\n> ![A field](photo.png)", "a picture can't stand in a table, a heading or a blurb"),
        ("[![A field](photo.png) and words](https://example.org/)", "a picture and words share a link"),
        ("Words <u>here</u>", "HTML is not used in issues: <u>"),
        ("Words <!-- desk", "a comment is never closed"),
    ],
)
def test_what_cannot_be_shown_is_one_line_that_says_where(desk: Desk, body: str, what: str) -> None:
    with pytest.raises(IssueError) as refused:
        mailed(desk, f"Before.\n\n{body}")
    (line,) = str(refused.value).splitlines()
    assert what in line
    assert f"issue.md:{FIRST + 2 + body.startswith('[[')}:" in line or f"issue.md:{FIRST + 4}:" in line
    assert len(line) < 400


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("subject", "Q&amp;A on HB 1, in court, October 2022", "content/marks-in-plain-text"),
        ("title", "The Network Download: **HB 1** and more | Oct 2022", "content/marks-in-plain-text"),
        ("teaser", "Read [this](https://example.org)", "content/marks-in-plain-text"),
        ("preheader", "<b>Eight</b> cities are heard, and Denver is next, at last", "content/marks-in-plain-text"),
        ("subject", "News\\u202Efor October", "content/unseen-characters"),
        ("title", "The Network\\u2066 Download", "content/unseen-characters"),
        ("teaser", "Eight\\u200Bcities", "content/unseen-characters"),
        ("preheader", "Eight\\u0007 cities are heard, and Denver is next, at last", "content/unseen-characters"),
    ],
)
def test_marks_and_unseen_characters_are_found_where_nothing_reads_them(
    desk: Desk, key: str, value: str, rule: str
) -> None:
    lines = [f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in ISSUE.split("\n")]
    desk.write_issue(NAME, "\n".join(lines))
    issue = desk.space.compose(NAME)
    assert key in of_rule(check(issue, desk.space.render(issue), desk.space.config), rule)


@pytest.mark.parametrize("number", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_every_sign_that_turns_words_around_is_found_in_the_text_too(desk: Desk, number: int) -> None:
    _, found = mailed(desk, f"one\ntwo {chr(number)}three")
    assert of_rule(found, "content/unseen-characters") == [str(FIRST + 1)]


@pytest.mark.parametrize("words", ["👩‍👧 at home", "می‌خواهم", "क्‍ष", "שלום\u200f!", "naïve café"])
def test_the_joiners_that_scripts_and_emoji_need_are_no_finding(desk: Desk, words: str) -> None:
    assert of_rule(mailed(desk, words)[1], "content/unseen-characters") == []


@pytest.mark.parametrize(
    "mark",
    [
        "> [!NOTE]\n> Words.",
        "> [!WARNING]- Folded\n> Words.",
        "A footnote^[inline note] here",
        "The 10^th^ year",
        "H~2~O here",
        "++Inserted++ words",
        "||hidden|| words",
        "$E = mc^2$ here",
        "$$x$$",
        "Shipped :tada: today",
        "Cited [@smith2004, p. 33] here",
        "*[HTML]: Hyper Text",
        "[TOC]",
        "\\newpage",
        "- item ^block-id",
        "== Heading ==",
        "'''bold''' here",
        "[b]bold[/b] here",
        "!!! note",
        "Words\n\n&lt;o:p&gt;",
    ],
)
def test_the_marks_of_other_dialects_are_found(desk: Desk, mark: str) -> None:
    found = of_rule(mailed(desk, f"Before.\n\n{mark}")[1], "content/leftover-marks")
    assert set(found) & {str(FIRST + 2), str(FIRST + 4)}


@pytest.mark.parametrize(
    "words",
    [
        "From 10:30: doors; at 7:00: talks",
        "It costs $5, or US$ 10 = C$13; $20 (= €19)",
        "C++ and g++, 1+1, A++",
        "a ^_^ face",
        "“[i]t said so”, [sic]",
        "either||or",
        "~~struck~~ words and ~5 miles",
        "Re:invent and 3:2:1 and Note: this",
    ],
)
def test_signs_that_people_write_are_no_marks(desk: Desk, words: str) -> None:
    assert of_rule(mailed(desk, words)[1], "content/leftover-marks") == []


def test_a_mark_that_stands_rightly_in_code_is_not_taken_for_the_one_that_is_left(desk: Desk) -> None:
    found = mailed(desk, "Code: `a -->` and `**`.\n\nWords.\n\nAn arrow \\-->\n\nStars at the end \\*\\*")[1]
    assert set(of_rule(found, "content/leftover-marks")) == {str(FIRST + 4), str(FIRST + 6)}


@pytest.mark.parametrize(
    "listed",
    [
        "✅ one\n✅ two",
        "→ one\n→ two",
        "① one\n② two",
        "-one\n-two",
        "*one\n*two",
        "1.one\n2.two",
        "1/ one\n2/ two",
        "✓ yes\n✗ no",
        "☑ done\n☐ open",
        "1️⃣ one\n2️⃣ two",
        "~ one\n~ two",
        "    Dear Ann,\n      come at six.",
    ],
)
def test_lines_that_are_typed_as_a_list_and_run_on_are_found(desk: Desk, listed: str) -> None:
    found = mailed(desk, f"Words:\n\n{listed}")[1]
    assert of_rule(found, "content/run-together") == [str(FIRST + 2)]


@pytest.mark.parametrize(
    "words",
    [
        "✅ one<br>\n✅ two",
        "✅ one  \n✅ two",
        "*it*\n*it2*",
        "**a**\n**b**",
        "-5 degrees\n-7 at night",
        "1.5 million\n2.5 million",
        "- ✓ yes\n- ✗ no",
        "\tone line, set in by a tab",
    ],
)
def test_lines_that_are_broken_or_no_list_are_no_finding(desk: Desk, words: str) -> None:
    assert of_rule(mailed(desk, f"Words.\n\n{words}")[1], "content/run-together") == []


@pytest.mark.parametrize("text", ["1. a\n1. b\n1. c", "3. a\n5. b\n9. c", "0. a\n1. b", "- a\n  1. b\n  2. c"])
def test_numbers_that_are_kept_are_no_finding(desk: Desk, text: str) -> None:
    assert of_rule(mailed(desk, f"Words.\n\n{text}")[1], "content/renumbered") == []


@pytest.mark.parametrize(
    ("heading", "line"), [("##", 2), ("##   ", 2), ("###", 2), ("## **", None), ("## &nbsp;", 2), ("####\t", 2)]
)
def test_a_heading_without_words_is_found_and_what_stands_below_stays(
    desk: Desk, heading: str, line: int | None
) -> None:
    mail, found = mailed(desk, f"One.\n\n{heading}\n\nTwo, below.")
    if line is not None:
        assert of_rule(found, "content/empty-heading") == [str(FIRST + line)]
    text = mail.text.merge({})
    assert text.index("One.") < text.index("Two, below.")


def test_bold_that_takes_in_what_stands_between_is_found(desk: Desk) -> None:
    _, found = mailed(desk, "Words.\nMore **(one)**text and more**(two)**.\n\n***both*** and **a *b* c**")
    assert of_rule(found, "content/emphasis-within") == [str(FIRST + 1)]


@pytest.mark.parametrize("sign", ["\uf0e0", "\uf04a", "\ue000", "\U000f0000"])
def test_a_letter_of_a_symbol_font_in_a_sentence_is_found(desk: Desk, sign: str) -> None:
    assert of_rule(mailed(desk, f"An {sign} arrow")[1], "content/unseen-characters") == [str(FIRST)]


@pytest.mark.parametrize("size", ["|300", "|300x200", " | 64"])
def test_a_pictures_size_in_its_alternative_text_is_found(desk: Desk, size: str) -> None:
    _, found = mailed(desk, f"![A field{size}](photo.png)")
    assert of_rule(found, "content/marks-in-plain-text") == [str(FIRST)]


@pytest.mark.parametrize("words", ["donâ€™t", "cafÃ©", "LÃ¡zaro", "Â£5", "â€œyesâ€\u009d", "ðŸ“¬ news", "10Â\u00a0km"])
def test_letters_of_another_encoding_are_found(desk: Desk, words: str) -> None:
    assert str(FIRST) in of_rule(mailed(desk, words)[1], "content/broken-letters")


@pytest.mark.parametrize("words", ["SÃO PAULO", "Â quoi bon", "café, don’t", "“AMANHÔ, «IRMû", "MANHÃ…"])
def test_letters_of_other_languages_are_not_broken(desk: Desk, words: str) -> None:
    assert of_rule(mailed(desk, words)[1], "content/broken-letters") == []


def test_a_table_of_pandocs_is_found(desk: Desk) -> None:
    _, found = mailed(desk, "State  Votes\n-----  -----\nNY     9")
    assert of_rule(found, "content/pasted-table") == [str(FIRST + 1)]


def test_a_link_that_is_written_the_other_way_round_is_found_as_it_stands(desk: Desk) -> None:
    _, found = mailed(desk, "Words (the law)[https://example.org/law] here\n\n[a](https://example.org/ b)")
    marks = [finding for finding in found if finding.rule == "content/leftover-marks"]
    assert [finding.where.rpartition(":")[2] for finding in marks] == [str(FIRST), str(FIRST + 2)]
    assert "[a](https://example.org/ b)" in marks[1].message


@pytest.mark.parametrize("above", ["Words\n- one", "Words\n* * *", "Words\n> said", "```\nx\n```\nWords"])
def test_a_fault_below_blocks_that_touch_keeps_its_line(desk: Desk, above: str) -> None:
    _, found = mailed(desk, f"Before.\n\n{above}\n\n**open")
    assert of_rule(found, "content/leftover-marks") == [str(FIRST + 4 + above.count("\n"))]


@pytest.mark.parametrize("fence", ["``` ", "```  python ", "~~~ "])
def test_blanks_behind_the_marks_of_code_are_no_words(desk: Desk, fence: str) -> None:
    _, found = mailed(desk, f"{fence}\nx\n{fence[:3]}")
    assert of_rule(found, "content/left-out") == []
