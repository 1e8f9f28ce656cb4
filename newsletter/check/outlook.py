"""The mail as Outlook on Windows lays it out: with its conditional comments, and widths taken at their word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree, html

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity

# <!--[if mso | IE]> … <![endif]--> is read by Outlook alone, <!--[if !mso]><!--> … <!--<![endif]--> by all others.
_OTHERS = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)
_OUTLOOK = re.compile(r"<!--\[if (?:\(?(?:gte )?mso)[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_PX = re.compile(r"(\d+(?:\.\d+)?)(?:px)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wider than the place it stands in, or narrower than all of it, in pixels."""

    what: str
    width: float
    room: float


def outlook_view(page: str) -> str:
    """The page as Outlook on Windows reads it."""
    return _OUTLOOK.sub(r"\1", _OTHERS.sub("", page))


def misfits(page: str) -> Iterator[Fault]:
    """Every row of cells, and every picture and table, that isn't as wide as there is room for it."""
    body = html.document_fromstring(outlook_view(page)).find("body")
    if body is not None:
        yield from _within(body, None)


def _within(element: etree._Element, room: float | None) -> Iterator[Fault]:
    if element.tag == "tr" and room is not None:
        widths = [_width(cell) for cell in element if cell.tag in ("td", "th")]
        if widths and None not in widths:
            total = sum(filter(None, widths))
            if abs(total - room) > 1:
                yield Fault(f"{len(widths)} cell{'s' if len(widths) > 1 else ''} beside each other", total, room)
    elif element.tag in ("table", "img") and room is not None:
        width = _width(element)
        if width is not None and width > room + 1:
            yield Fault("a picture" if element.tag == "img" else "a table", width, room)
    inner = _width(element) or room if element.tag in ("table", "td", "th") else room
    if inner is not None and element.tag in ("td", "th", "div"):
        inner -= _padding(str(element.get("style", "")))
    for child in element:
        if isinstance(child.tag, str):
            yield from _within(child, inner)


def _width(element: etree._Element) -> float | None:
    """The width that an element claims, in pixels."""
    declared = _declarations(str(element.get("style", ""))).get("width", "")
    for claim in (declared, str(element.get("width", ""))):
        if found := _PX.fullmatch(claim):
            return float(found[1])
    return None


def _padding(style: str) -> float:
    """How much of an element's width its padding takes on both sides."""
    declared = _declarations(style)
    sides = (declared.get("padding") or "0").split()
    right, left = sides[min(1, len(sides) - 1)], sides[3 if len(sides) == 4 else min(1, len(sides) - 1)]
    chosen = declared.get("padding-right", right), declared.get("padding-left", left)
    return sum(float(found[1]) for side in chosen if (found := _PX.fullmatch(side)))


def _declarations(style: str) -> dict[str, str]:
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    return {name.strip().lower(): value.replace("!important", "").strip().lower() for name, _, value in pairs}


@rule("clients/outlook-widths", Severity.WARNING)
def outlook_widths(subject: Subject) -> Found:
    """Outlook on Windows takes widths at their word: what is wider than its place breaks the layout there."""
    largest = subject.largest
    for fault in misfits(largest) if largest else ():
        if fault.width > fault.room:
            yield "html part", f"{fault.what}: {fault.width:g} pixels within {fault.room:g}, in Outlook on Windows"
