"""Columns of tables as people name them, and workbooks as rows of texts."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from newsletter.errors import InputError
from newsletter.spreadsheet import unpacked_size, workbook_rows

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
    try:
        too_large = path.stat().st_size > _BYTES or unpacked_size(path) > _UNPACKED
    except (OSError, zipfile.BadZipFile) as fault:
        what = fault.strerror if isinstance(fault, OSError) and fault.strerror else "not a workbook"
        raise InputError(f"can't be read: {what}", where=path) from None
    if too_large:
        raise InputError("is too large", where=path, hint="save the sheet you mean as CSV UTF-8")
    yield from workbook_rows(path, _text)


def _text(cell: object) -> str:
    """A cell as people see it: a day without its midnight, a whole number without its point."""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
