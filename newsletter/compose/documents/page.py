"""A document's HTML, cleaned of what programs put into it, and made into an issue's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from newsletter.compose.documents.anchors import plain_links
from newsletter.compose.documents.blocks import BLOCKS, has_words, known_elements, runs, words_in_paragraphs
from newsletter.compose.documents.lists import nest_lists, number_lists
from newsletter.compose.documents.markup import LINK, with_links_around_tables
from newsletter.compose.documents.pictures import Picture, Pictures, backgrounds, take_pictures
from newsletter.compose.documents.raised import raise_signs
from newsletter.compose.documents.symbols import as_seen, font_of_symbols
from newsletter.compose.documents.tables import plain_tables
from newsletter.compose.documents.unseen import style_of, without_comments, without_the_unseen
from newsletter.compose.documents.writer import to_markdown

__all__ = ["Document", "Picture", "Pictures", "read_page"]

_HEADING = re.compile(r"^h[1-6]$")
_FAMILY = re.compile(r"font-family:([^;,]+)", re.IGNORECASE)
_EMPHASIS = ["strong", "b", "em", "i", "del", "s", "strike"]
#: What stands around a page's text, and before its title.
_AROUND = ["nav", "header", "aside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's title, its text as an issue's Markdown, its pictures, and what couldn't be taken."""

    title: str
    markdown: str
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]


def read_page(html: str, pictures: Pictures, tracking: Iterable[str], notes: Iterable[str] = ()) -> Document:
    """A page as a document."""
    page = BeautifulSoup(with_links_around_tables(html), "lxml")
    for link in page.find_all(LINK):
        link.name = "a"
    base = page.find("base", href=True)
    address = str(base["href"]) if base is not None else ""
    said = [*notes, *without_the_unseen(page), *without_comments(page)]
    heading = _title(page)
    _say_by_elements(page)
    _signs_of_fonts(page)
    nest_lists(page)
    said += known_elements(page)
    number_lists(page)
    said += raise_signs(page)
    title = _taken_out(heading) if heading is not None else ""
    said += plain_tables(page)
    said += plain_links(page, tuple(tracking), address)
    _headings(page)
    said += [*backgrounds(page), *take_pictures(page, pictures)]
    _emphasis(page)
    words_in_paragraphs(page)
    markdown = to_markdown(page)
    return Document(title=title, markdown=markdown, pictures=tuple(pictures.taken), notes=tuple(dict.fromkeys(said)))


def _title(page: BeautifulSoup) -> Tag | None:
    """The text styled as title, or else the only level 1 heading, if it's at the top."""
    first = page.find_all("h1")
    alone = first[0] if len(first) == 1 and _is_at_the_top(first[0]) else None
    return page.select_one("h1.title, p.title, .MsoTitle") or alone


def _taken_out(heading: Tag) -> str:
    for line_break in heading.find_all("br"):
        line_break.replace_with(" ")
    title = " ".join(heading.get_text().split())
    if heading.find("img") is None:
        heading.decompose()
    return title


def _is_at_the_top(heading: Tag) -> bool:
    before = heading.find_all_previous(string=lambda text: bool(text.strip()))
    return all(text.find_parent(_AROUND) is not None for text in before)


def _say_by_elements(page: BeautifulSoup) -> None:
    """Bold, italic, struck, raised and lowered words by their elements, where a program says so by styles."""
    for element in page.find_all(["span", "font", "b", "i"]):
        style = style_of(element)
        wanted = []
        if re.search(r"font-weight:(?:bold|[6-9]00)", style) and not element.find_parent(re.compile(r"h[1-6]|^th$")):
            wanted.append("strong")
        if "font-style:italic" in style:
            wanted.append("em")
        if re.search(r"text-decoration[^;]*:[^;]*line-through", style):
            wanted.append("del")
        if raised := re.search(r"vertical-align:(super|sub)", style):
            wanted.append("sup" if raised[1] == "super" else "sub")
        if element.name == "b" and re.search(r"font-weight:(?:normal|400)", style):
            element.name = "span"  # Google Docs wraps what is copied from it in such a one
        for name in wanted:
            if not element.find_parent(name):
                element.wrap(page.new_tag(name))
    for element in page.find_all("u"):
        element.unwrap()


def _signs_of_fonts(page: BeautifulSoup) -> None:
    """The signs of Wingdings and the like by their characters."""
    named = page.find_all(lambda one: one.has_attr("face") or _FAMILY.search(str(one.get("style", ""))) is not None)
    if not any(_font(one) for one in named):
        return
    fonts = {id(one): _font(one) for one in named}
    for text in page.find_all(string=True):
        font = next((fonts[id(one)] for one in text.parents if id(one) in fonts), "")
        if font:
            text.replace_with(NavigableString(as_seen(text, font)))


def _font(element: Tag) -> str:
    family = _FAMILY.search(str(element.get("style", "")))
    return font_of_symbols(family[1] if family else str(element.get("face", "")))


def _headings(page: BeautifulSoup) -> None:
    """Ranks as issues have them: the first that is used is a section's, those below it stand within."""
    found = [element for element in page.find_all(_HEADING) if element.get_text(strip=True)]
    ranks = sorted({element.name for element in found})
    for element in page.find_all(_HEADING):
        if element.name not in ranks or element.find_parent(["li", "td", "th"]):
            element.name = "p"
        elif element.find("img") is not None:
            for image in element.find_all("img"):
                alone = image.find_parent("a")
                element.insert_after((image if alone is None or alone.get_text(strip=True) else alone).extract())
            if not element.get_text(strip=True):
                element.decompose()
    for element in found:
        if not element.decomposed and element.name in ranks:
            element.name = f"h{min(ranks.index(element.name), 2) + 2}"


def _emphasis(page: BeautifulSoup) -> None:
    """Emphasis that Markdown reads: a mark that stands between a letter and a sign isn't one, so that signs at either
    end of marked words stand outside where a letter follows.
    """
    for element in page.find_all(_EMPHASIS):
        if element.find(BLOCKS) is not None:
            for run in filter(has_words, runs(element)):
                made = page.new_tag(element.name)
                run[0].insert_before(made)
                made.extend(run)
            element.unwrap()
    for element in page.find_all(_EMPHASIS):
        if not element.get_text(strip=True) and element.find("img") is None:
            element.unwrap()
            continue
        for end in (0, -1):
            _signs_outside(element, end)


def _signs_outside(element: Tag, end: int) -> None:
    beside = element.previous_sibling if end == 0 else element.next_sibling
    around = beside.get_text() if beside is not None else ""
    near = around[-1:] if end == 0 else around[:1]
    texts = [text for text in element.find_all(string=True) if text.strip()]
    if not near.isalnum() or not texts:
        return
    pattern = r"^(\s*[^\w\s]+)(.*)$" if end == 0 else r"^(.*?)([^\w\s]+\s*)$"
    found = re.match(pattern, texts[end], re.DOTALL)
    if not found:
        return
    sign, rest = (found[1], found[2]) if end == 0 else (found[2], found[1])
    if end == 0:
        element.insert_before(NavigableString(sign))
    else:
        element.insert_after(NavigableString(sign))
    if rest:
        texts[end].replace_with(NavigableString(rest))
    else:  # an empty text would be in the way of blanks
        texts[end].extract()
    if not element.get_text(strip=True):
        element.unwrap()
