"""A Word document as HTML, and what of it isn't taken.

mammoth reads it; what mammoth would pass over in silence is put before, in the document's own XML, into a form that it
reads, or is taken out and said.

package     the document's parts, and how they lead to each other
styles      what styles say, written at the paragraphs and words themselves
numbering   the numbers of lists and headings
tracked     what was changed, hidden or said beside the text
fields      the results of fields
drawings    pictures as they're shown, text boxes, rules
wording     everything else that holds words
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import mammoth

from newsletter.compose.documents.word import drawings, fields, numbering, styles, tracked, wording
from newsletter.compose.documents.word.package import Package, Part, W
from newsletter.errors import InputError

_STYLES = """
p.Title => h1.title:fresh
p.Subtitle => p:fresh
p.Quote => blockquote > p:fresh
p.Rule => hr:fresh
strike => del
"""


def to_html(data: bytes, named: str) -> tuple[str, list[str]]:
    """The document's HTML, with pictures as data: addresses, and notes on what was left out."""
    try:
        package = Package(data)
        notes = list(_prepared(package))
        result = mammoth.convert_to_html(
            io.BytesIO(package.packed()), style_map=_STYLES, convert_image=mammoth.images.img_element(_picture)
        )
    except Exception as fault:  # zipfile's, lxml's, expat's and mammoth's own, for whatever is wrong with a file
        hint = "save it again as a Word document (.docx)"
        raise InputError("can't be read as a Word document", where=named, hint=hint) from fault
    return numbering.with_numbers(str(result.value)), list(dict.fromkeys(notes))


def _prepared(package: Package) -> Iterator[str]:
    """Put a document's text into the form that mammoth reads; notes on what isn't taken."""
    yield from tracked.beside_the_text(package)
    known = styles.Styles(package.tree("styles"))
    lists = numbering.Lists(package.tree("numbering"), known)
    for part in package.stories():
        yield from _text(package, part, known)
        for paragraph in part.root.iter(f"{W}p"):
            lists.place(paragraph, known.kind(paragraph))
        styles.write_at_paragraphs(part.root, known)
        drawings.rules(part.root)
    for kind, root in (("styles", b""), ("numbering", numbering.numbering())):
        for name in package.main.related(kind):
            package.replace(name, root or b'<w:styles xmlns:w="' + W.strip("{}").encode() + b'"/>')


def _text(package: Package, part: Part, known: styles.Styles) -> Iterator[str]:
    yield from tracked.changes(part.root)
    yield from tracked.without_hidden(part.root, known)
    yield from tracked.without_placeholders(part.root)
    tracked.unfolded(part.root)
    yield from drawings.taken(package, part)
    yield from fields.with_results(part.root)
    yield from wording.readable(package, part)


def _picture(image: Any) -> dict[str, str]:
    with image.open() as file:
        encoded = base64.b64encode(file.read()).decode()
    return {"src": f"data:image/any;base64,{encoded}"}  # what a picture is, its bytes say
