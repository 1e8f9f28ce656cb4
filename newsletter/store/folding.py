"""Texts compared without regard to case, the same on each database: `folded(column) == folded(value)`.

PostgreSQL folds by the database's locale, which has to be one of UTF-8 (as `C.UTF-8` or `en_US.UTF-8`), SQLite, which
by itself knows ASCII alone, by Python's rules of Unicode.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


def fold(text: str | None) -> str | None:
    """A text without the difference of case, composed (NFC)."""
    if text is None or text.isascii():
        return text and text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class folded(GenericFunction[str]):  # noqa: N801 (a function of SQL)
    """The same within a statement; its value is compared with what it gave on the same database only."""

    type = String()
    inherit_cache = True


@compiles(folded, "postgresql")
def _postgresql(element: folded, compiler: Any, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"lower(normalize({given}::text, NFC))"
