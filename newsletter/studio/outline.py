"""The issue's parts as a list beside the preview, each with what the check says of it, and what it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import shorten

from newsletter import merge
from newsletter.check.deliverability import BUDGET_BYTES, CLIPPED_BYTES
from newsletter.check.links import links_in, links_with
from newsletter.compose.editing import Words
from newsletter.model import Block, Finding, Issue, Picture, PolicyEntry, Prose, Rendered, Story
from newsletter.render.markdown import plain, plain_line


@dataclass(slots=True)
class Part:
    """A block of the issue: what it's called, where it stands, who gets it, its links and findings."""

    name: str
    kind: str
    line: int
    only: str = ""
    up: bool = False
    down: bool = False
    words: Words = field(default_factory=Words)
    links: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Chapter:
    """A section: its heading as it's shown and as it's `written` (empty for the introduction), its parts, and findings
    about the heading.
    """

    heading: str
    written: str
    line: int
    parts: list[Part]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """All sections, and the findings that speak of the whole issue."""

    chapters: list[Chapter]
    findings: list[Finding]
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of the mail's HTML, of the budget, and from which on Gmail cuts."""

    html: int
    budget: int = BUDGET_BYTES
    clipped: int = CLIPPED_BYTES


def outline(
    issue: Issue,
    findings: list[Finding],
    movable: Mapping[int, tuple[bool, bool]],
    words: Mapping[int, Words],
) -> Outline:
    """The parts of an issue with the findings beside the place that they speak of; `words` are a part's, by line."""
    chapters = [
        Chapter(
            plain_line(section.heading),
            section.heading,
            section.line,
            [_part(block, movable, words) for block in section.blocks],
        )
        for section in issue.sections
    ]
    places: dict[int, list[Finding]] = {}
    for chapter in chapters:
        places[chapter.line] = chapter.findings
        places.update({part.line: part.findings for part in chapter.parts})
    whole: list[Finding] = []
    for finding in findings:
        line = _line_of(finding, issue)
        above = max((start for start in places if start <= line), default=0)
        places.get(above, whole).append(finding)
    open_ones = [finding for finding in findings if not finding.waived]
    errors = sum(finding.severity == "error" for finding in open_ones)
    return Outline(chapters, whole, errors, len(open_ones) - errors)


def _part(block: Block, movable: Mapping[int, tuple[bool, bool]], words: Mapping[int, Words]) -> Part:
    name, kind = _named(block)
    up, down = movable.get(block.line, (False, False))
    return Part(name, kind, block.line, block.only, up, down, words.get(block.line, Words()), _links(block))


def _links(block: Block) -> list[tuple[str, str]]:
    match block:
        case Prose():
            return list(links_in(block.markdown))
        case Story() | PolicyEntry():
            return [*links_with(block), *links_in(block.blurb)]
    return []


def _named(block: Block) -> tuple[str, str]:
    match block:
        case Story():
            return block.headline, block.item.kind
        case PolicyEntry():
            return block.headline, "policy"
        case Picture():
            return block.photo.alt or block.photo.file, "picture"
        case Prose():
            words = plain(merge.parse(block.markdown).merge({}))
            return shorten(words, 60, placeholder="…"), "text"


def _line_of(finding: Finding, issue: Issue) -> int:
    """The line of issue.md that a finding speaks of; 0 for the whole issue."""
    place = finding.where.removeprefix(f"{issue.path}:")
    return int(place) if place != finding.where and place.isdecimal() else 0


def size_of(mail: Rendered, values: Mapping[str, str]) -> Size:
    """How large the mail is for a reader."""
    return Size(len(mail.html.merge_html(values).encode()))
