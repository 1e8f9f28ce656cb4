"""What a page says to those who read it: its bytes as text, its lines, and a digest that is the same as long as its
words are.

The text is in the encoding that a browser would take: that of a byte order mark, of the Content-Type header, of a meta
element in the first 1,024 bytes; else UTF-8 where it is valid, and Windows-1252
(https://html.spec.whatwg.org/#determining-the-character-encoding).
"""

from __future__ import annotations

import codecs
import hashlib
import io
import logging
import re
import time
import unicodedata
from collections.abc import Iterator

from newsletter.model.text import clean_lines

_HTML = {"text/html", "application/xhtml+xml", ""}
#: What of a page isn't its own text.
_AROUND = ("script", "style", "noscript", "template", "svg", "nav", "footer", "aside", "select")
_BLOCKS = (
    "title",
    "p",
    "br",
    "hr",
    "div",
    "li",
    "dt",
    "dd",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
)
#: Of a PDF so many pages are read, for at most so many seconds; of any text so many letters are kept.
_PDF_PAGES, _PDF_SECONDS, _LETTERS = 400, 10.0, 300_000
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: Labels that browsers take for another encoding, or Python doesn't know (https://encoding.spec.whatwg.org).
_LABELS = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "l1", "ascii", "us-ascii", "ansi_x3.4-1968"), "cp1252"),
    **dict.fromkeys(("x-cp1252", "windows1252", "iso_8859-1", "cp819", "iso-ir-100"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620"), "cp874"),
    **dict.fromkeys(("x-sjis", "shift_jis", "shift-jis", "sjis", "ms_kanji", "windows-31j"), "cp932"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk", "chinese"), "gb18030"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "korean", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5", "cn-big5"), "big5hkscs"),
    **dict.fromkeys(("macintosh", "mac", "x-mac-roman"), "mac-roman"),
    **dict.fromkeys(("unicode-1-1-utf-8", "utf8", "x-unicode20utf8"), "utf-8"),
    **dict.fromkeys(("utf-16", "unicode", "ucs-2", "iso-10646-ucs-2"), "utf-16-le"),
    **{f"windows-{number}": f"cp{number}" for number in range(1250, 1259)},
    **{f"x-cp{number}": f"cp{number}" for number in range(1250, 1259)},
}
#: Not encodings of text, though Python has codecs of these names.
_NO_TEXT = re.compile(r"(base64|bz2|hex|quopri|rot|uu|zlib|zip|idna|punycode|undefined|escape|mbcs|oem)")
_META = re.compile(rb"<meta\s[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"<\?xml[^>]{1,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


def page_text(body: bytes, content_type: str) -> str:
    """The text of a page. Bytes that are not a character in its encoding are replaced; it never fails."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for name in (_from_header(content_type), _from_meta(body)):
        if name:
            return body.decode(name, "cp1252" if name == "utf-8" else "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _as_cp1252(fault: UnicodeError) -> tuple[str, int]:
    """Bytes that aren't UTF-8 on a page that says it is: what a Windows program put there, as a rule."""
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    return fault.object[fault.start : fault.end].decode("cp1252", "replace"), fault.end


codecs.register_error("cp1252", _as_cp1252)


def _from_header(content_type: str) -> str:
    found = re.search(r"charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([^\s;\"']{1,40})", content_type, re.IGNORECASE)
    if not found:
        return ""
    return "cp1252" if found[1].lower() == "x-user-defined" else _codec(found[1])


def _from_meta(body: bytes) -> str:
    """As a meta element says; one that can be read in single bytes isn't UTF-16, whatever it says."""
    head = body[:1024]
    found = _META.search(head) or _XML.match(head.lstrip())
    if not found:
        return ""
    label = found[1].decode("ascii").lower()
    if label == "x-user-defined":
        return "cp1252"
    name = _codec(label)
    return "utf-8" if name.startswith("utf-16") else name


def _codec(label: str) -> str:
    """Python's name of an encoding, empty for what is none."""
    name = _LABELS.get(label.lower().strip(), label.lower().strip())
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    if found.startswith("utf-16") and name.startswith("utf-16"):
        found = name
    return "" if _NO_TEXT.search(found) else found


def lines(body: bytes, content_type: str) -> str:
    """What a page, a PDF or a plain text says, a line for each block, without menus; empty for what can't be read."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/pdf" or body.startswith(b"%PDF-"):
        text = "\n".join(_pdf_pages(body))
    elif media_type in _HTML:
        text = _visible(page_text(body, content_type))
    elif media_type.startswith("text/"):
        text = page_text(body, content_type)
    else:
        return ""
    kept = (" ".join(line.split()) for line in clean_lines(text[: 2 * _LETTERS]).splitlines())
    return "\n".join(filter(None, kept))[:_LETTERS]


def _visible(markup: str) -> str:
    from lxml import etree, html

    try:
        tree = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*>", "", clean_lines(markup)))
    except (ValueError, etree.ParserError):
        return ""
    etree.strip_elements(tree, etree.Comment, *_AROUND, with_tail=False)
    for element in tree.iter():
        element.text, element.tail = _on_one_line(element.text), _on_one_line(element.tail)
    for block in tree.iter(*_BLOCKS):
        block.text, block.tail = f"\n{block.text or ''}", f"\n{block.tail or ''}"
    for cell in tree.iter("td", "th"):
        cell.tail = f" {cell.tail or ''}"
    return "".join(str(piece) for piece in tree.itertext())


def _on_one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _pdf_pages(body: bytes) -> Iterator[str]:
    """The text of each page, as far as the time for it goes."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    until = time.monotonic() + _PDF_SECONDS
    try:
        for page in PdfReader(io.BytesIO(body)).pages[:_PDF_PAGES]:
            yield page.extract_text()
            if time.monotonic() > until:
                return
    except Exception:  # the library has no common error for files that are broken
        return


def digest(body: bytes, media_type: str) -> str:
    """SHA-256 of a page's readable text in hexadecimal, blanks and line ends aside; empty when it has none.

    Of HTML it's the article that trafilatura finds, without menus, comments and what stands around, or all its lines
    where there's none; of anything else, the bytes themselves.
    """
    if media_type not in _HTML:
        return hashlib.sha256(body).hexdigest() if body else ""
    from trafilatura import extract

    # What it can't read, it tells its log; here that's no text.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    text = extract(body, include_comments=False, include_tables=True, favor_precision=True)
    text = text or lines(body, media_type)
    words = unicodedata.normalize("NFKC", text).split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""
