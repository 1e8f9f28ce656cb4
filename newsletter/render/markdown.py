"""Markdown as safe HTML, as text for reading, and as one plain line.

Pictures are left out (a picture is a block of its own). Whatever is written, the HTML holds only the few elements
below, links lead to http, https or mailto, and headings stand below the section's own. Every block says that its
direction is that of its words, and one that begins from the right stands there.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache
from unicodedata import east_asian_width

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from newsletter.markdown import direction, numbers, parse, parse_line, plain, plain_line

__all__ = ["plain", "plain_line", "to_html", "to_inline_html", "to_inline_text", "to_text", "wrap"]

_TAGS = {
    *("p", "br", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "pre", "code", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_BLOCKS = {"p", "h3", "h4", "li", "blockquote", "th", "td"}
_ATTRIBUTES = {
    "a": {"href"},
    "ol": {"start"},
    "li": {"value"},
    "th": {"scope", "align"},
    "td": {"align"},
    "table": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}
_LINK = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_ALIGNED = re.compile(r"text-align:(left|right|center)")
#: Most texts are the same in each of an issue's variants, and after a change of one of them in the studio.
_kept = lru_cache(maxsize=1024)
_renderer = MarkdownIt("commonmark", {"html": False})


@_kept
def to_html(markdown: str) -> str:
    """Sanitised HTML that is also well-formed XML, so that it can stand in MJML; empty for empty text."""
    tokens = _parse(markdown)
    _as_data(tokens)
    return _clean(_with_directions(tokens))


@_kept
def to_inline_html(markdown: str) -> str:
    """The same of one line, such as a heading, without a block around it."""
    return _clean(_shown(parse_line(markdown)))


def _clean(tokens: Sequence[Token]) -> str:
    html = nh3.clean(
        _renderer.renderer.render(tokens, _renderer.options, {}),
        tags=_TAGS,
        attributes={tag: {*_ATTRIBUTES.get(tag, ()), "dir", "align"} for tag in _TAGS},
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return html.replace("<br>", "<br/>").replace("<hr>", "<hr/>").replace("&nbsp;", "&#160;").strip()


@_kept
def to_text(markdown: str, width: int = 72) -> str:
    """Text for a reader: wrapped to `width` columns, lists with `- `, quotes with `> `, a link as
    `words (https://...)`, and no address ever broken (so that a long one may stand out).
    """
    return "\n\n".join(_blocks(SyntaxTreeNode(_parse(markdown)).children, width))


def to_inline_text(markdown: str) -> str:
    """One line for a reader, such as a heading: words, and links as `words (https://...)`."""
    return " ".join(_inline(SyntaxTreeNode(_shown(parse_line(markdown))).children).split())


def _parse(markdown: str) -> list[Token]:
    """The tokens, without pictures, without links to elsewhere, with headings of level 3 and 4 only."""
    tokens = _without_empty(_shown(parse(markdown)))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag <= "h3" else "h4"
    _number(tokens)
    return tokens


def _shown(tokens: list[Token]) -> list[Token]:
    """The tokens, in whose words there are no pictures and no links to elsewhere, and HTML stands as it was typed."""
    for token in tokens:
        if token.children:
            token.children = _without_dead_links([t for t in token.children if t.type != "image"])
            for child in token.children:
                if child.type == "html_inline":  # shown, never obeyed
                    child.type = "text"
    return tokens


def _without_empty(tokens: list[Token]) -> list[Token]:
    """The tokens less paragraphs and headings with nothing in them."""
    kept: list[Token] = []
    for token in tokens:
        if token.type in ("paragraph_close", "heading_close") and kept[-1].type == "inline" and not kept[-1].children:
            del kept[-2:]
        else:
            kept.append(token)
    return kept


def _number(tokens: Sequence[Token]) -> None:
    """The items of ordered lists get the numbers that were written, where they rise by more than one."""
    lists: list[list[Token]] = []
    for token in tokens:
        if token.type == "ordered_list_open":
            lists.append([token])
        elif token.type == "bullet_list_open":
            lists.append([])
        elif token.type == "list_item_open" and lists[-1]:
            lists[-1].append(token)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            opened, *items = lists.pop() or [token]
            first = int(opened.attrs.get("start", 1))
            for expected, number, item in zip(
                range(first, first + len(items)), numbers([i.info for i in items], first), items, strict=True
            ):
                item.meta = {"number": number}
                if number != expected:
                    item.attrSet("value", str(number))


def _with_directions(tokens: list[Token]) -> list[Token]:
    open_blocks: list[Token] = []
    for token in tokens:
        if token.type == "inline" and direction(token.content) == "rtl":
            _set_right(open_blocks)
        elif token.hidden or token.tag not in _BLOCKS | {"ul", "ol"}:
            continue
        elif token.nesting == 1:
            if token.tag in _BLOCKS:
                token.attrSet("dir", "auto")
            open_blocks.append(token)
        elif token.nesting == -1:
            open_blocks.pop()
    return tokens


def _as_data(tokens: Sequence[Token]) -> None:
    """Tables say that they hold data, which cells are headings, and where their words stand."""
    for token in tokens:
        if token.type == "table_open":
            token.attrSet("class", "data")
        elif token.type in ("th_open", "td_open"):
            aligned = _ALIGNED.search(str(token.attrs.pop("style", "")))
            if aligned:
                token.attrSet("align", aligned[1])
            if token.type == "th_open":
                token.attrSet("scope", "col")
                token.attrs.setdefault("align", "left")  # or programs center it


def _set_right(around: list[Token]) -> None:
    """Words from right to left stand on the right, and so do the marks of their list."""
    for block in around[-1:]:
        if block.attrs.get("align", "left") == "left":
            block.attrSet("align", "right")
    for number, block in enumerate(around):
        if block.tag in ("ul", "ol") and around[number + 1].tag == "li":
            block.attrs.setdefault("dir", "rtl")


def _without_dead_links(tokens: Sequence[Token]) -> list[Token]:
    kept: list[Token] = []
    alive = True
    for token in tokens:
        if token.type == "link_open":
            alive = bool(_LINK.match(str(token.attrs.get("href", ""))))
        if not alive and token.type.startswith("link_"):
            continue
        if token.type == "link_close" and kept[-1].type == "link_open":
            kept.pop()  # nothing to click on
        else:
            kept.append(token)
    return kept


def _blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> list[str]:
    return [text for node in nodes if (text := _block(node, width))]


def _block(node: SyntaxTreeNode, width: int) -> str:
    match node.type:
        case "paragraph":
            return wrap(_inline(node.children), width)
        case "heading":
            words = " ".join(_inline(node.children).split())
            return f"{wrap(words, width)}\n{'-' * min(len(words), width)}" if words else ""
        case "bullet_list" | "ordered_list":
            return _list(node, width)
        case "blockquote":
            inner = "\n\n".join(_blocks(node.children, width - 2))
            return textwrap.indent(inner, "> ", lambda _: True).replace("> \n", ">\n")
        case "fence" | "code_block":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "table":
            return _table(node, width)
        case "hr":
            return "* * *"
        case _:
            return ""


def _list(node: SyntaxTreeNode, width: int) -> str:
    lines = []
    for entry in node.children:
        mark = "- " if node.type == "bullet_list" else f"{entry.meta['number']}. "
        inner = _blocks(entry.children, width - len(mark))
        lines.append(textwrap.indent("\n".join(inner), " " * len(mark)).replace(" " * len(mark), mark, 1) or mark)
    return "\n".join(lines)


def _table(node: SyntaxTreeNode, width: int) -> str:
    """Columns side by side where the lines have room; else row by row, each cell below its column's heading."""
    cells = [
        [" ".join(_inline(cell.children).split()) for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    aligned = ["right" in str(cell.attrs.get("style", "")) for cell in node.children[0].children[0].children]
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) <= width:
        lines = ["  ".join(map(_padded, row, widths, aligned)).rstrip() for row in cells]
        return "\n".join([lines[0], "  ".join("-" * room for room in widths), *lines[1:]])
    head, *rows = cells
    return "\n\n".join(
        "\n".join(
            wrap(f"{name}: {cell}" if name else cell, width, 2) for name, cell in zip(head, row, strict=True) if cell
        )
        for row in rows
    ) or wrap(", ".join(filter(None, head)), width)


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, right: bool) -> str:
    room = " " * (width - _columns(text))
    return room + text if right else text + room


def _inline(nodes: Iterable[SyntaxTreeNode]) -> str:
    return "".join(_span(node) for node in nodes).replace("\n ", "\n")  # as after a <br> at a line's end


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            words, url = _inline(node.children), str(node.attrs.get("href", ""))
            same = url.removeprefix("mailto:"), url.removeprefix("https://")
            return words if words in (url, *same) else f"{words} ({url})".lstrip()
        case "s":
            return f"~{_inline(node.children)}~"
        case _:
            return _inline(node.children) if node.children else node.content


def wrap(text: str, width: int = 72, hanging: int = 0) -> str:
    """Wrap each line of a text between words only; what is carried over is set in by `hanging` columns."""
    wrapper = textwrap.TextWrapper(
        max(width, 20), subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(line) for line in text.splitlines())
