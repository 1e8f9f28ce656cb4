"""Cells that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""

from __future__ import annotations

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str) -> str:
    """The cell behind an apostrophe where a program would run it, or where it begins with one in earnest."""
    return f"'{cell}" if cell.lstrip("'").startswith(_BEGINNINGS) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`; what a person wrote with an apostrophe of theirs stays."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_BEGINNINGS) else cell
