"""Whether links answer: the one check that asks the network, and only when it's wanted.

It's polite: one request at a time to a host, a pause between two, HEAD before GET, no body read. Addresses
that aren't public are never asked, neither at first nor behind a redirect.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests

from newsletter.check.links import links_of
from newsletter.check.rules import Subject
from newsletter.model import Finding, Severity

_AGENT = "newsletter-desk link check"
_TIMEOUT = (5.0, 15.0)
_HOPS = 5
_HOSTS_AT_ONCE = 8
_PAUSE = 1.0
#: These servers don't take HEAD, or don't take it from programs; GET tells more.
_ASK_AGAIN = {400, 403, 404, 405, 406, 500, 501, 503}
_GONE = {404, 410}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one link: nothing is wrong when `fault` is empty; `gone` when nobody should click it."""

    fault: str = ""
    gone: bool = False


def check_live(subject: Subject, *, sleep: Callable[[float], None], allow_private: bool = False) -> list[Finding]:
    """A finding for each link of the issue that doesn't answer as it should; `sleep` waits some seconds."""
    places: dict[str, list[tuple[str, str]]] = {}
    for where, words, url in links_of(subject):
        if urlsplit(url).scheme in ("http", "https"):
            places.setdefault(url.partition("#")[0], []).append((where, words))
    answers = ask(places, sleep=sleep, allow_private=allow_private)
    return [
        Finding(
            rule="links/gone" if answer.gone else "links/unsure",
            severity=Severity.ERROR if answer.gone else Severity.WARNING,
            where=where,
            message=f'the link "{words}" {answer.fault}: {url[:120]}',
        )
        for url, answer in answers.items()
        if answer.fault
        for where, words in dict.fromkeys(places[url])
    ]


def ask(urls: Iterable[str], *, sleep: Callable[[float], None], allow_private: bool) -> dict[str, Answer]:
    """The answer of each address, hosts side by side, the addresses of one host one after the other."""
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(urlsplit(url).hostname or "", []).append(url)

    def of_host(addresses: list[str]) -> list[tuple[str, Answer]]:
        found = []
        with requests.Session() as session:
            session.headers["User-Agent"] = _AGENT
            for number, address in enumerate(addresses):
                if number:
                    sleep(_PAUSE)
                found.append((address, _ask(session, address, allow_private=allow_private)))
        return found

    with ThreadPoolExecutor(_HOSTS_AT_ONCE) as pool:
        return {url: answer for answers in pool.map(of_host, hosts.values()) for url, answer in answers}


def _ask(session: requests.Session, url: str, *, allow_private: bool) -> Answer:
    """Follow a link to its end, asking with HEAD and, where that's refused, with GET."""
    here = url
    try:
        for _ in range(_HOPS + 1):
            if not allow_private and not _is_public(here):
                return Answer("leads to an address that isn't public", gone=True)
            status, target = _status(session, "HEAD", here)
            if status in _ASK_AGAIN:
                status, target = _status(session, "GET", here)
            if not target:
                return _judged(status)
            here = urljoin(here, target)
    except requests.Timeout:
        return Answer("gave no answer in time")
    except (requests.ConnectionError, socket.gaierror):
        return Answer("can't be reached", gone=True)
    except (requests.RequestException, ValueError):
        return Answer("gave no usable answer")
    return Answer(f"redirects more than {_HOPS} times")


def _status(session: requests.Session, method: str, url: str) -> tuple[int, str]:
    """The status, and where it redirects to; the body is never read."""
    with session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, stream=True) as response:
        return response.status_code, response.headers.get("Location", "") if response.is_redirect else ""


def _judged(status: int) -> Answer:
    if status in _GONE:
        return Answer(f"is gone ({status})", gone=True)
    return Answer(f"answered {status}") if status >= 400 else Answer()


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return False
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP)
    return all(ipaddress.ip_address(address[4][0]).is_global for address in found)
