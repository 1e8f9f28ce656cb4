"""In which encoding a text file is: UTF-8, UTF-16, or one of the two that office programs wrote before.

A file is never read in a way that only almost fits: a name that came out as another one would be stored for years.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from newsletter.errors import InputError

#: Excel's on Windows, and that of Excel and Numbers on older Macs.
_LEGACY = ("cp1252", "mac_roman")
_NONE = -1_000_000
#: Four letters beyond ASCII in a row, or within a word a sign that isn't a letter or is one of Iceland's.
_FOREIGN = re.compile(r"[^\x00-\x7f]{4}|[a-zA-Z][¹²³¿¡¾¼½¥£¤¦§¨©«¬¯±´µ¶¸þÞ\x81\x8d\x8f\x90\x9d][a-zA-Z]")
_NAMES = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman"}


def encoding(path: Path) -> str:
    """The encoding's name for Python; InputError, with the line, where none fits or two do."""
    with path.open("rb") as file:
        start = file.read(4_096)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        return _without_mark(start, path)
    bad, others = _utf8(path)
    if not bad:
        return "utf-8-sig"
    if others >= len(bad):
        line, text = bad[0]
        shown = text.decode("utf-8", "replace")[:60].strip()
        hint = "put that character right, or save the file as UTF-8"
        raise InputError(f'not UTF-8, as the rest of the file is: "{shown}"', where=f"{path}:{line}", hint=hint)
    return _legacy(path, bad)


def _without_mark(start: bytes, path: Path) -> str:
    """UTF-16 without its mark: every other byte of plain text is zero."""
    odd, even = start[1::2].count(0), start[::2].count(0)
    if odd * 3 > len(start) and not even:
        return "utf-16-le"
    if even * 3 > len(start) and not odd:
        return "utf-16-be"
    raise InputError("not a text file", where=path, hint="export it as CSV")


def _utf8(path: Path) -> tuple[list[tuple[int, bytes]], int]:
    """The first lines that aren't UTF-8, with their numbers; and how many hold letters beyond ASCII that are."""
    bad: list[tuple[int, bytes]] = []
    good = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isascii():
                if b"\0" in line:
                    raise InputError("not a text file", where=f"{path}:{number}", hint="export it as CSV")
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                good += not text.isascii()
            except UnicodeDecodeError:
                good += _some_utf8(line)
                if len(bad) < 200:
                    bad.append((number, line))
    return bad, good


def _some_utf8(line: bytes) -> bool:
    """Whether a line that isn't UTF-8 as a whole holds a letter that is: two bytes that make one by chance are rare."""
    text = line.decode("utf-8", "replace")
    return any(ord(character) > 127 and character != "\ufffd" for character in text)


def _legacy(path: Path, lines: list[tuple[int, bytes]]) -> str:
    """Which of the older encodings makes words of the lines; InputError where both do, or neither."""
    scores = {name: _likely([line for _, line in lines], name) for name in _LEGACY}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0 and list(scores.values()).count(scores[best]) == 1:
        return best
    number, line = lines[0]
    if scores[best] == _NONE:
        hint = "open it in the program that it comes from, and save it as CSV UTF-8"
        raise InputError("in an encoding that isn't known", where=f"{path}:{number}", hint=hint)
    readings = " or ".join(f'"{line.decode(name, "replace").strip()[:40]}" ({_NAMES[name]})' for name in _LEGACY)
    raise InputError(f"in which encoding? {readings}", where=f"{path}:{number}", hint="save the file as UTF-8")


def _likely(lines: list[bytes], name: str) -> int:
    """How much more of what isn't ASCII is where such letters and signs stand in words than where they don't; `_NONE`
    where they make words that no Western language has, as those of other alphabets and of Central Europe do.
    """
    score = 0
    for line in lines:
        text = line.decode(name, "replace")
        if _FOREIGN.search(text):
            return _NONE
        for before, character, after in zip(" " + text, text, text[1:] + " ", strict=False):
            if ord(character) > 127:
                score += _fits(before, character, after)
    return score


def _fits(before: str, character: str, after: str) -> int:
    if character.isalpha() and "LATIN" in unicodedata.name(character, ""):
        # A capital within a word, or between small letters, is what the wrong table makes of an accent.
        wrong = (character.isupper() and before.islower()) or (character.islower() and after.isupper())
        return -1 if wrong or character in "ŒœŠšŽžŸƒ" else 1
    if character in "’‘“”–—…\u00a0":
        return 1 if character == "’" and before.isalpha() and after.isalpha() else 0 if not before.isalpha() else -1
    return -1
