"""Superscripts and subscripts in Unicode's own characters, so that 10⁶ doesn't become 106."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from newsletter.compose.documents.excerpt import at

_PLAIN = "0123456789+-−=()"
_RAISED = str.maketrans(_PLAIN + "nixy", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˣʸ")
_LOWERED = str.maketrans(_PLAIN + "aeoxhklmnpstijruv", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ")
#: Raised letters that say the same when they aren't raised: of ordinal numbers, in several languages.
_ORDINAL = re.compile(
    r"(?:st|nd|rd|th|er|ers|re|res|e|es|ème|nde?|[ºªoa]|os|as|ro|do|to|mo|vo|no|te|ste|[.*†‡§¶])", re.I
)
_SIGNS = {"tm": "™", "sm": "℠", "(tm)": "™", "r": "®", "(r)": "®", "c": "©", "(c)": "©"}


def raise_signs(page: BeautifulSoup) -> list[str]:
    """Each superscript and subscript as characters; notes on those that have none."""
    notes = []
    for element in page.find_all(["sup", "sub"]):
        text = element.get_text()
        if re.fullmatch(r"\s*\[\w+\]\s*", text) or element.find("a", href=re.compile("^[^#]")):
            continue  # a note's mark
        if written := _written(element, text.strip()):
            if note := written[1]:
                notes.append(note + at(_around(element)))
            element.replace_with(NavigableString(text.replace(text.strip(), written[0])))
        else:
            element.unwrap()
    return notes


def _written(element: Tag, text: str) -> tuple[str, str] | None:
    """What is written for a superscript or subscript, and what is said of it; None where its words say the same."""
    table = _RAISED if element.name == "sup" else _LOWERED
    if not text or element.find("img"):
        return None
    if all(ord(character) in table for character in text):
        return text.translate(table), ""
    if element.name == "sup":
        if text.lower() in _SIGNS and element.previous_sibling is not None:
            return _SIGNS[text.lower()], ""
        if _ORDINAL.fullmatch(text):
            return None
    called = "superscript" if element.name == "sup" else "subscript"
    sign = ("^" if element.name == "sup" else "_") if _would_read_on(element, text) else ""
    return f"{sign}{text}", f"a {called} is taken as plain text: “{sign}{text}”"


def _would_read_on(element: Tag, text: str) -> bool:
    """Whether what is raised would read as more of the word or number before it."""
    before = element.find_previous(string=True)
    return text[:1].isdecimal() and before is not None and before[-1:].isalnum()


def _around(element: Tag) -> str:
    return (element.find_parent(["p", "li", "td", "th", "div", "h1", "h2", "h3"]) or element).get_text(" ", strip=True)
