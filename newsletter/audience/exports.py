"""Other tools' exports, read as they come: text in any usual encoding with any usual delimiter, and workbooks."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsletter.audience.cells import squeezed
from newsletter.audience.columns import FIELDS
from newsletter.audience.encodings import encoding
from newsletter.errors import InputError
from newsletter.spreadsheet import unpacked_size, workbook_rows

_DELIMITERS = (",", ";", "\t", "|")
#: How many lines are looked at for the names of the columns, and the names that a column of addresses has.
_ABOVE = 10
_ADDRESS = frozenset(FIELDS["email"]) - {"address", "subscriber"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: What a workbook or an archive may unfold to, in bytes.
_LARGEST = 2 << 30
_HINT = "close the quote, or take it away"
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """An export that is open: its header, and its rows as (line, cells), blank ones as empty lists. A header that
    stands twice has a number the second time, as `Status (2)`; so many lines stand `above` it.
    """

    header: list[str]
    rows: Iterator[Row]
    above: int = 0


@contextmanager
def open_export(path: Path) -> Iterator[Table]:
    """Open a file of comma or tab separated values, or a workbook; InputError with the line where it can't be read."""
    try:
        with path.open("rb") as file:
            start = file.read(256)
        if start.lstrip(b"\xef\xbb\xbf\r\n\t ")[:1] in (b"{", b"[", b"<"):
            raise InputError("neither a table of text nor a workbook", where=path, hint="save it as CSV UTF-8")
        if start.startswith(_WORKBOOKS):
            yield _table(_sheet(path), path)
        else:
            with _text(path) as table:
                yield table
    except OSError as fault:
        raise InputError(f"can't be read: {fault.strerror}", where=path) from None
    except UnicodeError:
        raise InputError("not in one encoding throughout", where=path, hint="save it as UTF-8") from None


@contextmanager
def _text(path: Path) -> Iterator[Table]:
    with path.open(encoding=encoding(path), newline="") as file:
        first = file.readline()
        # Excel may say in a line of its own what stands between cells.
        named = first.rstrip("\r\n").lower().removeprefix("sep=")
        if is_named := named in _DELIMITERS and first[:4].lower() == "sep=":
            delimiter = named
        else:
            delimiter = max(_DELIMITERS, key=first.count)
            file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        yield _table(_rows(reader, path, 2 if is_named else 1, delimiter), path)


def _table(rows: Iterator[Row], path: Path) -> Table:
    first = list(itertools.islice(rows, _ABOVE))
    if not first or not any(cell.strip() for cell in first[0][1]):
        raise InputError("the file is empty", where=path, hint="the first line must name the columns")
    at = _header_at([cells for _, cells in first])
    header = first[at][1]
    if any("\t" in cell.strip() for cell in header):
        hint = "put one sign between all cells, and import the file again"
        raise InputError("the name of a column holds a tab, so cells run together", where=path, hint=hint)
    return Table(_numbered(header), itertools.chain(first[at + 1 :], rows), above=at)


def _header_at(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows names the columns: the first, or one below a title."""
    named = [any(squeezed(cell) in _ADDRESS for cell in row) for row in rows]
    people = (number for number, row in enumerate(rows) if holds_address(row))
    return next((number for number in range(next(people, len(rows))) if named[number]), 0)


def holds_address(row: Sequence[str]) -> bool:
    """Whether a row is of a person rather than of names of columns."""
    return any("@" in cell.strip()[1:] for cell in row)


def _numbered(header: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    found = []
    for cell in header:
        seen[cell] += 1
        found.append(cell if seen[cell] == 1 else f"{cell} ({seen[cell]})")
    return found


def _rows(reader: Iterator[list[str]], path: Path, first: int, delimiter: str) -> Iterator[Row]:
    """Each row with the line it starts on, from the `first` on: a quoted cell may hold line ends."""
    line = first
    try:
        for cells in reader:
            after = getattr(reader, "line_num", line) + first
            if after > line + 1:
                _refuse_swallowed(cells, f"{path}:{line}", delimiter)
            yield line, cells if any(cell.strip() for cell in cells) else []
            line = after
    except csv.Error as fault:
        if "expected after" in str(fault) and _escapes(path):
            hint = 'write a quote within a cell as "", or export it as a workbook'
            raise InputError('quotes in cells are written as \\"', where=f"{path}:{line}", hint=hint) from None
        unclosed = any(word in str(fault) for word in ("field limit", "unexpected end"))
        what = "a quote is never closed" if unclosed else f"a quote is in the wrong place ({fault})"
        raise InputError(f"not valid CSV: {what}", where=f"{path}:{line}", hint=_HINT) from None


def _escapes(path: Path) -> bool:
    """Whether quotes in cells have a backslash before them, as MySQL writes them."""
    with path.open("rb") as file:
        return b'\\"' in file.read(1 << 20)


def _refuse_swallowed(cells: Sequence[str], where: str, delimiter: str) -> None:
    """A stray quote takes the rows behind it into its cell: a line of a cell that has the form of a row, an address
    between delimiters, isn't a line of a note.
    """
    for cell in cells:
        for text in cell.splitlines()[1:]:
            parts = text.split(delimiter)
            whole = [part for part in parts if "@" in part and " " not in part.strip(' "')]
            if len(parts) > 1 and whole and not any(part.startswith(" ") for part in parts):
                raise InputError("a quote takes in the rows that follow it", where=where, hint=_HINT)


def _sheet(path: Path) -> Iterator[Row]:
    """The rows of a workbook's only sheet that has any."""
    _refuse_bomb(path)
    for number, texts in workbook_rows(path, _cell):
        yield number, texts if any(text.strip() for text in texts) else []


@contextmanager
def unpacked(path: Path) -> Iterator[list[Path]]:
    """The files to read: the one that's given or, of an archive such as Mailchimp's, each table in it."""
    try:
        archived = _names_in(path)
    except (OSError, zipfile.BadZipFile) as fault:
        said = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise InputError(f"can't be read: {said}", where=path, hint="save it as CSV UTF-8") from None
    if not archived:
        yield [path]
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        files = []
        for number, name in enumerate(archived):
            file = Path(folder, str(number), Path(name).name)
            file.parent.mkdir()
            file.write_bytes(archive.read(name))
            files.append(file)
        yield files


def _names_in(path: Path) -> list[str]:
    """The names of the tables in an archive; none for another file, or for a workbook, which is a zip file, too."""
    with path.open("rb") as file:
        if file.read(4) != _WORKBOOKS[0]:
            return []
    _refuse_bomb(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if {"[Content_Types].xml", "mimetype"} & set(names):
        return []
    if within := next(
        (name for name in names if name.lower().endswith((".zip", ".xlsx")) and "__MACOSX" not in name), ""
    ):
        hint = "unpack it, and import its files one by one"
        raise InputError(f"the archive holds another file of tables: {within}", where=path, hint=hint)
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv", ".txt")) and "__MACOSX" not in name]
    if not tables:
        raise InputError("the archive holds no table", where=path, hint="unpack it, and import its files one by one")
    return sorted(tables)


def _refuse_bomb(path: Path) -> None:
    if unpacked_size(path) > _LARGEST:
        raise InputError("the file is too large when unpacked", where=path, hint="save it as CSV UTF-8")


def _cell(value: object) -> str:
    """A workbook's value as text: moments in ISO 8601, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else str(value)
