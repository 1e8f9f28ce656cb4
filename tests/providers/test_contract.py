"""The contract that every provider keeps, over all of them; each is driven against something real."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter import merge, providers
from newsletter.config import ProviderConfig
from newsletter.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from newsletter.merge import MergeText
from newsletter.model import Batch, Outcome, Recipient, Rendered
from newsletter.providers import How, Provider
from newsletter.providers.files import Files
from newsletter.providers.memory import Memory
from newsletter.providers.smtp import Options, Security, Smtp
from newsletter.tables import Document


@dataclass
class Mailbox:  # the methods' names and arguments are aiosmtpd's
    """A real SMTP server's handler: keeps what it took, and can be told to fail as real ones do."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"
    drop_at_data: bool = False

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.data_answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append((envelope.rcpt_tos[0], content))
        if self.drop_at_data:
            assert server.transport
            server.transport.close()
        return self.data_answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    handler = Mailbox()
    controller = Controller(handler, hostname="127.0.0.1", port=0, ready_timeout=10)
    controller.port = _free_port()
    controller.start()
    yield handler, controller.port
    controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def options(port: int, **more: Any) -> Options:
    return Options(**{"host": "127.0.0.1", "port": port, "security": Security.NONE, "timeout": 5.0, **more})


@contextmanager
def smtp(port: int, **more: Any) -> Iterator[Smtp]:
    provider = Smtp(options(port, **more), {})
    yield provider
    provider.close()


def batch(*addresses: str) -> Batch:
    content = Rendered(
        issue="issue",
        variant="default",
        subject=merge.parse("Hi {{ first_name | friend }}"),
        preheader=MergeText(),
        html=merge.parse("<p>Hi {{ first_name | friend }}</p>\n.\n"),
        text=merge.parse("Hi {{ first_name | friend }}\n.\n.. dots\n"),
    )
    people = tuple(
        Recipient(
            delivery=n, address=a, values={"first_name": f"N{n}", "unsubscribe_url": f"https://example.org/u/{n}"}
        )
        for n, a in enumerate(addresses or ("a@example.org", "b@example.org", "c@example.org"), 1)
    )
    return Batch(
        id=1,
        campaign="issue",
        key="k" * 64,
        tag="tag",
        date=dt.datetime(2022, 10, 12, tzinfo=dt.UTC),
        sender="Desk <desk@example.org>",
        reply_to="",
        content=content,
        headers=(),
        recipients=people,
    )


@dataclass
class Wire:
    """A provider with a way to see what arrived, as address and raw message."""

    provider: Provider
    refuse: Any
    arrived: Any


@pytest.fixture(params=["files", "memory", "smtp"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wire]:
    if request.param == "files":
        yield Wire(
            Files(tmp_path),
            None,
            lambda: [
                (str(email.message_from_bytes(p.read_bytes())["To"]), p.read_bytes())
                for p in sorted(tmp_path.rglob("*.eml"))
            ],
        )
    elif request.param == "memory":
        memory = Memory(refused=frozenset(("no@example.org",)))
        yield Wire(
            memory, True, lambda: [(str(email.message_from_bytes(m)["To"]), m) for m in memory.messages.values()]
        )
    else:
        handler, port = request.getfixturevalue("mailbox")
        handler.refuse["no@example.org"] = "550 5.1.1 no@example.org is nobody"
        with smtp(port) as provider:
            yield Wire(provider, True, lambda: handler.taken)


def test_a_batch_gives_one_receipt_for_each_recipient_in_order(wire: Wire) -> None:
    receipts = wire.provider.send(batch())
    assert [receipt.delivery for receipt in receipts] == [1, 2, 3]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert [address for address, _ in wire.arrived()] == ["a@example.org", "b@example.org", "c@example.org"]


def test_each_message_is_merged_for_its_reader(wire: Wire) -> None:
    wire.provider.send(batch())
    for number, (_, raw) in enumerate(wire.arrived(), 1):
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        body = parsed.get_body(("plain",))
        assert body
        assert parsed["Subject"] == f"Hi N{number}"
        assert body.get_content().replace("\r\n", "\n") == f"Hi N{number}\n.\n.. dots\n"
        assert parsed["List-Unsubscribe"] == f"<https://example.org/u/{number}>"


def test_one_refused_recipient_does_not_stop_the_others(wire: Wire) -> None:
    if wire.refuse is None:
        return  # a folder takes everybody
    receipts = wire.provider.send(batch("a@example.org", "no@example.org", "c@example.org"))
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert len(wire.arrived()) == 2
    assert "no@example.org" not in receipts[1].detail


def test_settling_says_only_what_can_be_proved(wire: Wire) -> None:
    made = batch()
    before = {receipt.outcome for receipt in wire.provider.settle(made)}
    wire.provider.send(replace(made, recipients=made.recipients[:2]))
    after = [receipt.outcome for receipt in wire.provider.settle(made)]
    if wire.provider.recovery.how is How.NONE:
        assert before == {Outcome.UNKNOWN}
        assert set(after) == {Outcome.UNKNOWN}
    else:
        assert before == {Outcome.DEFERRED}
        assert after == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DEFERRED]


def test_a_webhook_of_a_provider_without_webhooks_is_no_event(wire: Wire) -> None:
    assert list(wire.provider.parse_webhook(b"{}", {})) == []


def test_a_folder_that_cannot_be_written_took_nobody(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    with pytest.raises(Refused, match="can't write"):
        Files(tmp_path / "outbox").send(batch())


def test_files_that_break_off_are_settled_by_looking(tmp_path: Path) -> None:
    (tmp_path / "issue" / "0000002.eml").mkdir(parents=True)  # in the way of the second message
    provider = Files(tmp_path)
    with pytest.raises(OutcomeUnknown):
        provider.send(batch())
    assert provider.settle(batch())[0].outcome is Outcome.ACCEPTED
    assert provider.settle(batch())[2].outcome is Outcome.DEFERRED


def test_a_server_that_is_not_there_took_nobody() -> None:
    with pytest.raises(Unavailable, match=r"no connection to the mail server 127\.0\.0\.1:1"), smtp(1) as provider:
        provider.send(batch())


def test_a_server_is_asked_whether_it_takes_the_sender_and_gets_no_mail(mailbox: tuple[Mailbox, int]) -> None:
    handler, port = mailbox
    with smtp(port) as provider:
        assert [(proof.about, proof.fine) for proof in provider.prove("desk@example.org")] == [
            ("login", True),
            ("sender", True),
        ]
    assert handler.taken == []


def test_a_busy_mailbox_is_put_off_and_not_refused(mailbox: tuple[Mailbox, int]) -> None:
    handler, port = mailbox
    handler.refuse["b@example.org"] = "450 4.2.0 greylisted, come back later"
    with smtp(port) as provider:
        outcomes = [receipt.outcome for receipt in provider.send(batch())]
    assert outcomes == [Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.ACCEPTED]


def test_a_message_that_the_server_refuses_is_refused(mailbox: tuple[Mailbox, int]) -> None:
    handler, port = mailbox
    handler.data_answer = "554 5.7.1 spam"
    with smtp(port) as provider:
        receipts = provider.send(batch())
    assert {receipt.outcome for receipt in receipts} == {Outcome.REFUSED}
    assert receipts[0].detail == "554 5.7.1 spam"
    assert handler.taken == []


def test_an_answer_that_never_comes_is_unknown_and_the_rest_goes_on(mailbox: tuple[Mailbox, int]) -> None:
    handler, port = mailbox
    handler.drop_at_data = True
    with smtp(port) as provider:
        receipts = provider.send(batch("a@example.org"))
        assert [receipt.outcome for receipt in receipts] == [Outcome.UNKNOWN]
        assert len(handler.taken) == 1, "it was taken, and nobody could know"
        handler.drop_at_data = False
        assert provider.send(batch("b@example.org"))[0].outcome is Outcome.ACCEPTED


def test_a_login_that_is_not_accepted_refuses_everybody_at_once(mailbox: tuple[Mailbox, int]) -> None:
    _, port = mailbox
    with pytest.raises((Refused, Unavailable)), smtp(port, username="me", password_env="NOTHING") as provider:
        provider.send(batch())


def test_starttls_is_never_silently_left_out(mailbox: tuple[Mailbox, int]) -> None:
    handler, port = mailbox
    with pytest.raises(Refused, match='see "security"'), smtp(port, security=Security.STARTTLS) as provider:
        provider.send(batch())
    assert handler.taken == []


def test_an_unknown_type_names_the_nearest() -> None:
    document = Document.parse("[providers.x]\ntype = 'smpt'\n", "config.toml")
    config = ProviderConfig(slug="x", type="smpt", table=document.root().table("providers").table("x"))
    with pytest.raises(ConfigError, match=r'config.toml:2: no provider of type "smpt" \(did you mean "smtp"'):
        providers.load(config, Path())


def test_another_persons_provider_is_loaded_by_its_dotted_path(tmp_path: Path) -> None:
    document = Document.parse("[providers.x]\n", "config.toml")
    table = document.root().table("providers").table("x")
    config = ProviderConfig(slug="x", type="newsletter.providers.memory:Memory", table=table)
    assert isinstance(providers.load(config, tmp_path), Memory)
    with pytest.raises(ConfigError, match="can't be loaded"):
        providers.load(replace(config, type="no.such.module:Thing"), tmp_path)
