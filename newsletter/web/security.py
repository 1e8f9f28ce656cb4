"""The security log, `newsletter.security`: refused keys, webhooks and links, and limits that were reached.

A line says what was refused, why, and to which network (of IPv4 24 bits, of IPv6 48); never an email address, a token
or what somebody sent. Of each kind it has 20 lines a minute at most, so that nobody fills a disk with it.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time

from flask import has_request_context, request

_PER_MINUTE = 20
_log = logging.getLogger("newsletter.security")


class SecurityLog:
    """The log, with how much it has said in this minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._said: dict[str, int] = {}

    def note(self, kind: str, why: str) -> None:
        """Write a line, such as `API key refused: revoked (from 203.0.113.0/24)`; `kind` is one of a few."""
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                left_out = {k: n - _PER_MINUTE for k, n in self._said.items() if n > _PER_MINUTE}
                self._minute, self._said = minute, {}
            else:
                left_out = {}
            self._said[kind] = number = self._said.get(kind, 0) + 1
        for other, count in left_out.items():
            _log.warning("%s: %d more in the minute before", other, count)
        if number <= _PER_MINUTE:
            _log.warning("%s: %s (from %s)", kind, why, network())


def network() -> str:
    """The caller's network: the first 24 bits of an IPv4 address, 48 of an IPv6 one, since one customer has as many.
    An IPv4 address that is written as an IPv6 one is IPv4.
    """
    if not has_request_context():
        return "nowhere"
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
