"""Signed links: what is forged, damaged or foreign opens nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.tokens import AddressHash, Claim, Marks, Purpose, Signer

CLAIM = Claim(subscriber=70_000, list="network-download")


def test_a_token_says_who_and_which_list() -> None:
    signer = Signer(b"key")
    assert signer.verify(Purpose.UNSUBSCRIBE, signer.sign(Purpose.UNSUBSCRIBE, CLAIM)) == CLAIM


@given(st.binary(max_size=200), st.integers(0, 2**63), st.text(max_size=60))
def test_links_and_marks_are_signed_with_hmac(secret: bytes, number: int, name: str) -> None:
    token = Signer(secret).sign(Purpose.UNSUBSCRIBE, Claim(subscriber=number, list=name))
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    key = hashlib.sha256(b"newsletter token\0" + secret).digest()
    assert raw[-16:] == hmac.digest(key, raw[:-16], "sha256")[:16]
    key = hashlib.sha256(b"newsletter mark\0" + secret).digest()
    wanted = hmac.digest(key, f"{name}:{number}".encode(), "sha256").hex()[:20]
    assert Marks(secret).mark(name, number) == f"d{number}-{wanted}"


def test_a_token_is_short_and_fit_for_an_address() -> None:
    token = Signer(b"key").sign(Purpose.UNSUBSCRIBE, CLAIM)
    assert len(token) < 64
    assert token.replace("-", "").replace("_", "").isalnum()


def test_every_damaged_token_is_refused() -> None:
    signer = Signer(b"key")
    token = signer.sign(Purpose.UNSUBSCRIBE, CLAIM)
    for place in range(len(token)):
        for other in ("A", "B", "_"):
            damaged = token[:place] + other + token[place + 1 :]
            assert signer.verify(Purpose.UNSUBSCRIBE, damaged) in ((CLAIM,) if damaged == token else (None,))
        assert signer.verify(Purpose.UNSUBSCRIBE, token[:place]) is None


def test_another_key_opens_nothing_and_an_older_key_still_does() -> None:
    old = Signer(b"old").sign(Purpose.UNSUBSCRIBE, CLAIM)
    assert Signer(b"new").verify(Purpose.UNSUBSCRIBE, old) is None
    assert Signer(b"new", b"old").verify(Purpose.UNSUBSCRIBE, old) == CLAIM


@given(st.text(max_size=200))
def test_any_text_is_an_answer_and_not_an_exception(text: str) -> None:
    assert Signer(b"key").verify(Purpose.UNSUBSCRIBE, text) is None


@pytest.mark.parametrize("subscriber", [0, 1, 255, 256, 2**40])
def test_every_subscriber_number_fits(subscriber: int) -> None:
    signer, claim = Signer(b"key"), Claim(subscriber=subscriber, list="a")
    assert signer.verify(Purpose.UNSUBSCRIBE, signer.sign(Purpose.UNSUBSCRIBE, claim)) == claim


def test_the_hash_of_an_address_depends_on_the_key() -> None:
    assert AddressHash(b"a")("x@example.org") != AddressHash(b"b")("x@example.org")
