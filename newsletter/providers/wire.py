"""HTTP calls that know whether they left this machine.

A failure before the first byte of the request means that nothing was sent: no name, no connection, a certificate that
isn't valid, a proxy that is away, an address that isn't one. After it, nobody knows.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from newsletter.errors import NotSent, OutcomeUnknown
from newsletter.providers import LONGEST_RETRY_AFTER

_CONNECT_SECONDS = 10.0
#: An answer larger than this isn't one of ours, in bytes.
_LARGEST = 16 * 1024 * 1024
#: A wish to wait longer than this is a mistake, and left alone, in seconds.
_ABSURD = 31 * 86_400.0
_NUMBER = re.compile(
    r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)?\s*", re.I
)
_UNITS = {"ms": 0.001, "milli": 0.001, "m": 60.0, "h": 3_600.0}
_IN_WORDS = re.compile(r"(?:try again|retry|wait)\D{0,30}?([0-9.]{1,12}\s*(?:milli|second|minute|hour)s?)", re.I)
_DATE_IN_WORDS = re.compile(r"(?:try again|retry) after (\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \w{3})", re.I)
_EPOCH, _EPOCH_MS = 1e9, 1e12


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer: its status, headers with lower-case names, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON (RFC 8259); None for anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def wait(self, now: dt.datetime) -> float | None:
        """Seconds to wait, as an answer says it: Retry-After (RFC 9110, 10.2.3) in whatever form it's met, a vendor's
        reset header, or in words; None where nothing can be read.
        """
        for name in ("retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-sib-ratelimit-reset"):
            if (given := self.headers.get(name, "")) and (seconds := _seconds(given, now)) is not None:
                return seconds
        words = self.text[:2_000]
        found = _IN_WORDS.search(words) or _DATE_IN_WORDS.search(words)
        return _seconds(found[1], now) if found else None


def _seconds(text: str, now: dt.datetime) -> float | None:
    """`7`, `60s`, `2 minutes`, a time since 1970, or a date, as seconds from now, a day at most; None for anything
    else, and for a wish that nobody can mean.
    """
    seconds = _read(text.strip()[:100], now)
    return None if seconds is None or seconds > _ABSURD else min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _read(text: str, now: dt.datetime) -> float | None:
    if found := _NUMBER.fullmatch(text):
        value, unit = float(found[1]), (found[2] or "").lower()
        if not unit and value >= _EPOCH:
            since = value / (1_000 if value >= _EPOCH_MS else 1) - now.timestamp()
            return since if abs(since) < _ABSURD else None
        return value * next((size for name, size in _UNITS.items() if unit.startswith(name)), 1.0)
    for read in (parsedate_to_datetime, dt.datetime.fromisoformat):
        try:
            at = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return ((at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now).total_seconds()
    return None


class _Watch:
    """Whether the request under way has begun to leave, and a clock for its answer: a server may send a byte now and
    then for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.begun = False
        self._seconds = seconds
        self._clock: threading.Timer | None = None

    def wait(self, connection: HTTPConnection) -> None:
        """The request is out: cut the connection when the answer takes longer than it may."""
        self._clock = threading.Timer(self._seconds, _cut, [connection.sock])
        self._clock.daemon = True
        self._clock.start()

    def end(self) -> None:
        """The answer is in, or won't come."""
        if self._clock is not None:
            self._clock.cancel()


def _cut(sock: socket.socket | None) -> None:
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _watched(kind: type[HTTPConnection], watch: _Watch) -> type[HTTPConnection]:
    """A connection that says so when the first byte of a request is about to leave. A proxy's CONNECT isn't one."""

    def endheaders(self: HTTPConnection, *given: Any, **more: Any) -> None:
        if self.sock is None:
            self.connect()
        watch.begun = True
        kind.endheaders(self, *given, **more)

    def getresponse(self: HTTPConnection) -> Any:
        watch.wait(self)
        return kind.getresponse(self)

    return type("Watched", (kind,), {"endheaders": endheaders, "getresponse": getresponse})


class _Adapter(HTTPAdapter):
    """Never repeats a request by itself, and uses connections that are watched."""

    def __init__(self, watch: _Watch) -> None:
        self._pools = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _watched(HTTPConnection, watch)}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _watched(HTTPSConnection, watch)}),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        """Give the pools our connections."""
        super().init_poolmanager(*given, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *given: Any, **more: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*given, **more)
        manager.pool_classes_by_scheme = self._pools
        return manager


class Wire:
    """One vendor's API under a base address; `vendor` is its name in messages, `timeout` in seconds."""

    def __init__(self, vendor: str, base: str, timeout: float) -> None:
        self._vendor, self._base, self._timeout = vendor, base.rstrip("/"), timeout
        self._watch = _Watch(timeout)
        self.session = requests.Session()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(self._watch))

    def call(self, method: str, path: str, **how: Any) -> Answer:
        """One request, never repeated and never redirected. NotSent when nothing of it left this machine,
        OutcomeUnknown when no whole answer came.
        """
        url = path if path.startswith(f"{self._base}/") else self._base + path
        with (
            self._explained(),
            self.session.request(
                method, url, timeout=(_CONNECT_SECONDS, self._timeout), allow_redirects=False, stream=True, **how
            ) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, self._body(response))

    def _body(self, response: requests.Response) -> bytes:
        """The whole body, of a size that an answer may have."""
        body = b""
        for piece in response.iter_content(1 << 14):
            body += piece
            if len(body) > _LARGEST:
                raise OutcomeUnknown(f"{self._vendor}'s answer had no end")
        return body

    @contextmanager
    def _explained(self) -> Iterator[None]:
        self._watch.begun = False
        try:
            yield
        except (requests.RequestException, OSError, ValueError) as fault:
            why = _reason(fault)
            if not self._watch.begun:
                raise NotSent(f"nothing was sent to {self._vendor}: {why}", hint=_HINTS.get(why, "")) from None
            raise OutcomeUnknown(f"no usable answer from {self._vendor}: {why}") from None
        finally:
            self._watch.end()

    def close(self) -> None:
        """Give the connections back."""
        self.session.close()


_HINTS = {
    "the certificate is not valid": "check base_url and this machine's clock",
    "the host name is unknown": "check base_url and the network",
    "the address is not valid": "check base_url",
    "the proxy can't be used": "check $HTTPS_PROXY",
}
_REASONS = (
    ("certificate", "the certificate is not valid"),
    ("nameresolution", "the host name is unknown"),
    ("getaddrinfo", "the host name is unknown"),
    ("proxy", "the proxy can't be used"),
    ("missingschema", "the address is not valid"),
    ("invalidschema", "the address is not valid"),
    ("invalidurl", "the address is not valid"),
    ("locationparse", "the address is not valid"),
    ("timeout", "no answer in time"),
    ("timed out", "no answer in time"),
    ("refused", "no connection"),
    ("newconnection", "no connection"),
    ("ssl", "no secure connection"),
)


def _reason(fault: BaseException) -> str:
    """What went wrong, in words, without the address that was called."""
    told = f"{type(fault).__name__} {fault!r}".lower()
    return next((words for part, words in _REASONS if part in told), "the connection broke")
