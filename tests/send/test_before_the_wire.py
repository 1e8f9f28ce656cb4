"""What can't work is said before anything is claimed; what never left this machine leaves people pending."""

from __future__ import annotations

import base64
import email
import email.policy
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.model import DeliveryState
from tests.providers.fakes import KEY, MailgunFake
from tests.send.shop import FAKES, VARIABLES, Shop, shop

NAME = "network-download-2022-10"
SEND = ("send", NAME, "--confirm", NAME)
HTTP = [vendor for vendor in FAKES if vendor != "smtp"]


@pytest.mark.parametrize("vendor", [*FAKES])
def test_a_key_with_the_line_end_of_a_mounted_file_works(
    tmp_path: Path, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # S19
    with shop(tmp_path, vendor, 4) as opened:
        for name in VARIABLES:
            monkeypatch.setenv(name, KEY + "\n")
        assert opened.send() == {DeliveryState.SUBMITTED: 4}


@pytest.mark.parametrize("key", ["two words", "schlüssel", "new\nline", "tab\tbed", ""])
@pytest.mark.parametrize("vendor", ["resend", "mailgun", "postmark", "mailjet", "sendgrid", "brevo"])
def test_a_key_that_is_none_ends_in_one_line_before_anything_is_claimed(
    tmp_path: Path, vendor: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # S19
    from newsletter.errors import ConfigError

    with shop(tmp_path, vendor, 4) as opened:
        opened.start()
        for name in VARIABLES:
            monkeypatch.setenv(name, key)
        with pytest.raises(ConfigError, match=r"key for \w+.*\(.*\$[A-Z_]+"):
            opened.send()
        assert opened.states == {"pending": 4}
        assert opened.fake.taken == []


BROKEN = {
    "no scheme": 'base_url = "api.example.org"',
    "another scheme": 'base_url = "ftp://api.example.org"',
    "not encrypted": 'base_url = "http://api.example.org"',
    "a blank in it": 'base_url = "https://api example.org"',
    "a query": 'base_url = "https://api.example.org/?x=1"',
    "no host": 'base_url = "https://"',
    "no number": "timeout = 0",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_settings_that_cannot_work_are_refused_with_their_line(tmp_path: Path, fault: str) -> None:  # S19
    with shop(tmp_path, "resend", 1) as opened:
        opened.configure('provider = "files"', 'provider = "resend"')
        path = opened.desk.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        at = text.index("[providers.resend]")
        path.write_text(f"{text[:at]}[providers.resend]\n{BROKEN[fault]}\n", encoding="utf-8")
        done = opened.desk.run("config", "check")
        assert done.returncode == 1
        assert "config.toml:" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    ("base", "environment", "said"),
    [
        ("https://no-such-host.invalid", {}, "host name is unknown"),
        ("https://127.0.0.1:1", {}, "no connection"),
        ("https://api.example.org", {"HTTPS_PROXY": "http://127.0.0.1:1"}, "proxy can't be used"),
    ],
)
@pytest.mark.parametrize("vendor", ["sendgrid", "mailgun"])
def test_a_network_that_is_away_leaves_everybody_pending_and_says_so_in_one_line(
    tmp_path: Path, vendor: str, base: str, environment: dict[str, str], said: str
) -> None:  # S19
    with shop(tmp_path, vendor, 4) as opened:
        opened.start()
        opened.configure(opened.fake.url, base)
        done = opened.desk.run(*SEND, **environment)
        assert done.returncode == 1
        assert f"nothing was sent to {'SendGrid' if vendor == 'sendgrid' else 'Mailgun'}: " in done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert opened.states == {"pending": 4}
        assert opened.campaign.paused_at is None


@pytest.mark.parametrize("vendor", [*FAKES])
def test_senders_of_any_script_go_out_right(tmp_path: Path, vendor: str) -> None:  # S20
    with shop(tmp_path, vendor, 2) as opened:
        text = (opened.desk.folder / "config.toml").read_text(encoding="utf-8")
        at = text.index("[senders.")
        section = text[at : text.index("\n[", at + 1)]
        name = section.partition("]")[0]
        new = f'{name}]\nname = "Büro, René"\naddress = "news@bücher.example"\nreply_to = "Antwort@bücher.example"\n'
        opened.configure(section, new)
        assert opened.send() == {DeliveryState.SUBMITTED: 2}
        letter = opened.fake.letter(opened.fake.taken[0][1])
        assert (letter.name, letter.sender) == ("Büro, René", "news@xn--bcher-kva.example")


@pytest.mark.parametrize(
    "sender",
    [
        'name = "Desk"\naddress = "büro@example.org"',
        'name = "Two\\nlines"\naddress = "desk@example.org"',
        'name = "Desk"\naddress = "desk@exa mple.org"',
        'name = "Desk"\naddress = "desk@example.org"\nreply_to = "büro@example.org"',
        'name = "Desk"\naddress = "desk@-.-"',
    ],
)
def test_a_sender_that_no_message_can_carry_is_refused_when_config_is_read(tmp_path: Path, sender: str) -> None:  # S20
    with shop(tmp_path, "resend", 1) as opened:
        path = opened.desk.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        at = text.index("[senders.")
        section = text[at : text.index("\n[", at + 1)]
        path.write_text(text.replace(section, f"{section.partition(']')[0]}]\n{sender}\n"), encoding="utf-8")
        done = opened.desk.run("config", "check")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "config.toml:" in done.stderr


def test_a_days_ceiling_is_of_messages_and_the_waiting_is_told_and_no_error(tmp_path: Path) -> None:  # S28
    with shop(tmp_path, "resend", 14, settings="per_day = 6\nbatch_size = 4\nparallel = 1") as opened:
        assert opened.send() == {DeliveryState.SUBMITTED: 6, DeliveryState.PENDING: 8}
        with opened.space.store.read() as session:
            status = opened.service.status(session, opened.campaign)
        assert (status.word, status.planned) == ("waiting", True)
        assert "6 messages a day are sent at most" in status.waits_for
        for expected in (12, 14):
            opened.later(days=1)
            opened.send()
            assert opened.states["submitted"] == expected
        assert opened.once()


def test_waiting_as_planned_is_exit_0_for_send_and_run_due(tmp_path: Path) -> None:  # S28
    with shop(tmp_path, "resend", 8, settings="per_day = 5\nbatch_size = 4") as opened:
        done = opened.desk.run(*SEND, "--provider", "resend")
        assert done.returncode == 0, done.stderr
        assert "3 messages left" in done.stderr
        assert "waits until" in done.stderr
        due = opened.desk.run("run-due")
        assert due.returncode == 0, due.stderr
        listed = opened.desk.run("campaigns", "list")
        assert "waiting" in listed.stdout
        assert "5 messages a day are sent at most" in listed.stderr


def test_a_campaign_that_paused_itself_is_named_everywhere(tmp_path: Path) -> None:  # S30
    with shop(tmp_path, "sendgrid", 4) as opened:
        opened.fake.trouble = "credits"
        run = opened.desk.run
        done = run(*SEND, "--provider", "sendgrid")
        assert (done.returncode, "buy credits" in done.stderr) == (1, True), done.stderr
        for command in (("status",), ("campaigns", "list"), ("campaigns", "show", NAME), ("run-due",)):
            said = run(*command)
            assert "credits" in said.stdout + said.stderr, command
            assert "paused" in (said.stdout + said.stderr).lower(), command
        assert run("run-due").returncode == 4
        opened.fake.trouble = ""
        again = run(*SEND)
        assert again.returncode == 0, again.stderr
        assert "It paused itself" in again.stderr
        assert opened.once()


def test_every_call_passes_the_limiter_those_of_a_batch_that_is_cut_in_two_included(tmp_path: Path) -> None:  # S31
    with shop(tmp_path, "mailgun", 16, settings="calls_per_second = 1\nparallel = 1") as opened:
        opened.fake.refuse = {"r5@example.org"}
        opened.send()
        assert opened.states == {"submitted": 15, "refused": 1}
        calls = len(opened.fake.bodies)
        assert calls > 5
        assert sum(opened.time.waits) >= calls - 1


def test_one_campaigns_fault_does_not_stop_the_sweep_of_the_others(tmp_path: Path, postgres: str) -> None:  # S42
    from newsletter.send import queue
    from newsletter.send.heartbeat import Heartbeat
    from newsletter.send.worker import Worker
    from tests.postgres import fresh
    from tests.send.test_nobody_twice import lost

    with shop(tmp_path, "mailgun", 4, store=fresh(postgres, tmp_path)) as opened:
        fake = opened.fake
        assert isinstance(fake, MailgunFake)
        fake.faults, fake.sending_only = [lost()], True
        opened.send()
        assert opened.states == {"unknown": 4}
        opened.later(hours=1)
        queue.prepare(opened.space.store)
        Worker(opened.service, Heartbeat(opened.space.store, opened.time.clock)).sweep()
        assert "can't be asked" in opened.errors()
        with opened.space.store.write() as session:
            from newsletter.store.records import CampaignRecord, SnapshotRecord

            snapshot = session.query(SnapshotRecord).first()
            assert snapshot
            other = CampaignRecord(
                name="other",
                issue="other",
                snapshot_id=snapshot.id,
                list="network-download",
                provider="gone-from-config",
                nonce="x",
                created_at=opened.time.at,
            )
            session.add(other)
            session.flush()
            session.query(CampaignRecord).filter_by(name=NAME).one().provider = "gone-from-config"
        Worker(opened.service, Heartbeat(opened.space.store, opened.time.clock)).sweep()


class _Archive(http.server.BaseHTTPRequestHandler):
    there: set[str]

    def do_GET(self) -> None:
        self.send_response(200 if self.path in self.there else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def archive(opened: Shop) -> Iterator[set[str]]:
    """The archive's own address, on loopback, with the paths that are there."""
    there: set[str] = set()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Archive,), {"there": there}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    text = (opened.desk.folder / "config.toml").read_text(encoding="utf-8")
    at = text.index("[archive]")
    old = next(line for line in text[at:].splitlines() if line.startswith("url"))
    opened.configure(old, f'url = "http://127.0.0.1:{server.server_port}"')
    at = text.find("[collect]")
    path = opened.desk.folder / "config.toml"
    more = 'private_hosts = ["127.0.0.1"]\n'
    config = path.read_text(encoding="utf-8")
    config = config.replace("[collect]\n", f"[collect]\n{more}") if at >= 0 else f"{config}\n[collect]\n{more}"
    path.write_text(config, encoding="utf-8")
    opened.configure("[archive]", "[archive]")
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_first_message_waits_until_page_and_pictures_are_online(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 4) as opened, archive(opened) as there:
        assert opened.desk.run("approve", NAME).returncode == 0
        done = opened.desk.run(*SEND, "--provider", "resend")
        assert done.returncode == 1, done.stderr
        assert "not online: http://127.0.0.1" in done.stderr
        assert (opened.desk.folder / "archive" / NAME / "index.html").exists(), "it published what it could"
        assert opened.fake.taken == []
        issue = opened.service.snapshot(opened.campaign).issue
        there |= {f"/{NAME}/", *(f"/media/{name}" for name in issue.photos)}
        assert opened.desk.run(*SEND).returncode == 0
        assert opened.once()


def test_an_archive_that_cannot_be_asked_is_told_and_stops_nobody(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 4) as opened:
        done = opened.desk.run(*SEND, "--provider", "resend")
        assert (done.returncode, "can't be told whether the page" in done.stderr) == (0, True), done.stderr


def test_files_says_that_nobody_is_mailed_before_and_after(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 4) as opened:
        done = opened.desk.run(*SEND, "--provider", "files")
        assert "writes messages into a folder; nobody is mailed" in done.stderr
        assert "Nobody was mailed" in done.stderr


def test_a_scheduled_campaign_can_be_sent_now(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 4) as opened:
        run = opened.desk.run
        assert run(*SEND, "--provider", "resend", "--at", "2036-12-01 09:00").returncode == 0
        waits = run(*SEND)
        assert "waits until" in waits.stderr
        assert "scheduled" in run("campaigns", "list").stdout
        assert run("campaigns", "move", NAME, "now").returncode == 0
        assert run(*SEND).returncode == 0
        assert opened.once()


def test_who_is_in_a_state_is_printed_with_the_reason_on_standard_output_alone(tmp_path: Path) -> None:
    with shop(tmp_path, "postmark", 4) as opened:
        opened.fake.suppressed = {"r1@example.org": "HardBounce"}
        opened.send()
        shown = opened.desk.run("campaigns", "show", NAME, "--people", "refused")
        address, why = shown.stdout.strip().split("\t")
        assert address == "r1@example.org"
        assert "inactive" in why
        assert "r1@example.org" not in shown.stderr + why


def test_a_test_message_is_of_one_variant(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 1) as opened:
        run = opened.desk.run
        assert run("send", NAME, "--test", "me@example.org", "--provider", "resend").returncode == 0
        assert len(opened.fake.taken) == 1
        wrong = run("send", NAME, "--test", "me@example.org", "--variant", "defualt")
        assert (wrong.returncode, "there are default" in wrong.stderr) == (1, True)


def _inside(opened: Shop) -> dict[str, bytes]:
    """The pictures that travelled inside the last call's messages, by name."""
    fake = opened.fake
    if isinstance(fake, MailgunFake):
        return dict(fake.files)
    body = fake.bodies[-1]
    if opened.vendor == "smtp":
        parsed = email.message_from_bytes(body, policy=email.policy.default)
        assert parsed.get_content_type() == "multipart/related"
        parts = [part for part in parsed.walk() if part.get_content_maintype() == "image"]
        return {str(part["Content-ID"]).strip("<>"): part.get_content() for part in parts}
    held = {
        "postmark": lambda: [(a["ContentID"].removeprefix("cid:"), a["Content"]) for a in body[0]["Attachments"]],
        "mailjet": lambda: [(a["ContentID"], a["Base64Content"]) for a in body[0]["InlinedAttachments"]],
        "sendgrid": lambda: [(a["content_id"], a["content"]) for a in body["attachments"]],
    }
    return {name: base64.b64decode(data) for name, data in held[opened.vendor]()}


@pytest.mark.parametrize("vendor", ["smtp", "postmark", "mailjet", "sendgrid", "mailgun"])
def test_a_test_message_brings_its_pictures_along(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 1) as opened:
        done = opened.desk.run("send", NAME, "--test", "me@example.org", "--provider", vendor)
        assert done.returncode == 0, done.stderr
        pictures = _inside(opened)
        html = opened.fake.letter(opened.fake.taken[0][1]).html
        assert pictures
        for name, data in pictures.items():
            assert f'"cid:{name}"' in html
            assert data == (opened.desk.folder / "photo.png").read_bytes()
        assert "/media/" not in html


@pytest.mark.parametrize("vendor", ["resend", "brevo", "ses"])
def test_where_a_vendor_takes_no_pictures_a_test_message_links_to_them(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 1) as opened:
        opened.desk.run("send", NAME, "--test", "me@example.org", "--provider", vendor)
        assert "/media/" in opened.fake.letter(opened.fake.taken[0][1]).html


def test_the_header_of_a_message_on_disk_reads_as_it_was_written(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", 1) as opened:
        opened.send()
        raw = opened.fake.taken[0][1]["raw"]
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert parsed["List-Unsubscribe"].startswith("<https://")
