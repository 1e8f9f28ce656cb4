"""What may stand between us and a vendor: proxies, firewalls, half answers, answers of somebody else.

An `Interference` that `reaches` the vendor was taken, whatever comes back. Only statuses by which nobody was taken,
whoever answered, are left out there: 401, 402, 403, 404, 413 and 429 come before the API does anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.providers.fakes import Interference, Said

#: Every word that any vendor's table looks for, in a page that no vendor wrote.
_WORDS = (
    "Bad gateway for user@example.org and a-key-of-the-fake. The 'to' parameter is not a valid address: recipient, "
    "sender, from. domain is not verified; sandbox; disabled; suspended; unverified; limit exceeded; duplicate in "
    "campaign; test job; will not deliver; maximum credits exceeded; too many requests per second; try again later"
)
_PAGE = f"<!doctype html><html><body><h1>{_WORDS}</h1></body></html>"
#: A gateway that speaks every vendor's language.
_SPOKEN = {
    **dict.fromkeys(("message", "Message", "ErrorMessage", "error"), _WORDS),
    "code": "invalid_parameter",
    "name": "validation_error",
    "ErrorCode": 300,
    "errors": [{"message": _WORDS, "field": "personalizations.0.to.0.email"}],
}
#: What a vendor's own words say under these was not taken.
_IN_WORDS = (400, 406, 420, 422, 451)
_NOT_TAKEN = (401, 402, 403, 404, 413, 429)
_OPEN = (200, 201, 202, 204, 400, 406, 408, 409, 418, 420, 422, 425, 451, 499, 500, 501, 502, 503, 504, 520, 522, 524)
_MOVED = (300, 301, 302, 303, 304, 307, 308)


def _raw(status: int, body: str, kind: str = "text/html", place: str = "") -> Callable[[Said], bytes]:
    """An answer that has nothing to do with the vendor's."""
    data = body.encode()
    head = f"Content-Type: {kind}\r\nContent-Length: {len(data)}\r\n" + (f"Location: {place}\r\n" if place else "")
    raw = f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + (b"" if status in (204, 304) else data)
    return lambda _said: raw


def _body(change: Callable[[bytes], bytes]) -> Callable[[Said], bytes]:
    """The vendor's answer with another body."""

    def answer(said: Said) -> bytes:
        head, _, data = said.raw.partition(b"\r\n\r\n")
        changed = change(data)
        return head.replace(f"Content-Length: {len(data)}".encode(), f"Content-Length: {len(changed)}".encode()) + (
            b"\r\n\r\n" + changed
        )

    return answer


def statuses() -> Iterator[Interference]:
    """Somebody's page, text or nothing under every status."""
    forms = {
        "page": (_PAGE, "text/html"),
        "text": (_WORDS, "text/plain"),
        "nothing": ("", "text/html"),
        "object": ("{}", "application/json"),
        "list": ("[]", "application/json"),
        "JSON in words": (json.dumps(_SPOKEN), "application/json"),
    }
    for status in (*_NOT_TAKEN, *_OPEN):
        for name, (body, kind) in forms.items():
            answer = _raw(status, body, kind)
            yield Interference(f"{status} with {name}", reaches=False, answer=answer)
            if status not in _NOT_TAKEN and not (status in _IN_WORDS and name == "JSON in words"):
                yield Interference(f"{status} with {name}", reaches=True, answer=answer)


def moved() -> Iterator[Interference]:
    """Redirects: to nowhere, to another host, to itself."""
    for status in _MOVED:
        for place in ("", "https://evil.example.invalid/", "http://127.0.0.1:1/", "/v3/elsewhere"):
            for reaches in (True, False):
                name = f"{status} to {place or 'nowhere'}"
                yield Interference(name, reaches=reaches, answer=_raw(status, _PAGE, place=place))


def half() -> Iterator[Interference]:
    """The vendor's own answer, of which only a part comes: at any place."""
    for share in (0, 1, 5, 9, 13, 20, 50, 75, 90, 97, 99):
        for resets in (True, False):

            def answer(said: Said, share: int = share) -> bytes:
                return said.raw[: len(said.raw) * share // 100]

            name = f"{share} of 100 of the answer, then a {'reset' if resets else 'close'}"
            yield Interference(name, reaches=True, answer=answer, resets=resets)
    yield Interference("a reset", reaches=False, answer=lambda _said: b"", resets=True)
    yield Interference("a close", reaches=False, answer=lambda _said: b"")


def changed() -> Iterator[Interference]:
    """The vendor's own answer in another encoding, cut, doubled, wrapped, or as something that isn't HTTP."""
    changes: dict[str, Callable[[bytes], bytes]] = {
        "UTF-16": lambda data: data.decode().encode("utf-16"),
        "UTF-32": lambda data: data.decode().encode("utf-32"),
        "a BOM": lambda data: b"\xef\xbb\xbf" + data,
        "latin-1": lambda data: b'{"\xe9": "\xff"}',
        "cut JSON": lambda data: data[: len(data) * 2 // 3],
        "JSON twice": lambda data: data + data,
        "JSONP": lambda data: b"callback(" + data + b");",
        "NULs": lambda data: b"\0" * 64,
        "a deep list": lambda data: b"[" * 50_000 + b"]" * 50_000,
        "a long number": lambda data: b"1" * 10_000,
        "NaN": lambda data: b"NaN",
        "a string": lambda data: b'"Queued. Thank you."',
        "null": lambda data: b"null",
        "a list around it": lambda data: b"[" + data + b"]",
        "an object around it": lambda data: b'{"data": ' + (data or b"null") + b"}",
    }
    for name, change in changes.items():
        yield Interference(name, reaches=True, answer=_body(change))
    for name, raw in {
        "no HTTP": b"SSH-2.0-OpenSSH_9.7\r\n",
        "HTTP/0.9": b"<html>fine</html>",
        "an odd status": b"HTTP/1.1 abc OK\r\n\r\n",
        "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "a wrong length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "a longer length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{}",
        "100 and nothing more": b"HTTP/1.1 100 Continue\r\n\r\n",
    }.items():
        for reaches in (True, False):
            yield Interference(name, reaches=reaches, answer=lambda _said, raw=raw: raw)  # type: ignore[misc]


#: What stands in place of a value: none of them is one that a vendor sends there to say "not taken".
_ODD: tuple[Any, ...] = (None, True, [], {}, "", 1.5, [[1]], {"a": 1}, "\ud800", 10**30, -7)


def mutations(body: Any) -> Iterator[tuple[str, Any]]:
    """A JSON document with one value after the other put out of shape, left out, doubled or turned around."""
    for path, value in _nodes(body):
        for odd in _ODD:
            if type(odd) is not type(value) or not odd:
                yield f"{path} = {odd!r}", _with(body, path, odd)
        if isinstance(value, list):
            for name, other in (
                ("shorter", value[1:]),
                ("longer", [*value, value[0] if value else {}]),
                ("odd", [*value[:-1], 3]),
            ):
                yield f"{path} {name}", _with(body, path, other)
    if isinstance(body, dict):
        for key in body:
            yield f"without {key}", {name: value for name, value in body.items() if name != key}


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _nodes(inner, (*path, key))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = _with(value[key], tuple(rest), new)
    return copy


def mutated(name: str, body: Any) -> Interference:
    """The vendor's status and headers over another document."""
    data = json.dumps(body).encode()
    return Interference(name, reaches=True, answer=_body(lambda _data: data))


def slow() -> Iterator[Interference]:
    """Answers that take longer than a call may."""
    yield Interference("a late answer", reaches=True, answer=lambda said: said.raw, pause=1.3)
    yield Interference("a slow body", reaches=True, answer=_slow_body, pause=0.2, piece=60)
    yield Interference("a slow head", reaches=True, answer=_slow_head, pause=0.2, piece=30)


def _slow_body(said: Said) -> bytes:
    return said.raw.replace(b"\r\nContent-Length: ", b"\r\nContent-Length: 9") + b" " * 600


def _slow_head(said: Said) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"X-Wait: a little more\r\n" * 60 + said.raw.partition(b"\r\n")[2]


EVERY: tuple[Interference, ...] = (*statuses(), *moved(), *half(), *changed())
