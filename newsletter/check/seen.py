"""What readers see of a finished mail: every run of words with its colours, size and line, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

from cssselect import SelectorError
from lxml import etree, html
from lxml.cssselect import CSSSelector

Element = etree._Element
_DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;]+)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)", re.IGNORECASE)
_NAMES = {"white": "#ffffff", "black": "#000000"}
_UNSEEN = ("head", "style", "script", "title")


@dataclass(frozen=True, slots=True)
class Look:
    """How words look: colours as #rrggbb (None where they can't be told), size in pixels, line height as a multiple."""

    color: str | None = "#000000"
    ground: str | None = "#ffffff"
    size: float = 16.0
    line: float | None = None
    bold: bool = False
    align: str = ""
    capitals: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stand together: those of an element, or the alternative text of a picture."""

    words: str
    element: Element
    look: Look
    is_picture: bool = False


@lru_cache(maxsize=8)
def tree_of(page: str) -> Element:
    """The page's root. What stands in comments, as that for Outlook, isn't looked at."""
    return html.document_fromstring(page)


def words_of(element: Element) -> str:
    """What somebody who listens hears of an element: its words, and those of its pictures."""
    if said := str(element.get("aria-label", "")).strip():
        return said
    pictures = (str(one.get("alt", "")) for one in element.iter("img"))
    return " ".join("".join([*map(str, element.itertext()), " ", *pictures]).split())


@lru_cache(maxsize=8)
def runs(page: str, *, dark: bool = False) -> tuple[Run, ...]:
    """Every run of words that is shown, in the order of the page."""
    root = tree_of(page)
    body = root.find("body")
    return tuple(_within(body, Look(), _dark_styles(root) if dark else {})) if body is not None else ()


def style_of(element: Element) -> dict[str, str]:
    """The declarations that stand on an element."""
    found = _DECLARATION.findall(str(element.get("style", "")).lower())
    return {name: value.replace("!important", "").strip() for name, value in found}


def is_hidden(element: Element) -> bool:
    """Whether an element is shown to nobody."""
    style = style_of(element)
    return style.get("display") == "none" or style.get("visibility") == "hidden" or element.tag in _UNSEEN


@lru_cache(maxsize=8)
def shown(root: Element) -> tuple[Element, ...]:
    """The elements of the body that are shown, in the order of the page."""
    body = root.find("body")
    return tuple(_open(body)) if body is not None else ()


def _open(element: Element) -> Iterator[Element]:
    if not isinstance(element.tag, str) or is_hidden(element):
        return
    yield element
    for child in element:
        yield from _open(child)


def _within(element: Element, above: Look, dark: Mapping[Element, dict[str, str]]) -> Iterator[Run]:
    if not isinstance(element.tag, str) or is_hidden(element):
        return
    look = _look(element, above, dark.get(element, {}))
    if element.tag == "img" and (alt := str(element.get("alt", "")).strip()):
        yield Run(alt, element, look, is_picture=True)
    if element.text and element.text.strip():
        yield Run(" ".join(element.text.split()), element, look)
    for child in element:
        yield from _within(child, look, dark)
        if child.tail and child.tail.strip():
            yield Run(" ".join(child.tail.split()), element, look)


def _look(element: Element, above: Look, dark: Mapping[str, str]) -> Look:
    style = {**style_of(element), **dark}
    if element.get("bgcolor") and "background-color" not in style:
        style.setdefault("background-color", str(element.get("bgcolor")).lower())
    look = above
    if "color" in style:
        look = replace(look, color=_color(style["color"]))
    # The dark's shorthand stands over a colour of its own that the light has.
    ground = dark.get("background") or dark.get("background-color") or style.get("background-color")
    if (ground := ground or style.get("background")) and ground not in ("none", "transparent"):
        look = replace(look, ground=_color(ground))
    if size := _pixels(style.get("font-size", ""), above.size):
        look = replace(look, size=size)
    if line := style.get("line-height"):
        look = replace(look, line=_line(line, look.size))
    if weight := style.get("font-weight"):
        look = replace(look, bold=weight in ("bold", "bolder") or (weight.isdecimal() and int(weight) >= 600))
    if align := style.get("text-align") or str(element.get("align", "")).lower():
        look = replace(look, align=align)
    if "text-transform" in style:
        look = replace(look, capitals=style["text-transform"] == "uppercase")
    return look


def _color(text: str) -> str | None:
    word = next(iter(text.split()), "")
    word = _NAMES.get(word, word)
    if re.fullmatch(r"#[0-9a-f]{3}", word):
        return "#" + "".join(2 * digit for digit in word[1:])
    if numbers := re.match(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", text):
        return "#" + "".join(f"{min(int(number), 255):02x}" for number in numbers.groups())
    return word if re.fullmatch(r"#[0-9a-f]{6}", word) else None


def _pixels(text: str, above: float) -> float:
    """A size in pixels; 0 for none, and for that with which MJML closes gaps between its boxes."""
    found = re.fullmatch(r"(\d*\.?\d+)(px|pt|em|rem|%)?", text)
    if not found:
        return 0.0
    scale = {"pt": 4 / 3, "em": above, "rem": 16.0, "%": above / 100}.get(found[2] or "px", 1.0)
    return float(found[1]) * scale


def _line(text: str, size: float) -> float | None:
    if re.fullmatch(r"\d*\.?\d+", text):
        return float(text)
    pixels = _pixels(text, size)
    return pixels / size if pixels and size else None


def _dark_styles(root: Element) -> dict[Element, dict[str, str]]:
    """What the style sheet says of each element in the dark; later rules stand over earlier ones, closer over wider."""
    found: dict[Element, dict[str, tuple[tuple[int, int, int], str]]] = {}
    sheets = "".join(style.text or "" for style in root.iter("style"))
    for block in _DARK.findall(sheets):
        for selectors, declarations in _RULE.findall(block):
            values = {
                name: value.replace("!important", "").strip() for name, value in _DECLARATION.findall(declarations)
            }
            for selector in selectors.split(","):
                _apply(root, selector.strip(), values, found)
    return {element: {name: value for name, (_, value) in values.items()} for element, values in found.items()}


def _apply(
    root: Element,
    selector: str,
    values: Mapping[str, str],
    found: dict[Element, dict[str, tuple[tuple[int, int, int], str]]],
) -> None:
    try:
        matches = CSSSelector(selector)
    except SelectorError:
        return
    ids, classes = selector.count("#"), len(re.findall(r"[.\[]|:(?!:)", selector))
    weight = (ids, classes, len(re.findall(r"(?:^|[\s>+~])[a-z]", selector)))
    for element in cast("list[Element]", matches(root)):
        known = found.setdefault(element, {})
        for name, value in values.items():
            if name not in known or known[name][0] <= weight:
                known[name] = (weight, value)
