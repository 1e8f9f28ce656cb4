"""The Markdown that staff write, as it's parsed; and the links of a text."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from newsletter.markdown import direction, parse, parse_issue, plain, plain_line
from newsletter.markdown.links import Link, links


def kinds(text: str) -> list[str]:
    return [token.type for token in parse(text) if token.nesting != -1]


def inline(text: str) -> list[str]:
    return [child.type for token in parse(text) for child in token.children or ()]


@pytest.mark.parametrize(
    "text", ["1986. Nobody has touched it since.", "101. Street", "\tIndented by a tab", "     by blanks"]
)
def test_what_people_dont_mean_as_a_list_or_as_code_is_a_paragraph(text: str) -> None:
    assert kinds(text)[0] == "paragraph_open"


@pytest.mark.parametrize("text", ["1. One", "12) Twelve", "\t- by a tab", "    1. by blanks"])
def test_a_list_is_a_list_however_deep_it_is_set_in(text: str) -> None:
    assert kinds(text)[0].endswith("_list_open")


@pytest.mark.parametrize("text", ["a<br>b", "a<br/>b", "a<BR />b", "a  \nb", "a\\\nb"])
def test_a_line_can_be_broken(text: str) -> None:
    assert inline(text) == ["text", "hardbreak", "text"]


@pytest.mark.parametrize("tag", ["<b>", "</p>", '<span style="x">', "<img src=x>", "<u>"])
def test_html_is_a_token_of_its_own(tag: str) -> None:
    assert "html_inline" in inline(f"x {tag}y")


@pytest.mark.parametrize("text", ["a < b > c", "<<Name>>", "<Name>", "\\<b>"])
def test_what_only_looks_like_html_is_text(text: str) -> None:
    assert "html_inline" not in inline(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[x](https://example.org/Denton_(Texas))", Link("x", "https://example.org/Denton_(Texas)", 0)),
        ("one\n[a [PDF] link](https://example.org/?a=1&b=2)", Link("a [PDF] link", "https://example.org/?a=1&b=2", 1)),
        ("see https://example.org/a, there", Link("https://example.org/a", "https://example.org/a", 0)),
        ("see (www.example.org/a).", Link("www.example.org/a", "https://www.example.org/a", 0)),
        ("write desk@example.org!", Link("desk@example.org", "mailto:desk@example.org", 0)),
        ("<https://example.org/>", Link("https://example.org/", "https://example.org/", 0)),
        ("a\n\n\n[x][1] b\n\n[1]: https://example.org/r", Link("x", "https://example.org/r", 3)),
        ("[**b** `c`](https://example.org/)", Link("b c", "https://example.org/", 0)),
        (
            "[c](https://example.org/?c={{ locality | El Paso }}&x=1)",
            Link("c", "https://example.org/?c={{ locality | El Paso }}&x=1", 0),
        ),
    ],
)
def test_links_are_those_that_readers_get(text: str, found: Link) -> None:
    assert links(text) == (found,)


@pytest.mark.parametrize(
    "text", ["`[x](https://example.org)`", "Inc.com and a.me", "example.org", "![a](b.jpg)", "mergefield0x"]
)
def test_what_is_no_link_is_none(text: str) -> None:
    assert links(text) == ()


@pytest.mark.parametrize("words", ["[Denver]: Amazing!", "[Update]: tomorrow", "[^1]: https://example.org/a"])
def test_a_sentence_after_a_bracket_is_no_definition_that_vanishes(words: str) -> None:
    assert plain(words) == words


def test_a_footnotes_definition_is_no_address() -> None:
    assert "x[^1]" in plain("[^1]: https://example.org/a\n\nx[^1]")


def test_the_definitions_of_an_issue_are_known_by_label() -> None:
    assert parse_issue("[x][Law]\n\n[law]: https://example.org/l")[1]["LAW"]["href"] == "https://example.org/l"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("مرحبا", "rtl"),
        ("123 שלום a", "rtl"),
        ("**פ**", "rtl"),
        ("a ש", "ltr"),
        ("2022", "ltr"),
        ("Ñ", "ltr"),
        ("📬", "ltr"),
    ],
)
def test_a_text_is_written_in_the_direction_of_its_first_letter(text: str, told: str) -> None:
    assert direction(text) == told


@pytest.mark.parametrize("sign", [*"“”’…»，。！）』—", '"', "`", ".", ".”", ",»", "’s"])
@pytest.mark.parametrize("url", ["https://example.org/q", "www.example.org/q", "https://example.org/é/日本"])
def test_a_sign_behind_an_address_ends_it(url: str, sign: str) -> None:
    (found,) = links(f"(see {url}{sign} and)")
    assert (found.words, unquote(found.url).removeprefix("https://")) == (url, url.removeprefix("https://"))
    assert f"{url}{sign} and" in plain(f"(see {url}{sign} and)")


@pytest.mark.parametrize(
    "url", ["https://example.org/a_(b)", "https://example.org/a,b;c?d=1&e=~f#g!h", "https://e.org/ü"]
)
def test_an_address_is_whole(url: str) -> None:
    assert links(f"See {url} there")[0].words == url


@pytest.mark.parametrize("between", ["\n\n", "\n\n\n", "\n \n"])
@pytest.mark.parametrize("year", ["2022. That was it", "1986) Nobody", "365. Days"])
def test_a_year_behind_a_list_is_not_its_next_number(year: str, between: str) -> None:
    tokens = parse(f"1. First\n2. Then{between}{year}\n\n5. Five")
    assert [token.info for token in tokens if token.type == "list_item_open"] == ["1", "2", "5"]
    assert year in [token.content for token in tokens if token.type == "inline"]


@pytest.mark.parametrize("text", ["99. a\n100. b", "99. a\n\n100. b", "1. We won in\n2022. And then", "1. a\n\n7. b"])
def test_a_list_goes_on_with_its_next_number_and_over_its_own_lines(text: str) -> None:
    assert len([token for token in parse(text) if token.type == "ordered_list_open"]) == 1
    assert "".join(plain(text).split()).endswith(text[-1])


@pytest.mark.parametrize(
    "words",
    ["1. Wages", "2) Leave", "- A dash", "+ Plus", "> Greater", "# Hash", "* Star", "---", "| a | b |", "2022. Now"],
)
def test_within_a_heading_nothing_is_a_list_a_quote_or_a_rule(words: str) -> None:
    assert plain_line(words) == words


@pytest.mark.parametrize(
    ("written", "read"),
    [("## In C #", "In C #"), ("## In C ##", "In C"), ("### F #", "F #"), ("# A ##", "A ##"), ("## Room #", "Room #")],
)
def test_a_mark_at_a_headings_end_stays_unless_it_closes_it(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize("text", ["Words\\", "\\", "- one\\\n- two\\", "> said\\", "Bring:\\\n- one", "a\n\n\\\n\nb"])
def test_a_break_at_the_end_of_a_paragraph_is_nothing(text: str) -> None:
    assert "\\" not in plain(text)


@pytest.mark.parametrize("text", ["In C:\\", "It is in D:\\Docs\\", "One \\\\"])
def test_a_folders_path_may_end_in_a_backslash(text: str) -> None:
    assert plain(text).endswith("\\")


@pytest.mark.parametrize("tag", ["<o:p>", "</o:p>", "<st1:place>", '<w:sdt a="b">', "<v:shape/>", "<xs:element>"])
def test_a_tag_of_offices_is_a_token_of_its_own(tag: str) -> None:
    assert "html_inline" in inline(f"x {tag} y")


@pytest.mark.parametrize("address", ["<https://e.org>", "<mailto:a@e.org>", "<tel:+15550100>"])
def test_an_address_in_angle_brackets_is_none(address: str) -> None:
    assert inline(address) == ["link_open", "text", "link_close"]
