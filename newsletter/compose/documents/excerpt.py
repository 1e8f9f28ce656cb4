"""Words by which somebody finds a place in a document."""

from __future__ import annotations

from textwrap import shorten

_WIDTH = 40


def short(words: str) -> str:
    """The first words of a text, on one line."""
    return shorten(words, _WIDTH, placeholder="…")


def at(words: str) -> str:
    """The end of a note: the words that something stands beside, where there are any."""
    return f", at “{short(words)}”" if words.strip() else ""
