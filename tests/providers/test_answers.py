"""What vendors document is read as they mean it, and no row of a table is there without an answer that it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import pytest

from newsletter.errors import BadRecipient, Later, Ours, OutcomeUnknown
from newsletter.providers.faults import Fault
from tests.providers.answers import ANSWERS, BAD, LATER, OURS, UNKNOWN, Documented
from tests.providers.fakes import Interference, Said
from tests.providers.lines import FAKES, Line, call, connected, gathered

_ERRORS = {OURS: Ours, LATER: Later, BAD: BadRecipient, UNKNOWN: OutcomeUnknown}


class Watched(Sequence[Fault]):
    """A table that knows which of its rows were the first that fit: whoever reads it stops there."""

    def __init__(self, rows: Sequence[Fault]) -> None:
        self.rows, self.used = rows, set[int]()

    def __iter__(self) -> Iterator[Fault]:
        for number, row in enumerate(self.rows):
            self.used.add(number)
            yield row
            self.used.discard(number)

    @overload
    def __getitem__(self, place: int) -> Fault: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Fault]: ...
    def __getitem__(self, place: int | slice) -> Fault | Sequence[Fault]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)


def say(line: Line, documented: Documented) -> None:
    """Have the fake give that answer to the next call."""
    said = Said(documented.status, documented.body, dict(documented.headers))
    line.fake.faults[:] = [Interference("documented", reaches=False, answer=lambda _: said.raw, closes=False)]


def means(line: Line, documented: Documented) -> str:
    """What the provider makes of an answer."""
    say(line, documented)
    people = ("a@example.org",) if documented.entry else ("a@example.org", "b@example.org")
    receipts, fault = gathered(lambda: line.provider.send(call(*people)))
    if fault is not None:
        assert receipts == []
        return next((name for name, kind in _ERRORS.items() if type(fault) is kind), repr(fault))
    (outcome,) = {receipt.outcome.value for receipt in receipts}
    return outcome


@pytest.mark.parametrize("name", list(FAKES))
def test_every_documented_answer_means_what_its_vendor_says(name: str) -> None:
    with connected(name) as line:
        wrong = [
            (documented.status, documented.body, found)
            for documented in ANSWERS[name]
            if (found := means(line, documented)) != documented.means
        ]
    assert wrong == [], wrong


@pytest.mark.parametrize("name", list(FAKES))
def test_every_row_of_a_table_has_a_source_and_an_answer_that_it_is_the_first_to_fit(name: str) -> None:
    with connected(name) as line:
        used: set[int] = set()
        rows: Sequence[Fault] = line.provider.faults  # type: ignore[attr-defined]
        for documented in ANSWERS[name]:
            watched = Watched(rows)
            line.provider.faults = watched  # type: ignore[attr-defined]
            means(line, documented)
            used |= watched.used
    unused = [row for number, row in enumerate(rows) if number not in used]
    assert unused == [], f"{unused}: add the vendor's answer that this row is about to answers.py, or take the row out"
    assert all(len(row.source) > 10 for row in rows)
    assert all(documented.source for documented in ANSWERS[name])


@pytest.mark.parametrize("name", list(FAKES))
def test_what_is_ours_says_what_to_do(name: str) -> None:
    with connected(name) as line:
        for documented in ANSWERS[name]:
            if documented.means == OURS and not documented.entry:
                say(line, documented)
                _, fault = gathered(lambda: line.provider.send(call()))
                assert isinstance(fault, Ours)
                assert fault.hint, documented
