"""Whose fault it was: what is ours leaves people pending, pauses, and says what to put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter import audience
from newsletter.errors import NewsletterError, Ours
from newsletter.model import DeliveryState
from newsletter.send import decisions
from tests.providers.fakes import MailgunFake, SmtpFake
from tests.send.shop import FAKES, Shop, shop
from tests.send.test_nobody_twice import lost, saying

NAME = "network-download-2022-10"
TROUBLES = [
    (vendor, trouble)
    for vendor, fake in FAKES.items()
    for trouble in (
        *fake.troubles,
        *{"postmark": ("credits", "sender", "sandbox"), "mailjet": ("sender",)}.get(vendor, ()),
    )
    if trouble != "maintenance"
]


@pytest.mark.parametrize(("vendor", "trouble"), TROUBLES)
@pytest.mark.parametrize("spare", [0, 4])
def test_what_is_wrong_with_our_account_is_never_a_readers_fault(
    tmp_path: Path, vendor: str, trouble: str, spare: int
) -> None:  # S13, S15
    with shop(tmp_path, vendor, 8, settings="parallel = 1\nbatch_size = 4") as opened:
        opened.fake.trouble, opened.fake.spare = trouble, spare
        with pytest.raises(Ours) as caught:
            opened.send()
        assert caught.value.hint, "it says what to put right"
        assert opened.states["refused"] == opened.states["unknown"] == 0
        assert opened.states["submitted"] == len(opened.fake.taken)
        assert opened.campaign.paused_itself
        assert "@" not in opened.campaign.paused_why
        opened.fake.trouble = ""
        assert opened.send() == {DeliveryState.SUBMITTED: 8}
        assert opened.once()


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.4.5 Daily sending quota exceeded.",
        "550 5.4.5 Daily user sending limit exceeded.",
        "550 5.7.1 Daily SMTP relay limit exceeded for customer",
        "550 5.2.2 Submission quota exceeded",
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        "554 5.7.1 <r1@example.org>: Relay access denied",
        "550 5.7.1 Unable to relay",
        "530 5.7.57 Client was not authenticated to send anonymous mail during MAIL FROM",
        "553 5.7.1 <desk@example.org>: Sender address rejected: not owned by user",
        "550 5.7.515 Access denied, sending domain doesn't meet the required authentication level",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a blocklist",
        "550 Go away",
    ],
)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "END"])
def test_a_mail_servers_word_about_us_refuses_nobody(tmp_path: Path, stage: str, answer: str) -> None:  # S14
    with shop(tmp_path, "smtp", 12, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.for_good, fake.answers = True, {stage: [answer]}
        with pytest.raises(Ours):
            opened.send()
        assert opened.states == {"pending": 12}
        assert opened.campaign.paused_itself
        assert "r1@example.org" not in opened.errors() + opened.campaign.paused_why
        fake.answers = {}
        assert opened.send() == {DeliveryState.SUBMITTED: 12}
        assert opened.once()


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        ("550 5.1.1 <r2@example.org>: Recipient address rejected: User unknown in virtual mailbox table", True),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", True),
        ("550 5.2.1 The email account that you tried to reach is disabled.", True),
        ("550 No such user here", True),
        ("552 1 Requested mail action aborted, mailbox not found", True),
        ("554 delivery error: dd This user doesn't have a yahoo.com account", True),
        ("550 5.1.2 host unknown", False),
        ("550 5.4.1 Recipient address rejected: Access denied", False),
    ],
)
def test_a_mailbox_that_is_not_there_is_refused_and_where_that_is_certain_suppressed(
    tmp_path: Path, answer: str, gone: bool
) -> None:
    with shop(tmp_path, "smtp", 4, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.for_good, fake.answers = False, {"RCPT": ["250 fine", "250 fine", answer]}
        assert opened.send() == {DeliveryState.SUBMITTED: 3, DeliveryState.REFUSED: 1}
        with opened.space.store.read() as session:
            hashed = opened.space.address_hash("r2@example.org")
            assert (audience.reason_of(session, hashed) == audience.Reason.HARD_BOUNCE) is gone


@pytest.mark.parametrize(
    "answer",
    [
        "452 4.2.2 The email account that you tried to reach is over quota",
        "552 5.2.2 Mailbox full",
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
        "450 4.2.0 Greylisted, come back later",
        "451 4.7.1 Please try again later",
    ],
)
def test_a_mailbox_that_is_full_or_busy_is_tried_again_and_its_owner_neither_refused_nor_suppressed(
    tmp_path: Path, answer: str
) -> None:
    with shop(tmp_path, "smtp", 4, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.for_good, fake.answers = False, {"RCPT": ["250 fine", "250 fine", answer]}
        assert opened.send() == {DeliveryState.SUBMITTED: 4}
        assert opened.once()


def test_a_refusal_at_data_leaves_the_dialogue_as_new(tmp_path: Path) -> None:  # S22
    with shop(tmp_path, "smtp", 4, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.for_good, fake.answers = False, {"DATA": ["354 go on", "450 4.3.2 busy"]}
        assert opened.send() == {DeliveryState.SUBMITTED: 4}
        assert "rset" in map(str.lower, fake.said)
        assert opened.once()


@pytest.mark.parametrize("vendor", ["resend", "mailgun", "postmark", "mailjet", "sendgrid", "brevo", "ses"])
def test_the_same_refusal_for_everybody_in_a_row_is_ours(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 12, settings="parallel = 1") as opened:
        opened.fake.refuse = set(opened.people)
        with pytest.raises(Ours, match="refused for everybody in a row"):
            opened.send()
        assert opened.campaign.paused_itself
        assert opened.states["refused"] < 5
        opened.fake.refuse = set()
        opened.send()
        with opened.space.store.write() as session:
            now = opened.time.at
            again = decisions.retry_refused(session, opened.campaign, now, batch=None, reason="", dry_run=False)
        opened.send()
        assert opened.once(), again


def test_the_refused_become_pending_again_when_a_person_says_so(tmp_path: Path) -> None:  # S16
    with shop(tmp_path, "postmark", 4, settings="parallel = 1") as opened:
        opened.fake.suppressed = {"r1@example.org": "HardBounce", "r2@example.org": "HardBounce"}
        opened.send()
        assert opened.states == {"submitted": 2, "refused": 2}
        run = opened.desk.run
        assert run("campaigns", "retry", NAME).returncode == 1, "it has to be confirmed"
        none = run("campaigns", "retry", NAME, "--reason", "no such words", "--confirm", NAME)
        assert "has no refused deliveries like that" in none.stderr
        done = run("campaigns", "retry", NAME, "--reason", "inactive", "--confirm", NAME)
        assert (done.returncode, "2 deliveries are pending again" in done.stderr) == (0, True), done.stderr
        opened.fake.suppressed = {}
        opened.suppress("r2@example.org")
        assert opened.send() == {DeliveryState.SUBMITTED: 3, DeliveryState.WITHHELD: 1}
        assert set(opened.copies.values()) == {1}


@pytest.mark.parametrize("vendor", ["sendgrid", "ses"])
def test_where_nothing_can_be_proved_the_first_call_without_an_answer_pauses(
    tmp_path: Path, vendor: str
) -> None:  # S17
    with shop(tmp_path, vendor, 40, settings="batch_size = 10\nparallel = 1") as opened:
        opened.fake.faults = [saying(503, {"message": "upstream connect error"}, taken=False)] * 9
        opened.send()
        assert opened.states == {"unknown": 10, "pending": 30}
        assert "can't tell who was taken" in opened.campaign.paused_why
        assert "503" in opened.of("r0@example.org").error, "the vendor's own words are kept"


def test_answers_that_never_come_open_the_circuit_as_refusals_do(tmp_path: Path) -> None:  # S17
    with shop(tmp_path, "mailgun", 40, settings="batch_size = 2\nparallel = 1") as opened:
        opened.fake.faults = [lost(taken=False)] * 40
        opened.send()
        assert opened.states == {"unknown": 16, "pending": 24}
        assert "8 calls in a row weren't taken" in opened.campaign.paused_why


def test_a_lookup_that_is_not_allowed_leaves_unknown_says_so_and_a_person_can_settle(tmp_path: Path) -> None:  # S18
    with shop(tmp_path, "mailgun", 8, settings="batch_size = 4\nparallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, MailgunFake)
        fake.sending_only, fake.faults = True, [saying(500, {"message": "oops"})]
        assert opened.send() == {DeliveryState.UNKNOWN: 4, DeliveryState.SUBMITTED: 4}
        opened.later(hours=1)
        assert opened.send() == {DeliveryState.UNKNOWN: 4, DeliveryState.SUBMITTED: 4}
        assert "can't be asked: Mailgun does not accept the key" in opened.errors()
        done = opened.desk.run("campaigns", "settle", NAME, "--as", "submitted", "--confirm", NAME)
        assert (done.returncode, "4 deliveries are now submitted" in done.stderr) == (0, True), done.stderr
        assert opened.states == {"submitted": 8}


def test_settling_shows_what_it_means_and_wants_a_confirmation(tmp_path: Path) -> None:  # S7
    with shop(tmp_path, "sendgrid", 4) as opened:
        opened.fake.faults = [lost()]
        opened.send()
        asked = opened.desk.run("campaigns", "settle", NAME, "--as", "pending")
        assert asked.returncode == 1
        assert "4 readers will be mailed by the next send" in asked.stderr
        assert opened.states == {"unknown": 4}


def test_a_campaign_moves_to_another_provider_with_what_is_pending_alone(tmp_path: Path) -> None:  # S29
    with shop(tmp_path, "sendgrid", 8, settings="batch_size = 4\nparallel = 1") as opened:
        opened.fake.trouble, opened.fake.spare = "suspended", 4
        with pytest.raises(Ours):
            opened.send()
        other = opened.desk.run("send", NAME, "--provider", "files", "--confirm", NAME)
        assert (other.returncode, "goes by provider" in other.stderr) == (1, True)
        moved = opened.desk.run("campaigns", "move", NAME, "--provider", "files", "--confirm", NAME)
        assert (moved.returncode, "4 messages will go by files" in moved.stderr) == (0, True), moved.stderr
        done = opened.desk.run("send", NAME, "--confirm", NAME)
        assert done.returncode == 0, done.stderr
        assert opened.states == {"submitted": 8}
        written = list((opened.desk.folder / "outbox" / NAME).glob("*.eml"))
        assert len(written) == len(opened.fake.taken) == 4


@pytest.mark.parametrize("vendor", [*FAKES])
def test_no_word_of_an_error_names_an_address_or_a_key(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 4, settings="parallel = 1") as opened:
        words = "r1@example.org, key a-key-of-the-fake \x1b]0;x\x07 \ud800"
        opened.fake.faults = [saying(400, {"message": words, "errors": [{"message": words}]}, taken=False)]
        said = ""
        try:
            opened.send()
        except NewsletterError as fault:
            said = str(fault)
        said += opened.errors() + opened.campaign.paused_why
        assert "@example.org" not in said
        assert "\x1b" not in said


def test_a_campaign_of_files_can_be_set_aside_so_that_practice_does_not_use_up_the_issue(opened_files: Shop) -> None:
    run = opened_files.desk.run
    assert run("send", NAME, "--confirm", NAME).returncode == 0
    again = run("campaigns", "set-aside", NAME, "--confirm", NAME)
    assert (again.returncode, "nobody counts as having the issue" in again.stderr) == (0, True), again.stderr
    assert opened_files.send() == {DeliveryState.SUBMITTED: 4}
    assert opened_files.once()
    real = run("campaigns", "set-aside", NAME, "--confirm", NAME)
    assert (real.returncode, "mailed people by sendgrid" in real.stderr) == (1, True)


@pytest.fixture
def opened_files(tmp_path: Path) -> object:
    with shop(tmp_path, "sendgrid", 4) as opened:
        opened.space.approve(NAME, by="Ada")
        yield opened
