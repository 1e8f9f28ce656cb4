"""A file's Markdown before it's parsed: comments taken out, and what was pasted put right.

Lines stay lines, so that every fault keeps its place.
"""

from __future__ import annotations

import re

from newsletter.markdown.pasted import FENCE, mended

__all__ = ["comments", "mended", "prepared", "without_comments"]

# Word processors write <!-- as <!– or <!—.
_SPECIAL = re.compile(rf"{FENCE}|\\.|(?P<ticks>`+)|(?P<comment><!(?:--|[–—]-?))", re.MULTILINE)
_CLOSED = {True: re.compile(r"--!?>"), False: re.compile(r"(?:--|[–—]-?)>")}
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
#: What is left of a line whose words were all in a comment.
_BARE_MARK = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]*$", re.MULTILINE)


def prepared(markdown: str) -> tuple[str, int | None]:
    """The Markdown as it's parsed, and the line, from 0, of a comment that is never closed."""
    text, unclosed = without_comments(markdown)
    return mended(text), unclosed


def without_comments(markdown: str) -> tuple[str, int | None]:
    """The text without its `<!-- comments -->`, outside code, and the line, from 0, of one that is never closed."""
    spans, unclosed = comments(markdown)
    if unclosed is not None:
        return markdown, markdown.count("\n", 0, unclosed)
    if not spans:
        return markdown, None
    pieces: list[str] = []
    kept = 0
    for start, end in spans:
        before, after = _trimmed(markdown[kept:start], markdown[end : end + 1])
        pieces += [before, "\n" * markdown.count("\n", start, end)]
        kept = end + after
    text = "".join([*pieces, markdown[kept:]])
    lines = zip(text.split("\n"), markdown.split("\n"), strict=True)
    return "\n".join("" if line != old and _BARE_MARK.match(line) else line for line, old in lines), None


def comments(markdown: str) -> tuple[list[tuple[int, int]], int | None]:
    """From where to where each comment outside code stands, and where one begins that is never closed."""
    spans: list[tuple[int, int]] = []
    at = 0
    while found := _SPECIAL.search(markdown, at):
        at = found.end()
        if found["fence"]:
            at = _after_fence(markdown, found)
        elif found["ticks"]:
            at = _after_code(markdown, found)
        elif found["comment"]:
            end = _after_comment(markdown, found)
            if end is None:
                return spans, found.start()
            spans.append((found.start(), end))
            at = end
    return spans, None


def _after_fence(text: str, opened: re.Match[str]) -> int:
    mark = opened["fence"]
    closed = re.compile(rf"^[ \t>]*{mark[0]}{{{len(mark)},}}[ \t]*$", re.MULTILINE).search(text, opened.end())
    return closed.end() if closed else opened.end()


def _after_code(text: str, opened: re.Match[str]) -> int:
    closed = re.compile(rf"(?<!`){opened['ticks']}(?!`)").search(text, opened.end())
    inside = closed and not _BLANK_LINE.search(text, opened.end(), closed.start())
    return closed.end() if closed and inside else opened.end()


def _after_comment(text: str, opened: re.Match[str]) -> int | None:
    empty = re.compile(r"-?>").match(text, opened.end())
    if empty:
        return empty.end()
    closed = _CLOSED[opened["comment"] == "<!--"].search(text, opened.end())
    return closed.end() if closed else None


def _trimmed(before: str, following: str) -> tuple[str, int]:
    """The text before a comment, and how many blanks after it go too: none is doubled, none ends or begins a line."""
    if following in ("", "\n"):
        return before.rstrip(" \t") if before.strip(" \t\n") else before, 0
    if following in (" ", "\t") and (not before or before[-1] in " \t\n"):
        return before, 1
    return before, 0
