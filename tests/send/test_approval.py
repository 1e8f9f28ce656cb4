"""Approval by more than one person, and by a release of the program."""

from __future__ import annotations

import json

import pytest

from newsletter.errors import NotApproved
from newsletter.store.records import SnapshotRecord, UseRecord
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"


@pytest.fixture
def careful(desk: Desk) -> Desk:
    """A desk where two persons have to approve."""
    path = desk.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("approvals = 1", "approvals = 2", 1), encoding="utf-8")
    return Desk(type(desk.space).open(path, desk.space.clock))


def test_one_of_two_persons_is_not_enough_to_send_or_publish(careful: Desk) -> None:
    careful.space.approve(NAME, by="Dana Reyes")
    with pytest.raises(NotApproved, match="approved by Dana Reyes, 1 of 2"):
        careful.space.approved(NAME)
    refused = careful.run("send", NAME, "--confirm", NAME)
    assert (refused.returncode, "1 of 2" in refused.stderr) == (3, True)
    careful.space.publish()
    assert not (careful.folder / "archive" / NAME).exists()
    stage = next(row for row in json.loads(careful.run("status", "--json").stdout) if row["issue"] == NAME)
    assert (stage["stage"], stage["next"]) == ("approved by Dana Reyes, 1 of 2", "approve")
    with careful.space.store.read() as session:
        assert session.query(UseRecord).count() == 0


def test_the_same_person_twice_is_one_person(careful: Desk) -> None:
    careful.space.approve(NAME, by="Dana Reyes")
    assert careful.space.approve(NAME, by="dana reyes")[1] is False
    with pytest.raises(NotApproved, match="1 of 2"):
        careful.space.approved(NAME)


def test_two_persons_make_one_approval_that_sends_and_publishes(careful: Desk) -> None:
    first, _ = careful.space.approve(NAME, by="Dana Reyes")
    second, new = careful.space.approve(NAME, by="Lee Moss")
    assert (second, new) == (first, True)
    assert careful.space.approved(NAME) == first
    careful.space.publish()
    assert (careful.folder / "archive" / NAME / "index.html").exists()
    assert "by Dana Reyes, Lee Moss," in careful.run("send", NAME, "--dry-run").stderr


def test_a_change_voids_both(careful: Desk) -> None:
    for person in ("Dana Reyes", "Lee Moss"):
        careful.space.approve(NAME, by=person)
    careful.write_issue(NAME, ISSUE.replace("This month", "This long month"))
    with pytest.raises(NotApproved, match="changed since"):
        careful.space.approved(NAME)
    careful.space.approve(NAME, by="Lee Moss")
    with pytest.raises(NotApproved, match="approved by Lee Moss, 1 of 2"):
        careful.space.approved(NAME)


def test_the_archive_keeps_what_both_approved_until_both_approve_again(careful: Desk) -> None:
    for person in ("Dana Reyes", "Lee Moss"):
        careful.space.approve(NAME, by=person)
    careful.write_issue(NAME, ISSUE.replace("This month", "This long month"))
    careful.space.approve(NAME, by="Dana Reyes")
    careful.space.publish()
    page = (careful.folder / "archive" / NAME / "index.html").read_text(encoding="utf-8")
    assert "This month" in page
    assert "This long month" not in page


def test_somebody_who_joins_between_two_approvals_voids_neither(careful: Desk) -> None:
    careful.write_issue(NAME, ISSUE + '\n::: only state = "NY"\n\nFor New York alone, these few words.\n\n:::\n')
    first, _ = careful.space.approve(NAME, by="Dana Reyes")
    careful.import_people("Email,State,Lists,Status\ngil@example.org,NY,Network Download,subscribed\n")
    second, _ = careful.space.approve(NAME, by="Lee Moss")
    assert second == first
    assert careful.space.approved(NAME) == first


def test_an_approval_made_with_another_release_is_asked_for_again(desk: Desk) -> None:
    snapshot, _ = desk.space.approve(NAME, by="Dana Reyes")
    with desk.space.store.write() as session:
        record = session.query(SnapshotRecord).one()
        record.document = record.document.replace(f'"version":"{snapshot.version}"', '"version":"0.1.0"')
    with pytest.raises(NotApproved, match=r"approved with version 0\.1\.0 of this program"):
        desk.space.approved(NAME)


@pytest.mark.parametrize("number", ["0", "6", "-1"])
def test_a_number_of_approvals_that_makes_no_sense_is_refused(desk: Desk, number: str) -> None:
    path = desk.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("approvals = 1", f"approvals = {number}", 1))
    assert "from 1 to 5 persons" in desk.run("config", "check").stderr


def test_a_test_list_is_named_instead_of_its_addresses(desk: Desk) -> None:
    done = desk.run("send", NAME, "--test", "board", "me@example.org", "chair@example.org")
    assert done.returncode == 0, done.stderr
    messages = list((desk.folder / "outbox" / f"{NAME}-test").glob("*.eml"))
    assert len(messages) == 3  # the chair is on the list already
    wrong = desk.run("send", NAME, "--test", "bord")
    assert (wrong.returncode, 'did you mean "board"?' in wrong.stderr) == (1, True)
    assert desk.run("send", NAME, "me@example.org").returncode == 2
