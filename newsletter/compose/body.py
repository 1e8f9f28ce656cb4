"""The Markdown of an issue, walked block by block into sections."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.container import container_plugin

from newsletter.compose.file import Source
from newsletter.errors import InputError, IssueError, NewsletterError, nearest
from newsletter.model import (
    Block,
    Coverage,
    Item,
    Picture,
    Policy,
    PolicyEntry,
    Prose,
    Section,
    Story,
    address_of,
)
from newsletter.photos import read_photo

Library = Mapping[str, Item | Policy]

REFERENCE = re.compile(r"\[\[\s*([^\[\]|]+?)\s*(?:\|\s*([^\[\]|]*?)\s*)?\]\](?:\s+(\S.*))?")
#: What may stand behind a bar, `[[slug | update]]`, when an entry is told again, and how readers see it.
MARKS = {"update": "Update: ", "reminder": "Reminder: "}
FENCES = ("only", "your")
ANY_REFERENCE = re.compile(r"\[\[\s*([^\[\]|]+?)\s*(?:\|[^\[\]]*)?\]\]")


class Body:
    """One reading of an issue's Markdown. `problems` fills while `sections` walks."""

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
    ) -> None:
        self.problems: list[NewsletterError] = []
        self._source = source
        self._lines = source.markdown.split("\n")
        self._library = library
        self._covered = covered
        self._had_in = had_in
        self._folder = folder
        self._workspace = workspace
        self._around = ("", 0)
        self._since = since
        self._until = until
        self._previous = previous

    def sections(self) -> tuple[Section, ...]:
        """Every section; the first has an empty heading and holds what comes before the first `##`."""
        parser = MarkdownIt("commonmark")
        for name in FENCES:
            parser.use(container_plugin, name)
        self._sections = [Section(heading="", blocks=(), line=self._source.first_line)]
        self._blocks: list[Block] = []
        self._walk(SyntaxTreeNode(parser.parse(self._source.markdown)), only="", first=0)
        self._end_section()
        return tuple(section for section in self._sections if section.heading or section.blocks)

    def _walk(self, parent: SyntaxTreeNode, *, only: str, first: int) -> None:
        """The blocks of the file, or of a fence in it, each marked with the fences around it."""
        for node in parent.children:
            if node.type == "heading" and node.tag == "h2":
                self._end_section()
                heading = node.children[0].content if node.children else ""
                self._sections.append(Section(heading=heading, blocks=(), line=self._line(node), only=only))
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

    def _end_section(self) -> None:
        self._sections[-1] = replace(self._sections[-1], blocks=tuple(self._blocks))
        self._blocks.clear()

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
        elif node.type == "html_block":
            if not node.content.lstrip().startswith("<!--"):
                self._problem(self._line(node), "HTML is not used in issues", "write Markdown")
        elif node.type == "blockquote" and blocks and self._belongs(node, blocks[-1]):
            blocks[-1] = self._with_blurb(blocks[-1], node)
        elif text.startswith(":::"):
            hint = nearest(text.split("\n")[0].strip(": "), ("only", "your state first")) or "there are only and your"
            self._problem(self._line(node), f'"{text.split(chr(10))[0][:40]}" is no fence here', hint)
        elif text and REFERENCE.fullmatch(text.split("\n")[0]):
            for offset, reference in enumerate(text.split("\n")):
                self._reference(reference, self._line(node) + offset, blocks, compact=False)
        elif node.type == "bullet_list" and ANY_REFERENCE.match(self._text(node).lstrip("-*+ \t")):
            for item in node.children:
                self._row(item, blocks)
        elif (picture := self._picture(node)) is not None:
            blocks.append(picture)
        else:
            self._prose(node, blocks)

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
                    headline=MARKS.get(mark, "") + (headline or entry.title),
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
                    headline=MARKS.get(mark, "") + (headline or entry.title),
                    blurb=entry.summary,
                    mark=mark,
                    status=entry.latest(self._until),
                    moved=entry.moved(self._from(slug), self._until),
                    compact=compact,
                    line=line,
                    covered=self._covered.get(slug),
                )
            )

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
        return isinstance(above, Story | PolicyEntry) and self._beside(above) and bool(self._lines[start - 1].strip())

    def _beside(self, above: Block) -> bool:
        """Whether the block above lies within the same fences, so that nothing fenced leaks out by joining it."""
        return (above.only, above.first) == self._around

    def _with_blurb(self, block: Block, quote: SyntaxTreeNode) -> Block:
        blurb = "\n".join(re.sub(r"^\s*> ?", "", line) for line in self._text(quote).split("\n")).strip()
        return replace(block, blurb=blurb) if isinstance(block, Story | PolicyEntry) else block

    def _picture(self, node: SyntaxTreeNode) -> Picture | None:
        """A paragraph that is one picture, `![alt text](file.jpg "credit")`."""
        images = node.children[0].children if node.type == "paragraph" and node.children else []
        if len(images) != 1 or images[0].type != "image":
            return None
        image, line = images[0], self._line(node)
        name = str(image.attrs.get("src", ""))
        path = self._folder / name
        path = path if path.exists() else self._workspace / name
        try:
            photo = read_photo(
                path, self._workspace, alt=image.content, credit=str(image.attrs.get("title", "")), named=name
            )
        except InputError as fault:
            self._problem(line, fault.what, fault.hint)
            return None
        return Picture(photo=photo, line=line)

    def _prose(self, node: SyntaxTreeNode, blocks: list[Block]) -> None:
        text, line = self._text(node), self._line(node)
        for offset, part in enumerate(text.split("\n")):
            for match in ANY_REFERENCE.finditer(part):
                what = f"[[{match.group(1)}]] stands inside other text"
                self._problem(line + offset, what, "give it a line of its own")
        if blocks and isinstance(blocks[-1], Prose) and self._beside(blocks[-1]):
            blocks[-1] = replace(blocks[-1], markdown=f"{blocks[-1].markdown}\n\n{text}")
        else:
            blocks.append(Prose(markdown=text, line=line))

    def _text(self, node: SyntaxTreeNode) -> str:
        """The lines of the file that a block stands on."""
        start, end = node.map or (0, 0)
        return "\n".join(self._lines[start:end]).rstrip()

    def _line(self, node: SyntaxTreeNode) -> int:
        return self._source.first_line + (node.map[0] if node.map else 0)

    def _problem(self, line: int, what: str, hint: str = "") -> None:
        self.problems.append(IssueError(what, where=f"{self._source.name}:{line}", hint=hint))
