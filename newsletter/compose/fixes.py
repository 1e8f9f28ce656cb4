"""What can be put right in an issue's file, or in a template, without judging what somebody meant.

    fixed(text, tracking)     an issue.md
    fixed_template(text)      a template of one's own

Both give the text back as it was where there's nothing to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.links import canonical
from newsletter.markdown.links import links
from newsletter.markdown.source import mended, without_comments

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
    pieces = _outside_comments(body.replace("\r\n", "\n"))
    return head + "".join(piece if comment else _put_right(piece, patterns) for piece, comment in pieces).replace(
        "\n", ends
    )


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
    found = re.match(
        r"\ufeff?[ \t]*\+\+\+[ \t]*\r?\n.*?^[ \t]*\+\+\+[ \t]*(?:\r?\n|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return (found[0], text[found.end() :]) if found else ("", text)


def _outside_comments(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it's a comment, as far as comments are taken out at all."""
    bare, _ = without_comments(text)
    if bare == text:
        return [(text, False)]
    pieces, at = [], 0
    for found in re.finditer(r"<!--.*?-->", text, re.DOTALL):
        pieces += [(text[at : found.start()], False), (found[0], True)]
        at = found.end()
    return [*pieces, (text[at:], False)]


def fixed_template(text: str) -> str:
    """A template in which every zero among other lengths has its unit: Outlook's width would leave it out."""

    def with_units(found: re.Match[str]) -> str:
        values = found[3]
        mixed = len(values.split()) > 1 and "{" not in values
        return found[1] + (_ZERO.sub("0px", values) if mixed else values) + found[4]

    return _ATTRIBUTE.sub(with_units, text)
