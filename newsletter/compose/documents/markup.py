"""Markdown and HTML as files hold them, made into HTML whose meaning stands in its elements."""

from __future__ import annotations

import html
import logging
import re

from lxml.html.defs import tags
from markdown_it import MarkdownIt
from markdown_it.token import Token

from newsletter.compose.documents.excerpt import short

#: The element that stands for a link around a table while a page is parsed.
LINK = "x-link"
#: Google Docs names its headings so.
_ANCHOR = re.compile(r"[ \t]*\{#[\w.-]+\}[ \t]*$", re.MULTILINE)
#: What Obsidian, Jekyll, Hugo and Zettlr write before a text, in YAML or TOML.
_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?\n)(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"[\w-]+[ \t]*[:=]", re.MULTILINE)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*([\"']?)(.+?)\1[ \t]*$", re.MULTILINE | re.IGNORECASE)
#: Lines that hold only such a tag part blocks; what stands between them is Markdown.
_AROUND = re.compile(
    r"^[ \t]{0,3}(</?(?:aside|details|div|center|section|figure|article|main|blockquote)\b[^<>\n]*>)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_TAG = re.compile(r"<(?=/?([A-Za-z][\w:-]*))")
_NEWER = """
article aside audio canvas details dialog embed figcaption figure footer header main mark meter nav output picture
progress rp rt ruby section source summary svg template time track video wbr
"""
_TAGS = frozenset(tags) | set(_NEWER.split())
#: Bold words that end with a sign, or a blank, and stand directly before a letter: Markdown reads no mark there.
_BOLD = re.compile(r"(?<![\\*])\*\*(?=[^\s*])([^*\n]*?\w)([^\w\s*]*[^\w*\n])\*\*(?=\w)")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_COUNTERS = re.compile(r"\.(lst-kix_[\w-]+)\s*>\s*li:before\s*\{content:[^;{}c]*counter\([\w-]+,\s*([\w-]+)\)")
_AROUND_TABLE = re.compile(
    r"<a\b([^<>]*)>((?:(?!</?a\b).)*?<(?:table|t[rdh]|fieldset)\b(?:(?!</?a\b).)*)</a\s*>", re.IGNORECASE | re.DOTALL
)


def to_html(markdown: str) -> tuple[str, list[str]]:
    """Markdown, with tables, struck words and the HTML that people write into it, as HTML; notes on what stands before
    the text. What looks like a tag and is none stays text.
    """
    text, title, notes = _without_matter(markdown.replace("\r\n", "\n"))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.validateLink = _may_lead  # type: ignore[method-assign]  # the library's own way to allow data: pictures
    tokens = parser.parse(_AROUND.sub(r"\n\1\n", _BOLD.sub(r"**\1**\2", _ANCHOR.sub("", text))))
    for number, token in enumerate(tokens):
        _with_boxes(tokens, number)
        for one in (token, *(token.children or ())):
            if one.type in ("html_block", "html_inline"):
                one.content = _TAG.sub(lambda found: "<" if found[1].lower() in _TAGS else "&lt;", one.content)
    made = str(parser.renderer.render(tokens, parser.options, {}))
    alike = re.search(r"<h1>(.*?)</h1>", made)
    if title and not (alike and html.unescape(alike[1]) == title):
        made = f'<h1 class="title">{html.escape(title)}</h1>{made}'
    return made, notes


def _without_matter(text: str) -> tuple[str, str, list[str]]:
    """The text without what programs keep before it, the title that stands there, and a note on the rest."""
    found = _MATTER.match(text)
    if not found or not _KEY.match(found[2]):
        return text, "", []
    named = _TITLE.search(found[2])
    rest = " ".join((found[2].replace(named[0], "", 1) if named else found[2]).split())
    note = [f"what stands before the text is left out: “{short(rest)}”"] if rest else []
    return text[found.end() :], named[2] if named else "", note


def _with_boxes(tokens: list[Token], number: int) -> None:
    """The box of a task as a sign."""
    token = tokens[number]
    first = token.children[0] if token.type == "inline" and token.children else None
    if first is None or number < 2 or tokens[number - 2].type != "list_item_open":
        return
    if first.type == "text" and (found := _TASK.match(first.content)):
        first.content = ("☐ " if found[1] == " " else "☒ ") + first.content[found.end() :]


def _may_lead(url: str) -> bool:
    return not re.match(r"\s*(?:javascript|vbscript|file):", url, re.IGNORECASE)


def with_links_around_tables(page: str) -> str:
    """A page in which each link around a table is of an element that libxml2 doesn't close before the table."""
    return _AROUND_TABLE.sub(rf"<{LINK}\1>\2</{LINK}>", page)


def _with_letters(page: str) -> str:
    """A page of Google Docs, whose sheet says how its lists count, with that at the lists."""
    for name, form in _COUNTERS.findall(page):
        if form not in ("decimal", "none"):
            page = re.sub(rf'<ol (?=class="{re.escape(name)}[ "])', f'<ol type="{form}" ', page)
    return page


def inlined(page: str) -> str:
    """A page with its style sheet's rules on its elements: Google Docs says by classes what is bold. A sheet that
    can't be read is left out.
    """
    from premailer import Premailer

    # Word hides its list marks from other programs in this.
    page = re.sub(r"<!\[(?:if [^\]]*|endif)\]>", "", page)
    try:
        made = Premailer(
            with_links_around_tables(_with_letters(page)),
            keep_style_tags=False,
            remove_classes=False,
            disable_validation=True,
            allow_network=False,
            disable_leftover_css=True,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
    except (
        Exception
    ):  # of premailer's, lxml's and cssutils' own kinds: whatever is wrong with the sheet, the words stay
        logging.getLogger(__name__).debug("a document's style sheet can't be read", exc_info=True)
        return page
    return str(made)
