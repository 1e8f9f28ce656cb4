"""Every provider with whatever is at its other end, ready for a test."""

from __future__ import annotations

import datetime as dt
import email
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsletter import merge
from newsletter.merge import MergeText
from newsletter.model import Call, Mailbox, Outcome, Receipt, Recipient, Rendered
from newsletter.providers import Provider
from newsletter.providers.brevo import Brevo
from newsletter.providers.brevo import Options as BrevoOptions
from newsletter.providers.files import Files
from newsletter.providers.mailgun import Mailgun
from newsletter.providers.mailgun import Options as MailgunOptions
from newsletter.providers.mailjet import Mailjet
from newsletter.providers.mailjet import Options as MailjetOptions
from newsletter.providers.memory import Memory
from newsletter.providers.postmark import Options as PostmarkOptions
from newsletter.providers.postmark import Postmark
from newsletter.providers.resend import Options as ResendOptions
from newsletter.providers.resend import Resend
from newsletter.providers.sendgrid import Options as SendgridOptions
from newsletter.providers.sendgrid import Sendgrid
from newsletter.providers.ses import Options as SesOptions
from newsletter.providers.ses import Ses
from newsletter.providers.smtp import Options as SmtpOptions
from newsletter.providers.smtp import Security, Smtp
from tests.providers.fakes import (
    KEY,
    BrevoFake,
    Fake,
    Letter,
    MailgunFake,
    MailjetFake,
    PostmarkFake,
    ResendFake,
    SendgridFake,
    SesFake,
    SmtpFake,
    serve,
)
from tests.providers.fakes.smtp import letter_of

CALLED = dt.datetime(2022, 10, 12, tzinfo=dt.UTC)
#: Every environment variable that holds a key.
NAMES: tuple[str, ...] = (
    "RESEND_API_KEY",
    "MAILGUN_API_KEY",
    "POSTMARK_SERVER_TOKEN",
    "MAILJET_API_KEY",
    "MAILJET_SECRET_KEY",
    "SENDGRID_API_KEY",
    "BREVO_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
#: The vendors with an HTTP API.
FAKES: dict[str, type[Fake]] = {
    "resend": ResendFake,
    "mailgun": MailgunFake,
    "postmark": PostmarkFake,
    "mailjet": MailjetFake,
    "sendgrid": SendgridFake,
    "brevo": BrevoFake,
    "ses": SesFake,
}
#: Every provider.
ALL_NAMES: tuple[str, ...] = (*FAKES, "smtp", "files", "memory")
ALL = ["a@example.org", "b@example.org", "c@example.org"]


@dataclass
class Time:
    """A clock that stands still."""

    at: dt.datetime = CALLED

    def now(self) -> dt.datetime:
        return self.at


@dataclass
class Line:
    """A provider, what is at its other end, and the clock of both."""

    provider: Provider
    fake: Fake
    time: Time
    messages: Callable[[], list[bytes]] | None = field(default=None)

    @property
    def addresses(self) -> list[str]:
        return sorted(address for address, _ in self.letters())

    def letters(self) -> list[tuple[str, Letter]]:
        """What was taken, as its readers see it."""
        if self.messages is None:
            return [(address, self.fake.letter(message)) for address, message in self.fake.taken]
        return [(str(email.message_from_bytes(raw)["To"]), letter_of(raw)) for raw in self.messages()]

    def later(self, **span: float) -> None:
        self.time.at += dt.timedelta(**span)


def made(name: str, url: str, now: Callable[[], dt.datetime], key: str = KEY, **more: Any) -> Provider:
    """A vendor's provider; `more` are its options."""
    environment = dict.fromkeys(NAMES, key)
    options: dict[str, Any] = {"base_url": url, "timeout": 1.0, **more}
    match name:
        case "resend":
            return Resend(ResendOptions(**options), environment, now)
        case "mailgun":
            return Mailgun(MailgunOptions(**{"domain": "mg.example.org", **options}), environment, now)
        case "sendgrid":
            return Sendgrid(SendgridOptions(**options), environment, now)
        case "brevo":
            return Brevo(BrevoOptions(**options), environment, now)
        case "ses":
            return Ses(SesOptions(**{"region": "us-east-1", **options}), environment, now)
        case "postmark":
            return Postmark(PostmarkOptions(**options), environment, now)
        case "mailjet":
            return Mailjet(MailjetOptions(**options), environment, now)
        case _:
            raise AssertionError(name)


def smtp(url: str, environment: Mapping[str, str] | None = None, **more: Any) -> Smtp:
    """A provider for the mail server at an address."""
    parts = urlsplit(url)
    options = {"host": parts.hostname, "port": parts.port, "security": Security.NONE, "timeout": 1.0, **more}
    return Smtp(SmtpOptions(**options), environment or {})


@contextmanager
def connected(name: str, key: str = KEY, folder: Path | None = None, **more: Any) -> Iterator[Line]:
    """A provider against its fake. `files` wants a folder."""
    time = Time()
    with ExitStack() as stack:
        if name == "memory":
            memory = Memory(refuse=frozenset(("no@example.org",)))
            yield Line(memory, Fake(), time, lambda: list(memory.messages.values()))
            return
        if name == "files":
            assert folder
            at = folder
            yield Line(Files(at), Fake(), time, lambda: [p.read_bytes() for p in sorted(at.rglob("*.eml"))])
            return
        fake = stack.enter_context(serve(SmtpFake() if name == "smtp" else FAKES[name]()))
        fake.clock = time.now
        fake.refuse.add("no@example.org")
        provider = smtp(fake.url, **more) if name == "smtp" else made(name, fake.url, time.now, key, **more)
        stack.callback(provider.close)
        yield Line(provider, fake, time)


def content(html: MergeText | None = None, text: MergeText | None = None, subject: str = "") -> Rendered:
    return Rendered(
        issue="issue",
        variant="default",
        subject=merge.parse(subject or "Hi {{ first_name | friend }}"),
        preheader=MergeText(),
        html=html or merge.parse("<p>Hi {{ first_name | friend }}</p>\n.\n"),
        text=text or merge.parse("Hi {{ first_name | friend }}\n.\n.. dots\n"),
    )


def call(*addresses: str, sender: Mailbox | None = None, rendered: Rendered | None = None, key: str = "k") -> Call:
    """A call as the ledger makes one."""
    people = tuple(
        Recipient(
            delivery=n,
            address=address,
            values={"first_name": f"N{n}", "unsubscribe_url": f"https://example.org/u/{n}"},
            mark=f"mark-{n}-Ab_9",
        )
        for n, address in enumerate(addresses or ALL, 1)
    )
    return Call(
        batch=1,
        campaign="issue",
        key=(key * 64)[-64:],
        tag="c0ffee-1",
        date=CALLED,
        sender=sender or Mailbox(name="Desk", address="news@example.org"),
        reply_to="reply@example.org",
        content=rendered or content(),
        headers=(("List-Id", '"News" <news.example.org>'), ("Precedence", "bulk")),
        recipients=people,
    )


def outcomes(receipts: Iterator[Receipt] | list[Receipt]) -> list[Outcome]:
    """In the deliveries' order."""
    return [receipt.outcome for receipt in sorted(receipts, key=lambda one: one.delivery)]


def gathered(receipts: Callable[[], Iterator[Receipt]]) -> tuple[list[Receipt], Exception | None]:
    """What a call gives until it ends, and how it ends."""
    kept: list[Receipt] = []
    try:
        kept.extend(receipts())  # a list keeps what came before an error
    except Exception as fault:
        return kept, fault
    return kept, None
