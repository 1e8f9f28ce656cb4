"""A mail server (RFC 5321) that says what a test has it say, at any stage."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.providers.fakes.base import STALL, Fake, Letter, Said, mailbox


class SmtpFake(Fake):
    """Takes messages, or hangs up, at the moment at which it hurts. `answers` has what it says at a stage (CONNECT,
    EHLO, AUTH, MAIL, RCPT, DATA, END, RSET) in place of its own words, one after the other, and again from the
    last one if it's `for_good`: an answer of "" hangs up. `said` is the dialogue as it heard it.
    """

    for_good: bool = True
    #: What EHLO offers beside its own name.
    offers: tuple[str, ...] = ()
    #: The stage at which it speaks a letter at a time, for ever.
    slow: str = ""
    #: An answer of 250 at the end is one of a message that was taken; this takes it whatever the answer.
    takes: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[str]] = {}
        self.said: list[str] = []
        self.connections = 0

    def authorized(self, headers: dict[str, str]) -> bool:
        return True

    def next_answer(self, stage: str, usual: str) -> str:
        """What to say at a stage."""
        script = self.answers.get(stage)
        if not script:
            return usual
        return script[0] if len(script) == 1 and self.for_good else script.pop(0)

    def delivery_of(self, message: dict[str, Any]) -> str:
        """The delivery in the Message-ID: nothing else travels with whole mail."""
        return str(message["delivery"])

    def letter(self, message: dict[str, Any]) -> Letter:
        return letter_of(message["raw"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        found = re.search(rb"^Message-ID: <(-?\d+)\.", body, re.MULTILINE)
        assert found
        self.bodies.append(body)
        self.take(headers["to"], {"delivery": found[1].decode(), "raw": body})
        return Said(250, "fine")


def letter_of(raw: bytes) -> Letter:
    """A MIME message as its reader sees it."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    bodies = {kind: parsed.get_body((kind,)) for kind in ("plain", "html")}
    text, html = (str(body.get_content()).replace("\r\n", "\n") if body else "" for body in bodies.values())
    name, sender = mailbox(str(email.message_from_bytes(raw)["From"]))
    return Letter(
        name=name,
        sender=sender,
        subject=str(parsed["Subject"]),
        html=html,
        text=text,
        headers={key: str(value) for key, value in parsed.items()},
    )


class SmtpHandler(socketserver.StreamRequestHandler):
    """As much of SMTP as a sender needs that means no harm."""

    fake: SmtpFake
    lock: threading.Lock

    def handle(self) -> None:
        self.fake.connections += 1
        if self._say("CONNECT", "220 fake"):
            for line in iter(self.rfile.readline, b""):
                if not self._answered(line):
                    return

    def _answered(self, line: bytes) -> bool:
        """Whether the dialogue goes on after this command."""
        command = line.decode("latin-1").strip()
        verb = command[:4].upper()
        self.fake.said.append(verb + command[4:])
        if verb == "QUIT":
            self._write("221 bye")
            return False
        if verb == "RCPT":
            self.address = command.partition("<")[2].partition(">")[0]
            refused = f"550 5.1.1 <{self.address}>: user unknown" if self.address in self.fake.refuse else "250 fine"
            return self._say(verb, refused)
        if verb == "DATA":
            if not self._say(verb, "354 go on"):
                return False
            return self.said[:3] != "354" or self._message()
        usual = "235 welcome" if verb == "AUTH" else "250 fine"
        if verb == "EHLO":
            usual = "\r\n".join(["250-fake", *(f"250-{offer}" for offer in self.fake.offers), "250 HELP"])
        return self._say(verb, usual)

    def _message(self) -> bool:
        lines = []
        for line in self._lines():
            lines.append(line)
            if line == b".\r\n":
                break
        else:
            return False  # the caller is gone before the end
        body = b"".join(line[1:] if line.startswith(b".") else line for line in lines[:-1])
        with self.lock:
            fault = self.fake.mood()
            usual = "451 later" if fault == "429" else "250 fine"
            answer = self.fake.next_answer("END", usual)
            if fault not in ("429", "lose") and (answer.startswith("250") or self.fake.takes):
                self.fake.accept({"to": self.address}, body)
        if fault in ("drop", "lose"):
            return False
        if fault == "stall":
            time.sleep(STALL)
        return self._drip() if self.fake.slow == "END" else self._write(answer)

    def _lines(self) -> Iterator[bytes]:
        return iter(self.rfile.readline, b"")

    def _say(self, stage: str, usual: str) -> bool:
        self.said = self.fake.next_answer(stage, usual)
        return self._drip() if self.fake.slow == stage else self._write(self.said)

    def _drip(self) -> bool:
        """A line that doesn't end."""
        with contextlib.suppress(OSError):
            for _ in range(40):
                self.wfile.write(b"250-x\r\n" if self.fake.slow == "EHLO" else b"2")
                self.wfile.flush()
                time.sleep(0.1)
        return False

    def _write(self, line: str) -> bool:
        """Say it; an empty answer hangs up, as does whatever begins with 421 (RFC 5321, section 3.8)."""
        if line:
            self.wfile.write(f"{line}\r\n".encode("utf-8", "surrogateescape"))
            self.wfile.flush()
        return bool(line) and not line.startswith("421")
