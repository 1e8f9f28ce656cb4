"""Documents become an issue's Markdown, and what can't be taken is said."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.documents import Document, read
from newsletter.compose.documents.page import Pictures, read_page
from newsletter.errors import InputError
from tests.compose.documents import samples as made

TRACKING = ("utm_*",)


def read_bytes(folder: Path, name: str, data: bytes) -> Document:
    path = folder / name
    path.write_bytes(data)
    return read(path, TRACKING)


def of_html(html: str) -> Document:
    return read_page(html, Pictures(lambda _: None), TRACKING)


def test_a_word_document_with_changes_comments_a_picture_and_a_table(tmp_path: Path) -> None:
    data = made.docx(
        made.paragraph(made.run("November news"), style="Title"),
        made.paragraph(made.run("Policy wins"), style="Heading1"),
        made.paragraph(
            made.run("Eight cities were "),
            made.run("heard", "<w:b/>"),
            made.deleted(" never"),
            made.inserted(" at last"),
            made.run(" & more."),
        ),
        made.paragraph(made.commented(0, made.run("A number that somebody doubts."))),
        made.paragraph(made.link("story", "Heard at last"), made.run(": the whole story.")),
        made.paragraph(made.run("One"), numbered=1),
        made.paragraph(made.run("Two"), numbered=1),
        made.paragraph(made.run("First"), numbered=2),
        made.paragraph(made.picture("image", "A courthouse")),
        made.table(("State", "Cities"), ("FL", "8")),
        made.paragraph(made.run("Small"), style="Heading2"),
        links={"story": "https://example.org/hb1?utm_source=x"},
        comments=("Is this number right?",),
        image=made.png(),
    )
    found = read_bytes(tmp_path, "november.docx", data)
    assert found.title == "November news"
    assert found.markdown == (
        "## Policy wins\n\nEight cities were **heard** at last & more.\n\nA number that somebody doubts.\n\n"
        "[Heard at last](https://example.org/hb1): the whole story.\n\n- One\n- Two\n\n1. First\n\n"
        "![A courthouse](picture-1.png)\n\n| State | Cities |\n| --- | --- |\n| FL | 8 |\n\n### Small\n"
    )
    assert [picture.name for picture in found.pictures] == ["picture-1.png"]
    assert found.notes == (
        "a comment is left out: “Is this number right?”",
        "a tracked change: what was deleted is left out: “never”",
        "a tracked change: what was inserted is taken: “at last”",
    )


def test_google_docs_web_page_with_its_pictures(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("November/Novembernews.html", made.GOOGLE)
        archive.writestr("November/images/image1.png", made.png())
    found = read_bytes(tmp_path, "november.zip", out.getvalue())
    assert found.title == "November news"
    assert found.markdown == (
        "## Policy wins\n\nEight cities were **heard** in court.\n\n"
        "[Heard at last](https://example.org/hb1): the whole story of the day.\n\n"
        "- One & only\n  - *within*\n- Two\n\n### The small print\n\n![TK what the picture shows](picture-1.png)\n"
    )
    assert found.notes == ("a comment is left out: “please check the number of cities”",)


def test_google_docs_markdown_with_its_picture_as_an_address(tmp_path: Path) -> None:
    encoded = base64.b64encode(made.png()).decode()
    text = (
        "# November news\n\n## **Policy wins** {#policy-wins}\n\nHi {{ first\\_name | friend }}, 9\\-4 \\+ more\\!\n\n"
        "![][image1]\n\n| a | b |\n| :---- | :---- |\n| 1 | 2 |\n\n~~old~~ [[hb1-hearing]]\n\n"
        f"[image1]: <data:image/png;base64,{encoded}>\n"
    )
    found = read_bytes(tmp_path, "november.md", text.encode())
    assert found.title == "November news"
    assert "## **Policy wins**\n" in found.markdown
    assert "{{ first_name | friend }}, 9-4 + more!" in found.markdown
    assert "![TK what the picture shows](picture-1.png)" in found.markdown
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |" in found.markdown
    assert "~~old~~ [[hb1-hearing]]" in found.markdown
    assert "base64" not in found.markdown


def test_a_page_that_outlook_saved(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "mail.htm", made.OUTLOOK)
    assert found.markdown == (
        "Dear all,\n\n**José** wrote: “the vote is 9–7”.\n\n- First point\n  - a detail\n- Second point\n\n"
        "[read it](https://example.org/story)\n\n| State | Cities |\n| --- | --- |\n| FL | 8 |\n"
    )
    assert found.notes == (
        "hidden text is left out: “hidden words”",
        "a picture isn't taken, it isn't in the document, at “our logo”",
    )


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>1986. Nobody has touched it since.</p>", "1986\\. Nobody has touched it since.\n"),
        ("<p># no heading</p><p>+++</p><p>- no list</p>", "\\# no heading\n\n\\+++\n\n\\- no list\n"),
        ("<p>2 * 3 * 4 and snake_case and _x_</p>", "2 \\* 3 \\* 4 and snake_case and \\_x\\_\n"),
        ("<p>{{ first_name | friend }} [[a-b_c]]</p>", "{{ first_name | friend }} [[a-b_c]]\n"),
        ('<p><a href="https://e.org/a_(b)">a [PDF] link</a></p>', "[a \\[PDF\\] link](<https://e.org/a_(b)>)\n"),
        ("<p>a</p><hr><p>b</p>", "a\n\n* * *\n\nb\n"),
        ('<ol start="3"><li>c</li><li>d</li></ol>', "3. c\n4. d\n"),
        ("<p>one<br>two</p>", "one\\\ntwo\n"),
        ('<p><a href="javascript:alert(1)">x</a> <a href="#top">y</a></p>', "x y\n"),
        ("<h3>A</h3><h5>B</h5><h6>C</h6>", "## A\n\n### B\n\n#### C\n"),
        ("<p>a <!-- secret --> b</p><script>x()</script><style>p{}</style>", "a b\n"),
        ("<p>&lt;Act&gt; &amp; &lt;!-- no comment --&gt;</p>", "\\<Act> & \\<!-- no comment -->\n"),
        ("<table><tr><td><p>Only one</p></td></tr></table>", "Only one\n"),
        ("<table><tr><td>a|b</td><td>c</td></tr></table>", "| a\\|b | c |\n| --- | --- |\n"),
    ],
)
def test_words_stay_words(html: str, markdown: str) -> None:
    assert of_html(f"<body>{html}</body>").markdown == markdown


def test_pictures_come_from_the_document_or_from_beside_it_alone(tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(made.png())
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "own picture.png").write_bytes(made.png("red"))
    (folder / "link.png").symlink_to(tmp_path / "private.png")
    page = (
        '<p>a</p><img src="own%20picture.png" alt="x"><img src="../private.png" alt="y"><img src="link.png" alt="z">'
        '<img src="https://example.org/a.png" alt="w"><img src="data:image/svg+xml,<svg/>" alt="v">'
    )
    found = read_bytes(folder, "page.html", page.encode())
    assert len(found.pictures) == 1
    assert [note for note in found.notes if "isn't taken" in note] == list(found.notes)
    assert len(found.notes) == 4


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.docx", b"no zip", "is damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old .doc by another name", "save it again as a Word document"),
        ("a.pdf", b"%PDF", "not a kind of document"),
        ("a.md", b"caf\xe9", "a.md:1"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "holds no page"),
    ],
)
def test_what_is_no_document_is_one_line(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")) as fault:
        read_bytes(tmp_path, name, data)
    assert str(tmp_path / name) in str(fault.value)


def test_a_zip_that_is_no_word_document_is_one_line(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.txt", "x")
    with pytest.raises(InputError, match="Word document"):
        read_bytes(tmp_path, "a.docx", out.getvalue())


_HTML = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</table>", "<h1>"),
            *("</h1>", '<a href="https://e.org/(x">', "</a>", '<p style="mso-list:l0 level2">', "<img>", "<del>"),
            *("<sup>", "</sup>", "one", "two", "*", "_", "[", "](", "{{", "`", "#", "1.", "&lt;!--", "\u00b7", "|"),
            *("\n", " "),
        ]
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_HTML)
def test_no_word_of_a_page_disappears_without_a_note(parts: list[str]) -> None:
    found = of_html("<body>" + "".join(parts) + "</body>")
    words = sum(part in ("one", "two") for part in parts)
    kept = (
        found.markdown.count("one") + found.markdown.count("two") + found.title.count("one") + found.title.count("two")
    )
    assert kept >= words or found.notes
