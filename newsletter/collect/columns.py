"""Columns of tables as people name them, and workbooks as rows of texts."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from newsletter.errors import InputError

WORKBOOKS = (".xlsx", ".xls", ".ods")
_BYTES, _UNPACKED = 20_000_000, 200_000_000
#: What people write over a column, by the key that it is. A key's own name always counts.
_NAMES = {
    "title": ("headline", "name", "story", "story_title", "article", "article_title"),
    "url": (
        "link",
        "address",
        "web_address",
        "webpage",
        "web_page",
        "website",
        "article_url",
        "story_url",
        "hyperlink",
    ),
    "kind": ("type", "category", "item_type", "format"),
    "date": ("published", "publication_date", "pub_date", "date_published", "published_on", "posted", "day"),
    "summary": ("description", "blurb", "abstract", "text", "excerpt", "teaser"),
    "outlet": ("source", "publication", "publisher", "newspaper", "media_outlet", "site"),
    "author": ("byline", "writer", "reporter", "by", "journalist"),
    "topics": ("topic", "tags", "tag", "issues", "issue_area", "subjects", "keywords"),
    "places": ("location", "locations", "city", "state", "where", "jurisdiction"),
    "people": ("person", "members", "who", "officials", "names"),
    "photo": ("image", "picture", "photo_file", "image_file", "photo_url", "image_url"),
    "photo_alt": ("alt", "alt_text", "image_description", "image_alt"),
    "photo_credit": ("credit", "photographer", "image_credit", "photo_by"),
    "starts": ("start", "start_date", "begins", "event_date"),
    "ends": ("end", "end_date", "until"),
    "closes": ("deadline", "apply_by", "closing_date", "close_date", "due"),
    "place": ("location", "jurisdiction", "city", "where"),
    "number": ("bill", "bill_number", "ordinance", "bill_no", "no"),
    "email": ("e_mail", "mail", "email_address"),
}


def keys_of(header: Sequence[str], keys: Collection[str]) -> list[str]:
    """The key of each column; a column that is none keeps its name."""
    names = [re.sub(r"[^\w]+", "_", cell.strip().lower()).strip("_") for cell in header]
    found: list[str] = []
    for name in names:
        meant = (key for key, words in _NAMES.items() if key in keys and name in words)
        key = name if name in keys else next((key for key in meant if key not in (*names, *found)), name)
        found.append(key)
    return found


def sheet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a workbook's only sheet that has any, with their numbers; InputError for what can't be read."""
    from python_calamine import CalamineError, CalamineWorkbook

    _refuse_large(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        filled = [sheet for sheet in sheets if sheet.height]
        if len(filled) > 1:
            names = ", ".join(sheet.name for sheet in filled)
            raise InputError(f"several sheets have rows: {names}", where=path, hint="save the one you mean as CSV")
        for sheet in filled:
            first = sheet.start[0] + 1 if sheet.start else 1
            for number, cells in enumerate(sheet.iter_rows(), first):
                yield number, [_text(cell) for cell in cells]
    except (CalamineError, ValueError, OSError) as fault:
        raise InputError(f"not a workbook that can be read: {fault}", where=path, hint="save it as CSV UTF-8") from None


def _refuse_large(path: Path) -> None:
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()) * _BYTES // _UNPACKED)
    except (OSError, zipfile.BadZipFile) as fault:
        what = fault.strerror if isinstance(fault, OSError) and fault.strerror else "not a workbook"
        raise InputError(f"can't be read: {what}", where=path) from None
    if size > _BYTES:
        raise InputError("is too large", where=path, hint="save the sheet you mean as CSV UTF-8")


def _text(cell: object) -> str:
    """A cell as people see it: a day without its midnight, a whole number without its point."""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
