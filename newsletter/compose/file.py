"""issue.md taken apart: TOML front matter between `+++` lines, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ConfigError, IssueError
from newsletter.markdown.source import prepared
from newsletter.tables import Document, Table

_FENCE = "+++"


class IssueTable(Table):
    """A front matter table: its faults are IssueErrors."""

    __slots__ = ()

    def error(self, what: str, *keys: str, hint: str = "") -> IssueError:  # type: ignore[override]
        """An IssueError that points at a key."""
        return IssueError(what, where=self.document.where(*self.path, *keys), hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An issue's file: its front matter, its Markdown as it's parsed and as it was `written`, line by line the same,
    and the line on which the Markdown starts. `unclosed` is the line of a comment that is never closed.
    """

    table: IssueTable
    markdown: str
    written: str
    first_line: int
    name: str
    unclosed: int | None = None


def read_issue(path: Path, named: str) -> Source:
    """Take an issue.md apart; `named` is the path that messages show."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise IssueError("there is no such issue", where=named, hint="newsletter draft PUBLICATION") from None
    except UnicodeDecodeError as fault:
        line = path.read_bytes()[: fault.start].count(b"\n") + 1
        raise IssueError("not UTF-8", where=f"{named}:{line}", hint="save the file as UTF-8") from None
    except OSError as fault:
        raise IssueError(f"can't be read: {fault.strerror}", where=named) from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ends = matter_lines(lines)
    if ends is None and lines[0].strip() != _FENCE:
        hint = f'start with a line "{_FENCE}", the front matter, and "{_FENCE}" again'
        raise IssueError("there is no front matter", where=f"{named}:1", hint=hint)
    if ends is None:
        raise IssueError(f'the front matter has no closing "{_FENCE}"', where=f"{named}:1")
    _, end = ends
    try:
        document = Document.parse("\n".join(lines[1:end]) + "\n", named, first_line=2)
    except ConfigError as fault:
        raise IssueError(fault.what, where=fault.where, hint=fault.hint) from None
    written, first = "\n".join(lines[end + 1 :]), end + 2
    markdown, unclosed = prepared(written)
    return Source(
        table=IssueTable(document.data, document, ()),
        markdown=markdown,
        written=written,
        first_line=first,
        name=named,
        unclosed=None if unclosed is None else first + unclosed,
    )


def matter_lines(lines: Sequence[str]) -> tuple[int, int] | None:
    """On which lines the two `+++` around the front matter stand, counted from 0; None where there are no two."""
    if not lines or lines[0].lstrip("\ufeff").strip() != _FENCE:
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), None)
    return None if end is None else (0, end)
