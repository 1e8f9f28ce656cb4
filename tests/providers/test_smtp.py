"""A mail server's dialogue: what each answer means at its stage, and that no answer loses or repeats mail."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from newsletter.errors import Later, NotSent, Ours, ProviderError
from newsletter.model import Outcome, Receipt
from newsletter.providers import smtp_faults
from newsletter.providers.faults import Fault, Meaning
from newsletter.providers.smtp import Security, Smtp
from newsletter.providers.smtp_faults import Stage, enhanced_code, fault
from tests.providers.fakes import SmtpFake, serve
from tests.providers.lines import ALL, Line, Time, call, gathered, outcomes, smtp
from tests.providers.test_hostile import PEOPLE, judged

ACCEPTED, REFUSED, DEFERRED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED, Outcome.UNKNOWN
PASSWORD = {"NEWSLETTER_SMTP_PASSWORD": "hush-hush"}


@contextmanager
def server(environment: dict[str, str] | None = None, **more: Any) -> Iterator[tuple[SmtpFake, Smtp]]:
    with serve(SmtpFake()) as fake:
        assert isinstance(fake, SmtpFake)
        provider = smtp(fake.url, environment, **more)
        yield fake, provider
        provider.close()


def sent(fake: SmtpFake) -> list[str]:
    return sorted(address for address, _ in fake.taken)


# Whose fault an answer is, by stage, code and words.

GONE, MAILBOX, LATER_ONE, OURS = Meaning.GONE, Meaning.MAILBOX, Meaning.MAILBOX_LATER, Meaning.OURS
#: Answers as services were seen to give them (sisimai, Rhost/*.pm and Status.pm; Google 3726730; Microsoft's NDR list;
#: the IANA registry); None where the stage alone decides.
ANSWERS: tuple[tuple[Meaning | None, str], ...] = (
    (GONE, "550 5.1.1 The email account that you tried to reach does not exist."),
    (GONE, "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"),
    (GONE, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    (GONE, "550 5.1.1 unfortunately, the recipient is an inactive email address"),
    (GONE, "556 5.1.10 Recipient address has null MX"),
    (GONE, "550 5.2.1 The email account that you tried to reach is disabled."),
    (GONE, "550 user unknown"),
    (GONE, "550 No such user here"),
    (GONE, "552 1 Requested mail action aborted, mailbox not found"),
    (GONE, "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]"),
    (GONE, "554 delivery error: dd The mailbox is no longer valid"),
    (GONE, "554 delivery error: dd This mailbox is disabled (554.30)"),
    (MAILBOX, "550 mailbox unavailable"),
    (MAILBOX, "550 5.5.0 Requested action not taken: mailbox unavailable"),
    (None, "550 Requested action not taken: mailbox unavailable. Reject due to policy restrictions."),
    (MAILBOX, "550 5.1.6 recipient no longer on server"),
    (MAILBOX, "550 5.1.2 bad destination system"),
    (LATER_ONE, "550 5.4.4 unable to route"),
    (LATER_ONE, "550 5.4.4 Host or domain name not found. Name service error for name=example.org type=MX"),
    (LATER_ONE, "550 5.1.2 unable to get mx info: failed to get IPs from PTR record"),
    (MAILBOX, "550 5.1.3 bad syntax"),
    (MAILBOX, "550 5.7.17 mailbox owner has changed"),
    (MAILBOX, "550 5.2.1 not now"),
    (MAILBOX, "550 5.4.1 Recipient address rejected: Access denied"),
    (MAILBOX, "550 5.7.505 banned recipient"),
    (LATER_ONE, "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional …"),
    (LATER_ONE, "450 4.2.1 The user you are trying to contact is receiving mail too quickly"),
    (LATER_ONE, "450 User is receiving mail too quickly"),
    (LATER_ONE, "552 5.2.2 The email account that you tried to reach is over quota."),
    (LATER_ONE, "452 4.2.2 The email account that you tried to reach is out of storage space"),
    (LATER_ONE, "550 5.7.1 Email quota exceeded"),
    (LATER_ONE, "550 5.2.2 mailbox says no"),
    (LATER_ONE, "550 5.2.122 the recipient's hourly rate"),
    (OURS, "550 Your account is disabled for sending"),
    (OURS, "550 5.1.1 Your account has been closed"),
    (OURS, "550 5.1.1 Account suspended: sender mailbox not found"),
    (OURS, "554 5.2.1 Sender inactive: your plan has expired"),
    (OURS, "550 5.2.1 Account inactive: the trial has ended"),
    (OURS, "550 5.2.1 Mailbox disabled for this sender: daily limit"),
    (OURS, "550 5.2.1 Your mailbox is disabled"),
    (OURS, "550 Sender mailbox does not exist"),
    (OURS, "550 Sender verify failed"),
    (OURS, "550 Requested action not taken: mailbox unavailable\nSender address is not allowed."),
    (OURS, "550 5.4.5 Daily email quota exceeded"),
    (OURS, "554 5.7.1 You are over quota for today"),
    (OURS, "552 5.2.2 sender over quota"),
    (OURS, "552 5.2.2 Mailbox over quota for today"),
    (GONE, "550 5.1.1 <sender@example.org>: user unknown"),
    (GONE, "550 5.1.1 <spam.policy@example.org>: user unknown"),
    (GONE, "550 5.1.1 user unknown, see https://example.org/help?sender=x&recipient=y"),
    (None, "550 Requested action not taken: mailbox unavailable\nFailure sending mail. Try again later"),
    (None, "550 Requested action not taken: mailbox unavailable\nReject due to policy restrictions."),
    (None, "550 5.1.1 user unknown, try again later"),
    *(
        (None, f"550 5.1.1 {words}")
        for words in (
            *("Access denied", "too many messages", "you are not allowed to send", "rejected due to content"),
            *("client host blocked", "DMARC failure", "trial account", "unpaid: invoice overdue", "virus found"),
        )
    ),
    (None, "550 5.2.1 Account disabled due to abuse"),
    (None, "550 5.1.6 moved, says our policy"),
    (None, "550 mailbox unavailable: too many messages"),
    (None, "550 Unknown user: your IP is blocked"),
    *(
        (OURS, f"550 5.1.1 {words}")
        for words in (
            *(
                "sending user unknown",
                "From address unknown",
                "Return path does not exist",
                "bad envelope-from address",
            ),
            *("outbound mail disabled", "authenticated user is disabled", "SMTP credentials: user unknown"),
        )
    ),
    (OURS, "550 No such user in MAIL FROM"),
    (None, "550 5.2.1 account disabled: suspended for now"),
    (None, "550 5.7.1 sender blocked by the recipient"),
    (None, "450 4.7.1 sender greylisted"),
    (OURS, "550 5.4.5 Daily sending quota exceeded."),
    (OURS, "550 5.4.5 Daily user sending limit exceeded."),
    (OURS, "550 5.4.5 Daily SMTP relay limit exceeded for customer."),
    (OURS, "550 5.7.1 Daily SMTP relay limit exceeded for user."),
    (OURS, "550 5.4.5 something else"),
    (OURS, "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"),
    (OURS, "550 5.2.2 Submission quota exceeded"),
    (OURS, "450 4.2.1 Peak SMTP relay limit exceeded for customer."),
    (OURS, "454 Throttling failure: Daily message quota exceeded."),
    (OURS, "554 Message rejected: Email address is not verified. The following identities failed the check"),
    (OURS, "550 5.1.8 Access denied, bad outbound sender"),
    (OURS, "550 5.7.1 relaying denied"),
    (OURS, "554 5.7.1 <x@example.org>: Relay access denied"),
    (OURS, "550 5.7.64 TenantAttribution; Relay Access Denied"),
    (OURS, "550 5.4.1 <x@example.org>: Relay access denied"),
    (OURS, "550 relaying denied for <x@yahoo.com>"),
    (OURS, "550 5.7.57 Client was not authenticated to send anonymous mail during MAIL FROM"),
    (OURS, "450 4.1.8 <desk@example.org>: Sender address rejected: Domain not found"),
    (OURS, "530 5.7.0 Authentication required"),
    (OURS, "550 5.7.515 Access denied, sending domain does not meet the required authentication level"),
    (OURS, "550 5.7.26 This mail is unauthenticated"),
    (OURS, "550 5.7.30 DKIM missing"),
    (OURS, "503 5.5.1 bad sequence of commands"),
    (OURS, "502 command not implemented"),
    (None, "501 5.5.4 invalid arguments"),
    (None, "550 5.7.1 [BL21] message refused by policy"),
    (None, "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred"),
    (OURS, "554 5.7.9 Message not accepted for policy reasons"),
    (None, "550 5.7.1 Our system has detected that this message is likely unsolicited mail"),
    (None, "550 blocked using zen.spamhaus.org"),
    (None, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred"),
    (None, "450 4.7.1 Greylisted, try again"),
    (None, "451 4.7.1 try again"),
    (None, "452 4.3.1 Insufficient system storage"),
    (None, "452 4.5.3 Too many recipients"),
    (None, "454 Throttling failure: Maximum sending rate exceeded."),
    (None, "450 4.1.1 <x@example.org>: Recipient address rejected: unverified address"),
    (None, "550 5.7.1 <x@example.org>: Recipient address rejected: Access denied"),
    (None, "550 5.0.350 no information"),
    (None, "550"),
)


def meaning(answer: str, stage: Stage = Stage.RECIPIENT) -> Meaning | None:
    code, _, text = answer.partition(" ")
    row = fault(stage, int(code), enhanced_code(text), text)
    return row.meaning if row else None


@pytest.mark.parametrize(("expected", "answer"), ANSWERS, ids=[answer[:60] for _, answer in ANSWERS])
def test_an_answer_means_what_services_mean_by_it(expected: Meaning | None, answer: str) -> None:
    assert meaning(answer) is expected


def test_only_after_rcpt_can_an_answer_be_about_a_mailbox() -> None:
    for stage in (Stage.CONNECT, Stage.LOGIN, Stage.SENDER, Stage.DATA):
        assert {meaning(answer, stage) for _, answer in ANSWERS} <= {OURS, None}


def test_every_row_has_a_source_and_an_answer_that_it_is_the_first_to_fit() -> None:
    rows: tuple[Fault, ...] = (*smtp_faults._WORDS, *smtp_faults._PERMANENT)
    used = set()
    for _, answer in ANSWERS:
        code, _, text = answer.partition(" ")
        used.add(fault(Stage.RECIPIENT, int(code), enhanced_code(text), text))
    assert [row for row in rows if row not in used] == []
    assert all(row.source for row in rows)


def test_a_basic_code_and_an_enhanced_one_that_disagree_are_the_weaker() -> None:
    """RFC 2034, section 4: the classes have to agree."""
    assert meaning("550 4.1.1 user unknown") is None
    assert meaning("450 5.1.1 user unknown") is None


# One recipient, and the others.


@pytest.mark.parametrize("stage", ["RCPT", "END"])
@pytest.mark.parametrize(
    ("answer", "outcome", "gone"),
    [
        ("550 5.1.1 user unknown", REFUSED, True),
        ("552 mailbox not found", REFUSED, True),
        ("550 5.1.6 moved", REFUSED, False),
        ("452 4.2.2 mailbox full", DEFERRED, False),
        ("450 4.7.1 Greylisted", DEFERRED, False),
        ("451 4.3.0 try later", DEFERRED, False),
        ("550 5.7.1 this message looks like spam", DEFERRED, False),
        ("550", DEFERRED, False),
    ],
)
def test_what_is_about_one_recipient_stops_nobody_else(stage: str, answer: str, outcome: Outcome, gone: bool) -> None:
    with server() as (fake, provider):
        usual = "354 go on" if stage == "DATA" else "250 fine"
        fake.answers[stage] = [usual, answer, usual]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert raised is None
        assert [receipt.outcome for receipt in receipts] == [ACCEPTED, outcome, ACCEPTED]
        assert receipts[1].gone is gone
        assert sent(fake) == ["a@example.org", "c@example.org"]


def test_the_same_doubtful_refusal_for_everybody_is_ours() -> None:
    """S14: by the second in a row nobody more is tried, and nobody is refused."""
    with server() as (fake, provider):
        fake.answers["RCPT"] = ["550 5.7.1 go away"]
        receipts, raised = gathered(lambda: provider.send(call(*(f"p{n}@example.org" for n in range(30)))))
        assert isinstance(raised, Ours)
        assert [receipt.outcome for receipt in receipts] == [DEFERRED]
        assert sum(line.startswith("RCPT") for line in fake.said) == 2


def test_a_sending_quota_is_ours_at_once() -> None:
    """S14."""
    with server() as (fake, provider):
        fake.answers["RCPT"] = ["250 fine", "550 5.4.5 Daily sending quota exceeded"]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert isinstance(raised, Ours)
        assert "quota" in raised.hint
        assert [receipt.outcome for receipt in receipts] == [ACCEPTED]


def test_what_was_accepted_stays_accepted_when_the_login_fails_on_coming_back() -> None:
    """S1: 421 after some messages, then 535."""
    people = [f"p{n}@example.org" for n in range(10)]
    with server(PASSWORD, username="me") as (fake, provider):
        fake.offers = ("AUTH PLAIN",)
        fake.answers["MAIL"] = [*["250 fine"] * 7, "421 4.7.0 closing"]
        fake.answers["AUTH"] = ["235 welcome", "535 5.7.8 bad credentials"]
        receipts, raised = gathered(lambda: provider.send(call(*people)))
        assert [receipt.outcome for receipt in receipts] == [ACCEPTED] * 7
        assert isinstance(raised, Later), "the server closes: for now"
        receipts, raised = gathered(lambda: provider.send(call(*people[7:])))
        assert receipts == []
        assert isinstance(raised, Ours)
        assert "NEWSLETTER_SMTP_PASSWORD" in raised.hint
        assert len(fake.taken) == 7


@pytest.mark.parametrize("answer", ["454 4.7.0 temporary authentication failure", "421 4.7.0 too many connections"])
def test_a_login_that_is_refused_for_now_is_later(answer: str) -> None:
    with server(PASSWORD, username="me") as (fake, provider):
        fake.offers = ("AUTH PLAIN",)
        fake.answers["AUTH"] = [answer]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert isinstance(raised, Later)
        assert receipts == []


@pytest.mark.parametrize(
    "answer", ["535 5.7.8 no", "534 5.7.9 no", "451 Authentication failed: Maximum credits exceeded", "530 5.7.0 no"]
)
def test_a_login_that_only_a_person_can_put_right_is_ours(answer: str) -> None:
    with server(PASSWORD, username="me") as (fake, provider):
        fake.offers = ("AUTH PLAIN",)
        fake.answers["AUTH"] = [answer]
        _, raised = gathered(lambda: provider.send(call()))
        assert isinstance(raised, Ours)
        assert "hush-hush" not in str(raised)


@pytest.mark.parametrize("stage", ["AUTH", "MAIL", "RCPT", "END"])
@pytest.mark.parametrize("secret", ["hush-hush", "aHVzaC1odXNo", "AG1lAGh1c2gtaHVzaA=="])
def test_a_login_that_the_server_repeats_is_not_shown(stage: str, secret: str) -> None:
    with server(PASSWORD, username="me") as (fake, provider):
        fake.offers = ("AUTH PLAIN",)
        fake.answers[stage] = [f"550 5.7.1 {secret} it says"]
        receipts, raised = gathered(lambda: provider.send(call("a@example.org")))
        assert "it says" in f"{raised} {receipts}"
        assert secret.rstrip("=") not in f"{raised} {receipts}"


def test_after_a_refusal_at_data_the_dialogue_begins_anew() -> None:
    """S22: without RSET the next MAIL is nested."""
    with server() as (fake, provider):
        fake.answers["DATA"] = ["450 4.3.0 not now", "354 go on"]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert raised is None
        assert [receipt.outcome for receipt in receipts] == [DEFERRED, ACCEPTED, ACCEPTED]
        verbs = [line[:4] for line in fake.said]
        assert verbs[verbs.index("DATA") + 1] == "RSET"


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])
def test_a_503_is_our_own_fault(stage: str) -> None:
    with server() as (fake, provider):
        fake.answers[stage] = ["503 5.5.1 nested MAIL command"]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert isinstance(raised, Ours)
        assert REFUSED not in outcomes(receipts)


def test_starttls_is_never_silently_left_out() -> None:
    with server(security=Security.STARTTLS) as (fake, provider):
        with pytest.raises(Ours, match='see "security"'):
            list(provider.send(call()))
        assert fake.taken == []


def test_a_lost_answer_at_the_end_is_unknown_and_the_rest_goes_on() -> None:
    with server() as (fake, provider):
        fake.takes = True
        fake.answers["END"] = ["250 fine", "", "250 fine"]
        receipts, raised = gathered(lambda: provider.send(call()))
        assert raised is None
        assert [receipt.outcome for receipt in receipts] == [ACCEPTED, UNKNOWN, ACCEPTED]
        assert sent(fake) == ALL
        assert list(provider.settle(call())) == []


def test_dots_at_the_beginning_of_lines_come_through() -> None:
    with server() as (fake, provider):
        list(provider.send(call("a@example.org")))
        ((_, message),) = fake.taken
        assert fake.letter(message).text == "Hi N1\n.\n.. dots\n"


# Anything at any stage.

ODD = (
    *("421 4.3.2 closing", "421", "450 4.0.0 no", "451 no", "452 4.5.3 no", "454 4.7.0 no", "455 no", "500 5.5.2 no"),
    *("501 no", "502 no", "504 no", "521 no", "530 5.7.0 no", "541 no", "550 no", "551 no", "552 no", "553 no"),
    *("554 5.0.0 no", "555 no", "556 no", "", "hello", "999 what", "2", "-1 x", "250", "354 go on", "220 again"),
    *("250-one\r\n250-two\r\n250 three", "250-one\r\n550 two", "550-one\r\n250 two", "\x00\x01\x02", "\udcff\udcfe x"),
    *("250 " + "x" * 20_000, "550 " + "y" * 20_000, "421-a\r\n421 b", "334 VXNlcm5hbWU6", "１２３ full width"),
    f"550 5.7.1 <{PEOPLE[0]}> and {PEOPLE[1]} with hush-hush \x1b[2J",
)
STAGES = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "END", "RSET")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("for_good", [True, False])
def test_whoever_was_taken_is_never_reported_as_not_taken(stage: str, for_good: bool) -> None:
    with serve(SmtpFake()) as fake:
        assert isinstance(fake, SmtpFake)
        fake.offers = ("AUTH PLAIN LOGIN",)
        made = call(*PEOPLE)
        wrong = {}
        for answer in ODD:
            fake.taken.clear()
            fake.times.clear()
            fake.for_good = for_good
            fake.answers = {stage: [answer] if for_good else ["250 fine" if stage == "RSET" else answer]}
            if stage == "RSET":
                fake.answers["RCPT"] = ["550 5.1.1 user unknown", "250 fine"]
            # An answer of 4yz or 5yz at the end says that the message wasn't taken (RFC 5321, 4.2.1).
            fake.takes = not (answer[:3].isascii() and answer[:3].isdigit() and answer[0] in "45")
            provider = smtp(fake.url, PASSWORD, username="me")
            object.__setattr__(provider._options, "timeout", 0.2)  # less than settings may hold: many of these hang
            line = Line(provider, fake, Time())
            if problems := judged(line, made, lambda p=provider: p.send(made)):  # type: ignore[misc]
                wrong[answer] = problems
            provider.close()
        assert wrong == {}


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT", "END"])
def test_no_reply_takes_longer_than_it_may(stage: str) -> None:
    with server() as (fake, provider):
        fake.slow = stage
        fake.takes = True
        begun = clock.monotonic()
        receipts, raised = gathered(lambda: provider.send(call("a@example.org")))
        assert clock.monotonic() - begun < 2.0
        if stage == "END":
            assert outcomes(receipts) == [UNKNOWN]
        else:
            assert fake.taken == []
            assert isinstance(raised, NotSent | Later) or outcomes(receipts) == [DEFERRED]


def test_no_answer_shows_an_address_or_a_password() -> None:
    with server(PASSWORD, username="me") as (fake, provider):
        fake.offers = ("AUTH PLAIN",)
        for stage in ("AUTH", "MAIL", "RCPT", "END"):
            fake.answers = {stage: [f"550 5.1.1 user unknown: <{PEOPLE[0]}> \x1b[31m {PEOPLE[1]}"]}
            receipts, raised = gathered(lambda: provider.send(call(*PEOPLE)))
            shown = f"{raised} {[receipt.detail for receipt in receipts]}"
            assert "example.org" not in shown
            assert "\x1b" not in shown
            assert raised is None or isinstance(raised, ProviderError)


def test_a_receipt_for_each_is_given_as_it_becomes_certain() -> None:
    """The ledger records what came before whatever comes after."""
    with server() as (fake, provider):
        receipts: Iterator[Receipt] = provider.send(call())
        assert next(receipts).outcome is ACCEPTED
        assert sent(fake) == ["a@example.org"]
