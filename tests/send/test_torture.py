"""A short run of tests/torture.py over every provider that can prove what became of a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture import FAKES, SILENT, torture


@pytest.mark.parametrize("provider", list(FAKES))
def test_everybody_is_taken_once_however_often_the_sender_is_killed(provider: str, tmp_path: Path) -> None:
    done = torture(provider, recipients=900, kills=4, seed=11, folder=tmp_path)
    assert done.kills > 0
    assert done.fine, (done.states, [address for address, times in done.taken.items() if times > 1][:5])
    assert len(done.taken) == 903


@pytest.mark.parametrize("provider", list(SILENT))
def test_where_nothing_can_be_proved_nobody_is_taken_twice_and_every_doubt_is_listed(
    provider: str, tmp_path: Path
) -> None:
    people = 6_000 if provider == "sendgrid" else 400  # who takes a thousand a call
    done = torture(provider, recipients=people, kills=3, seed=11, folder=tmp_path)
    assert done.kills > 0
    assert done.safe, (done.states, [address for address, times in done.taken.items() if times > 1][:5])
    assert done.unknown
    assert done.pairs & done.unknown, "some of those in question were taken"
