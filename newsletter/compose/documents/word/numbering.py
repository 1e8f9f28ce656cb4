"""The numbers of a document's lists and headings, which Word counts anew each time that it shows them.

ECMA-376, part 1, 17.9: each abstract list has a counter a level; a level starts anew after one above it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from newsletter.compose.documents.counting import letters, roman
from newsletter.compose.documents.symbols import TICKS, as_seen, font_of_symbols
from newsletter.compose.documents.word.package import W
from newsletter.compose.documents.word.styles import Styles, element, first_child, text_run

#: The two numbering ids that mammoth is given: bullets and numbers.
_BULLETS, _NUMBERS = "1", "2"
_DEEPEST = 4
#: Stands around an entry's number on its way through mammoth.
_MARK = re.compile("\ue000(\\d+)\ue001")


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": letters,
    "upperLetter": lambda number: letters(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
    "decimalZero": lambda number: f"{number:02}",
    "ordinal": _ordinal,
    "none": lambda _: "",
}


class Lists:
    """A document's lists, counted on as their paragraphs come."""

    def __init__(self, root: Any, styles: Styles) -> None:
        self._styles = styles
        lists = list(root.iter(f"{W}abstractNum")) if root is not None else []
        self._abstract = {one.get(f"{W}abstractNumId"): one for one in lists}
        self._linked = {str(link.get(f"{W}val")): one for one in lists for link in one.iter(f"{W}styleLink")}
        self._lists = {one.get(f"{W}numId"): one for one in (root.iter(f"{W}num") if root is not None else ())}
        self._counts: dict[tuple[int, int], int] = {}
        self._restarted: set[tuple[str, int]] = set()
        self._depth = -1

    def place(self, paragraph: Any, kind: str) -> None:
        """Write at a paragraph which entry of which list it is, so that mammoth makes it the same one."""
        numbered, level = self._numbered(paragraph)
        for known in paragraph.findall(f"{W}pPr/{W}numPr"):
            known.getparent().remove(known)
        definition = self._level(numbered, level)
        if definition is None or paragraph.find(f"{W}pPr/{W}rPr/{W}del") is not None:
            self._depth = -1
            return
        if _value(definition, "numFmt") == "bullet":
            if not kind:
                self._enter(paragraph, _BULLETS, level)
                if box := _box(definition):
                    _put_first(paragraph, f"{box} ")
            return
        self._count(numbered, level)
        label, number = self._label(numbered, level), self._counts[self._key(numbered, level)]
        if kind or not label:
            self._depth = -1
            if label:
                _put_first(paragraph, f"{label} ")
        elif label.strip(".)(:- ") == str(number):
            self._enter(paragraph, _NUMBERS, level)
            _put_first(paragraph, f"\ue000{number}\ue001")
        else:
            self._enter(paragraph, _BULLETS, level)
            _put_first(paragraph, f"{label} ")

    def _enter(self, paragraph: Any, kind: str, level: int) -> None:
        self._depth = min(level, self._depth + 1, _DEEPEST)
        properties = element("numPr")
        properties.extend((element("ilvl", str(self._depth)), element("numId", kind)))
        first_child(paragraph, "pPr").append(properties)

    def _numbered(self, paragraph: Any) -> tuple[str, int]:
        """The list and the level that a paragraph has, by itself or by its style."""
        own = paragraph.find(f"{W}pPr/{W}numPr")
        number, level = (_value(own, "numId"), _value(own, "ilvl")) if own is not None else ("", "")
        for style in self._styles.of_paragraph(paragraph):
            given = style.find(f"{W}pPr/{W}numPr")
            if given is not None:
                number, level = number or _value(given, "numId"), level or _value(given, "ilvl")
            if number and not level:
                level = self._level_of_style(number, str(style.get(f"{W}styleId")))
        return number, int(level) if level.isdecimal() else 0

    def _level_of_style(self, number: str, style: str) -> str:
        definition = self._definition(number)
        for level in definition.iter(f"{W}lvl") if definition is not None else ():
            if _value(level, "pStyle") == style:
                return str(level.get(f"{W}ilvl"))
        return ""

    def _definition(self, number: str) -> Any:
        """The abstract list behind a list, also where it's named by a style."""
        known = self._lists.get(number)
        found = self._abstract.get(_value(known, "abstractNumId")) if known is not None else None
        link = _value(found, "numStyleLink") if found is not None else ""
        return self._linked.get(link, found) if link else found

    def _level(self, number: str, level: int) -> Any:
        if number in ("", "0"):
            return None
        known, definition = self._lists.get(number), self._definition(number)
        changed = known.find(f"{W}lvlOverride[@{W}ilvl='{level}']/{W}lvl") if known is not None else None
        if changed is not None or definition is None:
            return changed
        found = definition.find(f"{W}lvl[@{W}ilvl='{level}']")
        return definition.find(f"{W}lvl") if found is None and level == 0 else found

    def _key(self, number: str, level: int) -> tuple[int, int]:
        return id(self._definition(number)), level

    def _start(self, number: str, level: int) -> int:
        definition = self._level(number, level)
        start = _value(definition, "start") if definition is not None else ""
        return int(start) if start.isdecimal() else 1

    def _count(self, number: str, level: int) -> None:
        key = self._key(number, level)
        override = _value(self._lists[number].find(f"{W}lvlOverride[@{W}ilvl='{level}']"), "startOverride")
        if override.isdecimal() and (number, level) not in self._restarted:
            self._restarted.add((number, level))
            self._counts[key] = int(override)
        else:
            self._counts[key] = self._counts[key] + 1 if key in self._counts else self._start(number, level)
        for deeper in range(level + 1, 9):
            definition = self._level(number, deeper)
            restart = _value(definition, "lvlRestart") if definition is not None else ""
            if restart != "0" and (not restart.isdecimal() or level < int(restart)):
                self._counts.pop(self._key(number, deeper), None)

    def _label(self, number: str, level: int) -> str:
        """The mark before an entry, as Word shows it."""
        definition = self._level(number, level)
        legal = definition.find(f"{W}isLgl") is not None

        def shown(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            count = self._counts.setdefault(self._key(number, at), self._start(number, at))
            of = self._level(number, at)
            form = "" if (legal and at != level) or of is None else _value(of, "numFmt")
            return _FORMATS.get(form, str)(count)

        text = _value(definition, "lvlText") if definition.find(f"{W}lvlText") is not None else f"%{level + 1}."
        return re.sub(r"%([1-9])", shown, text).strip()


def numbering() -> bytes:
    """The one definition of lists that mammoth needs: bullets and numbers."""
    root = etree.Element(f"{W}numbering")
    for number, form in ((_BULLETS, "bullet"), (_NUMBERS, "decimal")):
        definition = etree.SubElement(root, f"{W}abstractNum", {f"{W}abstractNumId": number})
        for level in range(_DEEPEST + 1):
            made = etree.SubElement(definition, f"{W}lvl", {f"{W}ilvl": str(level)})
            made.append(element("numFmt", form))
    for number in (_BULLETS, _NUMBERS):
        etree.SubElement(root, f"{W}num", {f"{W}numId": number}).append(element("abstractNumId", number))
    return bytes(etree.tostring(root))


def with_numbers(html: str) -> str:
    """Mammoth's HTML with each entry's number at the entry."""
    html = re.sub(f"<li>{_MARK.pattern}", r'<li value="\1">', html)
    return _MARK.sub(r"\1. ", html)


def _box(definition: Any) -> str:
    """The sign before an entry that says whether it's done; empty where it only says that an entry begins."""
    sign, fonts = _value(definition, "lvlText"), definition.find(f"{W}rPr/{W}rFonts")
    font = font_of_symbols(str(fonts.get(f"{W}ascii") or "")) if fonts is not None else ""
    shown = as_seen(sign, font) if font else sign
    return shown if shown and shown in TICKS else ""


def _put_first(paragraph: Any, text: str) -> None:
    properties = paragraph.find(f"{W}pPr")
    paragraph.insert(0 if properties is None else paragraph.index(properties) + 1, text_run(text))


def _value(parent: Any, name: str) -> str:
    found = parent.find(f"{W}{name}") if parent is not None else None
    return str(found.get(f"{W}val") or "") if found is not None else ""
