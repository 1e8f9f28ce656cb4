"""Moving and dropping the parts of an issue's text, and leaving everything else as it was written.

Text in, text out: comments, spacing, front matter, line ends stay. A part is what an Issue's block came from:
a card or a row with the block quote that belongs to it, a picture, a stretch of prose. Parts are known by the
line they start on, counted from 1 in the whole file, as `Block.line` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from markdown_it.tree import SyntaxTreeNode

from newsletter.compose.body import ANY_REFERENCE, REFERENCE, begins_section
from newsletter.compose.file import matter_lines
from newsletter.errors import InputError
from newsletter.markdown import parse_issue
from newsletter.markdown.source import prepared, without_comments


@dataclass(frozen=True, slots=True)
class _File:
    """The lines of a file as they're parsed, without comments, and as they were written; the Markdown's first."""

    parsed: list[str]
    written: list[str]
    first: int


Direction = Literal["up", "down"]


@dataclass(slots=True)
class _Part:
    """A part on the lines `start` up to, not including, `end`, counted from 0. A fence holds shelves."""

    start: int
    end: int
    kind: Literal["card", "row", "prose", "fence"]
    shelves: list[_Shelf] = field(default_factory=list)


@dataclass(slots=True)
class _Shelf:
    """The parts of one section within the file or within one fence; they begin on or after the line `start`."""

    start: int
    parts: list[_Part] = field(default_factory=list)


def move(text: str, line: int, direction: Direction) -> str:
    """The text with the part on a line moved past its neighbour, or over the heading into the next section.

    InputError when there's no such part, or no place to move to.
    """
    lines = text.split("\n")
    shelves, number, index = _find(_shelves(lines), line - 1)
    parts = shelves[number].parts
    step = -1 if direction == "up" else 1
    if 0 <= index + step < len(parts):
        upper, lower = sorted((parts[index], parts[index + step]), key=lambda part: part.start)
        return "\n".join(_swapped(lines, upper, lower))
    if not 0 <= number + step < len(shelves):
        raise InputError(f"it's the {'first' if step < 0 else 'last'} already", where=f"line {line}")
    target = shelves[number + step]
    place = target.parts[-1].end if step < 0 and target.parts else target.start
    return "\n".join(_carried(lines, parts[index], place))


def drop(text: str, line: int) -> str:
    """The text without the part on a line; InputError when there's none."""
    lines = text.split("\n")
    shelves, number, index = _find(_shelves(lines), line - 1)
    part = shelves[number].parts[index]
    return "\n".join(_without(lines, part.start, part.end))


def movable(text: str) -> dict[int, tuple[bool, bool]]:
    """Every part by its line: whether it can move up, and whether down."""
    found: dict[int, tuple[bool, bool]] = {}

    def walk(shelves: list[_Shelf]) -> None:
        for number, shelf in enumerate(shelves):
            for index, part in enumerate(shelf.parts):
                if part.shelves:
                    walk(part.shelves)
                else:
                    last = number == len(shelves) - 1 and index == len(shelf.parts) - 1
                    found[part.start + 1] = (number > 0 or index > 0, not last)

    walk(_shelves(text.split("\n")))
    return found


def part_at(text: str, line: int) -> tuple[list[str], int, int]:
    """The lines of a text, without their ends, and from which to before which of them the part on a line stands."""
    lines = text.split("\n")
    shelves, number, index = _find(_shelves(lines), line - 1)
    part = shelves[number].parts[index]
    return [row.removesuffix("\r") for row in lines], part.start, part.end


def places(text: str) -> Iterator[tuple[int, int]]:
    """From which to before which line every part of a text stands, counted from 0; a fence's parts for the fence."""
    waiting = _shelves(text.split("\n"))
    while waiting:
        for part in waiting.pop(0).parts:
            if part.shelves:
                waiting += part.shelves
            else:
                yield part.start, part.end


def place_in(text: str, line: int) -> tuple[list[str], int, bool]:
    """The lines of a text, where something is put at the end of the section whose heading stands on a line (0 for the
    introduction), and whether it's a row there, as what stands before it is. InputError when there's no such section.
    """
    lines = text.split("\n")
    shelves = _shelves(lines)
    shelf = shelves[0] if line == 0 else next((one for one in shelves[1:] if one.start == line), None)
    if shelf is None:
        raise InputError("there is no section", where=f"line {line}", hint="look at the issue again")
    bare = [row.removesuffix("\r") for row in lines]
    if not shelf.parts:
        return bare, shelf.start, False
    return bare, shelf.parts[-1].end, shelf.parts[-1].kind == "row"


def _find(shelves: list[_Shelf], line: int) -> tuple[list[_Shelf], int, int]:
    """The shelves that a part stands among, the number of its own, and its place there."""
    waiting = [shelves]
    while waiting:
        among = waiting.pop()
        for number, shelf in enumerate(among):
            for index, part in enumerate(shelf.parts):
                if part.start == line and part.kind != "fence":
                    return among, number, index
                if part.shelves:
                    waiting.append(part.shelves)
    raise InputError("there is nothing that can be moved", where=f"line {line + 1}", hint="look at the issue again")


def _swapped(lines: list[str], upper: _Part, lower: _Part) -> list[str]:
    """Two neighbours exchanged; what stands between them stays between them."""
    above, between, below = lines[: upper.start], lines[upper.end : lower.start], lines[lower.end :]
    return _stacked(above, lines[lower.start : lower.end], between, lines[upper.start : upper.end], below)


def _carried(lines: list[str], part: _Part, place: int) -> list[str]:
    """A part taken from where it is and put before the line `place`, with blank lines around it."""
    piece, blank = lines[part.start : part.end], _blank(lines)
    rest = _without(lines, part.start, part.end)
    if place > part.start:
        place -= len(lines) - len(rest)
    above, below = rest[:place], rest[place:]
    if above and above[-1].strip() and not (_is_row(above[-1]) and _is_row(piece[0])):
        piece = [blank, *piece]
    if below and below[0].strip():
        piece = [*piece, blank]
    return [*above, *piece, *below]


def _stacked(*chunks: list[str]) -> list[str]:
    """The chunks joined, with a blank line where Markdown would otherwise run two of them together."""
    stack: list[str] = []
    for chunk in chunks:
        if stack and chunk and _run_together(stack[-1], chunk[0]):
            stack.append(_blank(stack))
        stack += chunk
    return stack


def _run_together(above: str, below: str) -> bool:
    if not _words(above) or not _words(below) or ":::" in (above.lstrip()[:3], below.lstrip()[:3]):
        return False
    if above.startswith("#"):
        return False
    cards = all(REFERENCE.fullmatch(_words(line)) for line in (above, below))
    return not (cards or (_is_row(above) and _is_row(below)))


def _words(line: str) -> str:
    """What a line says besides its comments; nothing for the last line of a longer one."""
    bare, _ = without_comments(line)
    return "" if bare.rstrip().endswith("-->") else bare.strip()


def _without(lines: list[str], start: int, end: int) -> list[str]:
    """The lines less some, and less the blank line that would be one too many."""
    before, after = lines[:start], lines[end:]
    doubled = before and not before[-1].strip() and (not after or not after[0].strip())
    if doubled and after:
        after = after[1:]
    return [*before, *after]


def _is_row(line: str) -> bool:
    """Whether a line is a bullet with a reference, or the block quote in one."""
    bare = line.lstrip()
    if line != bare and bare.startswith(">"):
        return True
    return bare[:1] in ("-", "*", "+") and ANY_REFERENCE.match(bare.lstrip("-*+ \t")) is not None


def _blank(lines: list[str]) -> str:
    """An empty line, ended as the other lines are."""
    return "\r" if lines and lines[0].endswith("\r") else ""


def _shelves(lines: list[str]) -> list[_Shelf]:
    ends = matter_lines(lines)
    first = ends[1] + 1 if ends else 0
    markdown, _ = prepared("\n".join(line.removesuffix("\r") for line in lines[first:]))
    tokens, _ = parse_issue(markdown)
    file = _File([*lines[:first], *markdown.split("\n")], lines, first)
    return _walk(SyntaxTreeNode(tokens), file, first)


def _walk(parent: SyntaxTreeNode, file: _File, start: int) -> list[_Shelf]:
    lines, offset = file.parsed, file.first
    shelves = [_Shelf(start)]
    for node in parent.children:
        if not node.map:
            continue
        top, end = (offset + number for number in node.map)
        while end > top and not lines[end - 1].strip():
            end -= 1
        parts = shelves[-1].parts
        if begins_section(node):
            shelves.append(_Shelf(end))
        elif node.type.startswith("container_"):
            closed = end < len(lines) and lines[end].lstrip().startswith(":::")
            parts.append(_Part(top, end + closed, "fence", _walk(node, file, top + 1)))
        elif node.type == "blockquote" and parts and parts[-1].kind == "card" and file.written[top - 1].strip():
            parts[-1].end = end
        else:
            parts += _joined(parts, _parts(node, lines, offset, top, end))
    return shelves


def _joined(parts: list[_Part], found: Iterator[_Part]) -> list[_Part]:
    """The found parts, less prose that goes on from the prose before it."""
    new: list[_Part] = []
    for part in found:
        last = (parts + new)[-1] if parts or new else None
        if part.kind == "prose" and last and last.kind == "prose":
            last.end = part.end
        else:
            new.append(part)
    return new


def _parts(node: SyntaxTreeNode, lines: list[str], offset: int, top: int, end: int) -> Iterator[_Part]:
    text = node.children[0].content if node.type == "paragraph" and node.children else ""
    if text and REFERENCE.fullmatch(text.split("\n")[0]):
        for number in range(top, end):
            yield _Part(number, number + 1, "card")
    elif node.type == "bullet_list" and ANY_REFERENCE.match(lines[top].lstrip("-*+ \t")):
        for item in node.children:
            first, last = (offset + number for number in item.map or (0, 0))
            while last > first and not lines[last - 1].strip():
                last -= 1
            yield _Part(first, last, "row")
    elif node.type == "paragraph" and [child.type for child in node.children[0].children] in (["image"], ["link"]):
        whole = any(child.type == "image" for child in node.walk())
        yield _Part(top, end, "card" if whole else "prose")
    else:
        yield _Part(top, end, "prose")
