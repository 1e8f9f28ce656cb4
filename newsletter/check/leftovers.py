"""One rule over the finished parts: marks that were meant to do something, and are read by everybody instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape as html_unescape

from lxml import etree, html

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity

_MARKS = re.compile(
    r"""
      (?<!\w) \*\*+ | \*\*+ (?!\w)                         # **bold**
    | (?<![\w*]) \* (?=\w) [^*\n]{0,80} (?<=\S) \* (?![\w*])   # *emphasis*
    | (?<![\w_/]) __ (?=[^\W_]) | (?<=[^\W_]) __ (?![\w_/])    # __bold__
    | !?\[ [^\[\]\n]* \]\s?\( | \]\[ | !\[ | \([^()\n]+\)\[[ ]{8}   # links and pictures
    | \[\[ | \]\] | \{\{+ | \}\}+ | \{% [^%\n]* (?:%\})? | %\}    # references and fields
    | <!-- | --> | <[?!]\[?[a-z] | </?[a-z][\w:.-]*(?:\s[^<>\n]*)?/?>            # comments and HTML
    | \[\^ [^\]\s]+ \] | \^\[ [^\]\n]+ \]                    # footnotes
    | ^\s*\[! [a-z]+ \][-+]?                              # alerts of GitHub and Obsidian
    | ^\s*(?:!!!|\?\?\?)\+?\s+(?:note|info|tip|hint|warning|danger|important|caution|abstract|example|quote|success)\b
    | \^ [^\W_] (?:[^\s^\[\]]{0,18}[^\W_])? \^ | (?<=\s)\^[a-z0-9][a-z0-9-]+\s*$   # ^raised^; names of blocks
    | (?<![\w+])\+\+ (?=\w) [^+\n]+ (?<=[\w.!?])\+\+ (?![\w+]) | (?<!\|)\|\| \w [^|\n]* \|\|   # inserted, hidden
    | \$\$ | \$(?=\S) [^$\n]* [\\^_={}] [^$\n]* (?<=\S)\$(?!\d)  # formulas
    | (?<![\w:]):(?:[a-z][a-z0-9_+-]+|\+1|-1):(?![\w:])    # emoji by name
    | \[-?@ [\w:.-]+ [^\]\n]* \] | ^\s*\*\[ [^\]\n]+ \]:     # citations, abbreviations
    | ^\s*\[_?toc_?\]\s*$ | (?<![\w:\\])\\[a-z]{3,}\b (?!\\)            # tables of contents, commands of TeX
    | ^\s*==+\s.*\s==+\s*$ | '''+ | \[/(?:b|i|u|s|url|img|quote|code|size|color|center)\]   # wikis, forums
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
#: ~lowered~; the plain text shows ~~what was struck~~ in the same way.
_LOWERED = re.compile(r"(?<=\w)~[^\s~]{1,10}~(?!~)")
#: Code in a text of Markdown, where marks are meant.
_CODE = re.compile(r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|^~~~.*?^~~~", re.DOTALL | re.MULTILINE)
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
            marks = _LOWERED if part == "html part" else None
            for mark, context, before in _marks_in(words, marks):
                where = _place(subject, context, before) or part
                if (where, mark[:3]) not in told:
                    told.add((where, mark[:3]))
                    yield where, f'"{context}" is mailed as it stands: "{mark}" is a mark that nothing reads here'


def _marks_in(words: str, more: re.Pattern[str] | None) -> Iterator[tuple[str, str, str]]:
    """Each mark, the mark with the words after it, and those before it on its line."""
    bare = _ADDRESS.sub(lambda address: " " * len(address[0]), words)
    for found in (*_MARKS.finditer(bare), *(more.finditer(bare) if more else ())):
        mark = found[0].strip()
        line = words[found.start() : found.start() + len(found[0]) + _CONTEXT].strip().split("\n")[0]
        begins = found.start() + len(found[0]) - len(found[0].lstrip())
        yield mark[:60], line[:60].strip(), words[max(0, begins - _CONTEXT) : begins].rpartition("\n")[2]


def _place(subject: Subject, context: str, before: str) -> str:
    """Where in the issue's texts a mark stands, by as much of what follows it as there is, and of what stands before
    it; empty where a template or a setting brings it.
    """
    best, found_at = (0, 0), ""
    for passage in subject.passages():
        text = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), passage.text)
        for number, line in enumerate((text if passage.is_markdown else passage.text).split("\n")):
            shared = max(
                _shared(context, before, line), _shared(context, before, html_unescape(line.replace("\\", "")))
            )
            if shared > best:
                best, found_at = shared, passage.at(number)
    return found_at


def _shared(context: str, before: str, line: str) -> tuple[int, int]:
    """How many characters a line has of a mark and what follows it, and of what stands before that."""
    length = next((length for length in range(len(context), 0, -1) if context[:length] in line), 0)
    ends = (found.start() for found in re.finditer(re.escape(context[:length]), line)) if length else iter(())
    return length, max((_common_end(before, line[:end]) for end in ends), default=0)


def _common_end(one: str, other: str) -> int:
    return next((n for n in range(min(len(one), len(other)), 0, -1) if one[-n:] == other[-n:]), 0)


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
