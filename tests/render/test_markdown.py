from __future__ import annotations

import re

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from newsletter.render.markdown import plain, to_html, to_text


def test_markdown_becomes_html_with_its_links() -> None:
    html = to_html("Hi **you**, *see* [x & y](https://e.org/?a=1&b=2)  \nnow")
    link = '<a href="https://e.org/?a=1&amp;b=2">x &amp; y</a>'
    assert html == f'<p dir="auto">Hi <strong>you</strong>, <em>see</em> {link}<br/>\nnow</p>'


def test_headings_stand_below_the_sections_own() -> None:
    assert to_html("# One\n## Two\n#### Four\n###### Six") == (
        '<h3 dir="auto">One</h3>\n<h3 dir="auto">Two</h3>\n<h4 dir="auto">Four</h4>\n<h4 dir="auto">Six</h4>'
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html;base64,AA)",
        "[a](/relative)",
        "<javascript:alert(1)>",
        "![a](https://example.org/p.png)",
        '[a](https://e.org/" onclick="x)',
        "a\x00b\x1b[31m\x0b",
    ],
)
def test_hostile_markdown_is_inert(hostile: str) -> None:
    html = to_html(hostile)
    assert not re.search(r"<(script|img)|<[^>]*(href=\"(?!https://)|onclick)|[\x00-\x08\x0b-\x1f]", html)


def test_a_link_to_nowhere_keeps_its_words() -> None:
    assert to_html("[words](/relative) [](https://e.org)") == '<p dir="auto">words </p>'
    assert to_text("[words](/relative)") == "words"


def test_braces_and_quotes_stay_as_written() -> None:
    assert to_html('{{ x }} "q"') == '<p dir="auto">{{ x }} "q"</p>'


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab <>&\"'[]()!*_`#>-\n\\:/{}\u202eא\U0001f389\x00\x07"), max_size=80))
def test_whatever_is_written_the_html_is_well_formed_and_sanitised(text: str) -> None:
    html = to_html(text)
    etree.fromstring(f"<x>{html}</x>")
    allowed = {"p", "br", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "code", "hr"}
    attributes = {tag: {"dir", "align", "href", "start", "value"} for tag in allowed}
    clean = nh3.clean(html, tags=allowed, attributes=attributes, link_rel=None)
    assert clean.replace("<br>", "<br/>").replace("<hr>", "<hr/>").replace("&nbsp;", "&#160;") == html


def test_text_is_wrapped_and_an_address_never_broken() -> None:
    url = "https://example.org/" + "a-long-path/" * 10
    text = to_text(f"Some words before a link that is [quite long]({url}) and words that follow after it, to wrap.")
    assert url in text
    assert all(len(line) <= 72 for line in text.splitlines() if url not in line)


def test_text_marks_lists_and_quotes() -> None:
    assert to_text("- one\n- two [x](https://e.org)\n\n> said\n\n3. c\n4. d") == (
        "- one\n- two x (https://e.org)\n\n> said\n\n3. c\n4. d"
    )


def test_a_bare_address_is_not_told_twice() -> None:
    assert to_text("<https://e.org/> <desk@example.org>") == "https://e.org/ desk@example.org"


def test_plain_is_one_line_without_markup() -> None:
    assert plain("# A *b*\n\n- [c](https://e.org)\n- ![no](x.png) `d`\n  e") == "A b c d e"


@pytest.mark.parametrize("text", ["[" * 5000, "> " * 5000, "- " * 3000, "*a " * 5000, "a" * 200_000, ""])
def test_huge_markdown_is_no_trouble(text: str) -> None:
    assert isinstance(to_html(text) + to_text(text) + plain(text), str)
