"""Reports: what the ledger says, and nothing else."""

from __future__ import annotations

import json

from newsletter import audience, feedback
from newsletter.model import DeliveryState
from tests.desk import NOW, Desk

NAME = "network-download-2022-10"


def test_a_report_counts_deliveries_and_who_left_since(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    assert desk.run("send", NAME, "--confirm", NAME).returncode == 0
    with desk.space.store.write() as session:
        ana = audience.find(session, "ana@example.org")
        assert ana
        audience.unsubscribe(session, ana.id, "network-download", source="test", now=NOW)
        (report,) = feedback.report(session, NAME)
    assert report.counts == {DeliveryState.SUBMITTED: 3}
    assert report.left == 1
    (row,) = json.loads(desk.run("report", NAME, "--json").stdout)
    assert (row["submitted"], row["left"]) == (3, 1)


def test_an_issue_that_was_not_sent_says_so(desk: Desk) -> None:
    done = desk.run("report", NAME)
    assert done.stdout == ""
    assert "Not sent yet" in done.stderr
