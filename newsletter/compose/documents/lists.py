"""Lists as Word and Outlook save them: paragraphs with a mark before them, made into lists."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_LEVEL = re.compile(r"mso-list:\s*l\d+\s+level(\d+)", re.IGNORECASE)
_GOOGLE = re.compile(r"lst-(\w+)-(\d+)")
_NUMBER = re.compile(r"(\d+)[.)]")


def nest_lists(page: BeautifulSoup) -> None:
    """Make lists of paragraphs that Word marks as entries of one; lists that stand within lists, but not within an
    entry, go into the entry before them.
    """
    for paragraph in page.find_all("p"):
        if not paragraph.decomposed and _level(paragraph) and not _follows_entry(paragraph):
            _gather(page, paragraph)
    _join_google(page)
    for inner in page.select("ul > ul, ul > ol, ol > ul, ol > ol"):
        before = inner.find_previous_sibling("li")
        if before is not None:
            before.append(inner.extract())


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


def _level(element: Tag | None) -> int:
    """At which level a paragraph is an entry; 0 where it's none."""
    found = _LEVEL.search(str(element.get("style", ""))) if element is not None else None
    return int(found[1]) if found else 0


def _follows_entry(paragraph: Tag) -> bool:
    before = paragraph.find_previous_sibling()
    return isinstance(before, Tag) and before.name == "p" and _level(before) > 0


def _gather(page: BeautifulSoup, first: Tag) -> None:
    """The list that begins with a paragraph, in its place."""
    entries = [first]
    following = first.find_next_sibling()
    while isinstance(following, Tag) and following.name == "p" and _level(following):
        entries.append(following)
        following = following.find_next_sibling()
    stack: list[tuple[int, Tag]] = []
    for entry in entries:
        level, mark = _level(entry), _mark(entry)
        while len(stack) > 1 and stack[-1][0] > level:
            stack.pop()
        if not stack or stack[-1][0] < level:
            number = _NUMBER.match(mark)
            made = page.new_tag("ol", attrs={"start": number[1]}) if number else page.new_tag("ul")
            if stack:
                (stack[-1][1].find_all("li", recursive=False)[-1]).append(made)
            else:
                first.insert_before(made)
            stack.append((level, made))
        item = page.new_tag("li")
        stack[-1][1].append(item)
        item.extend(list(entry.contents))
    for entry in entries:
        entry.decompose()


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
