"""A page comes in as browsers and mail programs show it, and what can't be taken is said with its words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from newsletter.compose.documents import read
from newsletter.errors import InputError
from tests.compose.documents import samples as made
from tests.compose.documents.test_documents import TRACKING, of_html, read_bytes

PAGE = "<html><body>{}</body></html>"


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>x<sup>2</sup> and 10<sup>6</sup>, H<sub>2</sub>O</p>", "x² and 10⁶, H₂O\n"),
        ('<p>10<span style="vertical-align:super">12</span> 1<sup>st</sup></p>', "10¹² 1st\n"),
        ("<p>Acme<sup>TM</sup>, a note<sup>[1]</sup></p>", "Acme™, a note[1]\n"),
        ("<ol><li>1<li value=9>9<li>10</ol>", "1. 1\n9. 9\n10. 10\n"),
        ("<ol type=a start=3><li>x<li>y</ol>", "- c. x\n- d. y\n"),
        ('<ol style="list-style-type: upper-roman"><li>x</ol>', "- I. x\n"),
        ("<ol reversed><li>x<li>y</ol>", "- 2\\. x\n- 1\\. y\n"),
        ("<ol><li>a</ol><ol><li>b</ol>", "1. a\n\n1) b\n"),
        ("<p><input type=checkbox checked> a <input type=checkbox> b</p>", "☒ a ☐ b\n"),
        ('<p><span role="checkbox" aria-checked="true"></span> a</p>', "☒ a\n"),
        ('<div><en-todo checked="true"/>a</div>', "☒ a\n"),
        ("<details><summary>Sum</summary>Words</details>", "Sum\n\nWords\n"),
        ("<marquee>a</marquee><center>b</center><address>c</address>", "a\n\nb\n\nc\n"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "**Term**\n\nMeaning\n"),
        ('<span style="display:block">a</span><span style="display:block">b</span>', "a\n\nb\n"),
        ("<p>a<br></p><div><br></div><div><b><br></b></div><div>b<br></div>", "a\n\nb\n"),
        ("<p>a<br><br>b <b>c<br><br>d</b></p>", "a\n\nb **c**\n\n**d**\n"),
        ("<ul><li>a<br></li><li>b<br>c</li></ul>", "- a\n- b\\\n  c\n"),
        ("<p>Bring:<br>• one<br>• two<br>Thanks</p>", "Bring:\n\n- one\n- two\n\nThanks\n"),
        ("<p>✅ one<br>✅ two</p>", "✅ one\n\n✅ two\n"),
        ("<ul><li>1. a</li><li># b<ul><li>+ c</ul></ul>", "- 1\\. a\n- \\# b\n  - \\+ c\n"),
        ("<h2>1. Wages</h2><h2>In C #</h2>", "## 1\\. Wages\n\n## In C \\#\n"),
        ("<p>&lt;b&gt; &amp;nbsp; &amp;copy; AT&amp;T</p>", "\\<b> &amp;nbsp; &amp;copy; AT&T\n"),
        ("<p>http://e.org/a_b_c* and _x_</p>", "<http://e.org/a_b_c*> and \\_x\\_\n"),
        ("<p>[1]: https://e.org/x</p>", "\\[1]: https://e.org/x\n"),
        ("<p>a | b<br>--- | ---</p>", "a | b\\\n\\--- | ---\n"),
        ("<p><b>Label:</b>text <b>!</b>x</p>", "**Label**:text !x\n"),
        ("<strong><p>a</p><p>b</p></strong>", "**a**\n\n**b**\n"),
        ("<pre>a  b\n\n\n  c</pre>", "```\na  b\n\n\n  c\n```\n"),
        ("<p><span style='font-family:Wingdings'>à</span> on</p>", "→ on\n"),
        ("<p><font face=Symbol>a</font></p>", "α\n"),
        (
            "<ul><li style='font-family:Wingdings'>à<span style='font-family:Arial'>à</span></li></ul>",
            "- →à\n",
        ),
        ("<p style='opacity:0.5'>half</p><div style='height:0'>flat</div>", "half\n\nflat\n"),
        ("<ruby>漢<rt>kan</rt></ruby>", "漢 (kan)\n"),
        ("<p>a</p><h1>Only one</h1><p>b</p>", "a\n\n## Only one\n\nb\n"),
    ],
)
def test_a_page_means_what_it_meant(html: str, markdown: str) -> None:
    found = of_html(PAGE.format(html))
    assert (found.markdown, found.notes) == (markdown, ())


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<a href='https://e.org/x'><table><tr><td>Join</td></tr></table></a>", "[Join](https://e.org/x)\n"),
        (
            "<a class=b href='https://e.org/x'><table><tr><td></td><td><b>Join</b> us</td></tr></table></a>",
            "| | [**Join** us](https://e.org/x) |\n| --- | --- |\n",
        ),
        ("<a href='https://e.org/x'><div>Join</div></a><a href='https://e.org/y'><div>Go</div></a>",
         "[Join](https://e.org/x)\n\n[Go](https://e.org/y)\n"),
        ("<a href='https://e.org/x'><p>a</p><h3>Head</h3><p>b</p></a>", "a\n\n## [Head](https://e.org/x)\n\nb\n"),
        ("<ul><li><a href='https://e.org/x'><p>Join</p></a></li></ul>", "- [Join](https://e.org/x)\n"),
        ("<a href='https://e.org/x' style='mso-hide:all;color:#fff'>Donate</a>", "[Donate](https://e.org/x)\n"),
        ("<p><a href='//e.org/x'>a</a> <a href='www.e.org/y'>b</a></p>", "[a](https://e.org/x) [b](https://www.e.org/y)\n"),
        ("<base href='https://e.org/n/'><p><a href='x'>a</a></p>", "[a](https://e.org/n/x)\n"),
        ("<p><a href='https://e.org/x'>a<br></a>b</p>", "[a](https://e.org/x)\\\nb\n"),
        ("<p><a href='#x'>a</a></p>", "a\n"),
    ],
)  # fmt: skip
def test_links_lead_where_they_led(tmp_path: Path, html: str, markdown: str) -> None:
    found = read_bytes(tmp_path, "a.html", PAGE.format(html).encode())
    assert (found.markdown, found.notes) == (markdown, ())


def test_a_picture_and_words_in_one_link_are_two(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(made.png())
    html = '<p><a href="https://e.org/x"><img src="a.png" alt="Pic"> with words</a></p>'
    found = read_bytes(tmp_path, "a.html", PAGE.format(html).encode())
    assert found.markdown == "[![Pic](picture-1.png)](https://e.org/x)\n\n[with words](https://e.org/x)\n"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p><a href='tel:+1555'>Call</a></p>", "a link isn't taken, mail can't lead there: tel:+1555, at “Call”"),
        ("<p><a href='/x'>Go</a></p>", "a link isn't taken, mail can't lead there: /x, at “Go”"),
        ("<p><a href='javascript:x'>Go</a></p>", "a link isn't taken, mail can't lead there: javascript:x, at “Go”"),
        ("<p hidden>secret</p>", "hidden text is left out: “secret”"),
        ("<p>a<span style='display: none'>secret</span></p>", "hidden text is left out: “secret”"),
        ("<p style='opacity:0'>secret</p>", "hidden text is left out: “secret”"),
        ("<div style='max-height:0;overflow:hidden'>secret</div>", "hidden text is left out: “secret”"),
        ("<td background='https://e.org/b.png'>x</td>", "a picture behind the text isn't taken: https://e.org/b.png"),
        ("<p>a<!-- to do --></p>", "a comment is left out: “to do”"),
        ("<iframe src='https://e.org/v'></iframe>", "an embedded page, video or sound isn't taken: https://e.org/v"),
        ("<embed src='a.pdf'>", "an embedded page, video or sound isn't taken: a.pdf"),
        ("<video><source src='v.mp4'></video>", "an embedded page, video or sound isn't taken: v.mp4"),
        ("<map><area href='https://e.org/a' alt='Map'></map>",
         "a link of a picture's map isn't taken: https://e.org/a, at “Map”"),
        ("<input type=text value='typed'>", "a form's field isn't taken: “typed”"),
        ("<svg><text>drawn</text></svg>", "a drawing can't be taken, at “drawn”"),
        ("<math><mi>E</mi></math>", "a formula can't be taken, at “E”"),
        ("<p><a href='https://e.org/x'><img src='https://e.org/i.png'></a></p>",
         "a link isn't taken, it has no words: https://e.org/x"),
        ("<p>x<sup>ab</sup></p>", "a superscript is taken as plain text: “ab”, at “x ab”"),
        ("<table><tr><th>a<td>b<table><tr><td>c<td>d</table></table>",
         "a table with a table in it is taken apart into paragraphs, at “a b c d”"),
    ],
)  # fmt: skip
def test_what_a_page_loses_is_said(html: str, said: str) -> None:
    assert said in of_html(PAGE.format(html)).notes


@pytest.mark.parametrize(
    ("html", "last"),
    [
        ("<tr><td rowspan=2>Texas<td>12<td>3<tr><td>9<td>6", "| | 9 | 6 |"),
        ("<tr><td>Texas<td rowspan=0>12<td>3<tr><td>Ohio<td>6", "| Ohio | | 6 |"),
        ("<tr><td>Texas<td>12<td rowspan=9>3<tr><td>Ohio<td>6", "| Ohio | 6 | |"),
        ("<tr><td rowspan=2 colspan=2>Both<td>3<tr><td>6", "| | | 6 |"),
        ("<tr><td colspan=2>Sum<td>9", "| Sum | | 9 |"),
    ],
)
def test_figures_stay_in_their_columns(html: str, last: str) -> None:
    found = of_html(PAGE.format(f"<table><tr><th>State<th>For<th>Against{html}</table>"))
    assert found.markdown.rstrip().split("\n")[-1] == last
    assert found.notes


def test_lists_of_outlook_keep_their_marks_and_their_ends() -> None:
    entry = "<p style='mso-list:l{} level{} lfo1'><span style='mso-list:Ignore'>{}<span>&nbsp; </span></span>{}</p>"
    marks = [
        (0, 1, "·", "a"),
        (0, 2, "o", "b"),
        (1, 1, "3.", "c"),
        (1, 1, "4.", "d"),
        (2, 1, "a)", "e"),
        (3, 1, "1.", "f"),
    ]
    found = of_html(PAGE.format("".join(entry.format(*mark) for mark in marks)))
    assert found.markdown == "- a\n  - b\n\n3. c\n4. d\n\n- a) e\n\n1. f\n"


def test_a_picture_of_google_docs_is_cut_and_turned_as_it_is_shown(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "green")
    image.paste("red", (20, 0, 40, 20))
    image.save(tmp_path / "a.png")
    html = (
        '<p><span style="overflow: hidden; width: 150.00px; height: 150.00px; transform: rotate(1.57rad)">'
        '<img src="a.png" alt="Field" style="width: 300.00px; height: 150.00px; margin-left: -150.00px; '
        'margin-top: 0.00px; transform: rotate(0.00rad) translateZ(0px);"></span></p>'
    )
    found = read_bytes(tmp_path, "a.html", PAGE.format(html).encode())
    shown = Image.open(io.BytesIO(found.pictures[0].data)).convert("RGB")
    assert (shown.size, shown.getpixel((0, 0))) == ((20, 20), (255, 0, 0))


def test_lists_of_google_docs_keep_their_letters(tmp_path: Path) -> None:
    sheet = '.lst-kix_a-0>li:before{content:"" counter(lst-ctn-kix_a-0,lower-latin) ". "}'
    html = f'<style>{sheet}</style><ol class="lst-kix_a-0 start" start="1"><li>x</li><li>y</li></ol>'
    assert read_bytes(tmp_path, "a.html", PAGE.format(html).encode()).markdown == "- a. x\n- b. y\n"


def test_the_title_is_written_like_the_text() -> None:
    found = of_html(PAGE.format("<nav>Home</nav><h1>It cost 10<sup>6</sup>: <b>Bo</b>ld<br>and more</h1><p>a</p>"))
    assert (found.title, found.markdown) == ("It cost 10⁶: Bold and more", "Home\n\na\n")


def test_ticks_before_the_entries_of_outlook_are_words() -> None:
    entry = (
        "<p style='mso-list:l0 level1 lfo1'><span style='font-family:Wingdings'><span style='mso-list:Ignore'>{}"
        "</span></span>{}</p>"
    )
    found = of_html(PAGE.format(entry.format("ü", "done") + entry.format("§", "plain")))
    assert found.markdown == "- ✓ done\n- plain\n"


def test_an_emoji_that_is_a_picture_stays_an_emoji() -> None:
    found = of_html(PAGE.format('<p>Well done <img alt="😀" src="https://e.org/x.png"></p>'))
    assert found.markdown == "Well done 😀\n"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.html", b"PK\x03\x04<p>", "of another kind"),
        ("a.html", b"<p>a\0b", "of another kind"),
        ("a.html", b"{\\rtf1 <p>}", "of another kind"),
        ("a.html", "# Notes\n\n- a\n".encode("utf-16"), "of another kind"),
        ("a.html", b"plain words", "of another kind"),
        ("a.html", b"From: x\r\nMIME-Version: 1.0\r\n\r\n<html><p>", "single file"),
        ("a.html", b" \n", "is empty"),
        ("a.md", b"", "is empty"),
        ("a.md", b"%PDF-1.7", "of another kind"),
        ("a.md", b"<!DOCTYPE html><p>x", "name it .html"),
    ],
)
def test_a_file_of_another_kind_is_one_line(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_bytes(tmp_path, name, data)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("- [ ] to do\n- [x] done", "- ☐ to do\n- ☒ done\n"),
        ("x<sup>2</sup> <u>y</u> <span style='color:red'>z</span>", "x² y z\n"),
        ("<aside>\n💡 A **bold** word.\n\n</aside>", "💡 A **bold** word.\n"),
        ("<details><summary>Sum</summary>\n\nIn **it**.\n\n</details>", "Sum\n\nIn **it**.\n"),
        ("Ask <Sarah> & `<b>`", "Ask \\<Sarah> & `<b>`\n"),
        ("**Note:**text and **bold **too", "**Note**:text and **bold** too\n"),
    ],
)
def test_markdown_of_other_programs(tmp_path: Path, text: str, markdown: str) -> None:
    found = read_bytes(tmp_path, "a.md", text.encode())
    assert (found.markdown, found.notes) == (markdown, ())


@pytest.mark.parametrize(
    ("matter", "title", "notes"),
    [
        (
            "---\ntitle: 'Our plan'\ntags: [a]\n---\n",
            "Our plan",
            ("what stands before the text is left out: “tags: [a]”",),
        ),
        ("---\ntitle: Plan\n---\n", "Plan", ()),
        ('+++\ntitle = "Plan"\n+++\n', "Plan", ()),
        ("---\ntags: a\n...\n", "Head", ("what stands before the text is left out: “tags: a”",)),
    ],
)
def test_what_notes_keep_before_their_text_is_no_text(
    tmp_path: Path, matter: str, title: str, notes: tuple[str, ...]
) -> None:
    found = read_bytes(tmp_path, "a.md", f"{matter}\n# Head\n\nWords.\n".encode())
    assert (found.title, found.notes) == (title, notes)
    assert "tags" not in found.markdown


def test_a_rule_at_the_top_of_markdown_stays_a_rule(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "a.md", b"---\n\nWords.\n\n---\n").markdown == "* * *\n\nWords.\n\n* * *\n"


def test_links_of_a_note_to_other_notes_and_its_comments_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("[Sub](Sub%20page.md) <!-- later -->\n", encoding="utf-8")
    found = read(tmp_path / "a.md", TRACKING)
    assert found.markdown == "Sub\n"
    assert found.notes == (
        "a comment is left out: “later”",
        "a link isn't taken, mail can't lead there: Sub%20page.md, at “Sub”",
    )
