"""Lists of a page: paragraphs with a mark before them made into lists, and each entry with its number."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from newsletter.compose.documents.counting import letters, roman
from newsletter.compose.documents.symbols import TICKS
from newsletter.compose.documents.unseen import style_of

_LEVEL = re.compile(r"mso-list:\s*l(\d+)\s+level(\d+)", re.IGNORECASE)
_GOOGLE = re.compile(r"lst-(\w+)-(\d+)")
_NUMBER = re.compile(r"\(?(\d{1,9})[.):]?\)?")
#: Letters of fonts of symbols that say no more than that an entry begins.
_BULLETS = "oØvüq"
#: How lists of HTML count, by their `type` and by their style.
_COUNTED = {"a": letters, "i": roman, "lower-alpha": letters, "lower-latin": letters, "lower-roman": roman}
_CAPITAL = {"A": letters, "I": roman, "upper-alpha": letters, "upper-latin": letters, "upper-roman": roman}


def nest_lists(page: BeautifulSoup) -> None:
    """Make lists of paragraphs that Word marks as entries of one; lists that stand within lists, but not within an
    entry, go into the entry before them.
    """
    for paragraph in page.find_all("p"):
        if not paragraph.decomposed and _level(paragraph)[1] and not _follows_entry(paragraph):
            _gather(page, paragraph)
    _join_google(page)
    for inner in page.select("ul > ul, ul > ol, ol > ul, ol > ol"):
        before = inner.find_previous_sibling("li")
        if before is not None:
            before.append(inner.extract())


def number_lists(page: BeautifulSoup) -> None:
    """Give each entry of a numbered list its number; a list that begins anew is one of its own, and one that counts
    by letters, or down, has its marks as words.
    """
    for numbered in page.find_all("ol"):
        entries = numbered.find_all("li", recursive=False)
        reverse = numbered.has_attr("reversed")
        number = _whole(numbered.get("start"), len(entries) if reverse else 1)
        label = _labels(numbered)
        for entry in entries:
            number = _whole(entry.get("value"), number)
            entry["value"] = str(number)
            if label or reverse:
                entry.insert(0, NavigableString(f"{label(number) if label else number}. "))
            number += -1 if reverse else 1
        if label or reverse:
            numbered.name = "ul"
        else:
            _split(page, numbered, entries)


def _split(page: BeautifulSoup, numbered: Tag, entries: list[Tag]) -> None:
    for before, entry in reversed(list(pairwise(entries))):
        if int(str(entry["value"])) <= int(str(before["value"])):
            made = page.new_tag("ol")
            made.extend([entry, *entry.find_next_siblings("li")])
            numbered.insert_after(made)


def _labels(numbered: Tag) -> Callable[[int], str] | None:
    """How a list counts, where it doesn't by numbers."""
    found = re.search(r"list-style(?:-type)?:([\w-]+)", style_of(numbered))
    for name in (str(numbered.get("type", "")), found[1] if found else ""):
        if name in _COUNTED:
            return _COUNTED[name]
        if name in _CAPITAL:
            small = _CAPITAL[name]
            return lambda number: small(number).upper()
    return None


def _whole(written: object, otherwise: int) -> int:
    text = str(written or "").strip()
    return int(text) if re.fullmatch(r"\d{1,9}", text) else otherwise


def _join_google(page: BeautifulSoup) -> None:
    """Google Docs saves each level of a list as a list of its own, one after another, named by class."""
    for part in page.find_all(["ul", "ol"], class_=_GOOGLE):
        before = part.find_previous_sibling()
        here = _google(part)
        if not isinstance(before, Tag) or _google(before)[0] != here[0]:
            continue
        # The level above, in which this one goes on or stands.
        above = before
        while _google(above)[1] < here[1] and (entries := above.find_all("li", recursive=False)):
            inner = [one for one in entries[-1].find_all(["ul", "ol"], recursive=False) if _google(one)[0] == here[0]]
            if not inner:
                entries[-1].append(part.extract())
                break
            above = inner[-1]
        else:
            if _google(above)[1] == here[1] and "start" not in (part.get("class") or ()):
                above.extend(list(part.contents))
                part.decompose()


def _google(element: Tag) -> tuple[str, int]:
    """Which of Google's lists this is a part of, and at which level."""
    found = _GOOGLE.match(next((name for name in element.get("class") or () if _GOOGLE.match(name)), ""))
    return (found[1], int(found[2])) if found else ("", 0)


def _level(element: Tag | None) -> tuple[str, int]:
    """Of which of Word's lists a paragraph is an entry, and at which level; 0 where it's none."""
    found = _LEVEL.search(str(element.get("style", ""))) if element is not None else None
    return (found[1], int(found[2])) if found else ("", 0)


def _follows_entry(paragraph: Tag) -> bool:
    before = paragraph.find_previous_sibling()
    return isinstance(before, Tag) and before.name == "p" and _level(before)[1] > 0


def _gather(page: BeautifulSoup, first: Tag) -> None:
    """The lists that begin with a paragraph, in its place: another for each that Word counts by itself."""
    entries = [first]
    following = first.find_next_sibling()
    while isinstance(following, Tag) and following.name == "p" and _level(following)[1]:
        entries.append(following)
        following = following.find_next_sibling()
    stack: list[tuple[int, str, Tag]] = []
    for entry in entries:
        (named, level), mark = _level(entry), _mark(entry)
        number = _NUMBER.fullmatch(mark)
        kind = f"{named} {'ol' if number else 'ul'}"
        while stack and (stack[-1][0] > level or (stack[-1][0] == level and stack[-1][1] != kind)):
            stack.pop()
        if not stack or stack[-1][0] < level:
            made = page.new_tag("ol" if number else "ul")
            if stack:
                (stack[-1][2].find_all("li", recursive=False)[-1]).append(made)
            else:
                first.insert_before(made)
            stack.append((level, kind, made))
        item = page.new_tag("li", attrs={"value": number[1]} if number else {})
        stack[-1][2].append(item)
        if not number and not _is_bullet(mark):
            item.append(NavigableString(f"{mark} "))
        item.extend(list(entry.contents))
    for entry in entries:
        entry.decompose()


def _is_bullet(mark: str) -> bool:
    """Whether a mark says no more than that an entry begins."""
    return mark in _BULLETS or (len(mark) == 1 and not mark.isalnum() and mark not in TICKS)


def _mark(entry: Tag) -> str:
    """Take the mark out of an entry; its text."""
    for span in entry.find_all("span", style=re.compile(r"mso-list:\s*ignore", re.IGNORECASE)):
        mark = span.get_text().strip()
        span.decompose()
        return str(mark)
    text = entry.find(string=True)
    if isinstance(text, NavigableString):
        found = re.match(r"\s*([·•▪o§–-]|\d+[.)])[\s\xa0]+", text)
        if found:
            text.replace_with(text[found.end() :])
            return found[1]
    return ""
