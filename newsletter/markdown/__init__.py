r"""The Markdown that staff write: one dialect, parsed the same way by all who read it.

CommonMark with tables, strikethrough, and bare addresses as links; `<br>` breaks a line. Not part of it, because people
don't mean them: HTML, code by indentation (a paragraph pasted with a tab), a list that begins with a number of three
digits or more, or goes on with one behind an empty line (a year at the start of a sentence), definitions of anything
but an address or a picture, a `#` that ends a heading (unless as many stand before it), and a `\` at the end of a
paragraph: it breaks no line.

Every `image` and `link_open` token says in `meta["span"]` where in its paragraph's text it stands.

source      a file's text before it's parsed: comments taken out, what was pasted mended
pasted      what a word processor or a browser left in pasted lines
addresses   bare addresses: what is one, and where it ends
links       the links of a text, as they are parsed
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import heading as _heading
from markdown_it.rules_block import list_block as _list
from markdown_it.rules_block import reference as _reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline import image as _image
from markdown_it.rules_inline import link as _link
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

from newsletter.markdown.addresses import Addresses
from newsletter.markdown.pasted import without_last_break

__all__ = ["FENCES", "direction", "numbers", "parse", "parse_issue", "parse_line", "plain", "plain_line"]

#: The words that may follow `:::` in an issue.
FENCES = ("only", "your")
_BREAKS = ("softbreak", "hardbreak")
# What neither XML nor a mailbox takes: control characters, but for tab and line feed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
# "[Denver]: Amazing!" is somebody's sentence, and "[^1]: …" a footnote; "[//]: # (note)" is how some write comments.
_DEFINITION = re.compile(
    r"\[(?!\^)[^\[\]]+\]:\s*(?:<|https?://|mailto:|data:|#|\S+\.(?:jpe?g|png|gif|webp|avif)\b)", re.IGNORECASE
)
_LONG_NUMBER = re.compile(r"\d{3,9}[.)]")
_NUMBER = re.compile(r"(\d{1,9})[.)](?:\s|$)")
_HEADING = re.compile(r"(#{1,6})[ \t].*?(?P<closing>[ \t]+(?P<marks>#+))?[ \t]*")
# "[Denver]: Amazing!" is somebody's sentence, and "[^1]: …" a footnote; "[//]: # (note)" is how some write comments.
_DEFINITION = re.compile(
    r"\[(?!\^)[^\[\]]+\]:\s*(?:<|https?://|mailto:|data:|#|\S+\.(?:jpe?g|png|gif|webp|avif)\b)", re.IGNORECASE
)
_LONG_NUMBER = re.compile(r"\d{3,9}[.)]")
_NUMBER = re.compile(r"(\d{1,9})[.)](?:\s|$)")
_HEADING = re.compile(r"(#{1,6})[ \t].*?(?P<closing>[ \t]+(?P<marks>#+))?[ \t]*")
#: A `\` at the end of a paragraph, but for the path of a folder.
_LAST_BREAK = re.compile(r"(?<!\\)(?:\\\\)*(?P<mark>\\)$")
_FOLDER = re.compile(r"(?:^|[^\w])[A-Za-z]:\S*$|\\\S+$")
_HTML = re.compile(r"</?([a-z][a-z0-9-]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
#: HTML that people write or paste into Markdown; what else stands in angle brackets is something else.
_TAGS = """
a abbr acronym address article aside audio b base big blockquote body br button caption center cite code col
colgroup dd del details dfn div dl dt em embed figcaption figure font footer form frame h1 h2 h3 h4 h5 h6 head
header hr html i iframe img input ins kbd label legend li link main mark meta nav object ol option p picture pre q s
samp script section select small source span strike strong style sub summary sup svg table tbody td template
textarea tfoot th thead time title tr tt u ul var video wbr
"""
_ELEMENTS = frozenset(_TAGS.split())
#: Tags of Office and the like, such as <o:p>; an address in angle brackets is none.
_FOREIGN_TAG = re.compile(r"</?([a-z]\w*):[a-z][\w.-]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_NAMES = "http https mailto ftp tel sms data urn news javascript xmpp irc geo webcal file doi"
_SCHEMES = frozenset(_NAMES.split())


def parse(text: str) -> list[Token]:
    """The tokens of a text."""
    return _parser().parse(_CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def parse_line(text: str) -> list[Token]:
    """The one `inline` token of a single line, such as a heading, in which nothing begins a list or a quote."""
    return _parser().parseInline(_CONTROL.sub("", " ".join(text.split())))


def plain(text: str) -> str:
    """All the words on one line, without markup, addresses or pictures: for teasers and alternative texts."""
    return _words(parse(text))


def plain_line(text: str) -> str:
    """The same of a single line, such as a heading."""
    return _words(parse_line(text))


def _words(tokens: Sequence[Token]) -> str:
    words = (
        "".join(
            " " if child.type in _BREAKS else child.content for child in token.children or () if child.type != "image"
        )
        if token.type == "inline"
        else token.content
        for token in tokens
    )
    return " ".join(" ".join(words).split())


def parse_issue(text: str) -> tuple[list[Token], dict[str, dict[str, Any]]]:
    """The tokens of an issue's Markdown, with its fences, and its link definitions (`href`, `title`, `map`) by their
    normalized labels.
    """
    env: dict[str, dict[str, dict[str, Any]]] = {}
    tokens = _issue_parser().parse(text, env)
    return tokens, env.get("references", {})


def direction(text: str) -> str:
    """`rtl` where the first letter with a direction is written from right to left (Unicode's P2 and P3), else `ltr`."""
    found = _STRONG.search(text)
    return "rtl" if found and found[0] >= "\u0590" and _RIGHT.match(found[0]) else "ltr"


# Hebrew, Arabic, Syriac, Thaana, N'Ko, Samaritan, Mandaic, their presentation forms, and the scripts of the SMP.
_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG = re.compile(r"[^\W\d_]")


@cache
def _parser() -> MarkdownIt:
    return _dialect()


@cache
def _issue_parser() -> MarkdownIt:
    parser = _dialect()
    for name in FENCES:
        parser.use(container_plugin, name)
    return parser


def _dialect() -> MarkdownIt:
    # 20 levels, as the CommonMark preset has it, also keep walks over the tree from going deep.
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True})
    parser.enable(["table", "strikethrough", "linkify"]).disable("code")
    parser.linkify = Addresses()
    parser.block.ruler.at("list", _list_but_years, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("reference", _definition_of_an_address)
    parser.block.ruler.at("heading", _heading_with_its_last_mark, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.core.ruler.before("inline", "last_break", _without_last_breaks)
    parser.inline.ruler.at("image", _with_span(_image, "image"))
    parser.inline.ruler.at("link", _with_span(_link, "link_open"))
    parser.inline.ruler.before("autolink", "tag", _tag)
    return parser


def _list_but_years(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if _LONG_NUMBER.match(_line(state, start)):
        return False
    return _list(state, start, end if silent else _end_before_a_year(state, start, end), silent)


def _end_before_a_year(state: StateBlock, start: int, end: int) -> int:
    """Where a list has to end: before a number of three digits or more that stands behind an empty line, and isn't the
    next of the list.
    """
    last = -1
    for line in range(start, end):
        if state.isEmpty(line) or state.sCount[line] > state.sCount[start] + 1:
            continue
        if state.sCount[line] < state.blkIndent:
            break
        found = _NUMBER.match(_line(state, line))
        if not found and line > start and state.isEmpty(line - 1):
            break
        if found and len(found[1]) > 2 and int(found[1]) != last + 1 and state.isEmpty(line - 1):
            return line
        last = int(found[1]) if found else last
    return end


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _heading_with_its_last_mark(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A heading that ends in "C #" keeps the mark; "## Words ##" is closed by its own."""
    if not _heading(state, start, end, silent):
        return False
    found = _HEADING.fullmatch(_line(state, start))
    if not silent and found and found["marks"] and found["marks"] != found[1]:
        inline = state.tokens[-2]
        inline.content += found["closing"]
    return True


def _without_last_breaks(state: StateCore) -> None:
    """A break at the end of a paragraph breaks nothing: Gmail and Word write one for each empty line."""
    for token in state.tokens:
        if token.type == "inline" and token.content.endswith("\\"):
            token.content = without_last_break(token.content)


def _definition_of_an_address(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    begin = state.bMarks[start] + state.tShift[start]
    return _DEFINITION.match(state.src, begin) is not None and _reference(state, start, end, silent)


def _with_span(rule: Callable[[StateInline, bool], bool], kind: str) -> Callable[[StateInline, bool], bool]:
    def ruled(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            opened = next((token for token in state.tokens[before:] if token.type == kind), None)
            if opened:
                opened.meta = {"span": (start, state.pos)}
        return True

    return ruled


def _tag(state: StateInline, silent: bool) -> bool:
    """An HTML tag: `<br>` breaks the line, any other becomes a token of its own, so that it can be found."""
    found = _HTML.match(state.src, state.pos)
    name = found[1].lower() if found else ""
    if name not in _ELEMENTS:
        found = _FOREIGN_TAG.match(state.src, state.pos)
        if not found or found[1].lower() in _SCHEMES:
            return False
    if found is None or state.src[state.pos - 1 : state.pos] == "<":
        return False
    if not silent:
        token = state.push("hardbreak" if name == "br" else "html_inline", "br", 0)
        if token.type == "html_inline":
            token.tag, token.content = "", found[0]
    state.pos = found.end()
    return True


def numbers(items: Sequence[str], start: int) -> list[int]:
    """The numbers of a list's items as they were written, where they rise; else counted up from `start`."""
    written = [int(item) if item.isdecimal() else start for item in items]
    rising = all(first < second for first, second in pairwise(written))
    return written if rising else list(range(start, start + len(written)))
