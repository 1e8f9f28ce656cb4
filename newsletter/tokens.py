"""Signed links, and the keyed hash of an address.

A token says who may do what, bound to one purpose, and is signed with HMAC-SHA256 truncated to 128 bits
(RFC 2104, section 5). It is as short as that allows, has no expiry (mail is opened years later), and the
check takes the same time whatever is wrong. It's written in hexadecimal, so that it survives whatever changes the
case of an address; releases before 0.7 wrote base64url.

There may be several keys, the current one first: it signs, and all of them verify.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

_VERSION = 1
_MAC_BYTES = 16
_HEAD_BYTES = 2


class Purpose(IntEnum):
    """What a token is good for."""

    UNSUBSCRIBE = 1
    CONFIRM = 2
    DATA = 3
    FORGET = 4
    MOVE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a valid token says: this subscriber, on this list; of a confirmation on these, with commas between; of
    data and forgetting, since this day; of a change of address, by the letter of this number.
    """

    subscriber: int
    list: str


class _Mac:
    """HMAC-SHA256 (RFC 2104) under the key that a secret gives for one use. The key is taken in once, as section 4
    proposes: a million are made in a row, and it costs as much as the message.
    """

    def __init__(self, use: bytes, secret: bytes) -> None:
        key = hashlib.sha256(use + secret).digest()
        inner, outer = (bytes(byte ^ pad for byte in key.ljust(64, b"\0")) for pad in (0x36, 0x5C))
        self._inner, self._outer = hashlib.sha256(inner), hashlib.sha256(outer)

    def __call__(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


Secrets = Callable[[], tuple[bytes, ...]]


class _Macs:
    """A `_Mac` for each key, the current one first; made anew when `secrets` gives other keys."""

    def __init__(self, use: bytes, secrets: Secrets) -> None:
        self._use, self._secrets = use, secrets
        self._made: tuple[tuple[bytes, ...], tuple[_Mac, ...]] = ((), ())

    def __call__(self) -> tuple[_Mac, ...]:
        secrets = self._secrets()
        known, macs = self._made
        if secrets is not known:
            macs = tuple(_Mac(self._use, secret) for secret in secrets)
            self._made = secrets, macs
        return macs


class _Keyed:
    """What signs with keys, the current one first, and knows what older ones signed."""

    _USE: ClassVar[bytes]

    def __init__(self, *secrets: bytes) -> None:
        self._keys = _Macs(self._USE, lambda: secrets)

    @classmethod
    def following(cls, secrets: Secrets) -> Self:
        """One whose keys may change while it's used."""
        made = cls()
        made._keys = _Macs(cls._USE, secrets)
        return made


class Signer(_Keyed):
    """Makes and checks tokens."""

    _USE = b"newsletter token\0"

    def sign(self, purpose: Purpose, claim: Claim) -> str:
        """A token of lower-case letters and digits, about 70 long."""
        return self.signing(purpose, claim.list)(claim.subscriber)

    def signing(self, purpose: Purpose, about: str) -> Callable[[int], str]:
        """What makes the tokens of many subscribers for one purpose; `about` is as `Claim.list`."""
        keys, end = self._keys, about.encode()

        def token(subscriber: int) -> str:
            number = subscriber.to_bytes((subscriber.bit_length() + 7) // 8 or 1)
            body = bytes((_VERSION, purpose, len(number))) + number + end
            return (body + keys()[0](body)[:_MAC_BYTES]).hex()

        return token

    def verify(self, purpose: Purpose, token: str) -> Claim | None:
        """The claim of a token, or None for one that is forged, damaged, or meant for something else."""
        found = self.read(token)
        return found[1] if found and found[0] is purpose else None

    def read(self, token: str) -> tuple[Purpose, Claim] | None:
        """What a token is for, and its claim; None for one that is forged or damaged."""
        # Each begins with the version's own letters; whatever doesn't needn't be decoded.
        raw = _hex(token) if token.startswith("01") else _base64(token) if token.startswith("AQ") else None
        return None if raw is None else self._read(raw)

    def _read(self, raw: bytes) -> tuple[Purpose, Claim] | None:
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        # A sum looks at every key, where any() would stop at the right one.
        matching = sum(hmac.compare_digest(key(body)[:_MAC_BYTES], mac) for key in self._keys())
        if not matching or body[0] != _VERSION:
            return None
        size = body[_HEAD_BYTES]
        number = int.from_bytes(body[_HEAD_BYTES + 1 : _HEAD_BYTES + 1 + size])
        return Purpose(body[1]), Claim(subscriber=number, list=body[_HEAD_BYTES + 1 + size :].decode())


def _hex(token: str) -> bytes | None:
    """The bytes of a token, in upper or lower case; None for what isn't one."""
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        return None
    return raw if raw.hex() == token.lower() else None


def _base64(token: str) -> bytes | None:
    """The bytes of a token of a release before 0.7; None for what isn't one."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, UnicodeEncodeError):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token else None


class Marks(_Keyed):
    """What travels with each message, and comes back with what a provider says of it: the delivery's number, and what
    binds it to this workspace and this campaign. Nobody who has seen others can make one.

    A mark has at most 40 letters, digits and hyphens, so that it fits into every vendor's tags and metadata (the
    narrowest is Postmark's 80 letters, the pickiest Amazon's `[A-Za-z0-9_-]`).
    """

    _USE = b"newsletter mark\0"
    _BYTES = 10
    _FORM = re.compile(r"d(\d{1,18})-[0-9a-f]{20}")

    def mark(self, nonce: str, delivery: int) -> str:
        """The mark of a delivery of the campaign with that nonce."""
        return self._mark(self._keys()[0], nonce, delivery)

    def delivery(self, mark: str) -> int | None:
        """The number that a mark claims to be of; None for what is none."""
        found = self._FORM.fullmatch(mark)
        return int(found[1]) if found else None

    def is_of(self, mark: str, nonce: str, delivery: int) -> bool:
        """Whether a mark is that of a delivery."""
        wanted = (self._mark(key, nonce, delivery) for key in self._keys())
        return sum(hmac.compare_digest(mark.encode("utf-8", "replace"), one.encode()) for one in wanted) > 0

    @classmethod
    def _mark(cls, key: _Mac, nonce: str, delivery: int) -> str:
        return f"d{delivery}-{key(f'{nonce}:{delivery}'.encode())[: cls._BYTES].hex()}"


class AddressHash:
    """The keyed hash by which an address is known after its owner asked to be forgotten; hexadecimal. It's always made
    with the oldest key, the last of `secrets`: of somebody forgotten nothing else is kept that could be hashed again.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._key = hashlib.sha256(b"newsletter address\0" + secrets[-1]).digest()

    def __call__(self, address: str) -> str:
        """The hash of an address in its one form."""
        return hmac.digest(self._key, address.encode(), "sha256").hex()
