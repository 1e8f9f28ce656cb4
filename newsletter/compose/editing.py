"""Changing the words of an issue's text, and leaving everything else as it was written.

Text in, text out, as in `rearrange`: comments, spacing, line ends stay. Where a change would lose a comment, it's
refused.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

import tomli_w

from newsletter.compose.file import matter_lines
from newsletter.compose.rearrange import part_at, place_in, places
from newsletter.errors import InputError
from newsletter.markdown.source import comments, without_comments

#: What can be changed of the front matter.
FIELDS = ("subject", "preheader", "title", "teaser")
_ENTRY = re.compile(r"(?P<lead>\s*(?:[-*+][ \t]+)?)(?P<name>\[\[[^\]]*\]\])(?P<words>[^\n]*)")


@dataclass(frozen=True, slots=True)
class Words:
    """A part as it can be changed: of an item or a policy its own headline and blurb, of anything else its Markdown."""

    markdown: str = ""
    headline: str = ""
    blurb: str = ""


def words(text: str) -> dict[int, Words]:
    """The words of every part, by the line it starts on."""
    lines = _split(text)
    return {start + 1: _words(lines[start:end]) for start, end in places(text)}


def _words(rows: list[str]) -> Words:
    entry = _ENTRY.match(rows[0])
    if entry is None:
        return Words(markdown="\n".join(rows))
    blurb = "\n".join(re.sub(r"^\s*> ?", "", row) for row in rows[1:])
    return Words(headline=_bare(entry["words"]), blurb=_bare(blurb))


def _bare(text: str) -> str:
    return without_comments(text)[0].strip()


def _comments(text: str) -> str:
    """The comments of a line, with a blank before each."""
    return "".join(f" {text[start:end]}" for start, end in comments(text)[0])


def set_entry(text: str, line: int, headline: str, blurb: str) -> str:
    """The text with another headline and blurb of the item or policy on a line; where they're empty, the stored ones
    are shown.
    """
    lines, start, end = part_at(text, line)
    entry = _ENTRY.match(lines[start])
    if entry is None:
        raise InputError("there is no item or policy", where=f"line {line}", hint="look at the issue again")
    below = lines[start + 1 : end]
    if blurb.strip() == _words(lines[start:end]).blurb:
        kept = below
    elif comments("\n".join(below))[0]:
        raise InputError("the blurb holds a comment", where=f"line {line}", hint="change it in issue.md")
    else:
        indent = " " * len(entry["lead"])
        kept = [f"{indent}> {row}".rstrip() for row in _lines(blurb)]
    told = " ".join(headline.split())
    first = f"{entry['lead']}{entry['name']}{' ' if told else ''}{told}{_comments(entry['words'])}"
    return _joined(text, [*lines[:start], first, *kept, *lines[end:]])


def set_markdown(text: str, line: int, markdown: str) -> str:
    """The text with other Markdown in the place of the part on a line."""
    lines, start, end = part_at(text, line)
    if not markdown.strip():
        raise InputError("there are no words", where=f"line {line}", hint="drop the part instead")
    return _joined(text, [*lines[:start], *_lines(markdown), *lines[end:]])


def set_heading(text: str, line: int, heading: str) -> str:
    """The text with another heading of the section on a line."""
    lines = _split(text)
    told = " ".join(heading.split())
    found = re.match(r"##(?!#)\s*(?P<words>.*)", lines[line - 1]) if 0 < line <= len(lines) else None
    if found is None or not told:
        raise InputError("there is no heading" if told else "a section needs a heading", where=f"line {line}")
    return _joined(text, [*lines[: line - 1], f"## {told}{_comments(found['words'])}", *lines[line:]])


def insert(text: str, line: int, slug: str) -> str:
    """The text with a reference at the end of the section whose heading stands on a line; 0 is the introduction."""
    lines, place, as_row = place_in(text, line)
    piece = [f"- [[{slug}]]"] if as_row else ["", f"[[{slug}]]"]
    after = lines[place:]
    if not as_row and after and after[0].strip():
        piece.append("")
    return _joined(text, [*lines[:place], *piece, *after])


def set_field(text: str, key: str, value: str) -> str:
    """The text with another value of a key of the front matter, in one of `FIELDS`."""
    if key not in FIELDS:
        raise InputError(f'"{key}" can\'t be changed here', hint="change it in issue.md")
    lines = _split(text)
    ends = matter_lines(lines)
    if ends is None:
        raise InputError("there is no front matter", where="issue.md:1")
    first, last = ends[0] + 1, ends[1]
    told = tomli_w.dumps({key: " ".join(value.split())}).rstrip("\n")
    start = next((n for n in range(first, last) if re.match(rf"\s*{key}\s*=", lines[n])), None)
    if start is None:
        place = next((n for n in range(first, last) if lines[n].lstrip().startswith("[")), last)
        return _joined(text, [*lines[:place], told, *lines[place:]])
    end = next(n for n in range(start + 1, last + 1) if _is_whole("\n".join(lines[start:n])))
    return _joined(text, [*lines[:start], told + _comment_behind(lines[start:end]), *lines[end:]])


def _comment_behind(rows: list[str]) -> str:
    """The comment behind a key's value, with the blanks before it; empty where there's none."""
    *above, last = rows
    for found in re.finditer(r"[ \t]*#", last):
        if _is_whole("\n".join([*above, last[: found.start()]])):
            return last[found.start() :]
    return ""


def _is_whole(toml: str) -> bool:
    """Whether some lines are a key with its whole value."""
    try:
        tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n") if text.strip() else []


def _split(text: str) -> list[str]:
    return [row.removesuffix("\r") for row in text.split("\n")]


def _joined(text: str, lines: list[str]) -> str:
    """The lines, ended as those of the text were."""
    return ("\r\n" if "\r\n" in text else "\n").join(lines)
