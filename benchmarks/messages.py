"""Whole messages: how fast they are made, and how fast they go to a mail server."""

from __future__ import annotations

import smtplib
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from benchmarks.measure import Result, in_turn
from newsletter.merge import MergeField, MergeText
from newsletter.model import Call, Mailbox, Outcome, Recipient, Rendered
from newsletter.providers.mime import Composer
from newsletter.providers.smtp import Options, Security, Smtp

_PEOPLE = 500
_SENTENCE = "<p>Your council voted – and what it decided is “law” from the first of May on. "


def mime() -> Result:
    """Messages of 60 KB a second; the peer makes each with the standard library's EmailMessage."""
    call = _call()
    own = Composer(call).message(call.recipients[0])
    assert len(own) >= 60_000

    def product() -> None:
        composer = Composer(call)
        for recipient in call.recipients:
            composer.message(recipient)

    def peer() -> None:
        for recipient in call.recipients[:: _PEOPLE // 20]:
            _email_message(call, recipient)

    value, bare = in_turn(product, peer, runs=5)
    bare *= _PEOPLE / 20
    ratio = bare / value
    return Result(
        name="mime",
        value=_PEOPLE / value,
        unit="msg/s",
        floor=_PEOPLE / bare,
        ratio=ratio,
        want="at least 20 times EmailMessage's rate",
        ok=ratio >= 20,
        beside=f"{len(own):,} bytes each",
    )


def smtp() -> Result:
    """Messages a second to a mail server on loopback; the floor is a loop of smtplib that has the bytes ready."""
    call = _call()
    composer = Composer(call)
    ready = [(recipient.address, composer.message(recipient)) for recipient in call.recipients]
    with _server() as port:
        options = Options(host="127.0.0.1", port=port, security=Security.NONE)

        def product() -> None:
            provider = Smtp(options, {})
            receipts = list(provider.send(call))
            provider.close()
            assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}

        def floor() -> None:
            with smtplib.SMTP("127.0.0.1", port) as server:
                for address, message in ready:
                    server.sendmail("desk@example.org", [address], message)

        value, bare = in_turn(product, floor, runs=5)
    ratio = bare / value
    return Result(
        name="smtp",
        value=_PEOPLE / value,
        unit="msg/s",
        floor=_PEOPLE / bare,
        ratio=ratio,
        want="at least 0.7 of the floor",
        ok=ratio >= 0.7,
    )


def _call() -> Call:
    name, url = MergeField(name="first_name", fallback="friend"), MergeField(name="unsubscribe_url", fallback="")
    markup = (_SENTENCE * 440, name, _SENTENCE * 60, url, "\n")
    content = Rendered(
        issue="issue",
        variant="default",
        subject=MergeText(("The Network Download: ", name, ", what your state did")),
        preheader=MergeText(("",)),
        html=MergeText(markup),
        text=MergeText((_SENTENCE[3:] * 60, name, "\n", url, "\n")),
    )
    values = {
        "first_name": "Zoë",
        "unsubscribe_url": "https://mail.example.org/u/AQEBAm5ldHdvcmstZG93bmxvYWQlFZUM0UZRgw",
    }
    return Call(
        batch=1,
        campaign="issue",
        key="0123456789abcdef" * 4,
        tag="tag",
        date=datetime(2022, 10, 12, tzinfo=UTC),
        sender=Mailbox(name="The Network Desk", address="desk@example.org"),
        reply_to="",
        content=content,
        headers=(("Precedence", "bulk"),),
        recipients=tuple(
            Recipient(delivery=n, address=f"r{n}@example.org", values=values) for n in range(1, _PEOPLE + 1)
        ),
    )


def _email_message(call: Call, recipient: Recipient) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = str(call.sender), recipient.address
    message["Subject"] = call.content.subject.merge(recipient.values)
    message["Date"] = call.date
    message["Message-ID"] = f"<{recipient.delivery}@example.org>"
    message["List-Unsubscribe"] = f"<{recipient.values['unsubscribe_url']}>"
    message.set_content(call.content.text.merge(recipient.values), cte="quoted-printable")
    message.add_alternative(call.content.html.merge_html(recipient.values), subtype="html", cte="quoted-printable")
    return message.as_bytes()


class _Sink(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that means no harm (RFC 5321)."""

    def handle(self) -> None:
        self._say(b"220 sink")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"DATA":
                self._say(b"354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
            self._say(b"221 bye" if command == b"QUIT" else b"250 fine")

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")
        self.wfile.flush()


@contextmanager
def _server() -> Iterator[int]:
    """The sink as a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.messages"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def main() -> None:
    """The sink."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Sink) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
