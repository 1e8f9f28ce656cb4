"""A mail server, one transaction a recipient (RFC 5321).

The server's answer after the message's last line is the only proof that it was taken. When the connection
breaks between that line and the answer, the outcome of that one message is unknown, and nothing can tell.
"""

from __future__ import annotations

import base64
import os
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

from newsletter.config.rules import LOCAL_HOSTS, is_host, require_between, require_variable
from newsletter.errors import ConfigError, Later, NotSent, Ours, ProviderError
from newsletter.model import Call, Outcome, Receipt, Recipient, Route
from newsletter.providers import How, Limits, Provider, Recovery, Verification
from newsletter.providers.faults import Meaning, vendor_words
from newsletter.providers.http import accepted, deferred, refused
from newsletter.providers.mime import Composer
from newsletter.providers.signing import Signer
from newsletter.providers.smtp_faults import Stage, enhanced_code, fault
from newsletter.tables import Table

#: "Service not available, closing transmission channel" (RFC 5321, section 3.8).
_CLOSING = 421
#: So many answers in a row that may be our own fault are taken for it.
_IN_A_ROW = 2


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
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: Path | None = None

    def __post_init__(self) -> None:
        if not is_host(self.host) or ":" in self.host:
            raise ValueError('"host" must be the name of a mail server, such as smtp.example.org')
        if not 1 <= self.port <= 65535:
            raise ValueError('"port" must lie between 1 and 65535')
        require_between("timeout", self.timeout, 1, 600, "seconds")
        require_variable("password_env", self.password_env)
        if self.username and self.security is Security.NONE and self.host not in LOCAL_HOSTS:
            raise ValueError('"security" must be "starttls" or "tls": "none" sends the password in the clear')
        if len({bool(given) for given in (self.dkim_domain, self.dkim_selector, self.dkim_key_file)}) > 1:
            raise ValueError('DKIM needs all of "dkim_domain", "dkim_selector" and "dkim_key_file"')


class _Answer(Exception):
    """An answer of 4yz or 5yz."""

    def __init__(self, stage: Stage, code: int, text: str) -> None:
        super().__init__(stage, code, text)
        self.stage, self.code, self.text = stage, code, text

    @property
    def said(self) -> str:
        """The answer, on one line and without addresses."""
        return f"{self.code} {vendor_words(self.text)}".strip()


class _Replies:
    """A server's replies, each within the time that it may take: a server may send a byte now and then for ever."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._seconds = sock, seconds
        self._buffer = b""
        self._ends = 0.0
        self.codes: set[bytes] = set()

    def begin(self) -> None:
        """The next reply's time begins."""
        self._ends = time.monotonic() + self._seconds
        self.codes.clear()

    def readline(self, longest: int) -> bytes:
        """A line, or as much of it as may be; less when the server is gone."""
        while b"\n" not in self._buffer and len(self._buffer) < longest:
            self._sock.settimeout(max(0.001, self._ends - time.monotonic()))
            piece = self._sock.recv(1 << 12)
            if not piece:
                break
            self._buffer += piece
        if time.monotonic() > self._ends:
            raise TimeoutError
        size = self._buffer.find(b"\n") + 1 or len(self._buffer)
        line, self._buffer = self._buffer[: min(size, longest)], self._buffer[min(size, longest) :]
        self.codes.add(line[:3])
        return line

    def close(self) -> None:
        """Nothing of its own is open."""


class _Bounded(smtplib.SMTP):
    """A dialogue in which every reply has an end."""

    def getreply(self) -> tuple[int, bytes]:
        """The next reply; one whose lines differ in their codes is none (RFC 5321, section 4.2.1)."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock, self.timeout)
        if self.file is not None:
            self.file.begin()
        try:
            code, text = super().getreply()
            return (-1 if self.file is not None and len(self.file.codes) > 1 else code), text
        finally:
            if self.sock is not None:
                self.sock.settimeout(self.timeout)


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class Smtp(Provider):
    """Keeps one connection open for as long as the server does."""

    name: ClassVar[str] = "smtp"
    limits: ClassVar[Limits] = Limits(recipients=1_000, usual=20, parallel=2)
    pictures: ClassVar[bool] = True
    recovery = Recovery(how=How.NONE)

    def __init__(self, options: Options, environment: Mapping[str, str], signer: Signer | None = None) -> None:
        self._options = options
        self._environment = environment
        self._server: smtplib.SMTP | None = None
        self._signed: Callable[[bytes], bytes] = signer.signed if signer else bytes
        self.timeout = options.timeout

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        options = table.read(Options)
        if not options.dkim_key_file:
            return cls(options, os.environ)
        path = workspace / options.dkim_key_file
        return cls(options, os.environ, Signer.from_file(options.dkim_domain, options.dkim_selector, path))

    def route(self) -> Route:
        """The server and the login's name; ConfigError for a login without a password."""
        self._password()
        options = self._options
        return Route(
            type=self.name,
            settings={"host": options.host, "port": str(options.port), "username": options.username},
        )

    def _password(self) -> str:
        found = self._environment.get(self._options.password_env, "").rstrip("\r\n")
        if self._options.username and not found:
            raise ConfigError("there is no password for the mail server", hint=f"set ${self._options.password_env}")
        if not (found + self._options.username).isascii():
            what = "the mail server's login has letters beyond ASCII, which SMTP can't carry"
            raise ConfigError(what, hint=f"check username and ${self._options.password_env}")
        return found

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit one message after the other; a recipient that the server doesn't take doesn't stop the rest. What is
        about us stops them: they stay as they were.
        """
        composer = Composer(call)
        doubtful = broken = 0
        for recipient in call.recipients:
            try:
                receipt = self._submit(composer, call.sender.address, recipient)
            except _Answer as answer:
                found = self._judged(recipient, answer)
                doubtful += 1
                if isinstance(found, ProviderError):
                    raise found from None
                if found is None:
                    if doubtful >= _IN_A_ROW or answer.stage not in (Stage.RECIPIENT, Stage.END):
                        raise self._stop(answer) from None
                    found = deferred(recipient, answer.said)
                receipt = found
            if receipt.outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
                doubtful = 0
            broken = broken + 1 if receipt.outcome is Outcome.UNKNOWN else 0
            yield receipt
            if broken >= _IN_A_ROW:
                raise Later("the connection to the mail server breaks at each message")

    def _judged(self, recipient: Recipient, answer: _Answer) -> Receipt | ProviderError | None:
        """What an answer means: a Receipt where it's about that mailbox, an error where it's certainly about us or
        for everybody; None where it may be either.
        """
        row = fault(answer.stage, answer.code, enhanced_code(answer.text), answer.text)
        match row.meaning if row else None:
            case Meaning.OURS:
                return Ours(f"the mail server refuses us: {answer.said}", hint=row.hint if row else "")
            case Meaning.GONE | Meaning.MAILBOX:
                return refused(recipient, answer.said, gone=row is not None and row.meaning is Meaning.GONE)
            case Meaning.MAILBOX_LATER:
                return deferred(recipient, answer.said)
            case _:
                later = (
                    answer.code < 500
                    and answer.code != 421
                    and answer.stage in (Stage.RECIPIENT, Stage.END, Stage.DATA)
                )
                return deferred(recipient, answer.said) if later else None

    def _stop(self, answer: _Answer) -> ProviderError:
        """What an answer means for everybody who isn't taken yet (RFC 5321, 4.2.1: 4yz is for now, 5yz for good)."""
        said = f"the mail server answers {answer.stage.value} with {answer.said}"
        if answer.code < 500:
            return Later(said)
        if answer.stage is Stage.LOGIN:
            hint = f"check username and ${self._options.password_env}"
            return Ours(f"the mail server does not accept the login: {answer.said}", hint=hint)
        return Ours(said, hint="see the mail server's log, and check the sender and the account")

    def settle(self, call: Call) -> Iterator[Receipt]:
        """SMTP can't be asked afterwards; a person looks for the Message-ID in the server's log."""
        del call
        return iter(())

    def verify(self, sender: str) -> Sequence[Verification]:
        """The connection and login, and whether the server takes the sender: a transaction that's begun and reset."""
        try:
            server = self._connected()
            code, answer = server.mail(sender)
            server.rset()
        except _Answer as refusal:
            raise self._stop(refusal) from None
        except (smtplib.SMTPException, OSError) as broken:
            self._drop()
            raise NotSent(f"the mail server ended the connection: {type(broken).__name__}") from None
        return [
            Verification(about="login", fine=True, found=f"{self._options.host}:{self._options.port} answers"),
            Verification(about="sender", fine=code < 400, found=_Answer(Stage.SENDER, code, self._text(answer)).said),
        ]

    def close(self) -> None:
        """Say goodbye."""
        server, self._server = self._server, None
        if server:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _submit(self, composer: Composer, sender: str, recipient: Recipient) -> Receipt:
        """One transaction; raises _Answer for what the server refuses, after which the connection is as new."""
        message = self._signed(composer.message(recipient))
        server = self._connected()
        try:
            self._command(Stage.SENDER, server.mail, sender)
            self._command(Stage.RECIPIENT, server.rcpt, recipient.address)
            self._command(Stage.DATA, server.docmd, "DATA")
        except (smtplib.SMTPException, OSError) as broken:
            self._drop()
            return deferred(recipient, f"the connection broke before the message: {type(broken).__name__}")
        try:
            server.send(_dotted(message))
            code, answer = server.getreply()
        except (smtplib.SMTPException, OSError) as broken:
            self._drop()
            detail = f"the connection broke before the answer: {type(broken).__name__}"
            return Receipt(delivery=recipient.delivery, outcome=Outcome.UNKNOWN, detail=detail)
        if 200 <= code < 300:
            return accepted(recipient, composer.message_id(recipient))
        if 400 <= code < 600:
            self._reset(code)
            raise _Answer(Stage.END, code, self._text(answer))
        self._drop()
        detail = f"the server's answer can't be read: {code}"
        return Receipt(delivery=recipient.delivery, outcome=Outcome.UNKNOWN, detail=detail)

    def _command(self, stage: Stage, command: Callable[[str], tuple[int, bytes]], argument: str) -> None:
        code, answer = command(argument)
        if stage is Stage.DATA and code == 354:
            return
        if stage is Stage.DATA or code >= 400 or code < 200:
            self._reset(code)
            raise _Answer(stage, code if 400 <= code < 600 else 451, self._text(answer))

    def _reset(self, code: int) -> None:
        """Bring the dialogue back to its beginning; after a 421 the server is gone (RFC 5321, section 3.8)."""
        if code == _CLOSING or self._server is None:
            self._drop()
            return
        try:
            if self._server.rset()[0] >= 400:
                self._drop()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        options, password = self._options, self._password()
        context = None if options.security is Security.NONE else ssl.create_default_context()
        place = f"{options.host}:{options.port}"
        server: smtplib.SMTP | None = None
        try:
            if options.security is Security.TLS:
                server = _BoundedTls(options.host, options.port, timeout=options.timeout, context=context)
            else:
                server = _Bounded(options.host, options.port, timeout=options.timeout)
            if options.security is Security.STARTTLS:
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if options.username:
                server.login(options.username, password)
        except smtplib.SMTPAuthenticationError as refusal:
            self._abandon(server)
            raise _Answer(Stage.LOGIN, refusal.smtp_code, self._text(refusal.smtp_error)) from None
        except smtplib.SMTPResponseException as refusal:
            self._abandon(server)
            code = refusal.smtp_code if 400 <= refusal.smtp_code < 600 else 451
            raise _Answer(Stage.CONNECT, code, self._text(refusal.smtp_error)) from None
        except smtplib.SMTPNotSupportedError as missing:
            self._abandon(server)
            raise Ours(f"the mail server {place}: {missing}", hint='see "security" in config.toml') from None
        except ssl.SSLCertVerificationError:
            self._abandon(server)
            raise NotSent(f"the certificate of the mail server {place} is not valid", hint="check host") from None
        except (smtplib.SMTPException, OSError, UnicodeError) as broken:
            self._abandon(server)
            raise NotSent(f"no connection to the mail server {place}: {type(broken).__name__}") from None
        return server

    def _text(self, answer: bytes | str) -> str:
        """What the server said, without our login if it repeats it (RFC 4616 and AUTH LOGIN: in base64)."""
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        password = self._password()
        if password:
            logins = (password, f"\0{self._options.username}\0{password}")
            for secret in (password, *(base64.b64encode(login.encode()).decode().rstrip("=") for login in logins)):
                text = text.replace(secret, "…")
        return text

    @staticmethod
    def _abandon(server: smtplib.SMTP | None) -> None:
        if server:
            server.close()

    def _drop(self) -> None:
        self._abandon(self._server)
        self._server = None


def _dotted(message: bytes) -> bytes:
    """The message as it goes over the wire, with its end (RFC 5321, section 4.5.2)."""
    body = message.replace(b"\r\n.", b"\r\n..")
    body = b"." + body if body.startswith(b".") else body
    return body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n")
