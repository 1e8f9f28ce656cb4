"""Whole campaigns from the command line to the mailboxes of a real Postfix.

Postfix refuses, defers, hangs up and is stopped by its own means (tests/postfix.py). What counts is what lies in the
mailboxes.
"""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from newsletter.model import DeliveryState
from newsletter.store.records import CampaignRecord, DeliveryRecord
from tests.conftest import needed
from tests.desk import Desk
from tests.postfix import BOUNCING, Mail, Postfix, missing, serve_postfix
from tests.postfix_policy import END_OF_MESSAGE, RCPT, Greylisting, Request, after, mailbox

NAME = "network-download-2022-10"
SENDER = "news@example.org"
FEW = {"ana@example.org", "ben@example.org", "chi@example.org"}
RELAY_ONLY = {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}

Serve = Callable[..., Postfix]


@pytest.fixture
def serve(desk: Desk) -> Iterator[Serve]:
    """Start a Postfix and name it in the workspace's configuration."""
    if why := missing():
        needed(why)
    with ExitStack() as stack:

        def start(batch_size: int = 20, **settings: str) -> Postfix:
            server = stack.enter_context(serve_postfix(settings))
            server.add_mailboxes(SENDER, *FEW)
            _configure(desk, server.port, batch_size)
            return server

        yield start


def _configure(desk: Desk, port: int, batch_size: int) -> None:
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    before, mark, section = text.partition("[providers.smtp]\n")
    section = section.replace('host = "localhost"', 'host = "127.0.0.1"', 1)
    section = section.replace("port = 587", f"port = {port}", 1)
    section = section.replace('security = "starttls"', 'security = "none"', 1)
    section = section.replace("batch_size = 20", f"batch_size = {batch_size}", 1)
    path.write_text(before + mark + section, encoding="utf-8")


def send(desk: Desk) -> subprocess.CompletedProcess[str]:
    """Start the campaign, or continue it."""
    return desk.run("send", NAME, "--provider", "smtp", "--confirm", NAME)


def send_until_done(desk: Desk, runs: int = 5) -> None:
    """Send again while people are pending, as an operator would, resuming where it was paused."""
    for _ in range(runs):
        done = send(desk)
        if done.returncode == 0:
            return
        assert done.returncode in (1, 4), done.stderr
        desk.run("campaigns", "resume", NAME)
    raise AssertionError(f"not done after {runs} runs: {done.stderr}")


def add_readers(desk: Desk, *addresses: str) -> set[str]:
    """More readers of the list; gives all of it."""
    desk.import_people("Email,Lists\n" + "".join(f"{address},Network Download\n" for address in addresses), "more.csv")
    return FEW | set(addresses)


def approve(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")


def states(desk: Desk) -> dict[str, str]:
    with desk.space.store.read() as session:
        return dict(session.execute(select(DeliveryRecord.address, DeliveryRecord.state)).all())


def is_paused(desk: Desk) -> bool:
    with desk.space.store.read() as session:
        return session.scalars(select(CampaignRecord.paused_at)).one() is not None


def received(postfix: Postfix) -> Counter[str]:
    """How many messages lie in each reader's mailbox."""
    return Counter(mail.mailbox for mail in postfix.delivered() if mail.mailbox != SENDER)


def once(addresses: set[str]) -> Counter[str]:
    return Counter(dict.fromkeys(addresses, 1))


def parsed(mail: Mail) -> EmailMessage:
    message = email.message_from_bytes(mail.message, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


def test_everybody_gets_one_message_whose_headers_and_text_arrive_unharmed(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    approve(desk)
    done = send(desk)
    assert done.returncode == 0, done.stderr
    assert received(postfix) == once(FEW)
    messages = {mail.mailbox: parsed(mail) for mail in postfix.delivered()}
    for address, message in messages.items():
        assert message["To"] == address
        assert message["Return-Path"] == f"<{SENDER}>"
        assert message["Subject"] == "📬 Network Download | HB 1 in court | October 2022"
        assert re.fullmatch(r"<https://mail\.example\.org/\S+>", message["List-Unsubscribe"])
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message.get_content_type() == "multipart/alternative"
        assert not message.defects
    assert "Hi Ana," in body(messages["ana@example.org"], "plain")
    assert "Hi friend," in body(messages["ben@example.org"], "plain")
    assert "⚖️ In the courts" in body(messages["ana@example.org"], "html")
    for header in ("Message-ID", "List-Unsubscribe"):
        assert len({message[header] for message in messages.values()}) == len(FEW)


def test_running_send_again_delivers_nothing_more(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    approve(desk)
    assert [send(desk).returncode for _ in range(2)] == [0, 0]
    assert received(postfix) == once(FEW)


def test_an_unknown_mailbox_is_refused_and_the_others_get_their_message(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    add_readers(desk, "gone@example.org")
    approve(desk)
    assert send(desk).returncode == 4
    assert "550 5.1.1 <gone@example.org>" in postfix.log()
    assert received(postfix) == once(FEW)
    assert states(desk).pop("gone@example.org") == DeliveryState.REFUSED
    assert Counter(states(desk).values())[DeliveryState.SUBMITTED] == len(FEW)


def test_a_full_mailbox_is_tried_again_and_the_others_get_their_message(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    postfix.policy.rules.append(mailbox("ben@example.org", "552 5.2.2 Mailbox full"))
    approve(desk)
    assert send(desk).returncode == 4
    assert received(postfix) == once(FEW - {"ben@example.org"})
    assert states(desk)["ben@example.org"] == DeliveryState.PENDING


def test_when_unknown_mailboxes_make_the_server_hang_up_the_others_still_get_one_message(
    desk: Desk, serve: Serve
) -> None:
    postfix = serve(smtpd_hard_error_limit="3")
    unknown = {f"gone{n}@example.org" for n in range(8)}
    add_readers(desk, *unknown)
    approve(desk)
    assert send(desk).returncode == 4
    assert "too many errors after" in postfix.log()
    assert received(postfix) == once(FEW)
    expected = dict.fromkeys(unknown, DeliveryState.REFUSED) | dict.fromkeys(FEW, DeliveryState.SUBMITTED)
    assert states(desk) == expected


def test_greylisted_readers_get_one_message_after_the_delay(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    greylisting = Greylisting(delay=0.5)
    postfix.policy.rules.append(greylisting)
    approve(desk)
    send_until_done(desk)
    assert set(greylisting.deferred) == FEW
    assert received(postfix) == once(FEW)


def test_readers_greylisted_for_longer_than_a_run_get_their_message_in_the_next_one(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    greylisting = Greylisting(delay=600, only=frozenset(("ben@example.org",)))
    postfix.policy.rules.append(greylisting)
    approve(desk)
    assert send(desk).returncode == 4
    assert received(postfix) == once(FEW - {"ben@example.org"})
    assert states(desk)["ben@example.org"] == DeliveryState.PENDING
    greylisting.delay = 0
    assert send(desk).returncode == 0
    assert received(postfix) == once(FEW)


@pytest.mark.parametrize("state", [RCPT, END_OF_MESSAGE])
def test_a_sending_quota_pauses_the_campaign_and_refuses_nobody(desk: Desk, serve: Serve, state: str) -> None:
    postfix = serve(batch_size=4)
    readers = [f"reader{n}@example.org" for n in range(9)]
    everybody = add_readers(desk, *readers)
    postfix.add_mailboxes(*readers)
    postfix.policy.rules.append(after(6, "550 5.4.5 Daily sending quota exceeded", state=state))
    approve(desk)
    done = send(desk)
    assert done.returncode != 0
    assert Counter(states(desk).values()) == {DeliveryState.SUBMITTED: 6, DeliveryState.PENDING: 6}, done.stderr
    assert "quota" in done.stderr
    assert is_paused(desk)
    assert received(postfix).total() == 6
    postfix.policy.rules.clear()
    assert desk.run("campaigns", "resume", NAME).returncode == 0
    assert send(desk).returncode == 0
    assert received(postfix) == once(everybody)


@pytest.mark.parametrize(
    ("settings", "logged"),
    [
        # Postfix says at RCPT what it holds against the sender, too (smtpd_delay_reject), with the sender's address.
        ({"smtpd_sender_restrictions": "reject"}, f"554 5.7.1 <{SENDER}>: Sender address rejected"),
        ({"mynetworks": "192.0.2.0/24", "virtual_mailbox_domains": "", **RELAY_ONLY}, "Relay access denied"),
        ({"message_size_limit": "10240"}, "queue file size limit exceeded"),
    ],
    ids=["sender", "relay", "size"],
)
def test_what_a_server_holds_against_us_pauses_the_campaign_and_refuses_nobody(
    desk: Desk, serve: Serve, settings: dict[str, str], logged: str
) -> None:
    postfix = serve(**settings)
    approve(desk)
    done = send(desk)
    assert logged in postfix.log()
    assert done.returncode != 0
    assert states(desk) == dict.fromkeys(FEW, DeliveryState.PENDING), done.stderr
    assert is_paused(desk)
    assert not received(postfix)


@pytest.mark.parametrize("state", [RCPT, END_OF_MESSAGE])
def test_a_server_that_hangs_up_with_421_is_tried_again_and_nobody_gets_two(
    desk: Desk, serve: Serve, state: str
) -> None:
    postfix = serve()
    postfix.policy.rules.append(after(2, "421 4.7.0 Try again later, closing connection", state=state, times=2))
    approve(desk)
    send_until_done(desk)
    assert received(postfix) == once(FEW)
    assert set(states(desk).values()) == {DeliveryState.SUBMITTED}


def test_a_rate_limit_of_the_server_delays_messages_and_refuses_nobody(desk: Desk, serve: Serve) -> None:
    postfix = serve(smtpd_client_message_rate_limit="8", anvil_rate_time_unit="1s")
    readers = [f"reader{n}@example.org" for n in range(9)]
    everybody = add_readers(desk, *readers)
    postfix.add_mailboxes(*readers)
    approve(desk)
    send_until_done(desk)
    assert "Message delivery request rate limit exceeded" in postfix.log()
    assert received(postfix) == once(everybody)


def test_mail_that_bounces_after_it_was_accepted_comes_back_to_the_envelope_sender(desk: Desk, serve: Serve) -> None:
    postfix = serve()
    address = f"hal@{BOUNCING}"
    add_readers(desk, address)
    approve(desk)
    assert send(desk).returncode == 0
    assert states(desk)[address] == DeliveryState.SUBMITTED
    assert received(postfix) == once(FEW)
    (report,) = (parsed(mail) for mail in postfix.delivered() if mail.mailbox == SENDER)
    assert report["Return-Path"] == "<>"
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    status = next(part for part in report.walk() if part.get_content_type() == "message/delivery-status")
    fields = {name: value for block in status.get_payload() for name, value in block.items()}  # type: ignore[union-attr]
    assert fields["Final-Recipient"] == f"rfc822; {address}"
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")
    original = next(part for part in report.walk() if part.get_content_type() == "message/rfc822").get_content()
    with desk.space.store.read() as session:
        sent = select(DeliveryRecord.message_id).where(DeliveryRecord.address == address)
        assert original["Message-ID"] == session.scalars(sent).one()


class Stopping:
    """A rule that stops Postfix when it asks about the message after `passed`, and starts it again after a second."""

    def __init__(self, postfix: Postfix, passed: int, state: str) -> None:
        self._postfix, self._left, self._state = postfix, passed, state
        self.restarted = threading.Event()

    def __call__(self, request: Request) -> str:
        if request["protocol_state"] != self._state or self._left < 0:
            return ""
        self._left -= 1
        if self._left < 0:
            self._postfix.stop()  # so that no answer to this request can matter
            threading.Thread(target=self._start).start()
        return ""

    def _start(self) -> None:
        time.sleep(1)
        self._postfix.start()
        self.restarted.set()


def _stopped_in_mid_campaign(desk: Desk, serve: Serve, state: str) -> tuple[Postfix, set[str], str]:
    """Send until Postfix is stopped at the twelfth of 23 readers, and until it's back; all of them, and that one."""
    postfix = serve(batch_size=5, parallel=1)  # so that one message alone is under way
    readers = [f"reader{n}@example.org" for n in range(20)]
    everybody = add_readers(desk, *readers)
    postfix.add_mailboxes(*readers)
    stopping = Stopping(postfix, 11, state)
    postfix.policy.rules.append(stopping)
    approve(desk)
    send(desk)
    assert stopping.restarted.wait(10)
    asked = [request["recipient"] for request in postfix.policy.requests if request["protocol_state"] == state]
    return postfix, everybody, asked[11]


def test_a_server_stopped_between_messages_and_started_again_delivers_one_to_everybody(
    desk: Desk, serve: Serve
) -> None:
    postfix, everybody, _ = _stopped_in_mid_campaign(desk, serve, RCPT)
    send_until_done(desk)
    assert received(postfix) == once(everybody)
    assert set(states(desk).values()) == {DeliveryState.SUBMITTED}


def test_a_message_whose_answer_was_lost_stays_unknown_until_a_person_looked_it_up(desk: Desk, serve: Serve) -> None:
    postfix, everybody, lost = _stopped_in_mid_campaign(desk, serve, END_OF_MESSAGE)
    assert send(desk).returncode == 4
    unknown = {reader for reader, state in states(desk).items() if state == DeliveryState.UNKNOWN}
    # That one, and perhaps the one whose message was on its way when the server went.
    assert lost in unknown or len(unknown) == 1
    assert states(desk) == dict.fromkeys(everybody, DeliveryState.SUBMITTED) | dict.fromkeys(
        unknown, DeliveryState.UNKNOWN
    )
    assert received(postfix) == once(everybody - unknown)
    desk.run("campaigns", "settle", NAME, "--as", "pending", "--confirm", NAME)
    assert send(desk).returncode == 0
    assert received(postfix) == once(everybody)
