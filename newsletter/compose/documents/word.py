"""A Word document as HTML, and what of it can't be taken."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import mammoth
from lxml import etree

from newsletter.compose.documents.page import short
from newsletter.errors import InputError

_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
strike => del
"""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
#: What mammoth passes over in silence, and what people call it.
_LOST = {
    f"{_M}oMath": "a formula",
    f"{_W}object": "an embedded object",
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart": "a chart",
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds": "a diagram",
}


def to_html(data: bytes, named: str) -> tuple[str, list[str]]:
    """The document's HTML, with pictures as data: addresses, and notes on what was left out."""
    notes: list[str] = []
    try:
        result = mammoth.convert_to_html(
            io.BytesIO(data), style_map=_STYLES, convert_image=mammoth.images.img_element(_picture)
        )
        notes += _notes(data)
    except Exception as fault:  # zipfile's, lxml's, expat's and mammoth's own, for whatever is wrong with a file
        hint = "save it again as a Word document (.docx)"
        raise InputError("can't be read as a Word document", where=named, hint=hint) from fault
    notes += [m.message for m in result.messages if not m.message.startswith("Unrecognised")]
    return str(result.value), notes


def _picture(image: Any) -> dict[str, str]:
    with image.open() as file:
        encoded = base64.b64encode(file.read()).decode()
    return {"src": f"data:{image.content_type};base64,{encoded}"}


def _notes(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        body = _xml(archive.read("word/document.xml"))
        comments = _xml(archive.read("word/comments.xml")) if "word/comments.xml" in names else None
    said = comments.iter(f"{_W}comment") if comments is not None else ()
    return [*(f"a comment is left out: “{short(_words(one))}”" for one in said), *_changes(body), *_lost(body)]


def _changes(body: Any) -> Iterator[str]:
    for deleted in body.iter(f"{_W}del"):
        if words := "".join(text.text or "" for text in deleted.iter(f"{_W}delText")).strip():
            yield f"a tracked change: what was deleted is left out: “{short(words)}”"
    for inserted in body.iter(f"{_W}ins"):
        if words := _words(inserted):
            yield f"a tracked change: what was inserted is taken: “{short(words)}”"


def _lost(body: Any) -> Iterator[str]:
    for paragraph in body.iter(f"{_W}p"):
        for name, called in _LOST.items():
            if next(paragraph.iter(name), None) is not None:
                beside = _words(paragraph)
                yield f"{called} can't be taken" + (f", beside “{short(beside)}”" if beside else "")


def _words(element: Any) -> str:
    return "".join(text.text or "" for text in element.iter(f"{_W}t")).strip()


def _xml(data: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(data, parser)
