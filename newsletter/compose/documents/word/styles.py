"""What a document's styles say of its paragraphs and words, written at these themselves, where mammoth reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from newsletter.compose.documents.word.package import W, is_on

#: Built-in styles whose meaning is kept; their names are English in every language of Word.
_KEPT = {
    "title": "Title",
    "subtitle": "Subtitle",
    "quote": "Quote",
    "intense quote": "Quote",
    "quotations": "Quote",
    "block text": "Quote",
}
_HEADING = re.compile(r"heading ?([1-9])")
#: A raise or drop of this many half points makes a superscript or a subscript.
_RAISED = 4


class Styles:
    """A document's styles by their ids."""

    def __init__(self, root: Any) -> None:
        self._styles: dict[str, Any] = {}
        self._default = ""
        for style in root.iter(f"{W}style") if root is not None else ():
            self._styles[str(style.get(f"{W}styleId"))] = style
            if style.get(f"{W}type") == "paragraph" and style.get(f"{W}default") in ("1", "true", "on"):
                self._default = str(style.get(f"{W}styleId"))

    def kind(self, paragraph: Any) -> str:
        """What a paragraph is: `Heading1` to `Heading6`, `Title`, `Subtitle`, `Quote`, or nothing of these."""
        level = paragraph.find(f"{W}pPr/{W}outlineLvl")
        if level is not None:
            return _heading(level)
        for number, style in enumerate(self.of_paragraph(paragraph)):
            name = str(_value(style.find(f"{W}name"))).lower()
            level = style.find(f"{W}pPr/{W}outlineLvl")
            if name in _KEPT:
                return _KEPT[name]
            if level is not None:
                return _heading(level)
            if found := _HEADING.fullmatch(name):
                return f"Heading{min(int(found[1]), 6)}"
            if name == "heading" and number == 0:  # Apple Pages
                return "Heading1"
        return ""

    def of_paragraph(self, paragraph: Any) -> Iterator[Any]:
        """The styles that a paragraph has, its own first, then those that it is based on."""
        named = _value(paragraph.find(f"{W}pPr/{W}pStyle"))
        return self.chain(str(named or self._default))

    def chain(self, name: str) -> Iterator[Any]:
        """A style and those that it is based on."""
        seen = set()
        while name in self._styles and name not in seen:
            seen.add(name)
            yield self._styles[name]
            name = str(_value(self._styles[name].find(f"{W}basedOn")))

    def is_hidden(self, run: Any, paragraph: Any) -> bool:
        """Whether Word hides a run: by itself, or by its own style or the paragraph's, but not by both."""
        own = run.find(f"{W}rPr/{W}vanish")
        if own is not None:
            return is_on(own)
        styles = (self.of_run(run), self.of_paragraph(paragraph) if paragraph is not None else ())
        first, second = (is_on(_nearest(chain, "vanish")) for chain in styles)
        return first != second

    def of_run(self, run: Any) -> Iterator[Any]:
        """The styles that a run has of its own."""
        return self.chain(str(_value(run.find(f"{W}rPr/{W}rStyle"))))


def write_at_paragraphs(root: Any, styles: Styles) -> None:
    """Each paragraph with its kind for a style, each run with its properties for its own."""
    for run in root.iter(f"{W}r"):
        _write_at_run(run, styles)
    for paragraph in root.iter(f"{W}p"):
        kind = styles.kind(paragraph)
        for known in paragraph.findall(f"{W}pPr/{W}pStyle"):
            known.getparent().remove(known)
        if kind:
            first_child(paragraph, "pPr").insert(0, element("pStyle", kind))


def _write_at_run(run: Any, styles: Styles) -> None:
    chain = list(styles.of_run(run))
    names = {str(_value(style.find(f"{W}name"))).lower() for style in chain}
    implied = {"b": "strong" in names, "i": "emphasis" in names}
    for name in ("b", "i", "strike", "dstrike", "vertAlign"):
        own = run.find(f"{W}rPr/{W}{name}")
        given = _nearest(chain, name)
        if own is None and given is not None:
            first_child(run, "rPr").append(element(name, str(_value(given)) or None))
        elif own is None and implied.get(name):
            first_child(run, "rPr").append(element(name))
    properties = run.find(f"{W}rPr")
    if properties is None:
        return
    if is_on(properties.find(f"{W}dstrike")):
        properties.append(element("strike"))
    raised = _value(properties.find(f"{W}position"))
    if properties.find(f"{W}vertAlign") is None and re.fullmatch(r"-?\d+", raised) and abs(int(raised)) >= _RAISED:
        properties.append(element("vertAlign", "subscript" if raised.startswith("-") else "superscript"))
    for name in ("rStyle", "vertAlign"):  # a note's mark says itself what it is
        known = properties.find(f"{W}{name}")
        marks = run.find(f"{W}footnoteReference") is not None or run.find(f"{W}endnoteReference") is not None
        if known is not None and (name == "rStyle" or marks):
            properties.remove(known)


def element(name: str, value: str | None = None) -> Any:
    """A new element of WordprocessingML."""
    made = etree.Element(f"{W}{name}")
    if value is not None:
        made.set(f"{W}val", value)
    return made


def first_child(parent: Any, name: str) -> Any:
    """The properties of a paragraph or run, made where there are none."""
    found = parent.find(f"{W}{name}")
    if found is None:
        found = element(name)
        parent.insert(0, found)
    return found


def text_run(text: str) -> Any:
    """A run of words."""
    run = element("r")
    made = etree.SubElement(run, f"{W}t")
    made.text = text
    return run


def _heading(level: Any) -> str:
    number = _value(level)
    return f"Heading{min(int(number) + 1, 6)}" if number.isdecimal() and int(number) < 9 else ""


def _nearest(chain: Any, name: str) -> Any:
    return next((found for style in chain if (found := style.find(f"{W}rPr/{W}{name}")) is not None), None)


def _value(found: Any) -> str:
    return str(found.get(f"{W}val") or "") if found is not None else ""
