"""The rejected rows of an import, written as they come: the input's columns, `line` and `reason`."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from newsletter.audience.exports import Row
from newsletter.errors import InputError
from newsletter.spreadsheet import guarded

_OURS = ("line", "reason")
_HINT = "name another file with --rejects"


class Rejects:
    """A file that's made with the first rejected row, for its owner's eyes only. InputError for one that exists: it may
    be the input itself, or rejected rows that somebody has put right.
    """

    def __init__(self, path: Path, source: Path, header: Sequence[str]) -> None:
        self.path = path
        self._header = [*header[: -len(_OURS)]] if tuple(header[-len(_OURS) :]) == _OURS else [*header]
        self._kept = len(self._header)
        self._file: TextIO | None = None
        self._writer: Any = None
        if path.exists():
            what = "the file exists" if not path.samefile(source) else "the file is the one that's imported"
            raise InputError(f"rejected rows can't be written: {what}", where=path, hint=_HINT)

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        """Keep a row aside."""
        if self._writer is None:
            self._begin()
        line, cells = row
        texts = cells if len(cells) > len(self._header) + len(_OURS) else cells[: self._kept]
        self._writer.writerow([*(guarded(cell) for cell in texts), line, reason])

    def _begin(self) -> None:
        try:
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.fchmod(number, 0o600)
            self._file = os.fdopen(number, "w", encoding="utf-8-sig", newline="")
        except OSError as fault:
            raise InputError(f"can't write the rejected rows: {fault.strerror}", where=self.path, hint=_HINT) from None
        self._writer = csv.writer(self._file)
        self._writer.writerow([*(guarded(cell) for cell in self._header), *_OURS])
