"""An S3-compatible server on loopback for tests: stateful, signed requests only, and able to fail as real ones do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

#: Keys of one page of a listing: few, so that every listing has several pages.
_PAGE = 7


@dataclass(frozen=True)
class Thing:
    """A stored object."""

    body: bytes
    type: str
    cache: str
    tag: str


@dataclass
class S3:
    """Its objects by bucket and key, and every change in its order. `fault` looks at a change before it's made and may
    give a status to answer instead, or 0 to hang up. With `own_tags` ETags are no MD5, as under KMS.
    """

    url: str
    things: dict[str, Thing] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], int | None] = lambda method, key: None
    own_tags: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def paths(self, prefix: str = "news/site/") -> set[str]:
        return {key.removeprefix(prefix) for key in self.things if key.startswith(prefix)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing is wrong with us when the other side is killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: S3

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>as told</Message></Error>".encode()
        self._answer(status, body, Content_Type="application/xml")

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/")

    def _change(self, method: str, body: bytes) -> None:
        key = self._key()
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=test-key/"):
            self._refuse(403, "AccessDenied")
            return
        with self.s3.lock:
            status = self.s3.fault(method, key)
            if status is None:
                self.s3.changes.append((method, key))
                if method == "DELETE":
                    self.s3.things.pop(key, None)
                else:
                    tag = hashlib.md5(body + (b"kms" if self.s3.own_tags else b"")).hexdigest()
                    kind, cache = self.headers["Content-Type"], self.headers["Cache-Control"]
                    self.s3.things[key] = Thing(body, kind, cache, tag)
        if status == 0:
            self.close_connection = True
            return
        if status:
            self._refuse(status, "SlowDown" if status == 503 else "InternalError")
        else:
            thing = self.s3.things.get(key)
            self._answer(204 if method == "DELETE" else 200, ETag=f'"{thing.tag}"' if thing else '""')

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert self.headers["x-amz-content-sha256"] in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())
        self._change("PUT", body)

    def do_DELETE(self) -> None:
        self._change("DELETE", b"")

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(self._key(), query.get("prefix", [""])[0], query.get("continuation-token", [""])[0])
        elif thing := self.s3.things.get(self._key()):
            self._answer(200, thing.body, ETag=f'"{thing.tag}"', Content_Type=thing.type)
        else:
            self._refuse(404, "NoSuchKey")

    def _list(self, bucket: str, prefix: str, after: str) -> None:
        with self.s3.lock:
            whole = {key.removeprefix(f"{bucket}/"): t for key, t in self.s3.things.items()}
        keys = sorted(key for key in whole if key.startswith(prefix) and key > after)
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><ETag>&quot;{whole[key].tag}&quot;</ETag><Size>1</Size></Contents>"
            for key in keys[:_PAGE]
        )
        more = len(keys) > _PAGE
        token = f"<NextContinuationToken>{escape(keys[_PAGE - 1])}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        self._answer(200, body.encode(), Content_Type="application/xml")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serve_s3() -> Iterator[S3]:
    """Serve on a free port of 127.0.0.1 until the block ends."""

    server = S3("")
    http = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"s3": server}))
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
