"""Tables of a page as Markdown can have them: no cell over several rows, no table within one, no pictures."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag

from newsletter.compose.documents.excerpt import at

_LARGEST_SPAN = 1000
_PARTS = ("tbody", "thead", "tfoot", "tr", "td", "th", "colgroup", "col", "caption")


def plain_tables(page: BeautifulSoup) -> list[str]:
    """Unwrap layout tables; note what Markdown can't express of the others."""
    notes = []
    for part in page.find_all(_PARTS):
        if part.find_parent("table") is None:
            part.name = "div"
    for table in page.find_all("table")[::-1]:
        words = table.get_text(" ")
        rows = [list(row.find_all(["td", "th"], recursive=False)) for row in table.find_all("tr")]
        if table.find("table") is not None or max((len(row) for row in rows), default=0) < 2:
            if table.find("table") is not None and _has_heads(table, rows):
                notes.append("a table with a table in it is taken apart into paragraphs" + at(words))
            _unwrap(table)
            continue
        if any(_span(cell, name) != 1 for row in rows for cell in row for name in ("colspan", "rowspan")):
            notes.append("a table's merged cells are taken apart" + at(words))
            for row_number in range(len(rows)):
                _take_apart(page, rows, row_number)
        if table.find("th") is None:  # Word and Google Docs don't say which row is the head
            for cell in rows[0]:
                cell.name = "th"
        for image in table.find_all("img"):
            notes.append("a picture in a table isn't taken" + at(str(image.get("alt") or "") or words))
            image.decompose()
    return notes


def _has_heads(table: Tag, rows: list[list[Tag]]) -> bool:
    return any(cell.name == "th" and cell.find_parent("table") is table for row in rows for cell in row)


def _unwrap(table: Tag) -> None:
    for part in table.find_all(_PARTS):
        if part.find_parent("table") is table:
            part.name = "div"
    table.name = "div"


def _take_apart(page: BeautifulSoup, rows: list[list[Tag]], number: int) -> None:
    """Put empty cells into the rows below, and behind, where the cells of a row reach."""
    column = 0
    for cell in list(rows[number]):
        across = min(_span(cell, "colspan"), _LARGEST_SPAN)
        down = _span(cell, "rowspan") or len(rows)
        for below in range(number + 1, min(number + down, len(rows))):
            row = rows[below]
            for _ in range(across):
                empty = page.new_tag(cell.name)
                if column < len(row):
                    row[column].insert_before(empty)
                elif row:
                    row[-1].insert_after(empty)
                row.insert(column, empty)
        for _ in range(across - 1):
            empty = page.new_tag(cell.name)
            rows[number][column].insert_after(empty)
            rows[number].insert(column + 1, empty)
        cell.attrs.pop("rowspan", None)
        cell.attrs.pop("colspan", None)
        column += across


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1")).strip()
    return int(written) if written.isdecimal() else 1
