"""A short run of tests/torture.py over every provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.send.shop import FAKES
from tests.torture import torture


@pytest.mark.parametrize("provider", [*FAKES, "files"])
def test_nobody_is_taken_twice_missed_unnamed_or_mailed_after_leaving_however_often_the_sender_is_killed(
    provider: str, tmp_path: Path
) -> None:
    people = {"smtp": 300, "sendgrid": 4_000, "mailgun": 4_000, "files": 3_000}.get(provider, 500)
    done = torture(provider, recipients=people, kills=3, seed=11, folder=tmp_path)
    assert done.kills > 0
    assert done.fine, (done.states, done.twice[:5], done.late[:5], done.wrong[:5])
