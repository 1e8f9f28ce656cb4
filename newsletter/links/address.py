"""The address of a web page, judged once: what can't be one never becomes an `Address`.

It's read as browsers read it (https://url.spec.whatwg.org), and written in ASCII without anything that could end an
attribute, a line or a bracketed link.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

#: What browsers drop wherever it stands: control characters, halves of surrogate pairs, direction and width marks.
_DROPPED = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_SCHEME = re.compile(r"(https?):[/\\]{2}", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PORTS = {"http": 80, "https": 443}
#: More letters than this aren't answered by servers (RFC 9110, section 4.1, asks for 8,000).
_LONGEST = 8_000
#: What stands unescaped (RFC 3986, section 3.3); `%` so that escapes stay as they are, and no quotes.
_PATH = "/:@!$&()*+,;=-._~%[]"
_QUERY = _PATH + "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An http or https address with a host that can exist. `port` is None for the scheme's own."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that a text is; ValueError with the reason, in a few words, for what is none."""
        plain = _DROPPED.sub("", text).strip()
        if len(plain) > _LONGEST:
            raise ValueError(f"is longer than {_LONGEST:,} characters")
        start = _SCHEME.match(plain)
        if not start:
            raise ValueError("doesn't start with https://")
        if re.search(r"\shttps?://", plain, re.IGNORECASE):
            raise ValueError("is more than one address")
        scheme, rest = start[1].lower(), plain[start.end() :]
        end = re.search(r"[/\\?#]", rest)
        place, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
        if "@" in place:
            raise ValueError("has a user name or password before its host")
        host, port = _host_and_port(place)
        before, _, fragment = tail.partition("#")
        path, _, query = before.partition("?")
        return cls(
            scheme=scheme,
            host=host,
            port=None if port == _PORTS[scheme] else port,
            path=_path(path.replace("\\", "/")),
            query=quote(query, safe=_QUERY),
            fragment=quote(fragment, safe=_QUERY),
        )

    def __str__(self) -> str:
        place = self.host if self.port is None else f"{self.host}:{self.port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{place}{self.path}{query}" + (f"#{self.fragment}" if self.fragment else "")


def judged(text: str) -> str:
    """The address that a text is, as it's kept; empty for what can't be one."""
    try:
        return str(Address.parse(text))
    except ValueError:
        return ""


def join(base: str, link: str) -> str:
    """The address that a link on the page `base` leads to; the link itself where it can't be told."""
    try:
        return urljoin(base, _DROPPED.sub("", link).strip())
    except ValueError:
        return link


def host_of(url: str) -> str:
    """The host of whatever stands where an address should be, in lower case; empty where there's none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _path(path: str) -> str:
    """A path without `.` and `..` (RFC 3986, section 5.2.4), which would lead elsewhere for some readers."""
    if "/." not in path:
        return quote(path, safe=_PATH) or "/"
    kept: list[str] = []
    steps = path.split("/")[1:]
    for step in steps:
        if step == "..":
            kept = kept[:-1]
        elif step != ".":
            kept.append(step)
    if steps[-1] in (".", ".."):
        kept.append("")
    return quote("/" + "/".join(kept), safe=_PATH)


def _host_and_port(place: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"(\[[0-9a-fA-F:.]+\])(?::(\d*))?", place)
    if place.startswith("[") and not bracketed:
        raise ValueError("has a host that isn't valid")
    name, colon, number = (bracketed[1], "", bracketed[2] or "") if bracketed else place.partition(":")
    if colon and not number.isascii():
        raise ValueError("has a port that is no number")
    if number and not re.fullmatch(r"[0-9]{1,9}", number):
        raise ValueError("has a port that is no number")
    port = int(number) if number else None
    if port is not None and not 0 < port < 65_536:
        raise ValueError("has a port that there isn't")
    return (_ip(name) if bracketed else _name(name)), port


def _ip(name: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(name[1:-1]).compressed}]"
    except ValueError:
        raise ValueError("has a host that isn't valid") from None


def _name(name: str) -> str:
    """A host's name in ASCII (RFC 5891); numbers alone have to be an IP address."""
    host = name.rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise ValueError("has a host that isn't valid") from None
    if not host:
        raise ValueError("has no host")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("has a host that isn't valid")
    if re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError("has a host that isn't valid") from None
    elif "." not in host and host != "localhost":
        raise ValueError("has a host without a dot")
    return host
