"""A short run of tests/torture.py over every provider that can prove what became of a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture import FAKES, torture


@pytest.mark.parametrize("provider", list(FAKES))
def test_everybody_is_taken_once_however_often_the_sender_is_killed(provider: str, tmp_path: Path) -> None:
    done = torture(provider, recipients=1_500, kills=6, seed=11, folder=tmp_path)
    assert done.kills > 0
    assert done.fine, (done.states, [address for address, times in done.taken.items() if times > 1][:5])
    assert len(done.taken) == 1_503
