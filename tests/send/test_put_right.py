"""What staff change while a campaign is under way, and refusals that turn out to be nobody's but ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.audience import Reason
from newsletter.errors import Ours, SendError
from newsletter.feedback.effects import Effects
from newsletter.feedback.events import keep
from newsletter.model import EventType
from newsletter.providers.faults import Meaning
from newsletter.providers.smtp_faults import Stage, fault, says_gone, speaks_of_sender
from newsletter.send import control
from newsletter.store.records import SubscriberRecord, SuppressionRecord
from tests.providers.fakes import SmtpFake
from tests.send.shop import NAME, Shop, shop

GONE = "550 5.1.1 The email account that you tried to reach does not exist."


def suppressed(opened: Shop) -> int:
    """How many addresses are suppressed, beside the one of the desk's own people."""
    with opened.space.store.read() as session:
        return (session.scalar(select(func.count()).select_from(SuppressionRecord)) or 0) - 1


def domains(opened: Shop, names: list[str]) -> None:
    """Give the readers addresses at these domains, by turns."""
    with opened.space.store.write() as session:
        people = session.scalars(select(SubscriberRecord).where(SubscriberRecord.email.like("r%"))).all()
        for number, person in enumerate(people):
            person.email = f"r{number}@{names[number % len(names)]}"


def said(opened: Shop) -> dict[str, list[str]]:
    """What the mail server answers at each stage."""
    assert isinstance(opened.fake, SmtpFake)
    return opened.fake.answers


def outage(opened: Shop, taken: int) -> None:
    """The server takes some, and then says of everybody that there's no such mailbox."""
    said(opened)["RCPT"] = ["250 2.1.5 ok"] * taken + [GONE]


def test_an_outage_that_says_of_everybody_that_they_do_not_exist_suppresses_nobody(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=20) as opened:
        domains(opened, ["a.example", "b.example", "c.example", "d.example"])
        outage(opened, 4)
        with pytest.raises(Ours, match="refused for everybody in a row"):
            opened.send()
        assert suppressed(opened) == 0
        assert opened.states == {"submitted": 4, "pending": 16}
        said(opened).clear()
        opened.send()
        assert opened.states == {"submitted": 20}


def test_mailboxes_of_one_domain_that_are_gone_are_believed_however_many(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=20) as opened:
        domains(opened, ["closed.example"])
        outage(opened, 4)
        opened.send()
        assert opened.states == {"submitted": 4, "refused": 16}
        assert suppressed(opened) == 16


def test_trying_refusals_again_lets_go_whom_they_suppressed(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=8) as opened:
        outage(opened, 4)
        opened.send()
        assert suppressed(opened) == 4
        opened.suppress("r7@example.org")
        said(opened).clear()
        done = opened.desk.run("campaigns", "retry", NAME, "--confirm", NAME)
        assert "4 addresses are no longer suppressed" in done.stderr
        opened.send()
        assert opened.states == {"submitted": 8}


def test_a_provider_that_became_a_folder_neither_goes_on_nor_lets_people_be_set_aside(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=8) as opened:
        said(opened)["END"] = ["250 2.0.0 ok"] * 3 + ["550 5.7.1 daily sending limit reached for your account"]
        with pytest.raises(Ours):
            opened.send()
        path = opened.desk.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        head, _, table = text.partition("[providers.smtp]")
        opened.configure(f"[providers.smtp]{table}", '[providers.smtp]\ntype = "files"\nfolder = "practice"\n')
        assert head
        with pytest.raises(SendError, match="another kind"):
            opened.send()
        done = opened.desk.run("campaigns", "set-aside", NAME, "--confirm", NAME)
        assert done.returncode == 1
        assert "mailed people by smtp" in done.stderr
        assert opened.states == {"submitted": 3, "pending": 5}


def told(opened: Shop, kinds: list[tuple[str, EventType, str]], types: dict[str, str]) -> None:
    """Events as they come in by a webhook, each a day after the one before."""
    effects = Effects(opened.space.config.feedback, opened.space.address_hash)
    for number, (address, kind, detail) in enumerate(kinds):
        opened.later(days=1)
        event = opened.event(address, kind, f"{kind}-{address}-{number}")
        with opened.space.store.write() as session:
            slug = next(iter(types))
            new = keep(session, slug, [replace(event, detail=detail)], opened.space.marks, types)
            effects.apply(session, slug, new, opened.time.at)


def test_what_a_renamed_provider_tells_still_counts_and_anothers_does_not(tmp_path: Path) -> None:
    with shop(tmp_path, "brevo", people=4) as opened:
        opened.send()
        told(opened, [("r0@example.org", EventType.COMPLAINT, "")], {"other": "brevo", "brevo": "brevo"})
        assert suppressed(opened) == 0
        told(opened, [("r0@example.org", EventType.COMPLAINT, "")], {"mail": "mailgun"})
        assert suppressed(opened) == 0
        told(opened, [("r1@example.org", EventType.COMPLAINT, "")], {"renamed": "brevo"})
        assert suppressed(opened) == 1


def test_a_campaign_in_which_nobody_knows_is_named_by_run_due_with_the_step_to_take(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=4) as opened:
        said(opened)["END"] = [""]
        opened.send()
        with opened.space.store.write() as session:
            control.pause(session, opened.campaign.id, "a person has to look", opened.time.at, itself=True)
            assert [campaign.name for campaign in control.paused(session)] == [NAME]
        done = opened.desk.run("run-due")
        assert done.returncode == 4
        assert f"newsletter campaigns settle {NAME}" in done.stderr


def test_dropped_messages_are_said_and_can_be_tried_again(tmp_path: Path) -> None:
    with shop(tmp_path, "brevo", people=4) as opened:
        opened.send()
        told(opened, [("r0@example.org", EventType.DROPPED, "Sender blocked")], {"brevo": "brevo"})
        done = opened.desk.run("send", NAME, "--confirm", NAME)
        assert done.returncode == 4
        assert f"newsletter campaigns retry {NAME}" in done.stderr
        assert opened.desk.run("campaigns", "retry", NAME, "--confirm", NAME).returncode == 0
        opened.send()
        assert opened.states == {"submitted": 4}
        assert opened.copies["r0@example.org"] == 2


@pytest.mark.parametrize(
    "words",
    [
        "550 5.7.1 Client host [192.0.2.1] blocked using Spamhaus",
        "550 5.7.515 Access denied, sending domain EXAMPLE.ORG does not meet the required authentication level",
        "554 5.7.1 Message content rejected as spam",
        "421 4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume or user complaints",
        "451 4.7.500 Server busy. Please try again later",
        "452 4.5.3 Too many messages in this session",
        "450 Requested action aborted: bad reputation",
    ],
)
def test_a_bounce_that_speaks_of_us_counts_for_nobody(words: str) -> None:
    assert speaks_of_sender(words)


@pytest.mark.parametrize(
    "words", ["452 4.2.2 Mailbox full", "552 5.2.2 over quota", "", "421 4.4.1 connection timed out"]
)
def test_a_bounce_of_the_mailbox_counts(words: str) -> None:
    assert not speaks_of_sender(words)


def test_soft_bounces_that_speak_of_us_suppress_nobody_and_a_delivery_starts_the_count_anew(tmp_path: Path) -> None:
    with shop(tmp_path, "brevo", people=4) as opened:
        opened.configure("soft_bounces = 3", "soft_bounces = 1")
        opened.send()
        soft = EventType.SOFT_BOUNCE
        told(opened, [("r0@example.org", soft, "550 5.7.1 blocked using Spamhaus")], {"brevo": "brevo"})
        assert suppressed(opened) == 0
        told(opened, [("r1@example.org", soft, "452 4.2.2 mailbox full")], {"brevo": "brevo"})
        assert suppressed(opened) == 1
        told(opened, [("r1@example.org", EventType.DELIVERED, "")], {"brevo": "brevo"})
        assert suppressed(opened) == 0


@pytest.mark.parametrize(
    "words",
    [
        "550 5.7.1 Sender address does not exist",
        "550-5.7.1 Verification failed for … 550 5.7.1 No Such User Here 550 Sender verify failed",
        "550 5.7.0 From address does not exist",
        "554 5.7.1 user unknown or not permitted to relay",
        "554 5.7.1 MAIL FROM domain does not exist: account not found",
        "550 5.1.1 Recipient not in authorized recipients",
        "550 5.2.1 SMTP AUTH account inactive",
        "550 Customer account not found",
    ],
)
def test_words_about_our_own_address_or_account_suppress_no_reader(words: str) -> None:
    assert says_gone(words) is False
    found = fault(Stage.RECIPIENT, 550, "", words)
    assert found is None or found.meaning is not Meaning.GONE


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <…>: Recipient address rejected: User unknown in relay recipient table",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "554 delivery error: dd This user doesn't have a yahoo.com account",
    ],
)
def test_words_about_a_mailbox_that_is_gone_are_still_believed(words: str) -> None:
    assert says_gone(words) is True


def test_the_reason_for_a_hard_bounce_is_kept(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", people=8) as opened:
        outage(opened, 7)
        opened.send()
        with opened.space.store.read() as session:
            reasons = set(session.scalars(select(SuppressionRecord.reason).where(SuppressionRecord.source == "smtp")))
        assert reasons == {Reason.HARD_BOUNCE}
