"""A policy's provisions as people write them: tables in TOML and JSON, lines in the cell of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from newsletter.errors import InputError
from newsletter.model import Provision, Unit

KEYS = ("topic", "date", "amount", "unit", "covers", "note")
#: Words that mean the same as a unit.
UNIT_WORDS = {
    **dict.fromkeys(("$/hour", "$/hr", "$ an hour", "usd/hour", "dollars per hour", "per hour"), Unit.DOLLARS_AN_HOUR),
    **dict.fromkeys(("$", "usd", "dollar"), Unit.DOLLARS),
    **dict.fromkeys(("hour", "hrs"), Unit.HOURS),
    "day": Unit.DAYS,
    **dict.fromkeys(("week", "wks"), Unit.WEEKS),
    "month": Unit.MONTHS,
    **dict.fromkeys(("%", "per cent", "pct"), Unit.PERCENT),
}


def number(text: str) -> str:
    """An amount as it's kept: 15.50 and 15.5 are one; what is no number is left to be refused."""
    plain = text.replace(",", "")
    return f"{Decimal(plain).normalize():f}" if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", plain) else plain


def tables(value: Any) -> list[Mapping[str, Any]]:
    """The tables of a form's key, or of the lines of a cell."""
    if isinstance(value, str):
        return [_of_line(line) for line in value.splitlines() if line.strip()]
    if isinstance(value, list | tuple) and all(isinstance(table, Mapping) for table in value):
        return list(value)
    raise InputError('"provisions" must be a list of tables with "topic" and "date"')


def line(form: Mapping[str, Any]) -> str:
    """A provision as one line of a cell: `minimum wage | 2026-01-01 | 15.50 dollars an hour | covers | note`."""
    amount = " ".join(str(form[key]) for key in ("amount", "unit") if form.get(key))
    cells = (str(form["topic"]), str(form["date"]), amount, form.get("covers", ""), form.get("note", ""))
    return " | ".join(cells).rstrip(" |")


def _of_line(text: str) -> Mapping[str, Any]:
    cells = [cell.strip() for cell in text.split("|")]
    if not 2 <= len(cells) <= 5:
        hint = "write: minimum wage | 2026-01-01 | 15.50 dollars an hour | who is covered"
        raise InputError(f'"provisions" has a line that is none: {text.strip()[:40]}', hint=hint)
    topic, date, measure, covers, note = cells + [""] * (5 - len(cells))
    if measure.startswith("$"):
        measure = f"{measure[1:].split(' ', 1)[0]} $ {' '.join(measure.split(' ')[1:])}".strip()
    amount, _, unit = measure.partition(" ")
    if amount.endswith("%"):
        amount, unit = amount[:-1], "percent"
    return {"topic": topic, "date": date, "amount": amount, "unit": unit, "covers": covers, "note": note}


def write(provisions: Iterable[Provision]) -> list[dict[str, Any]]:
    """The tables of some provisions, without empty keys."""
    found = []
    for one in provisions:
        table = {key: getattr(one, key) for key in KEYS if getattr(one, key)}
        found.append({**table, "unit": str(one.unit)} if one.unit else table)
    return found
