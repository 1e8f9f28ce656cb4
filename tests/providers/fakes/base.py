"""What all fakes share: whom they took, when, and what's wrong with our account."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any, ClassVar

KEY = "a-key-of-the-fake"
#: For how many seconds a call is left without an answer.
STALL = 2.5


@dataclass
class Said:
    """An answer of a fake."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The body's bytes."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    @property
    def raw(self) -> bytes:
        """The whole answer as HTTP/1.1 has it."""
        named = {"Content-Type": "application/json", **self.headers, "Content-Length": str(len(self.data))}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {self.status} As Said\r\n{head}\r\n".encode("latin-1") + self.data


@dataclass(frozen=True)
class Interference:
    """Something between the vendor and us: whether the call `reaches` the vendor, and what comes back instead of its
    answer; `pause` is in seconds before each `piece` of so many bytes. It `closes` the connection afterwards, or
    `resets` it.
    """

    name: str
    reaches: bool
    answer: Callable[[Said], bytes]
    pause: float = 0.0
    piece: int = 1 << 20
    closes: bool = True
    resets: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {'taken' if self.reaches else 'not taken'}"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message as a reader would see it, whatever the vendor's form."""

    name: str
    sender: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Fake:
    """What all fakes share. `mood` says what to do to a call that no fault is set for; `quiet` waits until whatever
    callers sent is served. `suppressed` is the vendor's own list, with why; `trouble` names one of `troubles`, which
    begins after `spare` messages; `lag` and the vendor's `retention` say when lookups show a message.
    """

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    suppressed: dict[str, str] = field(default_factory=dict)
    faults: list[str | Interference] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    mood: Callable[[], str | Interference] = lambda: ""
    quiet: Callable[[], None] = lambda: None
    wait: str = "7"
    verified: bool = True
    trouble: str = ""
    spare: int = 0
    clock: Callable[[], dt.datetime] = utc_now
    lag: dt.timedelta = dt.timedelta(0)
    times: list[dt.datetime] = field(default_factory=list)

    sending: ClassVar[str] = ""
    #: Bytes that a call may have.
    size: ClassVar[int] = 50_000_000
    #: For how long lookups remember a message.
    retention: ClassVar[dt.timedelta] = dt.timedelta(days=3650)
    #: What may be wrong with us, as an answer to the whole call.
    troubles: ClassVar[Mapping[str, Said]] = {}
    #: What may be wrong with us, as a verdict on each message that comes after `spare` others.
    entries: ClassVar[Mapping[str, Any]] = {}

    def authorized(self, headers: dict[str, str]) -> bool:
        raise NotImplementedError

    def wrong_key(self) -> Said:
        """The answer to a key that isn't ours."""
        return Said(401, {"message": "unknown key"})

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        """Take a batch."""
        raise NotImplementedError

    def take(self, address: str, message: dict[str, Any]) -> int:
        """Keep a message; the number that makes its id."""
        self.taken.append((address, message))
        self.times.append(self.clock())
        return len(self.taken)

    def shown(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """What lookups show at the moment: number, address and message."""
        now = self.clock()
        for number, ((address, message), at) in enumerate(zip(self.taken, self.times, strict=True), 1):
            if at + self.lag <= now <= at + self.retention:
                yield number, address, message

    def ailing(self) -> bool:
        """Whether the trouble has begun."""
        return bool(self.trouble) and len(self.taken) >= self.spare

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        """Answer a question about what was taken."""
        del query
        known = self.accounts().get(path)
        return Said(404, {"message": "no such thing"}) if known is None else Said(200, known)

    def accounts(self) -> dict[str, Any]:
        """What the vendor tells of our account, by path."""
        return {}

    def delivery_of(self, message: dict[str, Any]) -> str:
        """The mark, as the message carries it."""
        raise NotImplementedError

    def letter(self, message: dict[str, Any]) -> Letter:
        """The message as its reader sees it."""
        raise NotImplementedError

    def slow_down(self) -> Said:
        """Mailjet, Postmark and SES don't say for how long."""
        return Said(429, {"message": "too many"})


def basic(headers: dict[str, str], user: str) -> bool:
    return headers.get("authorization") == "Basic " + base64.b64encode(f"{user}:{KEY}".encode()).decode()


def mailbox(text: str) -> tuple[str, str]:
    """Name and address of a From header, encoded words decoded."""
    import email.header

    name, address = parseaddr(text)
    return str(email.header.make_header(email.header.decode_header(name))), address
