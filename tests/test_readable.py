"""Pages in the encoding that a browser would take."""

from __future__ import annotations

import codecs

import pytest

from newsletter.readable import lines, page_text
from tests.pdf import pdf
from tests.timing import is_linear


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Núñez".encode("cp1252"), "text/html; charset=windows-1252"),
        ("Núñez".encode("cp1252"), 'text/html; charset="ISO-8859-1"'),
        ("Núñez".encode("cp1252"), "text/html;Charset=x-user-defined"),
        ("Núñez".encode("cp1252"), "text/html"),
        ("Núñez".encode(), "text/html"),
        (codecs.BOM_UTF8 + "Núñez".encode(), "text/html; charset=windows-1252"),
        (codecs.BOM_UTF16_LE + "Núñez".encode("utf-16-le"), "text/html"),
        (codecs.BOM_UTF16_BE + "Núñez".encode("utf-16-be"), "text/html; charset=utf-8"),
        ("Núñez".encode("utf-16-le"), "text/html; charset=utf-16"),
        (b'<meta charset="iso-8859-15">' + "Núñez".encode("iso-8859-15"), "text/html"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=windows-1252'>" + "Núñez".encode("cp1252"), ""),
        (b'<meta charset="utf-16">' + "Núñez".encode(), "text/html"),
        (b'<meta charset="x-user-defined">' + "Núñez".encode("cp1252"), "text/html"),
        (b'<meta charset="windows-1252">' + "Núñez".encode(), "text/html; charset=utf-8"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?>' + "Núñez".encode("cp1252"), "application/xhtml+xml"),
        ("Núñez".encode(), "text/html; charset=no-such-thing"),
        ("Núñez".encode(), "text/html; charset=base64"),
    ],
)
def test_a_page_is_read_as_a_browser_reads_it(body: bytes, content_type: str) -> None:
    assert page_text(body, content_type).endswith("Núñez")


@pytest.mark.parametrize(
    ("label", "text"), [("shift_jis", "①テスト"), ("gb2312", "镕"), ("euc-kr", "똠"), ("big5", "測試")]
)
def test_other_scripts_are_read_with_the_codecs_that_browsers_have(label: str, text: str) -> None:
    codec = {"shift_jis": "cp932", "gb2312": "gb18030", "euc-kr": "cp949", "big5": "big5"}[label]
    assert page_text(text.encode(codec), f"text/html; charset={label}") == text


@pytest.mark.parametrize("piece", [b"<meta ", b"<meta charset=", b"<?xml ", b" "])
def test_a_page_without_an_encoding_takes_no_more_than_its_share_of_time(piece: bytes) -> None:
    assert is_linear(lambda size: page_text(piece * (size // len(piece)), "text/html"))


def test_the_lines_of_a_page_are_what_it_says_without_menus_and_scripts() -> None:
    page = (
        "<title>Prop G</title><script>x</script><nav>Menu</nav><form><header><h1>Prop\n G</h1></header><table><tr>"
        "<td>File<td>22-1</table>One<br>two <b>three</b>\n<li>four<aside>Ad</aside></form><footer>©</footer>"
    )
    assert lines(page.encode(), "text/html").splitlines() == [
        "Prop G",
        "Prop G",
        "File 22-1",
        "One",
        "two three",
        "four",
    ]


def test_the_lines_of_a_pdf_are_its_text() -> None:
    assert lines(pdf("Leave of 80 hours"), "application/pdf") == "Leave of 80 hours"
    assert lines(pdf("Leave of 80 hours"), "application/octet-stream") == "Leave of 80 hours"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/html"),
        (b"%PDF-1.7", "application/pdf"),
        (pdf("A")[:300], "application/pdf"),
        (b"\x89PNG\r\n", "image/png"),
        (b"<!-- -->", "text/html"),
        (b"PK\x03\x04", "application/zip"),
    ],
)
def test_what_says_nothing_has_no_lines(body: bytes, content_type: str) -> None:
    assert lines(body, content_type) == ""


@pytest.mark.parametrize("piece", [b"<div>", b"<p>a ", b"<td>", b"<nav>", b"</p>", b" \n", b"&#0;"])
def test_the_lines_of_a_long_page_take_no_more_than_their_share_of_time(piece: bytes) -> None:
    assert is_linear(lambda size: lines(piece * (size // len(piece)), "text/html"))
