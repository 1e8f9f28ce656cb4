"""Columns that nobody took and that may say who must not be mailed.

Our words for leaving will never be all that people use. So a column is asked about for what it looks like, too: as a
yes or no that we don't know the question of, as a status of which a word isn't known, as letters that we can't read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from newsletter.audience import cells, columns
from newsletter.errors import InputError

#: A column of words for a standing, where we don't know the words or can't read the header, has at most this many.
_FEW = 12
#: A column of a header that says nothing to us has at most this many, when it's asked about.
_VERY_FEW = 5


def may_stop(column: str, held: Counter[str] | None, *, says_something: bool) -> bool:
    """Whether a column may say who must not be mailed, by its header or by what its cells are; `held` are the
    different ones and how often each is there, None where they are too many.
    """
    if not columns.speaks_of_mail(column):
        return False
    if columns.speaks_of_leaving(column):
        return says_something  # and its "no" is a yes
    words = [text for text in held or () if not cells.blank(text)]
    if says_something and (cells.tell_standings(words) or _some_stop(words)):
        return True
    return _may_refuse(column, held or Counter(), words)


def _some_stop(words: Collection[str]) -> bool:
    """Whether one of few words is a stop for certain, and so the others may be words for where people stand, too."""
    return (
        len(words) <= _FEW
        and not any(character.isdigit() for text in words for character in text)
        and any(len(text) < 40 and cells.certain(text) for text in words)
    )


def _may_refuse(column: str, held: Collection[str], words: Collection[str]) -> bool:
    """Whether a column of few words says of some that they don't want mail, or may do so."""
    few = 0 < len(words) <= _FEW
    if columns.cannot_be_read(column):
        return few
    asks = columns.speaks_of_wanting(column) or columns.speaks_of_standing(column)
    if columns.speaks_of_something_else(column) and not asks:
        return False
    if few and all(cells.flag(text) is not None for text in words):
        return len(words) < len(held) or len({cells.flag(text) for text in words}) > 1
    if columns.is_status(column) and few:
        return not all(cells.word(text, {}) for text in words)
    if not asks:
        return 0 < len(words) <= _VERY_FEW and all(map(_is_word, words))
    counts = any(text.strip().isdecimal() and cells.flag(text) is None for text in words)
    if not counts and any(cells.refuses(text) or text.strip().lower() in cells.NOTHING for text in held):
        return True
    return 0 < len(words) <= _VERY_FEW and all(map(_is_word, words)) and not all(map(cells.agrees, words))


def _is_word(text: str) -> bool:
    """Whether a cell is a word or short phrase, rather than a number, a date or a sentence."""
    return len(text) <= 40 and "@" not in text and any(map(str.isalpha, text)) and cells.moment(text) is None


def undecided(path: Path, doubtful: Mapping[str, Sequence[str]]) -> InputError:
    """One error for all such columns, with a few cells of each, and what each can be mapped to."""
    several = len(doubtful) > 1
    named = ", ".join(f'"{column.strip()}"{_shown(examples)}' for column, examples in doubtful.items())
    hints = "; ".join(map(_hint, doubtful))
    return InputError(
        f"the column{'s' if several else ''} {named} may say who must not be mailed", where=path, hint=hints
    )


def undecided_words(path: Path, found: Mapping[str, str]) -> InputError:
    """One error for all words that speak of leaving, by the column that each stands in."""
    named = ", ".join(f'"{piece}"' for piece in found)
    places = ", ".join(f'"{column.strip()}"' for column in dict.fromkeys(found.values()))
    hints = " ".join(f'--word "{piece}"=unsubscribed' for piece in found)
    return InputError(
        f"{named} in {places} may say who must not be mailed",
        where=path,
        hint=f"{hints}, or =active where one says nothing of the kind",
    )


def _shown(examples: Sequence[str]) -> str:
    shown = ", ".join(f'"{text[:30]}"' for text in examples)
    return f" ({shown})" if shown else ""


def _hint(column: str) -> str:
    """What the column is likely to be; where its question isn't known, both."""
    name, sense = column.strip(), columns.likely_sense(column)
    if sense == "pending":
        return f'--map status="{name}" --word YES=pending --word NO=active, with its own words for yes and no'
    if sense:
        return f'--map {sense}="{name}", or --skip "{name}" where it says nothing of the kind'
    return (
        f'--map stopped="{name}" where yes means that somebody must not be mailed, --map consented="{name}" where yes '
        f'means that they want mail, --skip "{name}" where it says neither'
    )
