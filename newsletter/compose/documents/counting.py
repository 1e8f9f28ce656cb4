"""How lists count that don't count by numbers."""

from __future__ import annotations

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_BELOW_TEN = ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def letters(number: int) -> str:
    """1 as a, 26 as z, 27 as aa, as Word counts."""
    return "" if number < 1 else chr(97 + (number - 1) % 26) * min(9, (number - 1) // 26 + 1)


def roman(number: int) -> str:
    """1 as i, 4 as iv; numbers of four thousand and more as they are."""
    if number >= 4000:
        return str(number)
    found = ""
    for value, sign in (*_ROMAN, *_BELOW_TEN):
        found, number = found + sign * (number // value), number % value
    return found
