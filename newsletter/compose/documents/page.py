"""A document's HTML, cleaned of what programs put into it, and made into an issue's Markdown."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from textwrap import shorten
from urllib.parse import unquote_to_bytes

from bs4 import BeautifulSoup, Comment, Tag

from newsletter.compose.documents.lists import nest_lists
from newsletter.compose.documents.writer import to_markdown
from newsletter.errors import InputError
from newsletter.links import canonical
from newsletter.photos import fit

_DATA = re.compile(r"data:image/[\w.+-]+(?:;[\w=.+-]+)*?(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)
_WIDTH = 40
#: How wide a picture may be that nobody sees, in pixels.
_BEACON = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture out of a document, as it will stand beside issue.md."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's title, its text as an issue's Markdown, its pictures, and what couldn't be taken."""

    title: str
    markdown: str
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]


@dataclass
class Pictures:
    """The pictures of a document, by where its page says they are; `find` gives the bytes of one beside it."""

    find: Callable[[str], bytes | None]
    taken: list[Picture] = field(default_factory=list)

    def take(self, source: str) -> str:
        """Make a picture fit to be mailed; its name beside issue.md. InputError where it can't be."""
        data = _embedded(source) if source.lower().startswith("data:") else self.find(source)
        if data is None:
            away = re.match(r"(?:https?:|//|cid:)", source, re.IGNORECASE)
            raise InputError("it isn't in the document" if away else "it isn't beside the document")
        made = fit(data, "the picture")
        suffix = made.name.rpartition(".")[2]
        known = next((one.name for one in self.taken if one.data == made.data), "")
        if not known:
            known = f"picture-{len(self.taken) + 1}.{suffix}"
            self.taken.append(Picture(known, made.data))
        return known


def _embedded(source: str) -> bytes | None:
    found = _DATA.match(source)
    if not found:
        return None
    try:
        return base64.b64decode(found[2]) if found[1] else unquote_to_bytes(found[2])
    except (binascii.Error, ValueError):
        return None


def read_page(html: str, pictures: Pictures, tracking: Iterable[str], notes: Iterable[str] = ()) -> Document:
    """A page as a document."""
    page = BeautifulSoup(html, "lxml")
    said = list(notes)
    _without_the_unseen(page)
    said += _without_comments(page)
    title = _title(page)
    nest_lists(page)
    _say_by_elements(page)
    said += _tables(page)
    _headings(page)
    _links(page, tuple(tracking))
    said += _pictures(page, pictures)
    return Document(title=title, markdown=to_markdown(page), pictures=tuple(pictures.taken), notes=tuple(said))


def _style(element: Tag) -> str:
    return str(element.get("style", "")).replace(" ", "").lower()


def short(words: str) -> str:
    """Words by which somebody finds the place."""
    return shorten(words, _WIDTH, placeholder="…")


def _without_the_unseen(page: BeautifulSoup) -> None:
    for element in page.find_all(["head", "script", "style", "meta", "link", "title", "xml", "template"]):
        element.decompose()
    for comment in page.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for element in page.find_all(style=True):
        if not element.decomposed and ("display:none" in _style(element) or "mso-hide:all" in _style(element)):
            element.decompose()


def _without_comments(page: BeautifulSoup) -> list[str]:
    """Take out what was said beside the text in Google Docs, and in Word when it saves a page."""
    notes = []
    for mark in page.select('a[href^="#cmnt_ref"], a[href*="_msoanchor"], .msocomtxt'):
        if mark.decomposed:
            continue
        box = mark if "msocomtxt" in (mark.get("class") or ()) else mark.find_parent("div") or mark.find_parent("p")
        words = re.sub(r"^\[\w+\]", "", (box or mark).get_text(" ", strip=True)).strip()
        notes.append(f"a comment is left out: “{short(words)}”")
        (box or mark).decompose()
    for mark in page.select('a[href^="#cmnt"], a[href*="_msocom"], .MsoCommentReference, [style*="mso-comment"]'):
        if not mark.decomposed:
            (mark.find_parent("sup") or mark).decompose()
    for deleted in page.find_all("del", attrs={"cite": True}):  # a tracked change of Word's pages
        notes.append(f"a tracked change: what was deleted is left out: “{short(deleted.get_text())}”")
        deleted.decompose()
    return notes


def _title(page: BeautifulSoup) -> str:
    """Take the title out: what is styled so, or the only heading of the first rank, where it stands first."""
    named = page.select_one("h1.title, p.title, .MsoTitle")
    first = page.find_all("h1")
    before = page.find(["h1", "h2", "h3", "h4", "h5", "h6"])
    found = named or (first[0] if len(first) == 1 and first[0] is before else None)
    if found is None:
        return ""
    title = " ".join(found.get_text(" ", strip=True).split())
    if found.find("img") is None:
        found.decompose()
    return title


def _say_by_elements(page: BeautifulSoup) -> None:
    """Bold, italic and struck words by their elements, where a program says so by styles."""
    for element in page.find_all(["span", "font", "b", "i"], style=True):
        style = _style(element)
        wanted = []
        if re.search(r"font-weight:(?:bold|[6-9]00)", style) and not element.find_parent(re.compile(r"h[1-6]|^th$")):
            wanted.append("strong")
        if "font-style:italic" in style:
            wanted.append("em")
        if re.search(r"text-decoration[^;]*:[^;]*line-through", style):
            wanted.append("del")
        if element.name == "b" and re.search(r"font-weight:(?:normal|400)", style):
            element.name = "span"  # Google Docs wraps what is copied from it in such a one
        for name in wanted:
            if not element.find_parent(name):
                element.wrap(page.new_tag(name))
    for element in page.find_all("u"):
        element.unwrap()


def _tables(page: BeautifulSoup) -> list[str]:
    """Unwrap the tables that only lay things out; of the others, what Markdown can't say is told."""
    notes = []
    for table in page.find_all("table")[::-1]:
        rows = [list(row.find_all(["td", "th"], recursive=False)) for row in table.find_all("tr")]
        if table.find("table") or max((len(row) for row in rows), default=0) < 2:
            for inner in table.find_all(["tbody", "thead", "tfoot", "tr", "td", "th", "colgroup", "col"]):
                if inner.find_parent("table") is table:
                    inner.name = "div"
            table.name = "div"
            continue
        if any(
            int(str(cell.get(span, "1")) or 1) > 1 for row in rows for cell in row for span in ("colspan", "rowspan")
        ):
            notes.append(f"a table's merged cells are taken apart, at “{short(table.get_text(' '))}”")
        if table.find("th") is None:  # Word and Google Docs don't say which row is the head
            for cell in rows[0]:
                cell.name = "th"
        for image in table.find_all("img"):
            notes.append(f"a picture in a table isn't taken, at “{short(table.get_text(' '))}”")
            image.decompose()
    return notes


def _headings(page: BeautifulSoup) -> None:
    """Ranks as issues have them: the first that is used is a section's, those below it stand within."""
    found = [element for element in page.find_all(re.compile(r"^h[1-6]$")) if element.get_text(strip=True)]
    ranks = sorted({element.name for element in found})
    for element in page.find_all(re.compile(r"^h[1-6]$")):
        if element.name not in ranks or element.find_parent(["li", "td", "th"]):
            element.name = "p"
        elif element.find("img") is not None:
            for image in element.find_all("img"):
                element.insert_after(image.extract())
    for element in found:
        if element.name in ranks:
            element.name = f"h{min(ranks.index(element.name), 2) + 2}"


def _links(page: BeautifulSoup, tracking: tuple[str, ...]) -> None:
    """Links without wrappers and tracking; what leads to a place in the document itself leads nowhere."""
    for link in page.find_all("a"):
        url = str(link.get("href", "")).strip()
        if re.match(r"(?:https?://|mailto:)\S", url, re.IGNORECASE):
            link["href"] = canonical(url, tracking)
            link.attrs.pop("title", None)
        elif link.get_text(strip=True) == "↑":
            link.decompose()
        else:
            link.unwrap()


def _pictures(page: BeautifulSoup, pictures: Pictures) -> list[str]:
    notes = []
    for image in page.find_all("img"):
        sizes = [str(image.get(name, "")).removesuffix("px") for name in ("width", "height")]
        if any(size.isdecimal() and int(size) <= _BEACON for size in sizes):
            image.decompose()
            continue
        source = str(image.get("src", ""))
        paragraph = image.find_parent(["p", "li", "div"])
        beside = short((paragraph or image).get_text(" ")) or short(str(image.get("alt", "")))
        try:
            image["src"] = pictures.take(source)
        except InputError as fault:
            notes.append(f"a picture isn't taken, {fault.what}" + (f", at “{beside}”" if beside else ""))
            image.decompose()
    return notes
