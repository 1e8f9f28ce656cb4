"""How other people's servers are asked: as their robots.txt says, and never in a hurry.

robots.txt is read once a run for each host (RFC 9309): where it answers 400 to 499 everything may be asked, where it
can't be had for another reason, nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

from newsletter.errors import InputError
from newsletter.fetch import AGENT, Page, TooLarge, follow
from newsletter.send import Clock

#: RFC 9309, section 2.5: at least so much of a robots.txt has to be read.
_ROBOTS_BYTES = 512_000
#: Seconds between two requests that a robots.txt may ask for at most; who wants more is asked so seldom anyhow.
_LONGEST_DELAY = 60.0


class Forbidden(InputError):
    """The host doesn't want programs to read this page."""


class Stopped(InputError):
    """Somebody has ended the run."""


@dataclass(slots=True)
class _Host:
    """What is known of a host during a run: its rules, or the fault by which it has none, or why it's closed to
    programs, and when it may be asked again.

    Whoever holds `learning` may wait for another host's `turn`, and never the other way round.
    """

    learning: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Lock = field(default_factory=threading.Lock)
    rules: Protego | None = None
    fault: str = ""
    closed: str = ""
    delay: float = 0.0
    ready_at: float = 0.0


class Manners:
    """The rules of a run, shared by all its threads; `agent` is how we introduce ourselves."""

    def __init__(
        self, clock: Clock, agent: str, pause: float, private_hosts: Collection[str], stopped: threading.Event
    ) -> None:
        self.agent = agent
        self._clock = clock
        self._pause = pause
        self._private_hosts = private_hosts
        self._stopped = stopped
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._lock = threading.Lock()

    def enter(self, url: str) -> None:
        """Wait until a page may be asked for; Forbidden when it mustn't be, InputError when nobody can tell."""
        host = self._host(url)
        with host.learning:
            if host.rules is None and not (host.fault or host.closed):
                self._learn(host, url)
        if host.closed:
            raise Forbidden(host.closed, where=url)
        if host.rules is None:
            raise InputError(host.fault, where=url)
        if not host.rules.can_fetch(url, AGENT):
            raise Forbidden("asks programs not to read it", where=url)
        self._wait(host)

    def _host(self, url: str) -> _Host:
        parts = urlsplit(url)
        with self._lock:
            return self._hosts[f"{parts.scheme}://{parts.netloc.lower()}"]

    def _learn(self, host: _Host, url: str) -> None:
        parts = urlsplit(url)
        try:
            page = follow(
                f"{parts.scheme}://{parts.netloc}/robots.txt",
                private_hosts=self._private_hosts,
                headers={"User-Agent": self.agent},
                limit=_ROBOTS_BYTES,
                before=lambda address: self._wait(self._host(address)),
            )
        except TooLarge:
            host.closed = "has a robots.txt that is too large to be read"
            return
        except Stopped:
            raise
        except InputError as fault:
            if "redirect" in fault.what:  # as if there were none (RFC 9309, section 2.3.1.2)
                host.rules = Protego.parse("")
            else:
                host.fault = fault.what
            return
        if page.status >= 500 or page.status == 429:
            host.closed = f"its robots.txt answered {page.status}, so that nobody may ask for pages"
            return
        host.rules = Protego.parse(_text(page))
        host.delay = min(float(host.rules.crawl_delay(AGENT) or 0), _LONGEST_DELAY)

    def _wait(self, host: _Host) -> None:
        """Let the host rest since it was asked last."""
        with host.turn:
            while (rest := host.ready_at - self._clock.now().timestamp()) > 0 and not self._stopped.is_set():
                self._clock.sleep(min(rest, 1.0))
            if self._stopped.is_set():
                raise Stopped("was ended")
            host.ready_at = self._clock.now().timestamp() + max(self._pause, host.delay)


def _text(page: Page) -> str:
    """The rules; none where there's no robots.txt, or something else in its place."""
    return page.body.decode("utf-8", "replace") if page.status < 300 else ""
