"""What a build leaves for the next one, in the workspace's `.cache`: nothing of it is missed if it's lost.

Summaries are kept by the digest of their snapshot, issues' bodies for feeds by the key of what they show, and of every
file of a site the key of what it was made of, with its size and time, by which it's known to be untouched.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from newsletter.publish.summary import Summary, from_row

_FOLDER = Path(".cache") / "archive"
#: Where summaries are kept: all, and those that came since, of which there are few.
_ALL, _LATELY, _FEW = "summaries", "summaries-lately", 30


class Made(NamedTuple):
    """What a file was made of, and how it lay there."""

    key: str
    size: int
    time: int

    def untouched(self, path: str) -> bool:
        """Whether the file still lies as it was written."""
        try:
            found = os.stat(path)  # noqa: PTH116 (thousands of them)
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size, self.time)


@dataclass(frozen=True, slots=True)
class Kept:
    """The cache of one site: `program` is whose summaries are understood, `target` the site's folder."""

    workspace: Path
    program: str
    target: Path

    def lock(self) -> Path:
        """The file that one build at a time holds; made with its folder."""
        path = self._path("site", str(self.target.resolve())).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def summaries(self) -> dict[str, Summary]:
        """Kept summaries by the digest of their snapshot."""
        found: dict[str, Summary] = {}
        for name in (_ALL, _LATELY):
            try:
                found |= {row[1]: from_row(row) for row in _read(self._path(name), self.program)}
            except (ValueError, TypeError, KeyError, IndexError):
                continue
        return found

    def keep_summaries(self, summaries: Collection[Summary], *, new: Collection[str], old: int) -> None:
        """Keep these, of which some are `new`, by their digests. A few new ones are kept beside the others, which are
        written again when there are many, or when many that are `old` aren't wanted any more.
        """
        lately = {row[1] for row in _read(self._path(_LATELY), self.program)} | set(new)
        if len(lately) > _FEW or old > _FEW or len(new) == len(summaries):
            _write(self._path(_ALL), self.program, [summary.row() for summary in summaries])
            self._path(_LATELY).unlink(missing_ok=True)
        elif new:
            _write(self._path(_LATELY), self.program, [one.row() for one in summaries if one.digest in lately])

    def made(self) -> dict[str, Made]:
        """What is known of the site's files."""
        try:
            rows = _read(self._path("site", str(self.target.resolve())), self.program)
            return {path: Made(key, size, time) for path, key, size, time in rows}
        except (ValueError, TypeError):
            return {}

    def keep_made(self, made: dict[str, Made]) -> None:
        """Keep what is known of the site's files."""
        rows = [[path, one.key, one.size, one.time] for path, one in made.items()]
        _write(self._path("site", str(self.target.resolve())), self.program, rows)

    def body(self, key: str) -> str | None:
        """An issue's body for feeds."""
        try:
            (text,) = _read(self._path("body", key), self.program)
        except (ValueError, TypeError):
            return None
        return str(text)

    def keep_body(self, key: str, text: str) -> None:
        """Keep an issue's body for feeds."""
        _write(self._path("body", key), self.program, [text])

    def forget_bodies(self, keys: set[str]) -> None:
        """Keep no bodies but these."""
        wanted = {self._path("body", key).name for key in keys}
        for path in (self.workspace / _FOLDER).glob("body-*"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def _path(self, kind: str, name: str = "") -> Path:
        tail = f"-{hashlib.sha256(name.encode()).hexdigest()[:20]}" if name else ""
        return self.workspace / _FOLDER / f"{kind}{tail}.json"


def _read(path: Path, program: str) -> list[Any]:
    """The rows of a file, if they are whole and of this program; none otherwise."""
    try:
        head, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return []
    if head != _head(program, text):
        return []
    rows = json.loads(text)
    return rows if isinstance(rows, list) else []


def _write(path: Path, program: str, rows: list[Any]) -> None:
    text = json.dumps(rows, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(f"{_head(program, text)}\n{text}", encoding="utf-8", newline="\n")
    partial.replace(path)


def _head(program: str, text: str) -> str:
    return hashlib.sha256(f"{program}\n{text}".encode()).hexdigest()
