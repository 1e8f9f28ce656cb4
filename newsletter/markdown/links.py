"""The links of a text, as its readers get them: from what was parsed, with the line each stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it.token import Token

from newsletter import merge
from newsletter.markdown import parse

_STAND_IN = re.compile(r"mergefield(\d+)x")


@dataclass(frozen=True, slots=True)
class Link:
    """The words and the address of a link, and how many lines into its text it stands."""

    words: str
    url: str
    line: int


@lru_cache(maxsize=4096)
def links(markdown: str) -> tuple[Link, ...]:
    """Every link of a text, in order; `{{ fields }}` in an address are kept as they were written."""
    parts = merge.parse(markdown)
    fields: list[str] = []
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            text += f"mergefield{len(fields)}x" + "\n" * str(part).count("\n")
            fields.append(str(part))

    def written(found: str) -> str:
        return _STAND_IN.sub(lambda match: fields[int(match[1])] if int(match[1]) < len(fields) else match[0], found)

    inline = (token for token in parse(text) if token.type == "inline")
    return tuple(Link(written(link.words), written(link.url), link.line) for token in inline for link in _of(token))


def _of(inline: Token) -> Iterator[Link]:
    line = inline.map[0] if inline.map else 0
    opened: Token | None = None
    words, start = "", line
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak"):
            line += 1
            words += " "
        elif token.type == "link_open":
            opened, words, start = token, "", line
        elif token.type == "link_close" and opened:
            yield Link(words.strip(), str(opened.attrs.get("href", "")), start)
            opened = None
        else:
            words += token.content
