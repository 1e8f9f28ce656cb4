"""HTML as the Markdown of an issue."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

#: Merge fields and references are kept as they were typed, and bare addresses lead where they say.
_KEPT = re.compile(
    r"(\{\{[^{}\n]*\}\}|\[\[[^\[\]\n]*\]\]|(?:https?://|\bwww\.)[^\s<>\"“”„«»’|]*[^\s<>\"“”„«»’|.,;:!?()\[\]])"
)
_MARKS = re.compile(r"([\\`*]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|<(?=[A-Za-z/!?])|&(?=#?\w+;))")
#: What in an address would be read as a mark.
_IN_ADDRESS = re.compile(r"[*`\\~]|(?<![^\W_])_|_(?![^\W_])")
#: What at the start of a line would make it something else than a paragraph.
_OPENERS = re.compile(
    r"^(\s*)(#{1,6}(?=\s|$)|[-+](?=\s|$)|\+\+\+|>|=+\s*$|-+\s*$|:::|~~~|:(?=\s)|\||:?-+:?(?=\s*\|)|\[(?=[^\[\]\n]+\]:))",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
#: Signs that people type before the entries of a list.
_BULLETS = "•●·∙⋅‣⁃■▪▫□◦○➢➤►❖\uf0b7\uf0a7\uf0d8"
#: Stands for a break of a line until all lines are written.
_BREAK = "\ue002"
_ALT = "TK what the picture shows"


class _Writer(MarkdownConverter):
    def escape(self, text: str, parent_tags: Any) -> str:
        """Words that stay words; a field or a reference that somebody typed stays one."""
        if "pre" in parent_tags or "code" in parent_tags:
            return text
        text = re.sub(r" {2,}", " ", text.replace("\xa0", " "))
        parts = _KEPT.split(text)
        escaped = [
            _kept(part, parent_tags) if index % 2 else _MARKS.sub(r"\\\1", part).replace(r"\&", "&amp;")
            for index, part in enumerate(parts)
        ]
        joined = "".join(escaped).replace("](", "]\\(")
        if "a" in parent_tags:
            joined = re.sub(r"(?<!\\)([\[\]])", r"\\\1", joined)
        return joined.replace("|", "\\|") if {"td", "th"} & set(parent_tags) else joined

    def convert_p(self, el: Any, text: str, parent_tags: Any) -> str:
        """A paragraph, no line of which begins like something else."""
        return str(super().convert_p(el, _plain_lines(text), parent_tags))  # type: ignore[misc]  # its stubs know none

    def convert_x_words(self, el: Any, text: str, parent_tags: Any) -> str:
        """The words of a list's entry."""
        del parent_tags
        return ("\n\n" if el.find_previous_sibling() is not None else "") + _plain_lines(text)

    def convert_br(self, el: Any, text: str, parent_tags: Any) -> str:
        """A break, which a heading and a table's cell have none of."""
        del el, text
        if "pre" in parent_tags:
            return "\n"
        return " " if "_inline" in parent_tags else _BREAK

    def convert_li(self, el: Any, text: str, parent_tags: Any) -> str:
        """An entry, with its own number; of two numbered lists that touch, the second has another mark."""
        del parent_tags
        text = text.strip()
        if not text:
            return "\n"
        mark = "- "
        if el.parent is not None and el.parent.name == "ol":
            mark = f"{el.get('value', '1')}{').'[_lists_before(el.parent) % 2 == 0]} "
        return mark + re.sub(r"\n(?=.)", "\n" + " " * len(mark), text) + "\n"

    def convert_hN(self, n: int, el: Any, text: str, parent_tags: Any) -> str:  # noqa: N802  # the library's name
        """A heading, whose words begin and end with no mark."""
        if "_inline" not in parent_tags:
            text = re.sub(r"(?<=\s)(#+)$", r"\\\1", _plain_lines(" ".join(text.split())))
        return str(super().convert_hN(n, el, text, parent_tags))  # type: ignore[misc]  # its stubs know none

    def convert_a(self, el: Any, text: str, parent_tags: Any) -> str:
        """A link; its address in angle brackets where a bracket or a blank stands in it."""
        del parent_tags
        href = str(el.get("href", ""))
        words = " ".join(text.split())
        if not href or not words:
            return words
        before, after = (" " if text[:1].isspace() else ""), (" " if text[-1:].isspace() else "")
        if re.search(r"[()\s]", href):
            href = f"<{href.replace('<', '%3C').replace('>', '%3E')}>"
        if el.find("img") is not None:
            before = after = "\n\n"
        return f"{before}[{words}]({href}){after}"

    def convert_img(self, el: Any, text: str, parent_tags: Any) -> str:
        """A picture in a paragraph of its own, with its alternative text asked for where there's none."""
        del text, parent_tags
        alt = re.sub(r"([\\\[\]])", r"\\\1", " ".join(str(el.get("alt", "")).split())) or _ALT
        return f"\n\n![{alt}]({el['src']})\n\n"

    def convert_hr(self, el: Any, text: str, parent_tags: Any) -> str:
        """A rule that can't be taken for a heading's underline."""
        del el, text, parent_tags
        return "\n\n* * *\n\n"

    def convert_video(self, el: Any, text: str, parent_tags: Any) -> str:
        """The words for those who can't see it; its address is said elsewhere."""
        del el, parent_tags
        return f"\n\n{text.strip()}\n\n"


def to_markdown(page: BeautifulSoup) -> str:
    """The page as Markdown, a blank line between blocks, without blanks at the ends of lines."""
    text = str(_Writer(heading_style="atx", bullets="-", newline_style="backslash").convert_soup(page))
    text = text.replace("\u200b", "").replace(_BREAK, "\n")
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if index % 2 else _tidy(part) for index, part in enumerate(parts)).strip() + "\n"


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
    return re.sub(r"\n{3,}", "\n\n", text)


def _kept(part: str, parent_tags: Any) -> str:
    """A field, a reference or an address as it was typed; an address with signs that are marks in angle brackets."""
    if part.startswith(("{", "[")) or not _IN_ADDRESS.search(part):
        return part
    if "a" in parent_tags:
        return _MARKS.sub(r"\\\1", part)
    return f"<{part}>" if part.startswith("http") else _MARKS.sub(r"\\\1", part)


def _plain_lines(text: str) -> str:
    """Lines of a paragraph that begin like nothing else; those with a typed bullet are a list's entries, and no break
    stands before one.
    """
    lines = [re.sub(r"\n\n[ \t]+", "\n\n", line.strip()) for line in text.split(_BREAK)]
    if len(lines) > 1 and any(map(_kind, lines[1:])):
        groups = [(kind, list(held)) for kind, held in groupby(lines, key=_kind)]
        return "\n\n".join(
            "\n".join(f"- {_plain_line(line[1:].strip())}" for line in held)
            if kind == "bullet"
            else ("\n\n" if kind else "\\\n").join(map(_plain_line, held))
            for kind, held in groups
        )
    return "\\\n".join(map(_plain_line, lines))


def _plain_line(line: str) -> str:
    return _NUMBERED.sub(r"\1\\\2", _OPENERS.sub(r"\1\\\2", line))


def _kind(line: str) -> str:
    """Whether a line begins with a bullet, or with another sign that may be one."""
    if not re.match(r"\S\s+\S", line):
        return ""
    if line[0] in _BULLETS:
        return "bullet"
    return "sign" if unicodedata.category(line[0]) in ("So", "Co") else ""


def _lists_before(numbered: Tag) -> int:
    """How many numbered lists stand directly before one."""
    count, before = 0, numbered.find_previous_sibling()
    while isinstance(before, Tag) and before.name == "ol":
        count, before = count + 1, before.find_previous_sibling()
    return count
