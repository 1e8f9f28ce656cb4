"""A file's Markdown before it's parsed: comments taken out, and what a word processor or a browser left put right.

Lines stay lines, so that every fault keeps its place.
"""

from __future__ import annotations

import re

_FENCE = r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$"
# Word processors write <!-- as <!– or <!—.
_SPECIAL = re.compile(rf"{_FENCE}|\\.|(?P<ticks>`+)|(?P<comment><!(?:--|[–—]-?))", re.MULTILINE)
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


# Pasted bullets become "+", so that they don't run on from a list of references with "-".
#: Bullets of word processors and of the fonts Symbol and Wingdings, by how deep in a list they stand.
_BULLETS = {
    **dict.fromkeys("•●·∙⋅‣⁃■□➢➤►❖✓✔✦★\uf0b7\uf0d8\uf0fc\uf076", ""),
    **dict.fromkeys("◦○\uf06f", "  "),
    **dict.fromkeys("▪▫\uf0a7", "    "),
}
#: Signs and letters that are bullets only where a tab follows them.
_TABBED = {**dict.fromkeys("–—−*-", ""), "o": "  ", "§": "    ", "Ø": "", "ü": ""}
_SPACE = " \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
_BULLET = re.compile(rf"^([{_SPACE}]*)([{''.join(_BULLETS)}])[{_SPACE}]+(?=\S)")
_TAB_BULLET = re.compile(
    rf"^([{_SPACE}]*)([{''.join(map(re.escape, _TABBED))}])[ \u00a0]*(?:\t|\u00a0)[{_SPACE}]*(?=\S)"
)
_NUMBER = re.compile(rf"^([{_SPACE}]*)(\d{{1,2}}[.)])(?:\t|\u00a0)[{_SPACE}]*(?=\S)")
_LETTER = re.compile(rf"^([{_SPACE}]*)([A-Za-z]|[ivxIVX]{{2,4}})([.)])\t[{_SPACE}]*(?=\S)")
_MARK = re.compile("^([ \t]*(?:#{1,6}|>|[-*+]))[\u00a0\u2007\u202f]+")
_LEADING = re.compile(
    "^[ \t]*[\u00a0\u2002\u2003\u2007\u2009\u202f\u3000][ \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000]*"
)
_DASHES = re.compile(r"^[ \t]*[–—―⸺⸻]{2,}[ \t]*$")
# Line breaks of word processors, within what is one line here.
_BREAKS = re.compile("[\x0b\x85\u2028\u2029]")
# Nobody sees these, and they keep marks from being read as marks.
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")
_PICTURE = re.compile(
    r"(!\[[^\]\n]*\]\()[ \t]*(?!<)((?:[^()\n\"<>“”„‟]|\([^()\n]*\))+?)([ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
_TITLE = re.compile(r"(\]\([^\n\"“”„‟]*?[ \t]+)[“”„‟\"]([^“”„‟\"\n]*)[“”„‟\"](?=[ \t]*\))")
_QUOTED_TARGET = re.compile(r"(\]\()[ \t]*[“”„‟\"'‘’]([^\s“”„‟\"'‘’]+)[“”„‟\"'‘’][ \t]*\)")


def mended(markdown: str) -> str:
    """The text with pasted bullets, breaks and quotes as Markdown has them, and pictures' names as it takes them."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        opened = re.match(_FENCE, line)
        if fence:
            fence = "" if line.strip(" \t>").startswith(fence) else fence
        elif opened:
            fence = opened["fence"]
        else:
            line = _mended(line)
        lines.append(line)
    return "\n".join(lines)


def _mended(line: str) -> str:
    if line.isascii() and not re.search(r"[\t\x0b]|!\[|\]\(", line):
        return line
    line = _UNSEEN.sub("", line).replace("\x0c", " ")
    line = _BREAKS.sub("<br>", line.strip("\x0b\x85\u2028\u2029"))
    line = _DASHES.sub("***", line)
    line = _MARK.sub(r"\1 ", line)
    line = _BULLET.sub(lambda found: _nested(found[1]) + _BULLETS[found[2]] + "+ ", line)
    line = _TAB_BULLET.sub(lambda found: _nested(found[1]) + _TABBED[found[2]] + "+ ", line)
    line = _NUMBER.sub(lambda found: f"{_nested(found[1])}{found[2]} ", line)
    line = _LETTER.sub(lambda found: f"{_nested(found[1])}+ {found[2]}{found[3]} ", line)
    line = _LEADING.sub("", line)
    if "](" in line:
        line = _TITLE.sub(r'\1"\2"', line)
        line = _QUOTED_TARGET.sub(r"\1\2)", line)
        line = _PICTURE.sub(_named, line)
    return line


def _nested(before: str) -> str:
    """The indentation before a bullet: two blanks for each tab."""
    return "  " * before.count("\t") or ("  " if len(before) > 3 else "")


def _named(found: re.Match[str]) -> str:
    """A picture whose file's name has blanks or brackets, in the angle brackets that Markdown wants for that."""
    head, name, title = found[1], found[2].strip(), found[3] or ""
    return f"{head}<{name}>{title})" if re.search(r"[\s()]", name) else found[0]
