"""A page's elements as Markdown knows them: each block one of few, its words in paragraphs, its breaks where they part
lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from newsletter.compose.documents.excerpt import at, short
from newsletter.compose.documents.unseen import style_of

_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
_OF_BLOCKS = "p div ul ol li table tbody thead tfoot tr td th blockquote pre hr dl"
BLOCKS = [*_HEADINGS, *_OF_BLOCKS.split()]
#: Elements that stand on lines of their own in a browser, and mean no more than that here.
_PLAIN = """
address article aside caption center details dialog dt dd fieldset figcaption figure footer form header hgroup legend
main marquee nav noscript optgroup option output section select summary textarea button
"""
_DISPLAYED = re.compile(r"(?:^|;)display:(?:block|flex|grid|table(?:-row|-cell)?|list-item)(?:;|$|!)")
#: Where words may stand without a paragraph around them.
_LOOSE = ["div", "blockquote", "li", "body"]
#: Of an address, so many letters are said.
_LONGEST = 2000
#: What holds the words of an entry of a list, which no paragraph is around.
WORDS = "x-words"
_ADDRESSED = {"iframe": "src", "frame": "src", "embed": "src", "object": "data", "audio": "src", "video": "src"}


def is_block(element: Tag) -> bool:
    """Whether an element stands on lines of its own."""
    return element.name in BLOCKS


def known_elements(page: BeautifulSoup) -> list[str]:
    """Every block as one that Markdown knows, check boxes as signs; notes on what can't be taken."""
    notes = [*_check_boxes(page), *_embedded(page)]
    for name, called in (("svg", "a drawing"), ("math", "a formula")):
        for element in page.find_all(name):
            if text := element.get_text(" ", strip=True):
                notes.append(f"{called} can't be taken" + at(text))
            element.decompose()
    for ruby in page.find_all("rt"):
        if ruby.find_previous_sibling("rp") is None:
            ruby.insert(0, " (")
            ruby.append(")")
    for menu in page.find_all(["menu", "dir"]):
        menu.name = "ul"
    for term in page.find_all("dt"):
        if term.find(["dt", "dd", *BLOCKS]) is not None:
            continue
        strong = page.new_tag("strong")
        strong.extend(list(term.contents))
        term.append(strong)
    for element in page.find_all(_PLAIN.split()):
        element.name = "div"
    for element in page.find_all(["span", "a", "b", "i", "em", "strong", "font", "label"], style=True):
        if _DISPLAYED.search(style_of(element)):
            element.wrap(page.new_tag("div"))
    return notes


def _check_boxes(page: BeautifulSoup) -> list[str]:
    notes = []
    for box in page.find_all(["input", "en-todo"]):
        kind = str(box.get("type", "checkbox" if box.name == "en-todo" else "text")).lower()
        if kind in ("checkbox", "radio"):
            on = box.has_attr("checked") and str(box["checked"]).lower() != "false"
            box.insert_before("☒ " if on else "☐ ")
        elif kind != "hidden" and (value := str(box.get("value") or box.get("placeholder") or box.get("alt") or "")):
            notes.append(f"a form's field isn't taken: “{short(value)}”")
        box.unwrap() if box.contents else box.decompose()
    for box in page.find_all(role=re.compile(r"^(?:checkbox|menuitemcheckbox|switch|radio)$")):
        box.insert_before("☒ " if str(box.get("aria-checked", box.get("data-checked"))).lower() == "true" else "☐ ")
    return notes


def _embedded(page: BeautifulSoup) -> list[str]:
    notes = []
    for element in page.find_all([*_ADDRESSED, "area"]):
        if element.name == "area":
            if address := str(element.get("href", "")):
                notes.append(f"a link of a picture's map isn't taken: {address}" + at(str(element.get("alt", ""))))
            continue
        inner = element.find(["source", "param"], src=True)
        address = str(element.get(_ADDRESSED[element.name]) or (inner.get("src") if inner else "") or "")
        address = address or str(element.get("data-src") or element.get("srcdoc") or "")
        if address:
            notes.append(f"an embedded page, video or sound isn't taken: {address[:_LONGEST]}")
        element.name = "div"
    return notes


def words_in_paragraphs(page: BeautifulSoup) -> None:
    """Words that stand loose beside blocks as paragraphs, and breaks only where they part lines of one."""
    for element in page.find_all(_LOOSE):
        for stretch in _stretches(element):
            if has_words(stretch) or any(map(_is_picture, stretch)):
                made = page.new_tag(WORDS if element.name == "li" else "p")
                stretch[0].insert_before(made)
                made.extend(stretch)
            else:
                for one in stretch:
                    one.extract()
    for line_break in page.find_all("br"):
        _out_of_marks(line_break)
    for line_break in reversed(page.find_all("br")):  # from the last, so that each part is moved once
        if line_break.parent is not None and (block := line_break.find_parent(["p", WORDS])):
            _part(page, block, line_break)
    for block in page.find_all(["p", WORDS, *_HEADINGS]):
        for end in (0, -1):
            _without_breaks(block, end)


def _stretches(element: Tag) -> list[list[PageElement]]:
    """What stands within an element between its blocks."""
    found: list[list[PageElement]] = [[]]
    for child in list(element.children):
        if isinstance(child, Tag) and (is_block(child) or child.name == WORDS or child.find(BLOCKS)):
            found.append([])
        else:
            found[-1].append(child)
    return [stretch for stretch in found if stretch]


def _is_picture(part: PageElement) -> bool:
    return isinstance(part, Tag) and (part.name == "img" or part.find("img") is not None)


def _out_of_marks(line_break: Tag) -> None:
    """A break at either end of marked words, or of a link, stands outside."""
    while (around := line_break.parent) is not None and around.name not in (*BLOCKS, WORDS, "body"):
        inside = [one for one in around.contents if isinstance(one, Tag) or str(one).strip()]
        if inside[0] is line_break:
            around.insert_before(line_break.extract())
        elif inside[-1] is line_break:
            around.insert_after(line_break.extract())
        else:
            return


def _part(page: BeautifulSoup, block: Tag, line_break: Tag) -> None:
    """Two paragraphs for one with an empty line in it: where two breaks follow each other."""
    following = line_break.next_sibling
    while isinstance(following, NavigableString) and not following.strip():
        following = following.next_sibling
    if not isinstance(following, Tag) or following.name != "br":
        return
    if block.name == WORDS:
        block.name = "p"
    rest: list[PageElement] = list(line_break.next_siblings)
    around = line_break.parent
    line_break.extract()
    while around is not None:
        made = page.new_tag(around.name, attrs={key: str(value) for key, value in around.attrs.items()})
        made.extend(rest)
        if around is block:
            block.insert_after(made)
            return
        rest = [made, *around.next_siblings]
        around = around.parent


def _without_breaks(block: Tag, end: int) -> None:
    """Take off the breaks with which a block begins or ends."""
    part: PageElement = block
    while isinstance(part, Tag) and part.name != "br":
        contents = part.contents if end == 0 else reversed(part.contents)
        found = next((one for one in contents if isinstance(one, Tag) or str(one).strip()), None)
        if found is None:
            return
        part = found
        if isinstance(part, Tag) and part.name == "br":
            part.decompose()
            part = block


def has_words(parts: Iterable[PageElement]) -> bool:
    """Whether there are words in some parts of a page."""
    return any(part.get_text(strip=True) for part in parts)


def runs(within: Tag) -> list[list[PageElement]]:
    """The stretches of words within an element that no block or picture parts."""
    found: list[list[PageElement]] = [[]]
    for child in list(within.children):
        if isinstance(child, Tag) and (is_block(child) or child.find([*BLOCKS, "img"]) is not None):
            found += [*runs(child), []] if child.name != "a" else [[]]
        else:
            found[-1].append(child)
    return [run for run in found if run]
