"""The pictures of a document: made fit to be mailed, as the document shows them, or said."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from newsletter.compose.documents.cropping import Shown, as_shown
from newsletter.compose.documents.excerpt import at
from newsletter.compose.documents.unseen import style_of
from newsletter.errors import InputError
from newsletter.photos import fit

_DATA = re.compile(r"data:image/[\w.+-]+(?:;[\w=.+-]+)*?(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)
#: How wide a picture may be that nobody sees, in pixels.
_BEACON = 2
#: Of an address, so many letters are said.
_LONGEST = 200
_LENGTH = r"(?:^|;){}:(-?[\d.]+)(?:px|pt)?(?:;|$)"
_TURN = re.compile(r"(?:^|;)transform:[^;]*rotate\((-?[\d.]+)(rad|deg|turn|grad)?\)")
_DEGREES = {"rad": 180 / math.pi, "turn": 360.0, "grad": 0.9, "deg": 1.0, None: 1.0}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture out of a document, as it will stand beside issue.md."""

    name: str
    data: bytes


@dataclass
class Pictures:
    """The pictures of a document, by where its page says they are; `find` gives the bytes of one beside it."""

    find: Callable[[str], bytes | None]
    taken: list[Picture] = field(default_factory=list)

    def take(self, source: str, shown: Shown) -> str:
        """Make a picture fit to be mailed; its name beside issue.md. InputError where it can't be."""
        data = _embedded(source) if source.lower().startswith("data:") else self.find(source)
        if data is None:
            away = re.match(r"(?:https?:|//|cid:)", source, re.IGNORECASE)
            raise InputError("it isn't in the document" if away else "it isn't beside the document")
        made = fit(as_shown(data, shown), "the picture")
        suffix = made.name.rpartition(".")[2]
        known = next((one.name for one in self.taken if one.data == made.data), "")
        if not known:
            known = f"picture-{len(self.taken) + 1}.{suffix}"
            self.taken.append(Picture(known, made.data))
        return known


def take_pictures(page: BeautifulSoup, pictures: Pictures) -> list[str]:
    """Give each picture its name beside issue.md; notes on those that can't be had, whose words stand for them where
    they're an emoji or a link.
    """
    notes = []
    for image in page.find_all("img"):
        sizes = [str(image.get(name, "")).removesuffix("px") for name in ("width", "height")]
        if any(size.isdecimal() and int(size) <= _BEACON for size in sizes):
            image.decompose()
            continue
        alt = " ".join(str(image.get("alt", "")).split())
        paragraph = image.find_parent(["p", "li", "div"])
        if _is_cut_otherwise(image):
            notes.append("a picture is cut in the document, and is taken with what was cut off" + at(alt))
        try:
            image["src"] = pictures.take(str(image.get("src", "")), _shown(image))
        except InputError as fault:
            notes.append(f"a picture isn't taken, {fault.what}" + at(alt or (paragraph or image).get_text(" ")))
            link = image.find_parent("a")
            alone = link is not None and not link.get_text(strip=True) and len(link.find_all("img")) == 1
            if link is not None and alone and not alt:
                notes.append(f"a link isn't taken, it has no words: {link.get('href', '')}")
            stands_in = alt if alone or not re.search(r"[A-Za-z]", alt) else ""
            image.replace_with(NavigableString(stands_in))
    return notes


def backgrounds(page: BeautifulSoup) -> list[str]:
    """Notes on pictures that stand behind words."""
    notes = []
    for element in page.find_all(lambda one: one.has_attr("background") or "url(" in str(one.get("style", ""))):
        found = re.search(r"background[^;]*url\(([^)]*)\)", str(element.get("style", "")), re.IGNORECASE)
        if source := str(element.get("background", "") or (found[1].strip(" \"'") if found else "")):
            notes.append(f"a picture behind the text isn't taken: {source[:_LONGEST]}")
    return notes


def _is_cut_otherwise(image: Tag) -> bool:
    """Whether a page cuts a picture in a way that isn't followed here."""
    window = image.parent if isinstance(image.parent, Tag) else image
    style = style_of(image)
    hidden = "overflow:hidden" in style_of(window) and re.search(r"scale\(|position:absolute|object-fit:cover", style)
    return bool(hidden or re.search(r"clip(?:-path)?:|object-view-box:", style))


def _shown(image: Tag) -> Shown:
    """What a page shows of a picture: Google Docs puts a larger one behind a window, and turns either."""
    window = image.parent if isinstance(image.parent, Tag) else image
    styles = (style_of(image), style_of(window))
    turns = (_TURN.search(style) for style in styles)
    degrees = sum(float(turn[1]) * _DEGREES[turn[2]] for turn in turns if turn)
    if "overflow:hidden" not in styles[1]:
        return Shown(degrees=degrees)
    left, right = _cut(styles, "width", "margin-left")
    top, bottom = _cut(styles, "height", "margin-top")
    return Shown(left=left, right=right, top=top, bottom=bottom, degrees=degrees)


def _cut(styles: tuple[str, str], side: str, margin: str) -> tuple[float, float]:
    """The parts of a side that a window hides, before it and behind it."""
    whole, seen, before = _length(styles[0], side), _length(styles[1], side), _length(styles[0], margin) or 0.0
    if not whole or not seen:
        return 0.0, 0.0
    first = max(0.0, -before / whole)
    return first, max(0.0, 1 - first - seen / whole)


def _length(style: str, name: str) -> float | None:
    found = re.search(_LENGTH.format(name), style)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _embedded(source: str) -> bytes | None:
    found = _DATA.match(source)
    if not found:
        return None
    try:
        return base64.b64decode(found[2]) if found[1] else unquote_to_bytes(found[2])
    except (binascii.Error, ValueError):
        return None
