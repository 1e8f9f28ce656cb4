"""A document as people write them, made into an issue's Markdown: Word, Google Docs, and pages that programs save.

    read(path, tracking) -> Document

What can't be taken is in the document's notes, with the words that it stood beside.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from newsletter.compose.documents import markup, word
from newsletter.compose.documents.page import Document, Pictures, read_page
from newsletter.errors import InputError
from newsletter.readable import page_text

__all__ = ["Document", "read"]

_LARGEST = 60_000_000
_UNFOLDED = 300_000_000
#: How files begin that are neither pages nor Markdown: archives, PDF, RTF and Word's old documents.
_OTHERS = (b"PK\x03\x04", b"%PDF", b"{\\rtf", b"\xd0\xcf\x11\xe0")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MIME = re.compile(rb"\s*(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,80}?MIME-Version:", re.IGNORECASE)
#: What no page is without.
_PAGE = re.compile(r"<(?:html|body|p|div|h[1-6]|table|td|ul|ol|center|span|br)\b", re.IGNORECASE)
_KNOWN = ".docx, .md, .html, or the .zip of Google Docs' web page"


def read(path: Path, tracking: Iterable[str]) -> Document:
    """The document in a file. InputError for a file that isn't there, is too large, or is of no known kind.

    A page's pictures are taken from beside it; nothing is fetched.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError as fault:
        raise InputError(f"can't be read: {fault.strerror}", where=str(path)) from None
    if data is None:
        raise InputError(f"larger than {_LARGEST // 1_000_000} MB", where=str(path), hint="make its pictures smaller")
    if not data.strip():
        raise InputError("is empty", where=str(path))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f'"{path.suffix}" is not a kind of document that is known', where=str(path), hint=_KNOWN)
    if reader in (_markdown, _html) and (data.startswith(_OTHERS) or (b"\0" in data and not data.startswith(_UTF16))):
        raise InputError("is damaged, or of another kind than its name says", where=str(path), hint=_KNOWN)
    return reader(path, data, tuple(tracking))


def _word(path: Path, data: bytes, tracking: tuple[str, ...]) -> Document:
    _bounded(path, data)
    html, notes = word.to_html(data, str(path))
    return read_page(html, Pictures(lambda _: None), tracking, notes)


def _markdown(path: Path, data: bytes, tracking: tuple[str, ...]) -> Document:
    text = _text(data, path)
    if re.match(r"\s*<(?:!doctype|html|head|body)\b", text, re.IGNORECASE):
        raise InputError("is a web page", where=str(path), hint="name it .html")
    html, notes = markup.to_html(text)
    return read_page(html, Pictures(_beside(path)), tracking, notes)


def _html(path: Path, data: bytes, tracking: tuple[str, ...]) -> Document:
    if _MIME.match(data):
        hint = "save it as a web page (.html), not as a single file"
        raise InputError("is a mail or a page in a single file", where=str(path), hint=hint)
    text = page_text(data, "")
    if not _PAGE.search(text):
        raise InputError("is damaged, or of another kind than its name says", where=str(path), hint=_KNOWN)
    return read_page(markup.inlined(text), Pictures(_beside(path)), tracking)


def _zipped(path: Path, data: bytes, tracking: tuple[str, ...]) -> Document:
    """A page with its pictures, as Google Docs saves both."""
    with _bounded(path, data) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".html", ".htm"))]
        if len(names) != 1:
            raise InputError("holds no page, or several", where=str(path), hint=_KNOWN)
        folder = PurePosixPath(names[0]).parent
        page = archive.read(names[0])
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    held: Mapping[str, bytes] = files
    pictures = Pictures(lambda source: held.get(str(folder / unquote(source))))
    return read_page(markup.inlined(page_text(page, "")), pictures, tracking)


_READERS: Mapping[str, Callable[[Path, bytes, tuple[str, ...]], Document]] = {
    ".docx": _word,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".zip": _zipped,
}


def _bounded(path: Path, data: bytes) -> zipfile.ZipFile:
    """An archive that isn't larger than it may be when it's unfolded."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        hint = "save it again as a Word document (.docx)" if path.suffix.lower() == ".docx" else _KNOWN
        raise InputError("is damaged, or of another kind than its name says", where=str(path), hint=hint) from None
    if sum(entry.file_size for entry in archive.infolist()) > _UNFOLDED:
        raise InputError(f"unfolds to more than {_UNFOLDED // 1_000_000} MB", where=str(path))
    return archive


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise InputError("not UTF-8", where=f"{path}:{line}", hint="save the file as UTF-8") from None


def _beside(path: Path) -> Callable[[str], bytes | None]:
    """The files beside a page, and no others."""

    def find(source: str) -> bytes | None:
        try:
            file = (path.parent / unquote(source)).resolve(strict=True)
        except (OSError, ValueError):
            return None
        inside = file.is_relative_to(path.parent.resolve()) and file.is_file()
        return file.read_bytes() if inside and file.stat().st_size <= _LARGEST else None

    return find
