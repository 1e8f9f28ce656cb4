"""What a row says of where somebody stands: the strictest that any of its cells does.

Only a word that means consent is consent. A status column that's blank says nothing, and who has said nothing is
pending, as is who has no date in a column of when people confirmed; in a file without such a column, which names those
who want mail, everybody is active who isn't stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from newsletter.audience import cells
from newsletter.audience.cells import ACTIVE, BLOCKED, BOUNCED, COMPLAINED, LEFT, PENDING, SOFT, Verdict
from newsletter.audience.columns import SENSES, Layout
from newsletter.audience.standing import Standing
from newsletter.errors import InputError

_STOPPED: Mapping[str, Verdict] = {"stopped": LEFT, "bounced": BOUNCED, "complained": COMPLAINED}
#: From the strictest on.
_ORDER: Sequence[Verdict] = (
    COMPLAINED,
    BOUNCED,
    BLOCKED,
    SOFT,
    LEFT,
    PENDING,
    ACTIVE,
)
_MEMORY = 10_000
Sensed = tuple[tuple[str, str], ...]


class Judge:
    """Reads the verdict of a row, given where its fields are, a system's own words, and what holds for everybody."""

    def __init__(self, layout: Layout, words: Mapping[str, Verdict], everybody: Verdict | None) -> None:
        self._layout, self._words, self._everybody = layout, words, everybody
        places = layout.places
        self._senses = [
            ("confirming" if place in layout.confirming else sense, place)
            for sense in (*SENSES, "confirmed")
            for place in places.get(sense, ())
        ]
        self._asked = any(sense in ("status", "consented", "confirming") for sense, _ in self._senses)
        self._judged = lru_cache(_MEMORY)(self._judge)

    def verdict(self, row: Sequence[str]) -> Verdict:
        """Where the person stands, and why the address is stopped; InputError for a word that isn't known."""
        return self._judged(
            tuple((sense, row[place]) for sense, place in self._senses),
            tuple(row[place] for place in self._layout.watched),
        )

    def _judge(self, sensed: Sensed, watched: tuple[str, ...]) -> Verdict:
        found = list(self._each(sensed))
        for cell in watched:
            found += self._said(cell)
        if self._everybody:
            found.append(self._everybody)
        return min(found, key=_ORDER.index) if found else PENDING if self._asked else ACTIVE

    def said_of_list(self, cell: str) -> Standing | None:
        """Where a cell of a list's own column says that somebody stands; None where it's blank."""
        verdict = None if cells.blank(cell) else self._sense("consented", cell)
        return verdict[0] if verdict else None

    def leaves_list(self, cell: str) -> bool:
        """Whether such a cell says that somebody isn't on the list, as far as it can be read."""
        return not cells.blank(cell) and cells.refuses(cell)

    def beside_address(self, cell: str) -> bool:
        """Whether what stands beside an address, in its own cell, speaks of leaving."""
        return any(cells.certain(piece) or cells.doubtful(piece) for piece in _around_addresses(cell))

    def _said(self, cell: str) -> Iterator[Verdict]:
        """The stops in a cell that's for something else: as a whole, and in its pieces."""
        if verdict := cells.certain(cell):
            yield verdict
            return
        for piece in cells.pieces(cell):
            verdict = cells.certain(piece)
            if verdict is None and cells.doubtful(piece):
                verdict = self._words.get(cells.squeezed(piece))
            if verdict and verdict[0] is Standing.UNSUBSCRIBED:
                yield verdict

    def _each(self, sensed: Sensed) -> Iterator[Verdict]:
        for sense, cell in sensed:
            if not cells.blank(cell) and (verdict := self._sense(sense, cell)):
                yield verdict

    def _sense(self, sense: str, cell: str) -> Verdict | None:
        """What a cell says that isn't blank."""
        known, yes = cells.word(cell, self._words), cells.flag(cell)
        if sense in _STOPPED:
            return None if yes is False else known or _STOPPED[sense]
        if sense in ("confirmed", "confirming"):
            said = ACTIVE if sense == "confirming" and (yes or cells.moment(cell)) else None
            return known or (PENDING if yes is False else said)
        if known is None and yes is not None:
            return ACTIVE if yes else LEFT
        if known is None and sense == "consented":
            if cells.moment(cell):
                return ACTIVE
            if cells.refuses(cell):
                return LEFT
        if known is None:
            # To take an unknown word for consent would mail somebody who may have left.
            raise InputError(
                f'status "{cell[:40]}" is not known', hint=f"say what it means: --word {cell[:40]!r}=STANDING"
            )
        return known

    def stop(self, row: Sequence[str]) -> Verdict | None:
        """The stop in a row that can't be taken as it is: by its own columns, by those from the right where cells are
        too many, or by a word for having left in any of its cells.
        """
        found: list[Verdict] = []
        for cells_of in (row, row[-self._layout.width :]):
            for sense, place in self._senses:
                cell = cells_of[place] if place < len(cells_of) else ""
                try:
                    found += self._each(((sense, cell),))
                except InputError:
                    continue
        shifted = len(row) != self._layout.width
        for cell in row:
            # A row that was quoted as a whole, or has another sign between its cells, is one cell here. What's only
            # doubtful elsewhere is a stop here, where it may be that of a row that we didn't understand.
            found += [LEFT] if self.beside_address(cell) else []
            for piece in re.split(r"[,;\t|]", cell):
                verdict = (
                    cells.word(piece, self._words) if shifted and cells.flag(piece) is None else cells.certain(piece)
                )
                found += [verdict] if verdict else []
            found += self._said(cell)
        if self._everybody:
            found.append(self._everybody)
        strictest = min(found, key=_ORDER.index, default=ACTIVE)
        return strictest if strictest[0] is Standing.UNSUBSCRIBED else None


def _around_addresses(cell: str) -> list[str]:
    """What a cell says beside the addresses in it."""
    return cells.pieces(re.sub(r"[\s<(\[]*\S+@\S+[\s>)\]]*", ";", cell).strip(" -–—()[]\"'"))
