"""A mail server, one transaction a recipient (RFC 5321).

The server's answer after the message's last line is the only proof that it was taken. When the connection
breaks between that line and the answer, the outcome of that one message is unknown, and nothing can tell.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

from newsletter.errors import Refused, Unavailable
from newsletter.model import Batch, Outcome, Receipt
from newsletter.providers import How, Limits, Proof, Provider, Recovery
from newsletter.providers.mime import Composer
from newsletter.providers.signing import Signer
from newsletter.tables import Table


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The server; `password_env` names the environment variable with the password; `timeout` in seconds. For a server
    that doesn't sign, messages are signed here with the key in `dkim_key_file`.
    """

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    username: str = ""
    password_env: str = "NEWSLETTER_SMTP_PASSWORD"  # noqa: S105 (a name, not a password)
    timeout: float = 30.0
    batch_size: int = 20
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError('"port" must lie between 1 and 65535')
        if self.batch_size < 1 or self.timeout <= 0:
            raise ValueError('"batch_size" and "timeout" must be above 0')
        if len({bool(given) for given in (self.dkim_domain, self.dkim_selector, self.dkim_key_file)}) > 1:
            raise ValueError('DKIM needs all of "dkim_domain", "dkim_selector" and "dkim_key_file"')


class Smtp(Provider):
    """Keeps one connection open for as long as the server does."""

    name: ClassVar[str] = "smtp"
    recovery: ClassVar[Recovery] = Recovery(how=How.NONE)

    def __init__(self, options: Options, environment: Mapping[str, str], signer: Signer | None = None) -> None:
        self.limits = Limits(recipients=options.batch_size, parallel=2)
        self._options = options
        self._environment = environment
        self._server: smtplib.SMTP | None = None
        self._signed = signer.signed if signer else bytes

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        options = table.read(Options)
        if not options.dkim_key_file:
            return cls(options, os.environ)
        path = workspace / options.dkim_key_file
        return cls(options, os.environ, Signer.from_file(options.dkim_domain, options.dkim_selector, path))

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit one message after the other; a recipient that the server doesn't take doesn't stop the rest."""
        composer = Composer(batch)
        sender = parseaddr(batch.sender)[1]
        self._connected()
        receipts: list[Receipt] = []
        for recipient in batch.recipients:
            try:
                outcome, detail = self._submit(sender, recipient.address, self._signed(composer.message(recipient)))
            except Unavailable as fault:
                outcome, detail = Outcome.DEFERRED, fault.what
            receipts.append(
                Receipt(
                    delivery=recipient.delivery,
                    outcome=outcome,
                    message_id=composer.message_id(recipient) if outcome is Outcome.ACCEPTED else "",
                    detail=detail,
                )
            )
        return receipts

    def settle(self, batch: Batch) -> list[Receipt]:
        """SMTP can't be asked afterwards; a person decides."""
        detail = "the mail server can't tell; look for the Message-ID in its log"
        return [Receipt(delivery=r.delivery, outcome=Outcome.UNKNOWN, detail=detail) for r in batch.recipients]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The connection and login, and whether the server takes the sender: a transaction that's begun and reset."""
        server = self._connected()
        try:
            code, answer = server.mail(sender)
            server.rset()
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            raise Unavailable(f"the mail server ended the connection: {type(fault).__name__}") from None
        return [
            Proof(about="login", fine=True, told=f"{self._options.host}:{self._options.port} answers"),
            Proof(about="sender", fine=code < 400, told=_said(code, answer, sender)),
        ]

    def close(self) -> None:
        """Say goodbye."""
        server, self._server = self._server, None
        if server:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _submit(self, sender: str, address: str, message: bytes) -> tuple[Outcome, str]:
        server = self._connected()
        try:
            for command, argument in ((server.mail, sender), (server.rcpt, address)):
                code, answer = command(argument)
                if code >= 400:
                    server.rset()
                    return _outcome(code), _said(code, answer, address)
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            return Outcome.DEFERRED, f"the connection broke before the message: {type(fault).__name__}"
        try:
            code, answer = server.data(message)
        except smtplib.SMTPDataError as fault:
            return _outcome(fault.smtp_code), _said(fault.smtp_code, fault.smtp_error, address)
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            return Outcome.UNKNOWN, f"the connection broke before the answer: {type(fault).__name__}"
        if code == 250:
            return Outcome.ACCEPTED, ""
        self._drop()  # a fresh connection is simpler than to ask what state this one is in
        return _outcome(code), _said(code, answer, address)

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        options, context = self._options, ssl.create_default_context()
        place = f"{options.host}:{options.port}"
        server: smtplib.SMTP | None = None
        try:
            if options.security is Security.TLS:
                server = smtplib.SMTP_SSL(options.host, options.port, timeout=options.timeout, context=context)
            else:
                server = smtplib.SMTP(options.host, options.port, timeout=options.timeout)
            if options.security is Security.STARTTLS:
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if options.username:
                server.login(options.username, self._environment.get(options.password_env, ""))
        except smtplib.SMTPAuthenticationError:
            self._abandon(server)
            hint = f"check username and ${options.password_env}"
            raise Refused(f"the mail server {place} doesn't accept the login", hint=hint) from None
        except smtplib.SMTPNotSupportedError as fault:
            self._abandon(server)
            raise Refused(f"the mail server {place}: {fault}", hint='see "security" in config.toml') from None
        except (smtplib.SMTPException, OSError) as fault:
            self._abandon(server)
            raise Unavailable(f"no connection to the mail server {place}: {type(fault).__name__}") from None
        return server

    @staticmethod
    def _abandon(server: smtplib.SMTP | None) -> None:
        if server:
            server.close()

    def _drop(self) -> None:
        self._abandon(self._server)
        self._server = None


def _outcome(code: int) -> Outcome:
    """4yz is for now, 5yz for good (RFC 5321, section 4.2.1)."""
    return Outcome.DEFERRED if 400 <= code < 500 else Outcome.REFUSED


def _said(code: int, answer: bytes | str, address: str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {text.splitlines()[0] if text else ''}".replace(address, "…").strip()
