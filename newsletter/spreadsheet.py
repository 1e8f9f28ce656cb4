"""Workbooks as rows of texts, and cells that no spreadsheet takes for a formula
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from newsletter.errors import InputError

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str) -> str:
    """The cell behind an apostrophe where a program would run it, or where it begins with one in earnest."""
    return f"'{cell}" if cell.lstrip("'").startswith(_BEGINNINGS) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`; what a person wrote with an apostrophe of theirs stays."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_BEGINNINGS) else cell


def workbook_rows(path: Path, text: Callable[[object], str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a workbook's only sheet that has any, with their numbers, each cell as `text` has it. InputError for
    what can't be read, or has rows on several sheets.
    """
    from python_calamine import CalamineError, CalamineWorkbook

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


def unpacked_size(path: Path) -> int:
    """How many bytes an archive, such as a workbook, says that it unfolds to; 0 for another file."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())
