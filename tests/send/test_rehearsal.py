"""A rehearsal is the whole sending, and leaves no trace in the store."""

from __future__ import annotations

import json

from newsletter.model import DeliveryState
from newsletter.send.rehearsal import rehearse
from newsletter.workspace import Workspace
from tests.desk import Desk

NAME = "network-download-2022-10"


def test_a_rehearsal_writes_every_message_and_nothing_into_the_ledger(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    done = desk.run("send", NAME, "--rehearse")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"rehearsal/{NAME}: 3 submitted")
    assert len(list((desk.folder / "rehearsal" / NAME).glob("*.eml"))) == 3
    assert not (desk.folder / "outbox").exists()
    assert json.loads(desk.run("campaigns", "list", "--json").stdout) == []
    assert desk.run("send", NAME, "--confirm", NAME).returncode == 0


def test_the_count_is_held_against_the_last_campaign(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    mailing, publication = space.campaigns(), space.config.publication("network-download")
    first = rehearse(mailing, snapshot, publication, space.folder / "r")
    assert (first.last, first.difference) == (None, None)
    campaign = mailing.start(
        snapshot, mailing.plan(publication, snapshot, segment="florida", provider="files"), publication
    )
    mailing.run(campaign)
    second = rehearse(mailing, snapshot, publication, space.folder / "r2")
    assert second.last is None, "a segment is not the list"
    assert second.counts == {DeliveryState.SUBMITTED: 1}
