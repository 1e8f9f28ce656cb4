"""What a word processor, a mail program or a browser left in pasted lines, as Markdown has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: A line that opens a block of code.
FENCE = r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$"
# Pasted bullets become "+", so that they don't run on from a list of references with "-".
#: Bullets of word processors and of the fonts Symbol and Wingdings, by how deep in a list they stand.
_BULLETS = {
    **dict.fromkeys("•●·∙⋅‣⁃■□➢➤►❖✦★\uf0b7\uf0d8\uf076", 0),
    **dict.fromkeys("◦○\uf06f", 1),
    **dict.fromkeys("▪▫\uf0a7", 2),
}
#: Signs and letters that are bullets only where a tab follows them.
_TABBED = {**dict.fromkeys("–—−*-", 0), "o": 1, "§": 2, "Ø": 0, "ü": 0}
_SPACE = " \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
_BULLET = re.compile(rf"^([{_SPACE}]*)([{''.join(_BULLETS)}])[{_SPACE}]+(?=\S)")
_TAB_BULLET = re.compile(
    rf"^([{_SPACE}]*)([{''.join(map(re.escape, _TABBED))}])[ \u00a0]*(?:\t|\u00a0)[{_SPACE}]*(?=\S)"
)
#: Signs that say something; they are kept, and begin an item where a tab follows them.
_SIGN = re.compile(rf"^([{_SPACE}]*)([✓✔✗✘☐☑☒✅❌❎]\ufe0f?)[ \u00a0]*(?:\t|\u00a0)[{_SPACE}]*(?=\S)")
_NUMBER = re.compile(rf"^([{_SPACE}]*)(\d{{1,2}}[.)])(?:\t|\u00a0)[{_SPACE}]*(?=\S)")
_LETTER = re.compile(rf"^([{_SPACE}]*)([A-Za-z]|[ivxIVX]{{2,4}})([.)])\t[{_SPACE}]*(?=\S)")
_MARK = re.compile("^([ \t]*(?:#{1,6}|>|[-*+]))[\u00a0\u2007\u202f]+")
#: The tick of Wingdings says something, as a tick does.
_TICK = "\uf0fc"
_LEADING = re.compile(
    "^[ \t]*[\u00a0\u2002\u2003\u2007\u2009\u202f\u3000][ \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000]*"
)
_DASHES = re.compile(r"^[ \t]*[–—―⸺⸻]{2,}[ \t]*$")
# Line breaks of word processors, within what is one line here.
_BREAKS = re.compile("[\x0b\x85\u2028\u2029]")
# Nobody sees these, and they keep marks from being read as marks.
_UNSEEN = re.compile("[\u200b\u2060\ufeff]|^[\u200e\u200f\u061c]+(?=[ \t]*(?:[-*+>]|#{1,6}|\\d{1,9}[.)])[ \t])")
_PICTURE = re.compile(
    r"(!\[[^\]\n]*\]\()[ \t]*(?!<)((?:[^()\n\"<>“”„‟]|\([^()\n]*\))+?)([ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
_TITLE = re.compile(r"(\]\([^\n\"“”„‟]*?[ \t]+)[“”„‟\"]([^“”„‟\"\n]*)[“”„‟\"](?=[ \t]*\))")
_QUOTED_TARGET = re.compile(r"(\]\()[ \t]*[“”„‟\"'‘’]([^\s“”„‟\"'‘’]+)[“”„‟\"'‘’][ \t]*\)")
_QUOTE = re.compile(r"[ \t]*>[ \t>]*")
_WRITTEN = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
#: An item that begins a list below a line of words; one that is numbered otherwise goes on from it.
_BEGINS = re.compile(r"[ \t]*(?:[-*+]|1[.)])[ \t]+(?=\S)")
#: A break at the end of a paragraph breaks nothing; the path of a folder may end in a `\`, too.
_LAST_BREAK = re.compile(r"(?<!\\)(?:\\\\)*(?P<mark>\\)$")
_FOLDER = re.compile(r"(?:^|\W)[A-Za-z]:\S*$|\\\S+$")


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a list: how many columns its mark is set in, how deep such a mark stands, and where, as it's written
    in Markdown, the item and what it holds begin.
    """

    indent: int
    depth: int
    column: int
    inner: int


@dataclass(slots=True)
class _Lists:
    """The items that the next item may stand in, the outermost first."""

    items: list[_Item] = field(default_factory=list)

    def column(self, indent: int, depth: int, mark: str) -> int:
        """Where the next item begins, by its indent, or by its mark where it's set in as the one before it."""
        while self.items and self._order(indent, depth) < 0:
            self.items.pop()
        column = 2 * depth
        if self.items:
            above = self.items[-1]
            column = above.inner if self._order(indent, depth) > 0 else above.column
            if column == above.column:
                self.items.pop()
        self.items.append(_Item(indent, depth, column, column + len(mark) + 1))
        return column

    def _order(self, indent: int, depth: int) -> int:
        """Whether an item stands above the last one, beside it, or in it: below, at or above zero."""
        last = self.items[-1]
        return indent - last.indent if abs(indent - last.indent) > 1 else depth - last.depth


def mended(markdown: str) -> str:
    """The text with pasted bullets, breaks and quotes as Markdown has them, and pictures' names as it takes them."""
    lines: list[str] = []
    fence, lists = "", _Lists()
    for line in markdown.split("\n"):
        opened = re.match(FENCE, line)
        if fence:
            fence = "" if line.strip(" \t>").startswith(fence) else fence
        elif opened:
            fence = opened["fence"]
        else:
            line = _MARK.sub(r"\1 ", line)
            quote = found[0] if (found := _QUOTE.match(line)) else ""
            line = quote + _mended(line[len(quote) :], lists)
            bare = not line.strip(" \t>")
            if lines and (bare or _BEGINS.match(line, len(quote))):
                lines[-1] = without_last_break(lines[-1])
            if (
                not (bare or line[:1].isspace() or _WRITTEN.match(line, len(quote)))
                and lines
                and not lines[-1].strip(" \t>")
            ):
                lists = _Lists()
        lines.append(line)
    if not fence:
        lines[-1] = without_last_break(lines[-1])
    return "\n".join(lines)


def without_last_break(text: str) -> str:
    r"""The text less a `\` at its end: a break at the end of a paragraph, or alone in it, breaks nothing."""
    found = _LAST_BREAK.search(text)
    if not found or _FOLDER.search(text[: found.start("mark")]):
        return text
    return text[: found.start("mark")].rstrip()


def _mended(line: str, lists: _Lists) -> str:
    if line.isascii() and not re.search(r"[\t\x0b]|!\[|\]\(", line):
        return _noted(line, lists)
    line = _UNSEEN.sub("", line).replace("\x0c", " ")
    line = _BREAKS.sub("<br>", line.strip("\x0b\x85\u2028\u2029"))
    line = _DASHES.sub("***", line)
    line = line.replace(_TICK, "✓")
    line = _item(line, lists) or _LEADING.sub("", _noted(line, lists))
    if "](" in line:
        line = _TITLE.sub(r'\1"\2"', line)
        line = _QUOTED_TARGET.sub(r"\1\2)", line)
        line = _PICTURE.sub(_named, line)
    return line


def _item(line: str, lists: _Lists) -> str:
    """A line that was pasted with its bullet or number as an item of a list; empty where it's none."""
    if found := _BULLET.match(line) or _TAB_BULLET.match(line):
        mark, depth, kept = "+", (_BULLETS | _TABBED)[found[2]], ""
    elif found := _NUMBER.match(line):
        mark, depth, kept = found[2], 0, ""
    elif found := _SIGN.match(line):
        mark, depth, kept = "+", 0, f"{found[2]} "
    elif found := _LETTER.match(line):
        mark, depth, kept = "+", 0, f"{found[2]}{found[3]} "
    else:
        return ""
    return f"{' ' * lists.column(_columns(found[1]), depth, mark)}{mark} {kept}{line[found.end() :]}"


def _noted(line: str, lists: _Lists) -> str:
    """The line as it is; an item of Markdown's own may hold what was pasted below it."""
    found = _WRITTEN.match(line)
    if found:
        column = _columns(found[1])
        lists.column(column, 0, found[2])
        lists.items[-1] = _Item(column, 0, column, column + len(found[2]) + 1)
    return line


def _columns(blanks: str) -> int:
    return sum(4 if blank == "\t" else 1 for blank in blanks)


def _named(found: re.Match[str]) -> str:
    """A picture whose file's name has blanks or brackets, in the angle brackets that Markdown wants for that."""
    head, name, title = found[1], found[2].strip(), found[3] or ""
    return f"{head}<{name}>{title})" if re.search(r"[\s()]", name) else found[0]
