"""How many events the public service takes in, as a process of its own with its store on disk."""

from __future__ import annotations

import base64
import hmac
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.measure import Result
from newsletter.demo import begin

_WANTED = 2_000
_CONNECTIONS = 16
_KEY = ec.generate_private_key(ec.SECP256R1())
_PUBLIC = _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
_SHARED = b"shared secret of 24 bytes"
_PROVIDERS = "\n[providers.sendgrid]\n[providers.resend]\n"


def webhooks() -> Result:
    """Signed events a second, each on the disk before its call is answered: SendGrid's, 50 a call as it sends them
    under load. The floor is a bare loop that commits the same calls to the same kind of file, one by one. Beside it,
    Resend's, which sends each event as a call of its own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder / "desk") as port:
            many = _rate(port, [_sendgrid(number, 50) for number in range(600)], 50)
            single = _rate(port, [resend(number) for number in range(8_000)], 1)
        kept = sqlite3.connect(folder / "desk" / "newsletter.db").execute("SELECT count(*) FROM events").fetchone()[0]
        assert kept == 600 * 50 + 8_000
        floor = _floor(folder / "floor.db", [_sendgrid(number, 50) for number in range(600)]) * 50
    return Result(
        name="webhooks",
        value=many,
        unit="events/s",
        floor=floor,
        ratio=many / floor,
        want=f"at least {_WANTED:,} events/s",
        ok=many >= _WANTED,
        beside=f"one event a call: {single:,.0f} calls/s",
    )


@contextmanager
def service(folder: Path) -> Iterator[int]:
    """`newsletter serve` in a new workspace; gives its port, and ends it."""
    begin(folder)
    config = folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + _PROVIDERS, encoding="utf-8")
    process, port = start(folder)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the service of a workspace; gives it and its port when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secrets = {
        "SENDGRID_API_KEY": "key",
        "SENDGRID_WEBHOOK_KEY": base64.b64encode(_PUBLIC).decode(),
        "RESEND_API_KEY": "key",
        "RESEND_WEBHOOK_SECRET": "whsec_" + base64.b64encode(_SHARED).decode(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "serve", "--port", str(port)],
        cwd=folder,
        env={**os.environ, **secrets},
        stderr=subprocess.DEVNULL,
    )
    for _ in range(1_200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the service doesn't answer")


def load(port: int, requests: Sequence[bytes], connections: int = _CONNECTIONS) -> list[bool]:
    """Make all the calls over so many connections at a time; for each, whether it was answered with 200."""
    answers = [False] * len(requests)

    def run(first: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                for number in range(first, len(requests), connections):
                    connection.sendall(requests[number])
                    answers[number] = _answer(connection).startswith(b"HTTP/1.1 200")
        except OSError:
            return

    threads = [threading.Thread(target=run, args=(first,)) for first in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _answer(connection: socket.socket) -> bytes:
    """One whole answer; they are all short, and tell their length."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return head


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(65_536)
    if not part:
        raise ConnectionError
    return part


def _rate(port: int, requests: Sequence[bytes], each: int) -> float:
    begun = time.perf_counter()
    assert all(load(port, requests))
    return len(requests) * each / (time.perf_counter() - begun)


def _sendgrid(number: int, events: int) -> bytes:
    stamp = str(int(time.time()))
    body = json.dumps(
        [
            {
                "event": "delivered",
                "timestamp": int(stamp),
                "email": f"reader{number}-{one}@example.org",
                "sg_event_id": f"sg-{number}-{one}",
                "sg_message_id": f"m-{number}-{one}",
                "response": "250 2.0.0 OK",
                "delivery": str(number * events + one),
            }
            for one in range(events)
        ]
    ).encode()
    signature = base64.b64encode(_KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    prefix = "X-Twilio-Email-Event-Webhook"
    return _request("sendgrid", body, {f"{prefix}-Timestamp": stamp, f"{prefix}-Signature": signature})


def resend(number: int) -> bytes:
    """A call of Resend's with one event, as a whole HTTP request."""
    stamp, identity = str(int(time.time())), f"msg_{number}"
    told = {"email_id": "e", "to": [f"reader{number}@example.org"], "tags": {"delivery": str(number)}}
    body = json.dumps({"type": "email.delivered", "created_at": "2022-10-12T14:00:00.000Z", "data": told}).encode()
    signed = base64.b64encode(hmac.digest(_SHARED, f"{identity}.{stamp}.".encode() + body, "sha256")).decode()
    return _request("resend", body, {"svix-id": identity, "svix-timestamp": stamp, "svix-signature": f"v1,{signed}"})


def _request(provider: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST /webhooks/{provider} HTTP/1.1", "Host: news.example.org", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])).encode() + body


def _floor(path: Path, requests: Sequence[bytes]) -> float:
    """Calls a second that one connection commits, with nothing read and nothing else kept."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE webhooks (body BLOB)")
    begun = time.perf_counter()
    for request in requests:
        connection.execute("INSERT INTO webhooks VALUES (?)", (request,))
    return len(requests) / (time.perf_counter() - begun)
