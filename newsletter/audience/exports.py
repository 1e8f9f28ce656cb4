"""Other tools' exports, read as they come: any usual encoding, any usual delimiter, row by row."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import InputError

_CHUNK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Table:
    """An export that is open: its header, and its rows as (line, cells), blank ones as empty lists."""

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


@contextmanager
def open_export(path: Path) -> Iterator[Table]:
    """Open a CSV or TSV file; InputError with the line where it can't be read."""
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline()
            # Excel may say in a line of its own what stands between cells.
            told = first.rstrip("\r\n").lower().removeprefix("sep=")
            if is_told := told in _DELIMITERS and first[:4].lower() == "sep=":
                delimiter = told
            else:
                delimiter = max(_DELIMITERS, key=first.count)
                file.seek(0)
            rows = _rows(csv.reader(file, delimiter=delimiter), path, 2 if is_told else 1)
            header = next(rows, (0, []))[1]
            if len(header) < 1 or not any(cell.strip() for cell in header):
                raise InputError("the file is empty", where=path, hint="the first line must name the columns")
            yield Table(header, rows)
    except OSError as fault:
        raise InputError(f"can't be read: {fault.strerror}", where=path) from None
    except UnicodeError:
        raise InputError("neither UTF-8, UTF-16 nor Windows-1252", where=path, hint="export it as UTF-8") from None


def _rows(reader: Iterator[list[str]], path: Path, first: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on, from the `first` on: a quoted cell may hold line ends."""
    line = first
    try:
        for cells in reader:
            yield line, cells if any(cell.strip() for cell in cells) else []
            line = getattr(reader, "line_num", line) + first
    except csv.Error as fault:
        what = "a quote is never closed" if "field limit" in str(fault) else str(fault)
        raise InputError(f"not valid CSV: {what}", where=f"{path}:{line}") from None


def _encoding(path: Path) -> str:
    """UTF-16 by its mark; UTF-8 when every byte fits it; else Windows-1252, as Excel writes."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise InputError("this is an Excel workbook", where=path, hint="save it as CSV UTF-8")
        decoder = codecs.getincrementaldecoder("utf-8")()
        chunk = start
        while chunk:
            if b"\0" in chunk:
                raise InputError("not a text file", where=path, hint="export it as CSV")
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return "cp1252"
            chunk = file.read(_CHUNK)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
