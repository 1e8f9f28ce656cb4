"""Markdown as safe HTML, as text for reading, and as one plain line.

The Markdown is CommonMark without HTML and without pictures (a picture is a block of its own). Whatever is
written, the HTML holds only the few elements below, links lead to http, https or mailto, and headings stand
below the section's own.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "code"}
_SCHEMES = {"http", "https", "mailto"}
_LINK = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
# What neither XML nor a mailbox takes: control characters, but for tab and line feed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def to_html(markdown: str) -> str:
    """Sanitised HTML that is also well-formed XML, so that it can stand in MJML; empty for empty text."""
    tokens = _parse(markdown)
    html = nh3.clean(
        _parser().renderer.render(tokens, _parser().options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return html.replace("<br>", "<br/>").replace("&nbsp;", "&#160;").strip()


def to_text(markdown: str, width: int = 72) -> str:
    """Text for a reader: wrapped to `width` columns, lists with `- `, quotes with `> `, a link as
    `words (https://...)`, and no address ever broken (so that a long one may stand out).
    """
    return "\n\n".join(_blocks(SyntaxTreeNode(_parse(markdown)).children, width))


def plain(markdown: str) -> str:
    """All the words on one line, without markup or addresses: for teasers and alternative texts."""
    words = (
        "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children or ())
        if token.type == "inline"
        else token.content
        for token in _parse(markdown)
    )
    return " ".join(" ".join(words).split())


@cache
def _parser() -> MarkdownIt:
    # 20 levels, as the CommonMark preset has it, also keep the walk below from going deep.
    return MarkdownIt("commonmark", {"html": False})


def _parse(markdown: str) -> list[Token]:
    """The tokens, without pictures, without links to elsewhere, with headings of level 3 and 4 only."""
    tokens = _parser().parse(_CONTROL.sub("", markdown.replace("\r\n", "\n").replace("\r", "\n")))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag <= "h3" else "h4"
        elif token.children:
            token.children = _without_dead_links([t for t in token.children if t.type != "image"])
    return tokens


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
        case "hr":
            return "* * *"
        case _:
            return ""


def _list(node: SyntaxTreeNode, width: int) -> str:
    first = int(node.attrs.get("start", 1))
    lines = []
    for number, entry in enumerate(node.children, first):
        mark = "- " if node.type == "bullet_list" else f"{number}. "
        inner = _blocks(entry.children, width - len(mark))
        lines.append(textwrap.indent("\n".join(inner), " " * len(mark)).replace(" " * len(mark), mark, 1) or mark)
    return "\n".join(lines)


def _inline(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(_span(node) for node in nodes)


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            words, url = _inline(node.children), str(node.attrs.get("href", ""))
            return words if words in (url, url.removeprefix("mailto:")) else f"{words} ({url})".lstrip()
        case _:
            return _inline(node.children) if node.children else node.content


def wrap(text: str, width: int = 72, hanging: int = 0) -> str:
    """Wrap each line of a text between words only; what is carried over is set in by `hanging` columns."""
    wrapper = textwrap.TextWrapper(
        max(width, 20), subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(line) for line in text.splitlines())
