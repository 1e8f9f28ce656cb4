"""What commands print: nothing that came from outside acts on a terminal, and files of people are their owner's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import insert

from newsletter import audience
from newsletter.cli import output
from newsletter.model import Member
from newsletter.store import backup
from newsletter.store.records import MemberRecord, SubscriberRecord
from newsletter.web import create_app
from tests.desk import NOW, Desk

#: Writes to the clipboard, turns the text around, begins a sequence without ESC.
ATTACK = "\x1b]52;c;eA==\x07\u202egus\x9b31m\x7f"


def test_what_somebody_wrote_into_a_form_is_clean_in_the_store(desk: Desk) -> None:
    client = create_app(desk.space).test_client()
    form = {"email": "gus@example.org", "list": "network-download", "first_name": ATTACK}
    client.post("/subscribe", data=form, headers={"User-Agent": "a\x9b\u202eb", "Referer": "https://x.example/\u202e"})
    desk.space.transactional_mail().deliver()
    shown = desk.run("subscribers", "show", "gus@example.org")
    held = desk.run("subscribers", "data", "gus@example.org").stdout
    for text in (shown.stdout, held):
        assert "]52;c;eA==gus31m" in text
        assert not any(sign in text for sign in "\x1b\x07\u202e\x9b\x7f")
    assert json.loads(held)["history"][0]["evidence"]["agent"] == "ab"


def test_what_is_in_the_store_already_is_written_out_on_a_terminal(desk: Desk) -> None:
    """However it got there: from an earlier release, or from another program."""
    with desk.space.store.write() as session:
        row = {"email": "gus@example.org", "first_name": ATTACK, "state": "FL", "created_at": NOW, "updated_at": NOW}
        session.execute(insert(SubscriberRecord), [row])
        session.execute(
            insert(MemberRecord), [{"slug": "m", "name": ATTACK, "title": "x\ny", "created_at": NOW, "updated_at": NOW}]
        )
        audience.suppress(session, "h@example.org", "h", audience.Reason.MANUAL, source=ATTACK, now=NOW)
    expression = f'state = "FL" and first_name != "{ATTACK}"'
    commands = [
        ("segments", "preview", 'state = "FL"'),
        ("segments", "preview", 'state = "FL"', "--json"),
        ("segments", "count", f"{ATTACK} = 3"),
        ("segments", "count", expression, "--json"),
        ("members", "list"),
        ("members", "list", "--json"),
        ("suppressions", "list"),
        ("lists", "list", "--nothing" + ATTACK),
        (ATTACK,),
    ]
    for command in commands:
        done = desk.run(*[word.replace("\0", "") for word in command])
        printed = (done.stdout + done.stderr).replace("\n", "")
        assert not any(sign in printed for sign in "\x1b\x07\u202e\x9b\x7f"), command
        if "--json" in command:
            json.loads(done.stdout)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_document_is_as_it_is_unless_it_goes_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    output.emit_document("a\x9bb\n")
    assert capsys.readouterr().out == ("a\\x9bb\n" if terminal else "a\x9bb\n")


def test_files_that_hold_people_are_their_owners_and_out_of_git(desk: Desk) -> None:
    with desk.space.store.write() as session:
        row = {"slug": "m", "name": Member.__name__, "email": "m@example.org", "created_at": NOW, "updated_at": NOW}
        session.execute(insert(MemberRecord), [row])
    assert desk.run("members", "export", "members.csv").returncode == 0
    backup(desk.space.store, desk.folder / "backup.db")
    desk.space.config.keyring({})()[-1]
    (desk.folder / "unrecorded-wishes").mkdir()
    (desk.folder / "unrecorded-wishes" / "1.json").touch()
    (desk.folder / "people.rejects.csv").touch()
    issue = "network-download-2022-10"
    assert desk.run("approve", issue).returncode == 0
    assert desk.run("send", issue, "--confirm", issue).returncode == 0
    for name in ("members.csv", "backup.db", "secret.key"):
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o600, name
    assert (desk.folder / "outbox" / issue).stat().st_mode & 0o777 == 0o700
    assert (
        _seen_by_git(desk.folder) & {"backup.db", "secret.key", "newsletter.db", "unrecorded-wishes/", "outbox/"}
        == set()
    )
    assert not any(name.endswith(".csv") for name in _seen_by_git(desk.folder))


def _seen_by_git(folder: Path) -> set[str]:
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    done = subprocess.run(["git", "status", "--porcelain"], cwd=folder, check=True, capture_output=True, text=True)
    return {line[3:] for line in done.stdout.splitlines()}


def test_a_backup_of_postgresql_is_its_owners_too(tmp_path: Path, postgres: str) -> None:
    from tests.postgres import fresh

    store = fresh(postgres, tmp_path)
    backup(store, tmp_path / "b.db")
    store.close()
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600


def test_stops_that_can_be_read_are_kept_where_others_cannot(desk: Desk) -> None:
    done = desk.run("suppressions", "add", "-", stdin="ana@example.org\n*@example.net\n\nBen <ben@example.org>\nx\n")
    assert done.returncode == 1
    assert "2 added" in done.stderr
    assert "address 2" in done.stderr
    assert "address 4" in done.stderr
    with desk.space.store.read() as session:
        known = {audience.reason_of(session, desk.space.address_hash(f"{name}@example.org")) for name in ("ana", "ben")}
    assert known == {audience.Reason.MANUAL}
