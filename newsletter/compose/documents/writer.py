"""HTML as the Markdown of an issue."""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

#: Merge fields and references are kept as they were typed.
_KEPT = re.compile(r"(\{\{[^{}\n]*\}\}|\[\[[^\[\]\n]*\]\])")
_MARKS = re.compile(r"([\\`*]|(?<![^\W_])_|_(?![^\W_])|~(?=~))")
#: What at the start of a line would make it something else than a paragraph.
_OPENERS = re.compile(r"^(\s*)(#{1,6}(?=\s)|[-+](?=\s)|\+\+\+|>|=+\s*$|-+\s*$)", re.MULTILINE)
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s)", re.MULTILINE)
_ALT = "TK what the picture shows"


class _Writer(MarkdownConverter):
    def escape(self, text: str, parent_tags: Any) -> str:
        """Words that stay words; a field or a reference that somebody typed stays one."""
        if "pre" in parent_tags or "code" in parent_tags:
            return text
        parts = _KEPT.split(text)
        escaped = [part if index % 2 else _MARKS.sub(r"\\\1", part) for index, part in enumerate(parts)]
        joined = "".join(escaped).replace("](", "]\\(").replace("<!--", "\\<!--")
        if "a" in parent_tags:
            joined = re.sub(r"(?<!\\)([\[\]])", r"\\\1", joined)
        return joined.replace("|", "\\|") if {"td", "th"} & set(parent_tags) else joined

    def convert_p(self, el: Any, text: str, parent_tags: Any) -> str:
        """A paragraph, no line of which begins like something else."""
        text = _NUMBERED.sub(r"\1\\\2", _OPENERS.sub(r"\1\\\2", text.strip("\n")))
        return str(super().convert_p(el, text, parent_tags))  # type: ignore[misc]  # its stubs know none

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


def to_markdown(page: BeautifulSoup) -> str:
    """The page as Markdown, a blank line between blocks, without blanks at the ends of lines."""
    text = (
        str(_Writer(heading_style="atx", bullets="-", newline_style="backslash").convert_soup(page))
        .replace("\xa0", " ")
        .replace("\u200b", "")
    )
    text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
