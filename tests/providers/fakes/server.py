"""Serves a fake on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.fakes.base import STALL, Fake, Interference, Said
from tests.providers.fakes.smtp import SmtpFake, SmtpHandler


class _Handler(BaseHTTPRequestHandler):
    """One connection to a fake."""

    protocol_version = "HTTP/1.1"
    fake: Fake
    lock: threading.Lock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if urlsplit(self.path).path != self.fake.sending:
            # What Mailgun says of any address that it doesn't know.
            self._say(Said(200, "Mailgun Magnificent API", {"Content-Type": "text/html; charset=utf-8"}))
        elif not self.fake.authorized(self._named()):
            self._say(self.fake.wrong_key())
        else:
            self._take(body)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        with self.lock:
            fault = self.fake.faults.pop(0) if self.fake.faults else ""
            said = self.fake.wrong_key()
            if self.fake.authorized(self._named()):
                said = self.fake.look(parts.path, parse_qs(parts.query))
        if isinstance(fault, Interference):
            self._interfere(fault, said)
        else:
            self._say(said)

    def _take(self, body: bytes) -> None:
        with self.lock:
            fault = self.fake.faults.pop(0) if self.fake.faults else self.fake.mood()
            said = self.fake.slow_down() if fault == "429" else Said(500, {"message": "oops"})
            if len(body) > self.fake.size:
                said = Said(413, {"message": "too large"})
            elif fault not in ("429", "lose") and getattr(fault, "reaches", True):
                taken = self.fake.accept(self._named(), body)
                said = said if fault == "500" else taken
        if isinstance(fault, Interference):
            self._interfere(fault, said)
            return
        if fault in ("lose", "drop"):
            self.close_connection = True
            self.connection.close()
            return
        if fault == "stall":
            time.sleep(STALL)
        self._say(said, half=fault == "half")

    def _named(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _say(self, said: Said, *, half: bool = False) -> None:
        raw = said.raw
        if half:
            self.close_connection = True
            raw = raw[: len(raw) - len(said.data) // 2] if said.data else b"HTTP/1.1 2"
        with contextlib.suppress(OSError):  # the caller had enough
            self.wfile.write(raw)

    def _interfere(self, fault: Interference, said: Said) -> None:
        self.close_connection = self.close_connection or fault.closes
        raw = fault.answer(said)
        with contextlib.suppress(OSError):
            for start in range(0, len(raw), fault.piece):
                time.sleep(fault.pause)
                self.wfile.write(raw[start : start + fault.piece])
                self.wfile.flush()
            if fault.resets:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


class _Counting(socketserver.ThreadingTCPServer):
    """Knows how many connections it's serving."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.begun = self.ended = 0
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.begun += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.ended += 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is what these tests are about."""

    def quiet(self) -> None:
        """Wait until all that callers had sent before they were gone is served: a vendor's delay covers that."""
        before = self.begun
        # Connections are taken one after the other, so all earlier ones were taken when this one is.
        socket.create_connection(self.server_address).close()  # type: ignore[arg-type]
        for _ in range(3_000):
            if self.begun > before and self.begun == self.ended:
                return
            time.sleep(0.01)
        raise AssertionError("the fake never came to rest")


class _SmtpServer(_Counting):
    pass


class _Server(_Counting, ThreadingHTTPServer):
    pass


@contextmanager
def serve(fake: Fake) -> Iterator[Fake]:
    """Serve a fake until the block ends."""
    given = {"fake": fake, "lock": threading.Lock()}
    server: _Counting
    if isinstance(fake, SmtpFake):
        server = _SmtpServer(("127.0.0.1", 0), type("Handler", (SmtpHandler,), given))
    else:
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), given))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    fake.quiet = server.quiet
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
