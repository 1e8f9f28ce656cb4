"""One rule over the finished parts: marks that were meant to do something, and are read by everybody instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape as html_unescape

from lxml import etree, html

from newsletter.check.rules import Found, Subject, rule
from newsletter.markdown import parse
from newsletter.model import Severity

_MARKS = re.compile(
    r"""
      (?<!\w) \*\*+ | \*\*+ (?!\w)                         # **bold**
    | (?<![\w*]) \* (?=\w) [^*\n]{0,80} (?<=\S) \* (?![\w*])   # *emphasis*
    | (?<![\w_/]) __ (?=[^\W_]) | (?<=[^\W_]) __ (?![\w_/])    # __bold__
    | !?\[ [^\[\]\n]* \]\s?\( | \]\[ | !\[                 # links and pictures
    | \[\[ | \]\] | \{\{+ | \}\}+ | \{% [^%\n]* (?:%\})? | %\}    # references and fields
    | <!-- | --> | </?[a-z][\w-]*(?:\s[^<>\n]*)?/?>              # comments and HTML
    | \[\^ [^\]\s]+ \]                                     # footnotes
    | ~~ | ==(?=\w)[^=\n]*(?<=\w)== | `+[^`\n]+`+ | ```
    | ^\s*\|.*\|\s*$ | \|\s*:?-{3,}                        # tables
    | ^\s*\#{2,6}\S? | ^\s*\#\s | ^\s*:::                  # headings and fences
    | ^\s*(?:[-*+]\s+)? \[[ xX]\]\s                        # boxes to tick
    | ^\s*(?:[•●▪◦‣⁃■□➢➤○\uf0b7\uf0a7]|[o·–—]\t)\s*        # pasted bullets
    | \\[\\*_`{}\[\]()\#+.!~|<>-]                          # escapes
    | &(?:[a-z]{2,8}|\#\d{2,6}|\#x[0-9a-f]{2,6});          # entities
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_ADDRESS = re.compile(r"(?:https?://|mailto:|www\.)\S+")
_TAGS = "address article blockquote body br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p table td th tr ul"
_BLOCKS = frozenset(_TAGS.split())
#: How many characters of what follows a mark tell it from another of its kind.
_CONTEXT = 24


@rule("content/leftover-marks", Severity.ERROR)
def leftover_marks(subject: Subject) -> Found:
    """Marks of Markdown, of HTML or of a merge field that are left in the finished mail, as readers would see them."""
    told: set[tuple[str, str]] = set()
    for variant in subject.variants:
        page, text = variant.html.merge({}), variant.text.merge({})
        code = _code_in(page)
        for part, words in (("html part", _words_of(page)), ("text part", _without(code, text))):
            for mark, context in _marks_in(words):
                where = _place(subject, context) or part
                if (where, mark[:3]) not in told:
                    told.add((where, mark[:3]))
                    yield where, f'"{context}" is mailed as it stands: "{mark}" is a mark that nothing reads here'


#: What people type before the items of a list; the Markdown of lists is read, and doesn't get here.
_TYPED = re.compile(
    r"[ \t]*(?:[•●▪◦○‣⁃■□➢➤–—·*+-]|\(?[a-z][.)]|\(?[ivx]{2,4}[.)]|\(?\d{1,2}[.)])[ \t\u00a0]+\S", re.IGNORECASE
)
_TYPED_WITHIN = re.compile(r":\s*[•●▪◦○‣■□➢➤]\s[^•●▪◦○‣■□➢➤]+[•●▪◦○‣■□➢➤]\s")
_DEFINED = re.compile(r"[ \t]*\S[^:\n]{0,40}[ \u00a0]:[ \u00a0]+\S")


@rule("content/run-together", Severity.WARNING)
def run_together(subject: Subject) -> Found:
    """Lines that were typed as a list, such as "a. one", and run on in one paragraph."""
    for passage in subject.passages():
        if not passage.is_markdown:
            continue
        for token in parse(passage.text):
            if token.type == "inline" and token.map and (found := _typed_list(token.content)):
                number, line = found
                message = f'"{line.strip()[:40]}" is typed as a list, and runs on; write "- " or "1. "'
                yield passage.at(token.map[0] + number), message


def _typed_list(text: str) -> tuple[int, str] | None:
    """The first line of a paragraph that is typed as an item of a list, and how many lines into it."""
    lines = text.split("\n")
    joined = [bool(n) and not lines[n - 1].endswith(("  ", "\\")) for n in range(len(lines))]
    for form in (_TYPED, _DEFINED):
        typed = [number for number, line in enumerate(lines) if form.match(line)]
        introduced = len(typed) == 1 and typed[0] > 0 and form is _TYPED and lines[typed[0] - 1].rstrip().endswith(":")
        if any(joined[number] for number in typed) and (len(typed) > 1 or introduced):
            return typed[0], lines[typed[0]]
    for number, line in enumerate(lines):
        if (joined[number] and re.match(r"[ \t]*:[ \t]+\S", line)) or _TYPED_WITHIN.search(line):
            return number, line
    return None


def _marks_in(words: str) -> Iterator[tuple[str, str]]:
    """Each mark, and the mark with the words after it."""
    bare = _ADDRESS.sub(" ", words)
    for found in _MARKS.finditer(bare):
        mark = found[0].strip()
        line = bare[found.start() : found.start() + len(found[0]) + _CONTEXT].strip().split("\n")[0]
        yield mark[:60], line[:60].strip()


def _place(subject: Subject, context: str) -> str:
    """Where in the issue's texts a mark stands, by as much of what follows it as there is; empty where a template or a
    setting brings it.
    """
    best, found_at = 0, ""
    for passage in subject.passages():
        for number, line in enumerate(passage.text.split("\n")):
            length = max(_shared(context, line), _shared(context, html_unescape(line.replace("\\", ""))))
            if length > best:
                best, found_at = length, passage.at(number)
    return found_at


def _shared(context: str, line: str) -> int:
    """How many characters from its beginning on a line has of a mark and what follows it."""
    return next((length for length in range(len(context), 0, -1) if context[:length] in line), 0)


def _without(code: tuple[str, ...], text: str) -> str:
    for piece in code:
        text = text.replace(piece, " ")
    return text


def _code_in(page: str) -> tuple[str, ...]:
    """What stands in code, where marks are meant."""
    if "<code" not in page:
        return ()
    return tuple(
        text
        for element in html.document_fromstring(page).iter("code")
        for text in "".join(str(piece) for piece in element.itertext()).split("\n")
        if text.strip()
    )


@lru_cache(maxsize=64)
def _words_of(page: str) -> str:
    """What a reader sees of a page, a line for each block, without code."""
    root = html.document_fromstring(page)
    etree.strip_elements(root, "head", "style", "script", "code", etree.Comment, with_tail=False)
    for element in root.iter():
        if element.tag in _BLOCKS:
            element.text = f"\n{element.text or ''}"
            element.tail = f"\n{element.tail or ''}"
        elif element.tag == "img":
            element.tail = f"\n{element.get('alt', '')}\n{element.tail or ''}"
    return "".join(str(text) for text in root.itertext())
