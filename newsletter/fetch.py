"""Fetching from the web, safely: http and https only, public addresses only, within limits of size and time.

A page may come from anywhere: a feed's entry, a link in a contribution. So an address is judged by where the
connection really leads, after the name was looked up and before a byte is sent; a name that changes its mind
between two look-ups (DNS rebinding) gains nothing. Each redirect is judged again.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from newsletter.errors import InputError
from newsletter.links import Address, join

AGENT = "newsletter-desk"
#: Seconds for connecting, and between two pieces of an answer.
_TIMEOUT = (5.0, 10.0)
#: Seconds for one whole answer, however steadily it drips.
_DEADLINE = 15.0
_REDIRECTS = 5
_REDIRECT_STATUS = {301, 302, 303, 307, 308}
_LATE = "gave no whole answer in time"
_NOT_PUBLIC = "is not on the public internet, and isn't fetched"
_NO_ADDRESS = "has no address: is the name spelled right?"
_NO_ANSWER = "can't be reached, or stopped answering"
#: The faults by which an address led to no server at all.
UNREACHABLE = frozenset({_NOT_PUBLIC, _NO_ADDRESS, _NO_ANSWER})
PAGE_BYTES = 2_000_000
PHOTO_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answered. `url` is where the redirects ended; `headers` have lower-case names. `moved_to` is how
    far permanent redirects led from the beginning (301 and 308; RFC 9110, section 15.4), empty where there were none.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    moved_to: str = ""

    @property
    def type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class TooLarge(InputError):
    """More bytes than wanted; so it is there."""


class _Large(Exception):
    """More bytes than wanted."""


class _NotPublic(OSError):
    """The connection leads to an address that isn't on the public internet."""


class _Guarded:
    """What both kinds of connection share: judge the peer before a byte is sent, and hang up at the deadline."""

    private_hosts: Collection[str] = ()
    seconds: float = _DEADLINE

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped:
            peer = peer.ipv4_mapped
        host: str = self.host  # type: ignore[attr-defined]
        if not (peer.is_global and not peer.is_multicast) and host not in self.private_hosts:
            sock.close()
            raise _NotPublic(host)
        return sock

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        found = weakref.ref(self.sock)  # type: ignore[attr-defined]
        watch = threading.Timer(self.seconds, _hang_up, [found])
        watch.daemon = True
        watch.start()


def _hang_up(found: weakref.ref[socket.socket]) -> None:
    sock = found()
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already


class _Adapter(HTTPAdapter):
    """Opens guarded connections only."""

    def __init__(self, private_hosts: Collection[str], seconds: float) -> None:
        kept = {"private_hosts": frozenset(private_hosts), "seconds": seconds}
        http = type("_Http", (_Guarded, HTTPConnection), kept)
        https = type("_Https", (_Guarded, HTTPSConnection), kept)
        self._pools = {
            "http": type("_HttpPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
            "https": type("_HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use the guarded pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def guarded_session(private_hosts: Collection[str] = (), *, seconds: float = _DEADLINE) -> requests.Session:
    """A session that reaches public addresses, and the hosts named, for some seconds a connection.

    Proxies of the environment aren't used: behind one, nobody could tell where a connection leads.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = AGENT
    adapter = _Adapter(private_hosts, seconds)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def fetch(
    url: str,
    *,
    private_hosts: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    limit: int = PAGE_BYTES,
    seconds: float = _DEADLINE,
) -> Page:
    """What an address answers, its redirects followed; InputError in one line for whatever goes wrong.

    The body may have `limit` bytes. Status 304 is an answer; of 400 and above an error is made.
    """
    page = follow(url, private_hosts=private_hosts, headers=headers, limit=limit, seconds=seconds)
    if page.status >= 400:
        raise InputError(f"answered {page.status}", where=url)
    return page


def follow(
    url: str,
    *,
    private_hosts: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    limit: int = PAGE_BYTES,
    seconds: float = _DEADLINE,
    before: Callable[[str], None] = lambda _: None,
) -> Page:
    """What an address answers, of whatever status, its redirects followed; InputError when it gives no usable answer,
    TooLarge for a body of more than `limit` bytes. `before` is told each address before it's asked.
    """
    seen: set[tuple[object, ...]] = set()
    moved_to, permanent = "", True
    try:
        here = str(Address.parse(url))
    except ValueError as fault:
        raise InputError(f"can't be fetched: it {fault}", where=url) from None
    with guarded_session(private_hosts, seconds=seconds) as session:
        while True:
            # With a cookie that it has just set, a page may answer otherwise.
            asked = (here, *sorted((cookie.name, cookie.value or "") for cookie in session.cookies))
            if asked in seen or len(seen) > _REDIRECTS:
                raise InputError("redirects in a loop" if asked in seen else "redirects too often", where=url)
            seen.add(asked)
            before(here)
            begun = time.monotonic()
            try:
                page = _once(session, here, headers or {}, limit)
            except _Large:
                raise TooLarge(f"is larger than {limit / 1e6:g} MB", where=url) from None
            except (requests.RequestException, HTTPError, OSError, ValueError) as fault:
                late = time.monotonic() - begun >= seconds
                raise InputError(_LATE if late else told(fault), where=url) from None
            if time.monotonic() - begun >= seconds:  # a body that ends when the line does looks whole
                raise InputError(_LATE, where=url)
            if page.status not in _REDIRECT_STATUS or "location" not in page.headers:
                return replace(page, moved_to=moved_to)
            try:
                here = redirect_target(here, page.headers)
            except ValueError as fault:
                raise InputError(f"redirects to an address that {fault}", where=url) from None
            permanent = permanent and page.status in (301, 308)
            moved_to = here if permanent else moved_to


def redirect_target(here: str, headers: Mapping[str, str]) -> str:
    """Where a redirect leads, read as browsers read it; ValueError for what is no address of a page.

    A Location in raw UTF-8, which RFC 9110 doesn't know and servers send, comes as Latin-1.
    """
    said = next((value for name, value in headers.items() if name.lower() == "location"), "")
    with suppress(UnicodeError):
        said = said.encode("latin-1").decode("utf-8")
    return str(Address.parse(join(here, said)))


def _once(session: requests.Session, url: str, headers: Mapping[str, str], limit: int) -> Page:
    with session.get(url, headers=dict(headers), timeout=_TIMEOUT, allow_redirects=False, stream=True) as response:
        redirected = response.status_code in _REDIRECT_STATUS
        body = b"" if redirected else _body(response, limit)
        named = {name.lower(): value for name, value in response.headers.items()}
        return Page(url=url, status=response.status_code, headers=named, body=body)


def _body(response: requests.Response, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    # read1 gives what one read of the socket brought; read would wait for a whole piece, drop by drop.
    while piece := response.raw.read1(65_536, decode_content=True):
        size += len(piece)
        if size > limit:
            raise _Large
        pieces.append(piece)
    return b"".join(pieces)


def told(fault: BaseException) -> str:
    """A network fault in a few words."""
    chain = _chain(fault)
    if any(isinstance(link, _NotPublic) for link in chain):
        return _NOT_PUBLIC
    if any(isinstance(link, socket.gaierror) for link in chain):
        return _NO_ADDRESS
    if any(isinstance(link, requests.Timeout | TimeoutError) for link in chain):
        return _LATE
    if any(isinstance(link, requests.exceptions.SSLError) for link in chain):
        return "has no valid certificate"
    if any(isinstance(link, requests.ConnectionError | HTTPError) for link in chain):
        return _NO_ANSWER
    return "gave no usable answer"


def _chain(fault: BaseException) -> list[BaseException]:
    """A fault with those it came from: by cause, context, or the reason that urllib3 gives."""
    chain: list[BaseException] = []
    waiting = [fault]
    while waiting and len(chain) < 30:
        link = waiting.pop(0)
        chain.append(link)
        further = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args[:1])
        waiting += [other for other in further if isinstance(other, BaseException) and other not in chain]
    return chain
