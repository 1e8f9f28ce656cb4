"""Rules about Markdown that is read otherwise than it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from markdown_it.token import Token

from newsletter.check.rules import Found, Passage, Subject, rule
from newsletter.markdown import numbers, parse
from newsletter.model import Severity

#: What people type before the items of a list; the Markdown of lists is read, and doesn't get here.
_TYPED = re.compile(
    r"""[ \t]*(?:
      (?: [•●▪◦○‣⁃■□➢➤–—·*+~-] | \(?[a-z][.)] | \(?[ivx]{2,4}[.)] | \(?\d{1,2}[.)] | \d{1,2}/ ) [ \t\u00a0]+ \S
    | [•●▪◦○‣⁃■➢➤–—·-][^\W\d_] | \*(?=\w)(?![^\n]*\*) | \d{1,2}[.)][^\W\d_]
    | [\u2460-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf] | \d\ufe0f?\u20e3
    | [\u2190-\u21ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f1e6-\U0001faff]
      [\ufe0f\u200d\U0001f3fb-\U0001f3ff]* [ \t\u00a0]* \S
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_TYPED_WITHIN = re.compile(r":\s*[•●▪◦○‣■□➢➤]\s[^•●▪◦○‣■□➢➤]+[•●▪◦○‣■□➢➤]\s")
_DEFINED = re.compile(r"[ \t]*\S[^:\n]{0,40}[ \u00a0]:[ \u00a0]+\S")
_BROKEN = re.compile(r"(?:  |\\|<br\s*/?>)[ \t]*$", re.IGNORECASE)
_SET_IN = re.compile(r"(?: {4}|\t)[ \t]*\S")


@rule("content/run-together", Severity.WARNING)
def run_together(subject: Subject) -> Found:
    """Lines that were typed as a list, such as "a. one" or "✓ one", or set in by four blanks, and run on in one
    paragraph.
    """
    for where, token, lines in _inlines(subject):
        if typed := _typed_list(token.content):
            number, line = typed
            message = f'"{line.strip()[:40]}" is typed as a list, and runs on; write "- " or "1. "'
            yield where(number), message
        elif len(lines) > 1 and all(map(_SET_IN.match, lines)):
            yield where(0), f'"{lines[0].strip()[:40]}" is set in, and runs on; put ``` above and below'


@rule("content/renumbered", Severity.WARNING)
def renumbered(subject: Subject) -> Found:
    """A list whose numbers don't rise is counted anew; only 1. 1. 1. is how some write every list."""
    for passage in _passages(subject):
        lists: list[list[Token]] = []
        for token in parse(passage.text):
            if token.type in ("ordered_list_open", "bullet_list_open"):
                lists.append([token])
            elif token.type == "list_item_open":
                lists[-1].append(token)
            elif token.type == "ordered_list_close":
                opened, *items = lists.pop()
                read = numbers([item.info for item in items], int(opened.attrs.get("start", 1)))
                other = [(item, now) for item, now in zip(items, read, strict=True) if int(item.info) != now]
                if other and len({item.info for item in items}) > 1:
                    item, now = other[0]
                    yield passage.at(item.map[0] if item.map else 0), f'"{item.info}." is shown as {now}.'
            elif token.type == "bullet_list_close":
                lists.pop()


@rule("content/emphasis-within", Severity.ERROR)
def emphasis_within(subject: Subject) -> Found:
    """Bold within bold, or emphasis within emphasis: a pair of marks has taken in what stands before the next pair."""
    for where, token, _ in _inlines(subject):
        around: list[str] = []
        line = 0
        for child in token.children or ():
            line += child.type in ("softbreak", "hardbreak")
            if child.type in ("strong_open", "em_open"):
                if child.type in around:
                    mark = child.markup
                    yield where(line), f'"{mark}" within "{mark}"; keep it off the sign beside it, or take it out'
                    break
                around.append(child.type)
            elif child.type in ("strong_close", "em_close"):
                around.remove(child.type.replace("close", "open"))


@rule("content/empty-heading", Severity.ERROR)
def empty_heading(subject: Subject) -> Found:
    """A heading without words; what stands below it goes on from what stands above."""
    for passage in _passages(subject):
        opened: Token | None = None
        for token in parse(passage.text):
            if token.type == "heading_open":
                opened = token
            elif token.type == "inline" and opened:
                if not any(child.content.strip() for child in token.children or ()):
                    yield passage.at(opened.map[0] if opened.map else 0), "a heading without words"
                opened = None


def _passages(subject: Subject) -> Iterator[Passage]:
    return (passage for passage in subject.passages() if passage.is_markdown)


def _inlines(subject: Subject) -> Iterator[tuple[Callable[[int], str], Token, list[str]]]:
    """Every stretch of words: where each of its lines stands, the stretch, and its lines as they were typed."""
    for passage in _passages(subject):
        lines = passage.text.split("\n")
        for token in parse(passage.text):
            if token.type == "inline" and token.map:
                start, end = token.map
                yield partial(_line_of, passage, start), token, lines[start:end]


def _line_of(passage: Passage, start: int, line: int) -> str:
    return passage.at(start + line)


def _typed_list(text: str) -> tuple[int, str] | None:
    """The first line of a paragraph that is typed as an item of a list, and how many lines into it."""
    lines = text.split("\n")
    joined = [bool(n) and not _BROKEN.search(lines[n - 1]) for n in range(len(lines))]
    for form in (_TYPED, _DEFINED):
        typed = [number for number, line in enumerate(lines) if form.match(line)]
        introduced = len(typed) == 1 and typed[0] > 0 and form is _TYPED and lines[typed[0] - 1].rstrip().endswith(":")
        if any(joined[number] for number in typed) and (len(typed) > 1 or introduced):
            return typed[0], lines[typed[0]]
    for number, line in enumerate(lines):
        if (joined[number] and re.match(r"[ \t]*:[ \t]+\S", line)) or _TYPED_WITHIN.search(line):
            return number, line
    return None
