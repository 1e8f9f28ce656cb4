"""What can be put right in an issue's file, or in a template, without judging what somebody meant.

    fixed(text, tracking)     an issue.md
    fixed_template(text)      a template of one's own

Both give the text back as it was where there's nothing to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from newsletter.compose.file import matter_lines
from newsletter.links import canonical
from newsletter.markdown.links import links
from newsletter.markdown.source import comments, mended

#: Blanks that programs leave when they save text: one that doesn't break, beside one that does, or at a line's end.
_DOUBLED = re.compile("(?:\u00a0+ [ \u00a0]*| [ \u00a0]*\u00a0[ \u00a0]*)(?=\\S)|[\u00a0]+$")
_ATTRIBUTE = re.compile(r"""(?<=\s)((?:inner-)?(?:padding|border-radius)(?:-\w+)?=(["']))([^"']*)(\2)""")
_ZERO = re.compile(r"(?<![\w.%-])0(?![\w.%])")


def fixed(text: str, tracking: Iterable[str]) -> str:
    """An issue.md with pasted bullets, breaks and quotes as Markdown has them, and links without tracking; its front
    matter and its comments as they were.
    """
    head, body = _apart(text)
    ends = "\r\n" if "\r\n" in body else "\n"
    patterns = tuple(tracking)
    pieces = _in_pieces(body.replace("\r\n", "\n"))
    put_right = "".join(piece if comment else _put_right(piece, patterns) for piece, comment in pieces)
    return head + put_right.replace("\n", ends)


def _put_right(text: str, tracking: tuple[str, ...]) -> str:
    for link in links(text):
        clean = canonical(link.url, tracking)
        if clean != link.url and _parameters(clean) != _parameters(link.url):
            text = text.replace(link.url, clean)
    return "\n".join(line if "`" in line else _single(line) for line in mended(text).split("\n"))


def _single(line: str) -> str:
    """A line without doubled blanks; code isn't asked."""
    return _DOUBLED.sub(lambda found: " " if found[0].strip("\u00a0") else "", line)


def _parameters(url: str) -> str:
    return url.partition("?")[2]


def _apart(text: str) -> tuple[str, str]:
    """The front matter with its lines, and the Markdown."""
    lines = text.split("\n")
    ends = matter_lines(lines)
    first = ends[1] + 1 if ends else 0
    return "".join(f"{line}\n" for line in lines[:first]), "\n".join(lines[first:])


def _in_pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it's a comment."""
    at = 0
    for start, end in comments(text)[0]:
        yield text[at:start], False
        yield text[start:end], True
        at = end
    yield text[at:], False


def fixed_template(text: str) -> str:
    """A template in which every zero among other lengths has its unit: Outlook's width would leave it out."""

    def with_units(found: re.Match[str]) -> str:
        values = found[3]
        mixed = len(values.split()) > 1 and "{" not in values
        return found[1] + (_ZERO.sub("0px", values) if mixed else values) + found[4]

    return _ATTRIBUTE.sub(with_units, text)
