"""On SQLite one campaign is sent at a time; another one that is started meanwhile waits for its turn."""

from __future__ import annotations

import pytest

from newsletter import send
from newsletter.errors import SendError
from newsletter.send.lock import sole_sender
from tests.desk import Desk

NAME = "network-download-2022-10"
OTHER = "workers-rights-2022-09"


def test_a_campaign_started_while_another_is_sent_is_queued_and_names_it(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    with sole_sender(desk.space.store, OTHER):
        for command in (("send", NAME, "--confirm", NAME), ("run-due",)):
            done = desk.run(*command)
            assert done.returncode == 1
            said = done.stderr.splitlines()[-1]
            assert f"{NAME}: is queued: {OTHER} is being sent by another process" in said
            assert "run-due sends it" in said
    assert desk.run("run-due").returncode == 0
    with desk.space.store.read() as session:
        status = desk.space.campaigns().status(session, send.get(session, NAME))
    assert status.word == "done"


def test_what_is_being_sent_itself_is_not_queued(desk: Desk) -> None:
    with (
        sole_sender(desk.space.store, NAME),
        pytest.raises(SendError) as caught,
        sole_sender(desk.space.store, NAME, queued=True),
    ):
        pass
    assert str(caught.value).startswith(f"{NAME}: is being sent by another process")
    with sole_sender(desk.space.store, OTHER):
        pass
