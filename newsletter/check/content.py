"""Rules about the words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from markdown_it.rules_block.table import escapedSplit

from newsletter.check.rules import Found, Subject, rule
from newsletter.markdown import parse
from newsletter.model import PolicyEntry, Severity, Story, Use, address_of

#: The whole subject fits most inbox rows up to here; a longer one is cut in the middle of a word.
_SUBJECT_CHARACTERS = 60
_PREHEADER_CHARACTERS = (40, 90)
_DESK_WORDS = re.compile(r"\b(?:TK|TKTK|TODO|TBD|XXX+|FIXME)\b")
#: The line below the head of a table of Pandoc's.
_COLUMNS = re.compile(r"[ \t]*-{2,}(?:[ \t]+-{2,})+[ \t]*")
_CELLS = re.compile(r"\S\t+\S")
_FILLERS = re.compile(r"lorem ipsum|\[(?:insert|link|name|date|to write)\b[^\]]*\](?!\()", re.IGNORECASE)


@rule("content/no-subject", Severity.ERROR)
def no_subject(subject: Subject) -> Found:
    """An issue needs a subject line."""
    if not str(subject.issue.subject).strip():
        yield f"{subject.issue.path}: subject", "the subject is empty"


@rule("content/long-subject", Severity.WARNING)
def long_subject(subject: Subject) -> Found:
    """A subject over 60 characters is cut in most inboxes."""
    length = len(subject.issue.subject.merge({}))
    if length > _SUBJECT_CHARACTERS:
        message = f"the subject has {length} characters; inboxes show about 33 to 50"
        yield f"{subject.issue.path}: subject", message


@rule("content/no-preheader", Severity.ERROR)
def no_preheader(subject: Subject) -> Found:
    """Without a preheader, inboxes show whatever text comes first."""
    if not str(subject.issue.preheader).strip():
        yield f"{subject.issue.path}: preheader", "the preheader is empty"


@rule("content/preheader-length", Severity.WARNING)
def preheader_length(subject: Subject) -> Found:
    """A preheader reads best at 40 to 90 characters."""
    length = len(subject.issue.preheader.merge({}))
    low, high = _PREHEADER_CHARACTERS
    if length and not low <= length <= high:
        yield f"{subject.issue.path}: preheader", f"the preheader has {length} characters; {low} to {high} read best"


@rule("content/placeholder", Severity.ERROR)
def placeholder(subject: Subject) -> Found:
    """Words that were meant to be replaced: TK, TODO, lorem ipsum, [insert …]."""
    for passage in subject.passages():
        for pattern in (_DESK_WORDS, _FILLERS):
            for match in pattern.finditer(passage.text):
                yield passage.around(match.start()), f'"{match.group()}" is a placeholder'


@rule("content/used-twice", Severity.ERROR)
def used_twice(subject: Subject) -> Found:
    """An item or policy stands twice in one issue."""
    seen: dict[str, int] = {}
    for entry in subject.issue.entries:
        slug = entry.item.slug if isinstance(entry, Story) else entry.policy.slug
        if slug in seen:
            yield subject.at(entry.line), f'"{slug}" stands already on line {seen[slug]}'
        seen.setdefault(slug, entry.line)


@rule("content/empty-section", Severity.WARNING)
def empty_section(subject: Subject) -> Found:
    """A section with a heading and nothing below it."""
    for section in subject.issue.sections:
        if section.heading and not section.blocks:
            yield subject.at(section.line), f'the section "{section.heading}" is empty'


@rule("content/nothing", Severity.ERROR)
def nothing(subject: Subject) -> Found:
    """An issue with no item, policy or text at all."""
    if not any(True for _ in subject.issue.blocks):
        yield subject.issue.path, "the issue has no content"


@rule("content/no-teaser", Severity.WARNING)
def no_teaser(subject: Subject) -> Found:
    """The archive's index shows the teaser under the title."""
    if not subject.issue.teaser.strip():
        yield f"{subject.issue.path}: teaser", "there is no teaser for the archive's index"


@rule("content/no-blurb", Severity.WARNING)
def no_blurb(subject: Subject) -> Found:
    """A card without any words under its headline."""
    for entry in subject.issue.entries:
        if not entry.compact and not entry.blurb.strip():
            what = "policy" if isinstance(entry, PolicyEntry) else "item"
            yield subject.at(entry.line), f'the {what} "{entry.headline}" has no summary'


@rule("content/pasted-table", Severity.ERROR)
def pasted_table(subject: Subject) -> Found:
    """Rows of a spreadsheet, with tabs between their cells, or of a table of Pandoc's, run together to a paragraph."""
    for passage in subject.passages():
        rows = passage.text.split("\n") if passage.is_markdown else []
        for number, (row, following) in enumerate(itertools.pairwise(rows)):
            before = rows[number - 1] if number else ""
            if _CELLS.search(row) and _CELLS.search(following) and not _CELLS.search(before):
                yield passage.at(number), "a table with tabs between its cells; write it as | one | two |"
        for number, row in enumerate(rows):
            if _COLUMNS.fullmatch(row):
                yield passage.at(number), "a table with blanks between its cells; write it as | one | two |"


@rule("content/left-out", Severity.ERROR)
def left_out(subject: Subject) -> Found:
    """Words that Markdown leaves out: a cell without a column, and what stands behind the ``` or ~~~ of code; and a
    picture in a stored summary.
    """
    for passage in subject.passages():
        if passage.stored:
            for picture in _pictures_in(passage.text):
                yield passage.where, f'a picture can\'t stand in a stored summary; "{picture[:60]}" is left out'
        lines, columns = passage.text.split("\n"), 0
        for token in parse(passage.text) if passage.is_markdown else ():
            if token.type == "tr_open" and token.map:
                row = lines[token.map[0]].strip(" \t>").removeprefix("|")
                cells = escapedSplit(row.removesuffix("|") if not row.endswith("\\|") else row)
                columns = columns or len(cells)
                if over := " ".join(" ".join(cells[columns:]).split()):
                    yield passage.at(token.map[0]), f'"{over[:60]}" has no column; give the head of the table one more'
            elif token.type == "table_close":
                columns = 0
            elif token.type == "fence" and token.map and not re.fullmatch(r"[\w+#.-]*", token.info.strip()):
                yield passage.at(token.map[0]), f'"{token.info.strip()[:60]}" is left out; give it a line of its own'


def _pictures_in(markdown: str) -> Iterator[str]:
    children = (child for token in parse(markdown) for child in token.children or ())
    return (child.content or str(child.attrs.get("src", "")) for child in children if child.type == "image")


@rule("content/used-before", Severity.ERROR)
def used_before(subject: Subject) -> Found:
    """An item, or its link, stood in an issue of the same publication that was approved before this one; tell it again
    only as an update or a reminder.
    """
    for entry, use in _repeats(subject):
        if use.publication == subject.issue.publication:
            message = f'"{entry.item.slug}" stood in {use.issue}; write [[{entry.item.slug} | update]] or reminder'
            yield subject.at(entry.line), message


@rule("content/used-elsewhere", Severity.WARNING)
def used_elsewhere(subject: Subject) -> Found:
    """An item, or its link, stood in another publication's issue. Where its readers don't get the item again, that is
    no matter.
    """
    for entry, use in _repeats(subject):
        if use.publication != subject.issue.publication:
            yield (
                subject.at(entry.line),
                f'"{entry.item.slug}" stood in {use.issue}; those who get both have had it: see skip_repeats_days',
            )


def _repeats(subject: Subject) -> Iterator[tuple[Story, Use]]:
    """Each item that was told before, with its first use there, in each publication."""
    for entry in subject.issue.entries:
        if not isinstance(entry, Story) or entry.mark:
            continue
        publications: set[str] = set()
        for use in subject.earlier:
            same = use.slug == entry.item.slug or use.address == address_of(entry.item.url)
            if same and use.issue not in entry.had_in and use.publication not in publications:
                publications.add(use.publication)
                yield entry, use
