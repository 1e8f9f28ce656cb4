"""What staff do for people by hand: in, out, looked up, tagged, suppressed, forgotten; filters and keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.desk import Desk


def said(desk: Desk, *arguments: str, stdin: str = "") -> str:
    done = desk.run(*arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown(desk: Desk, address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(desk, "subscribers", "show", address, "--json"))
    return found


def test_somebody_is_added_tagged_looked_up_and_taken_off_by_hand(desk: Desk) -> None:
    new = "gus@example.org"
    agreed = ("--consent", "signed the sheet in Denver", "--first-name", "Gus", "--state", "Colorado")
    said(desk, "subscribers", "add", new, "--list", "network-download", *agreed)
    assert said(desk, "subscribers", "tag", new, "press", "donor").strip() == "donor, press"
    assert said(desk, "subscribers", "tag", new, "press", "--remove").strip() == "donor"
    found = shown(desk, new)
    assert (found["state"], found["tags"], found["lists"][0]["status"]) == ("CO", ["donor"], "active")
    assert found["history"][0]["evidence"] == {"consent": "signed the sheet in Denver"}
    said(desk, "subscribers", "unsubscribe", new)
    assert shown(desk, new)["lists"][0]["status"] == "unsubscribed"
    table = said(desk, "subscribers", "show", new)
    assert "consent: signed the sheet in Denver" in table
    assert "unsubscribed" in table


@pytest.mark.parametrize(
    ("address", "what"), [("dee@example.org", "they have left"), ("fay@example.org", "the address is suppressed")]
)
def test_nobody_who_left_or_was_stopped_is_brought_back_by_staff(desk: Desk, address: str, what: str) -> None:
    done = desk.run("subscribers", "add", address, "--list", "network-download", "--consent", "they said so")
    assert done.returncode == 1
    assert what in done.stderr
    assert "by themselves" in done.stderr or "themselves" in done.stderr


def test_a_dry_run_shows_what_would_happen_and_changes_nothing(desk: Desk) -> None:
    (desk.folder / "new.csv").write_text("Email,Lists\nnew@example.org,Network Download\n", encoding="utf-8")
    done = desk.run("subscribers", "import", "new.csv", "--yes", "--dry-run")
    assert "1 row: 1 imported" in done.stdout
    assert "network-download  active" in done.stdout
    assert "nothing was changed" in done.stderr
    assert desk.run("subscribers", "show", "new@example.org").returncode == 1


def test_an_export_goes_to_a_file_or_to_standard_output(desk: Desk) -> None:
    said(desk, "subscribers", "export", "all.csv")
    assert (desk.folder / "all.csv").read_bytes().startswith(b"\xef\xbb\xbfemail,")
    assert said(desk, "subscribers", "export", "--segment", "florida").count("@example.org") == 2
    report = json.loads(said(desk, "subscribers", "import", "all.csv", "--yes", "--json"))
    assert (report["merged"], report["changed"]) == (6, 0)
    done = desk.run("subscribers", "export", "no/such/folder.csv")
    assert done.returncode == 1
    assert "can't be written" in done.stderr


def test_everything_held_is_given_and_somebody_is_forgotten_only_when_confirmed(desk: Desk) -> None:
    held = json.loads(said(desk, "subscribers", "data", "ana@example.org"))
    assert held["email"] == "ana@example.org"
    assert desk.run("subscribers", "forget", "ana@example.org").returncode == 1
    assert desk.run("subscribers", "forget", "ana@example.org", "--confirm", "chi@example.org").returncode == 1
    said(desk, "subscribers", "forget", "ana@example.org", "--confirm", "Ana@example.org")
    assert desk.run("subscribers", "show", "ana@example.org").returncode == 1
    assert "ana@example.org" not in said(desk, "subscribers", "export")


def test_a_segment_is_shown_counted_and_previewed_before_it_is_saved(desk: Desk) -> None:
    assert 'state = "FL"' in said(desk, "segments", "show", "florida")
    counts = json.loads(
        said(desk, "segments", "count", 'state in ("FL", "TX")', "--list", "network-download", "--json")
    )
    assert counts[0]["mailable"] == 3
    rows = json.loads(said(desk, "segments", "preview", "florida", "--list", "network-download", "--json"))
    assert [row["email"] for row in rows] == ["ana@example.org", "ben@example.org"]
    done = desk.run("segments", "count", 'sate = "FL"')
    assert done.returncode == 1
    assert 'did you mean "state"' in done.stderr


def test_suppressions_are_added_taken_over_and_lifted_with_a_reason(desk: Desk) -> None:
    said(desk, "suppressions", "add", "-", "--list", "network-download", stdin="ana@example.org\n")
    (desk.folder / "provider.csv").write_text(
        "EmailAddress,SuppressionReason\nben@example.org,HardBounce\nnonsense,HardBounce\n", encoding="utf-8"
    )
    told = json.loads(said(desk, "suppressions", "import", "provider.csv", "--json"))
    assert (told["added"], told["known"], len(told["rejected"])) == (1, 0, 1)
    rows = json.loads(said(desk, "suppressions", "list", "--json"))
    assert {(row["list"], row["reason"]) for row in rows} == {
        ("(all)", "complaint"),
        ("(all)", "hard bounce"),
        ("network-download", "manual"),
    }
    said(desk, "suppressions", "remove", "ben@example.org", "--why", "typo in the provider's list (Rae)")
    last = shown(desk, "ben@example.org")["history"][-1]
    assert (last["status"], last["evidence"]) == ("suppression lifted", {"why": "typo in the provider's list (Rae)"})
    assert desk.run("suppressions", "remove", "ben@example.org", "--why", "again").returncode == 1


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(desk: Desk) -> None:
    key = said(desk, "keys", "make", "crm", "--write").strip()
    assert key.startswith("nd_")
    (row,) = json.loads(said(desk, "keys", "list", "--json"))
    assert row["good for"] == "read, write"
    assert key not in said(desk, "keys", "list")
    said(desk, "keys", "revoke", "crm")
    assert json.loads(said(desk, "keys", "list", "--json"))[0]["revoked"] != "-"
    assert desk.run("keys", "revoke", "crn").returncode == 1


def test_what_is_old_is_dropped_on_request(desk: Desk) -> None:
    assert "webhooks" in json.loads(said(desk, "db", "prune", "--json"))
