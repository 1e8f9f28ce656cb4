"""A website on loopback for tests: real HTTP, with answers that can be as bad as real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """An answer. With a `cookie` only whoever sends it back gets it; others get a redirect to the same address that
    sets it. A `drip` writes each piece of the body and then waits as it likes.
    """

    body: bytes = b""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: Callable[[], None] | None = None
    cookie: str = ""


@dataclass
class Website:
    """What is served under which path; `asked` holds each request's path and headers."""

    url: str
    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, type: str = "text/html; charset=utf-8", **headers: str) -> str:  # noqa: A002
        """Serve a body; gives its address."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = Reply(data, type, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return self.url + path

    def redirect(self, path: str, to: str) -> str:
        """Redirect a path; gives its address."""
        self.pages[path] = Reply(status=302, headers={"Location": to})
        return self.url + path


@contextmanager
def serve_website() -> Iterator[Website]:
    """Serve on a free port of 127.0.0.1 until the block ends. A page with an ETag answers 304 to its holder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            reply = site.pages.get(self.path, Reply(b"not here", status=404))
            if reply.cookie and reply.cookie not in (self.headers.get("Cookie") or ""):
                reply = Reply(status=302, headers={"Location": self.path, "Set-Cookie": f"{reply.cookie}; Path=/"})
            tag = reply.headers.get("ETag")
            if tag and self.headers.get("If-None-Match") == tag:
                reply = Reply(status=304, headers={"ETag": tag})
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.drip is None:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            try:
                for piece in [reply.body] if reply.drip is None else [b"x"] * 1_000:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if reply.drip:
                        reply.drip()
            except OSError:
                return  # the other side hung up

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Website(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
