"""Workbooks as rows of texts, and cells that no spreadsheet takes for a formula
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from newsletter.errors import InputError

#: What begins a formula, in full width, too; and where a cell begins: where Excel's language has commas in its numbers,
#: it begins anew behind a semicolon.
_BEGINS = r"(?=[=+\-@\t\r＝＋－＠])"
_FORMULA = re.compile(rf"(?:^|(?<=;))('*){_BEGINS}")
_GUARDED = re.compile(rf"(?:^|(?<=;))'('*){_BEGINS}")


def guarded(cell: str) -> str:
    """The cell with an apostrophe wherever a program would run what follows, or one stands in earnest."""
    return _FORMULA.sub(r"'\1", cell)


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`; what a person wrote with an apostrophe of theirs stays."""
    return _GUARDED.sub(r"\1", cell) if "'" in cell else cell


def workbook_rows(path: Path, text: Callable[[object], str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a workbook's only sheet that has any, with their numbers, each cell as `text` has it. InputError for
    what can't be read, or has rows on several sheets.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    _refuse_unsaved(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        filled = [sheet for sheet in sheets if sheet.height]
        if len(filled) > 1:
            names = ", ".join(sheet.name for sheet in filled)
            raise InputError(
                f"{len(filled)} sheets have rows: {names}", where=path, hint="save the one you mean as CSV"
            )
        for sheet in filled:
            first = sheet.start[0] + 1 if sheet.start else 1
            for number, cells in enumerate(sheet.iter_rows(), first):
                yield number, [text(cell) for cell in cells]
    except (CalamineError, ValueError, OSError) as fault:
        raise InputError(f"not a workbook that can be read: {fault}", where=path, hint="save it as CSV UTF-8") from None


#: A formula of which no value was saved, and cells that are merged over rows: `A2:A4`, but not `A1:D1`.
_NO_VALUE = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>|<f[^<>]*/>\s*</c>")
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_CHUNK, _OVERLAP = 1 << 20, 400


def _refuse_unsaved(path: Path) -> None:
    """InputError where a workbook doesn't hold what it shows: formulas without their values, as programs write them,
    and one value that is shown in several rows and stands in the first of them.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    _refuse_unsaved_in(sheet, path)


def _refuse_unsaved_in(sheet: IO[bytes], path: Path) -> None:
    before = b""
    while chunk := sheet.read(_CHUNK):
        text = before + chunk
        if _NO_VALUE.search(text):
            hint = "open it in a spreadsheet program, and save it as CSV"
            raise InputError("a formula in it has no value that was saved", where=path, hint=hint)
        for found in _MERGED.finditer(text):
            if found[2] != found[4]:
                cells = b":".join((found[1] + found[2], found[3] + found[4])).decode()
                hint = "unmerge them, fill each, and save it again"
                raise InputError(f"cells are merged over several rows: {cells}", where=path, hint=hint)
        before = text[-_OVERLAP:]


def unpacked_size(path: Path) -> int:
    """How many bytes an archive, such as a workbook, says that it unfolds to; 0 for another file."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())
