"""Postfix's policy delegation protocol (https://www.postfix.org/SMTPD_POLICY_README.html), and rules to script it with.

Postfix asks before it answers RCPT, and again after a message's last line (`protocol_state` END-OF-MESSAGE). A rule
takes the request and returns an action as access(5) has it, such as "550 5.4.5 Quota exceeded", or "" to let it pass.
Rules can be changed while Postfix runs: `server.rules.append(...)`, `server.rules.clear()`.
"""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

Request = Mapping[str, str]
Rule = Callable[[Request], str]

RCPT, END_OF_MESSAGE = "RCPT", "END-OF-MESSAGE"


@dataclass
class PolicyServer:
    """The rules in force; the first one with an answer gives it. `requests` holds all that Postfix asked."""

    port: int
    rules: list[Rule] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def action(self, request: Request) -> str:
        """The answer to one request. Rules are called one at a time, since several smtpd processes may ask."""
        with self._lock:
            self.requests.append(request)
            return next(filter(None, (rule(request) for rule in tuple(self.rules))), "DUNNO")


@dataclass
class Greylisting:
    """Defers each new triplet of client, sender and recipient until `delay` seconds have passed, as Postgrey does.

    With `only`, other recipients are not greylisted.
    """

    delay: float
    only: frozenset[str] = frozenset()
    deferred: list[str] = field(default_factory=list)
    _first: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def __call__(self, request: Request) -> str:
        recipient = request["recipient"]
        if request["protocol_state"] != RCPT or (self.only and recipient not in self.only):
            return ""
        now, triplet = time.monotonic(), (request["client_address"], request["sender"], recipient)
        if now - self._first.setdefault(triplet, now) >= self.delay:
            return ""
        self.deferred.append(recipient)
        return "DEFER_IF_PERMIT 4.2.0 Greylisted, try again later"


def mailbox(address: str, action: str, state: str = RCPT) -> Rule:
    """Answer so for one recipient."""
    return lambda request: action if (request["protocol_state"], request["recipient"]) == (state, address) else ""


def after(passed: int, action: str, *, state: str = RCPT, times: int | None = None) -> Rule:
    """Let so many requests pass, then answer so for everybody: for ever, or so many `times`."""
    seen = 0

    def rule(request: Request) -> str:
        nonlocal seen
        if request["protocol_state"] != state:
            return ""
        seen += 1
        return action if seen > passed and (times is None or seen <= passed + times) else ""

    return rule


@contextmanager
def serve_policy() -> Iterator[PolicyServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines: list[str] = []
            for raw in self.rfile:  # Postfix keeps the connection for many requests
                line = raw.decode().rstrip("\n")
                if line:
                    lines.append(line)
                    continue
                request = dict(text.split("=", 1) for text in lines)
                lines.clear()
                try:
                    self.wfile.write(f"action={policy.action(request)}\n\n".encode())
                except OSError:  # Postfix was stopped meanwhile
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        policy = PolicyServer(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield policy
        finally:
            server.shutdown()
            thread.join()
