"""The Markdown of an issue, walked block by block into sections."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown_it.common.utils import normalizeReference
from markdown_it.tree import SyntaxTreeNode
from slugify import slugify

from newsletter.compose.file import Source
from newsletter.compose.pictures import images_in, only_pictures, photo_of, pieces, stretches
from newsletter.errors import InputError, IssueError, NewsletterError, nearest
from newsletter.languages import gettext
from newsletter.markdown import parse_issue, plain_line
from newsletter.model import (
    Block,
    Coverage,
    Definition,
    Item,
    Picture,
    Policy,
    PolicyEntry,
    Prose,
    Section,
    Story,
    address_of,
)

Library = Mapping[str, Item | Policy]


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


REFERENCE = re.compile(r"\[\[\s*([^\[\]|]+?)\s*(?:\|\s*([^\[\]|]*?)\s*)?\]\](?:\s+(\S.*))?")
#: What may stand behind a bar, `[[slug | update]]`, when an entry is told again, and how readers see it.
MARKS = {"update": _("Update: {headline}"), "reminder": _("Reminder: {headline}")}
_BY_REFERENCE = re.compile(r"(?<!!)\[([^\[\]]+)\](?:\[([^\[\]]*)\])?(?!\()")
ANY_REFERENCE = re.compile(r"\[\[\s*([^\[\]|]+?)\s*(?:\|[^\[\]]*)?\]\]")


def begins_section(node: SyntaxTreeNode) -> bool:
    """Whether a block is a section's heading; one without words is none."""
    return node.type == "heading" and node.tag == "h2" and bool(plain_line(_heading_of(node)) or images_in(node))


def _heading_of(node: SyntaxTreeNode) -> str:
    """The words of a heading, on one line."""
    return " ".join(node.children[0].content.split()) if node.children else ""


class Body:
    """One reading of an issue's Markdown. `problems` and `unused` fill while `sections` walks."""

    def __init__(
        self,
        source: Source,
        library: Library,
        covered: Mapping[str, Coverage],
        had_in: Mapping[str, tuple[str, ...]],
        folder: Path,
        workspace: Path,
        *,
        since: dt.date,
        until: dt.date,
        previous: dt.date | None = None,
        language: str = "en",
    ) -> None:
        self.problems: list[NewsletterError] = []
        self.unused: tuple[Definition, ...] = ()
        self._source = source
        self._lines = source.markdown.split("\n")
        self._written = source.written.split("\n")
        self._definitions: dict[str, dict[str, Any]] = {}
        self._library = library
        self._covered = covered
        self._had_in = had_in
        self._folder = folder
        self._workspace = workspace
        self._around = ("", 0)
        self._since = since
        self._until = until
        self._previous = previous
        self._language = language

    def sections(self) -> tuple[Section, ...]:
        """Every section; the first has an empty heading and holds what comes before the first `##`."""
        if self._source.unclosed is not None:
            self._problem(self._source.unclosed, "a comment is never closed", 'end it with "-->"')
        tokens, self._definitions = parse_issue(self._source.markdown)
        root = SyntaxTreeNode(tokens)
        self.unused = tuple(self._unused(root))
        self._no_html(root)
        self._sections = [Section(heading="", blocks=(), line=self._source.first_line)]
        self._blocks: list[Block] = []
        self._walk(root, only="", first=0)
        self._end_section()
        self.problems.sort(key=lambda problem: int(str(problem.where).rpartition(":")[2]))
        return self._anchored([section for section in self._sections if section.heading or section.blocks])

    @staticmethod
    def _anchored(sections: list[Section]) -> tuple[Section, ...]:
        """The sections with ids that no other section and no entry has."""
        blocks = [block for section in sections for block in section.blocks]
        taken = {block.item.slug for block in blocks if isinstance(block, Story)}
        taken |= {block.policy.slug for block in blocks if isinstance(block, PolicyEntry)}
        made = []
        for section in sections:
            name = slugify(plain_line(section.heading)) or f"section-{section.line}"
            anchor = name if name not in taken else f"{name}-{section.line}"
            taken.add(anchor)
            made.append(replace(section, anchor=anchor if section.heading else ""))
        return tuple(made)

    def _unused(self, root: SyntaxTreeNode) -> Iterator[Definition]:
        """The definitions that no link and no picture names."""
        named = {
            normalizeReference(label)
            for inline in root.walk()
            if inline.type == "inline"
            for label in re.findall(r"\[([^\[\]]+)\]", inline.content)
        }
        for label, target in self._definitions.items():
            if label not in named:
                line = self._source.first_line + target["map"][0]
                yield Definition(label=label.lower(), url=target["href"][:200], line=line)

    def _no_html(self, root: SyntaxTreeNode) -> None:
        for inline in root.walk():
            found = next((child for child in inline.walk() if child.type == "html_inline"), None)
            if inline.type == "inline" and found:
                line = self._line(inline) + inline.content.count("\n", 0, inline.content.find(found.content))
                self._problem(line, f"HTML is not used in issues: {found.content[:40]}", "write Markdown")

    def _walk(self, parent: SyntaxTreeNode, *, only: str, first: int) -> None:
        """The blocks of the file, or of a fence in it, each marked with the fences around it."""
        for node in parent.children:
            if begins_section(node):
                self._heading(node, only)
            elif node.type in ("container_only", "container_your"):
                self._fence(node, only=only, first=first)
            else:
                if self._sections[-1].only != only and self._sections[-1].only:
                    self._problem(self._line(node), "this belongs to no section", "begin one with ## after the fence")
                before = len(self._blocks)
                self._around = (only, first)
                self._block(node, self._blocks)
                for index in range(before, len(self._blocks)):
                    self._blocks[index] = replace(self._blocks[index], only=only, first=first)

    def _heading(self, node: SyntaxTreeNode, only: str) -> None:
        """A section's heading, one line of Markdown; a link by reference gets its address."""
        self._no_pictures(node)

        def linked(match: re.Match[str]) -> str:
            target = self._definitions.get(normalizeReference(match[2] or match[1]))
            return f"[{match[1]}](<{target['href']}>)" if target else match[0]

        self._end_section()
        heading = _BY_REFERENCE.sub(linked, _heading_of(node))
        self._sections.append(Section(heading=heading, blocks=(), line=self._line(node), only=only))

    def _end_section(self) -> None:
        self._sections[-1] = replace(self._sections[-1], blocks=tuple(map(self._defined, self._blocks)))
        self._blocks.clear()

    def _defined(self, block: Block) -> Block:
        """A block whose Markdown stands for itself: with the definitions of its links by reference."""
        match block:
            case Prose():
                return replace(block, markdown=block.markdown + self._definitions_in(block.markdown))
            case Story() | PolicyEntry():
                return replace(block, blurb=block.blurb + self._definitions_in(block.blurb))
        return block

    def _definitions_in(self, text: str) -> str:
        labels = dict.fromkeys(map(normalizeReference, re.findall(r"\[([^\[\]]+)\]", text)))
        used = {label: target for label in labels if (target := self._definitions.get(label))}
        lines = [f"[{label}]: <{t['href']}>" for label, t in used.items() if not t["href"].startswith("data:")]
        return "\n\n" + "\n".join(lines) if lines else ""

    def _fence(self, node: SyntaxTreeNode, *, only: str, first: int) -> None:
        """`::: only EXPRESSION` or `::: your state first`, and what it holds."""
        words, line = node.info.split(maxsplit=1), self._line(node)
        end = (node.map or (0, 0))[1]
        if end >= len(self._lines) or not self._lines[end].lstrip().startswith(":::"):
            self._problem(line, f'"::: {node.info.strip()}" is never closed', 'end it with a line ":::"')
        if node.type == "container_your":
            if words != ["your", "state first"] or first:
                self._problem(line, f'"::: {node.info.strip()}" is not known here', "write ::: your state first")
            first = line
        elif len(words) < 2 or only:
            hint = "one fence can't hold another; join them with and" if only else '::: only state = "FL"'
            self._problem(line, f'"::: {node.info.strip()}" doesn\'t say who', hint)
        else:
            only = words[1].strip()
        self._walk(node, only=only, first=first)

    def _block(self, node: SyntaxTreeNode, blocks: list[Block]) -> None:
        text = node.children[0].content if node.type == "paragraph" and node.children else ""
        if node.type == "heading" and node.tag == "h1":
            self._problem(self._line(node), "a # heading is the issue's title", 'use "##" for a section')
        elif node.type == "blockquote" and blocks and self._belongs(node, blocks[-1]):
            blocks[-1] = self._with_blurb(blocks[-1], node)
        elif text.startswith(":::"):
            known = "there are ::: only … and ::: your state first"
            hint = nearest(text.split("\n")[0].strip(": "), ("only", "your state first")) or known
            self._problem(self._line(node), f'"{text.split(chr(10))[0][:40]}" is no fence here', hint)
        elif text and REFERENCE.fullmatch(text.split("\n")[0]):
            for offset, reference in enumerate(text.split("\n")):
                self._reference(reference, self._line(node) + offset, blocks, compact=False)
        elif node.type == "bullet_list" and ANY_REFERENCE.match(self._text(node).lstrip("-*+ \t")):
            for item in node.children:
                self._row(item, blocks)
        elif images_in(node):
            self._illustrated(node, blocks)
        else:
            self._prose(self._text(node), self._line(node), blocks)

    def _illustrated(self, node: SyntaxTreeNode, blocks: list[Block]) -> None:
        """A block with pictures."""
        if node.type == "paragraph":
            self._pictures(node, blocks)
        elif only_pictures(node):
            for child in node.walk():
                if child.type == "paragraph":
                    self._pictures(child, blocks)
        elif node.type in ("bullet_list", "ordered_list", "blockquote"):
            self._among_words(node, blocks)
        else:
            self._no_pictures(node)

    def _reference(self, text: str, line: int, blocks: list[Block], *, compact: bool) -> None:
        match = REFERENCE.fullmatch(text.strip())
        if not match:
            self._problem(line, f'"{text[:40]}" is no reference', "write [[slug]] on a line of its own")
            return
        slug, mark, headline = match.group(1), match.group(2) or "", (match.group(3) or "").strip()
        if mark and mark not in MARKS:
            self._problem(line, f'"{mark}" is no mark', nearest(mark, MARKS) or "there are update and reminder")
            return
        entry = self._library.get(slug)
        if entry is None:
            self._problem(line, f'no stored item or policy "{slug}"', nearest(slug, self._library))
            return
        if isinstance(entry, Item):
            blocks.append(
                Story(
                    item=entry,
                    headline=self._marked(mark, headline or entry.title),
                    blurb=entry.summary,
                    compact=compact,
                    mark=mark,
                    had_in=() if mark == "update" else self._had(entry),
                    line=line,
                )
            )
        else:
            blocks.append(
                PolicyEntry(
                    policy=entry,
                    headline=self._marked(mark, headline or entry.title),
                    blurb=entry.summary,
                    mark=mark,
                    status=entry.latest(self._until),
                    moved=entry.moved(self._from(slug), self._until),
                    compact=compact,
                    line=line,
                    covered=self._covered.get(slug),
                )
            )

    def _marked(self, mark: str, headline: str) -> str:
        return gettext(self._language)(MARKS[mark]).replace("{headline}", headline) if mark else headline

    def _from(self, slug: str) -> dt.date:
        """Since when a policy's steps are news: what happened on the day of the last issue isn't, to those who have
        read of the policy.
        """
        told_that_day = slug in self._covered and self._since == self._previous
        return self._since + dt.timedelta(days=1) if told_that_day else self._since

    def _had(self, item: Item) -> tuple[str, ...]:
        return self._had_in.get(item.slug) or self._had_in.get(address_of(item.url), ())

    def _row(self, item: SyntaxTreeNode, blocks: list[Block]) -> None:
        """One bullet of a list of references: a paragraph, perhaps with a block quote."""
        before = len(blocks)
        for child in item.children:
            if child.type == "paragraph":
                self._reference(child.children[0].content, self._line(child), blocks, compact=True)
            elif child.type == "blockquote" and len(blocks) > before:
                blocks[-1] = self._with_blurb(blocks[-1], child)
            else:
                self._problem(self._line(child), "a bullet with a reference holds nothing else", "write - [[slug]]")

    def _belongs(self, quote: SyntaxTreeNode, above: Block) -> bool:
        """Whether a block quote is the blurb of the entry above it: with no blank line between them."""
        start = (quote.map or (0, 0))[0]
        return isinstance(above, Story | PolicyEntry) and self._beside(above) and bool(self._written[start - 1].strip())

    def _beside(self, above: Block) -> bool:
        """Whether the block above lies within the same fences, so that nothing fenced leaks out by joining it."""
        return (above.only, above.first) == self._around

    def _with_blurb(self, block: Block, quote: SyntaxTreeNode) -> Block:
        self._no_pictures(quote)
        blurb = "\n".join(re.sub(r"^\s*> ?", "", line) for line in self._text(quote).split("\n")).strip()
        return replace(block, blurb=blurb) if isinstance(block, Story | PolicyEntry) else block

    def _pictures(self, node: SyntaxTreeNode, blocks: list[Block]) -> None:
        """A paragraph with pictures, `![alt text](file.jpg "credit")`, each a block between the words around it."""
        first = self._line(node)
        try:
            found = list(pieces(node.children[0]))
        except InputError as fault:
            self._problem(first, fault.what, fault.hint)
            return
        for piece in found:
            line = first + piece.line
            if piece.image is None:
                self._prose(piece.text, line, blocks)
                continue
            self._picture(piece.image, line, piece.url, blocks)

    def _picture(self, image: SyntaxTreeNode, line: int, url: str, blocks: list[Block]) -> None:
        try:
            photo = photo_of(image, self._folder, self._workspace)
        except InputError as fault:
            self._problem(line, fault.what, fault.hint)
        else:
            only, first = self._around
            blocks.append(Picture(photo=photo, line=line, url=url, only=only, first=first))

    def _among_words(self, node: SyntaxTreeNode, blocks: list[Block]) -> None:
        """A list or a quote with pictures: each stands below the item, or the quote, that it was in."""
        for stretch in stretches(node, self._lines):
            if stretch.text:
                self._prose(stretch.text, self._source.first_line + stretch.line, blocks)
            for image, line, url in stretch.images:
                self._picture(image, self._source.first_line + line, url, blocks)

    def _no_pictures(self, node: SyntaxTreeNode) -> None:
        """A picture can't be shown within a table, a heading or a blurb."""
        for inline in node.walk():
            for image in inline.children if inline.type == "inline" else ():
                if any(child.type == "image" for child in image.walk()):
                    hint = "give it a line of its own, with an empty line before and after"
                    self._problem(self._line(inline), "a picture can't stand in a table, a heading or a blurb", hint)
                    break

    def _prose(self, text: str, line: int, blocks: list[Block]) -> None:
        for offset, part in enumerate(text.split("\n")):
            for match in ANY_REFERENCE.finditer(part):
                what = f"[[{match.group(1)}]] stands inside other text"
                self._problem(line + offset, what, "give it a line of its own")
        above = blocks[-1] if blocks else None
        if isinstance(above, Prose) and self._beside(above):
            # As many lines as in the file, so that a fault inside keeps its line.
            between = max(1, line - above.line - above.markdown.count("\n"))
            blocks[-1] = replace(above, markdown=above.markdown + "\n" * between + text)
        else:
            only, first = self._around
            blocks.append(Prose(markdown=text, line=line, only=only, first=first))

    def _text(self, node: SyntaxTreeNode) -> str:
        """The lines of the file that a block stands on."""
        start, end = node.map or (0, 0)
        return "\n".join(self._lines[start:end]).rstrip()

    def _line(self, node: SyntaxTreeNode) -> int:
        return self._source.first_line + (node.map[0] if node.map else 0)

    def _problem(self, line: int, what: str, hint: str = "") -> None:
        self.problems.append(IssueError(what, where=f"{self._source.name}:{line}", hint=hint))
