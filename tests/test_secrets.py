"""The keys that sign readers' links: whole or not there, long enough, private, and several at once."""

from __future__ import annotations

import csv
import io
import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from newsletter import audience
from newsletter.audience import Reason, rights
from newsletter.config.secrets import SHORTEST, Keyring, read, rotate
from newsletter.errors import ConfigError
from newsletter.store.records import SuppressionRecord
from newsletter.tokens import Claim, Purpose, Signer
from newsletter.web import create_app
from newsletter.workspace import Workspace
from tests.desk import NOW, Desk


@pytest.mark.parametrize("text", ["", "\n\n", "short", "x" * (SHORTEST - 1), f"{'x' * 40}\nshort\n"])
def test_a_short_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(text, encoding="ascii")
    with pytest.raises(ConfigError, match="restore it from your backup") as caught:
        Keyring(path, {})()
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ConfigError, match=r"^\$NEWSLETTER_SECRET: key 1 has 5 bytes, and 32 are needed"):
        Keyring(path, {"NEWSLETTER_SECRET": "given"})()


def test_a_file_that_holds_no_keys_is_refused_in_one_line(desk: Desk) -> None:
    (desk.folder / "secret.key").write_bytes(b"")
    done = desk.run("suppressions", "add", "a@example.org")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "secret.key: it holds no key" in done.stderr
    (desk.folder / "secret.key").write_bytes("clé".encode() * 20)
    for command in (("suppressions", "add", "a@example.org"), ("config", "check"), ("serve", "--port", "0")):
        assert "more than plain letters" in desk.run(*command).stderr


def test_a_full_disk_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(ConfigError, match="No space left"):
            read(tmp_path / "secret.key")
    assert list(tmp_path.iterdir()) == []
    assert len(read(tmp_path / "secret.key")[0]) >= SHORTEST


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(read, [path] * 12)
    assert len(set(keys)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_everybody_may_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text("x" * 43, encoding="ascii")
    path.chmod(0o644)
    read(path)
    assert path.stat().st_mode & 0o007 == 0


def test_a_new_key_signs_and_the_older_ones_verify_in_a_service_that_runs(desk: Desk) -> None:
    space = desk.space
    client = create_app(space).test_client()
    with space.store.read() as session:
        person = audience.find(session, "chi@example.org")
    assert person
    old = space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=person.id, list="network-download"))
    done = desk.run("keys", "rotate")
    assert (done.returncode, "holds 2 keys" in done.stderr) == (0, True)
    space.keyring._looked = 0.0  # a second later
    keys = read(space.folder / "secret.key")
    new = Signer(keys[0]).sign(Purpose.UNSUBSCRIBE, Claim(subscriber=person.id, list="network-download"))
    assert space.signer.sign(Purpose.UNSUBSCRIBE, Claim(subscriber=person.id, list="network-download")) == new != old
    assert client.get(f"/u/{new}").status_code == client.get(f"/u/{old}").status_code == 200
    assert (space.folder / "secret.key").stat().st_mode & 0o777 == 0o600


def test_whoever_was_forgotten_or_suppressed_stays_so_with_a_new_key(desk: Desk) -> None:
    space = desk.space
    with space.store.write() as session:
        person = audience.find(session, "chi@example.org")
        assert person
        rights.forget(session, person, space.address_hash(person.email), source="x", now=NOW)
        audience.suppress(
            session, "gus@example.org", space.address_hash("gus@example.org"), Reason.MANUAL, source="x", now=NOW
        )
    rotate(space.folder / "secret.key", {})
    again = Workspace.open(space.config.path, space.clock)
    with again.store.read() as session:
        assert audience.reason_of(session, again.address_hash("chi@example.org")) == "erased"
        assert audience.reason_of(session, again.address_hash("gus@example.org")) == "manual"
        hashes = session.scalars(select(SuppressionRecord.address_hash)).all()
    assert again.config.keyring({})()[-1] == read(space.folder / "secret.key")[-1]
    assert again.address_hash("chi@example.org") in hashes
    report = Desk(again).import_people("Email,Lists\nchi@example.org,Network Download\n", "again.csv")
    assert (report.rejected, report.imported) == (1, 0)
    again.close()


def test_keys_from_the_environment_are_rotated_there(tmp_path: Path) -> None:
    given = {"NEWSLETTER_SECRET": f"{'b' * 32} {'a' * 32}"}
    assert Keyring(tmp_path / "secret.key", given)() == (b"b" * 32, b"a" * 32)
    with pytest.raises(ConfigError, match="put the new one before the old one there"):
        rotate(tmp_path / "secret.key", given)


def test_a_file_that_is_spoilt_later_changes_nothing_in_a_service_that_runs(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secret.key", {})
    keys = keyring()
    path = tmp_path / "secret.key"
    for text in ("x", ""):
        path.write_text(text, encoding="ascii")
        keyring._looked = 0.0
        assert keyring() is keys
    path.unlink()
    keyring._looked = 0.0
    assert keyring() is keys
    assert not path.exists(), "none is made in the place of one that was lost"


LOST = "secret.key: the key file is missing, and the database was written with a key"
OTHER = "this is not the key that the database was written with"


def test_a_database_that_has_suppressions_never_gets_another_key(desk: Desk) -> None:
    assert desk.run("suppressions", "add", "gone@example.org").returncode == 0
    key = desk.folder / "secret.key"
    kept = key.read_bytes()
    key.unlink()
    for command in (("suppressions", "add", "a@example.org"), ("config", "check"), ("keys", "rotate"), ("serve",)):
        done = desk.run(*command)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), command
        assert LOST in done.stderr
        assert "restore secret.key from your backup" in done.stderr
        assert not key.exists()
    key.write_bytes(b"another key that is long enough to be one\n".replace(b" ", b"-"))
    assert f"secret.key: {OTHER}" in desk.run("subscribers", "import", "people.csv").stderr
    key.write_bytes(kept)
    assert f"$NEWSLETTER_SECRET: {OTHER}" in desk.run("config", "check", NEWSLETTER_SECRET="k" * 40).stderr
    assert desk.run("config", "check").returncode == 0


def test_a_key_of_which_only_erased_people_are_left_is_missed_too(desk: Desk) -> None:
    assert desk.run("subscribers", "forget", "ana@example.org", "--confirm", "ana@example.org").returncode == 0
    with desk.space.store.write() as session:
        session.execute(delete(SuppressionRecord).where(SuppressionRecord.email.is_not(None)))
    (desk.folder / "secret.key").unlink()
    assert LOST in desk.run("subscribers", "import", "people.csv").stderr


def test_people_can_be_taken_out_of_a_workspace_whose_key_is_lost(desk: Desk) -> None:
    desk.run("suppressions", "add", "gone@example.org")
    (desk.folder / "secret.key").unlink()
    rows = {row["email"]: row for row in csv.DictReader(io.StringIO(desk.run("subscribers", "export").stdout))}
    assert rows["fay@example.org"]["suppressed"] == "complaint"


def test_a_rotated_key_still_belongs_to_its_database(desk: Desk) -> None:
    desk.run("suppressions", "add", "gone@example.org")
    assert desk.run("keys", "rotate").returncode == 0
    assert desk.run("config", "check").returncode == 0
    key = desk.folder / "secret.key"
    key.write_bytes(key.read_bytes().splitlines()[0])
    assert OTHER in desk.run("config", "check").stderr, "the oldest key is the one of the hashes"


def test_a_folder_in_the_place_of_the_key_file_is_refused_in_one_line(desk: Desk) -> None:
    (desk.folder / "secret.key").unlink(missing_ok=True)
    (desk.folder / "secret.key").mkdir()
    done = desk.run("config", "check")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the secret file is a folder" in done.stderr
