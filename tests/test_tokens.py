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
    raw = bytes.fromhex(token)
    key = hashlib.sha256(b"newsletter token\0" + secret).digest()
    assert raw[-16:] == hmac.digest(key, raw[:-16], "sha256")[:16]
    key = hashlib.sha256(b"newsletter mark\0" + secret).digest()
    wanted = hmac.digest(key, f"{name}:{number}".encode(), "sha256").hex()[:20]
    assert Marks(secret).mark(name, number) == f"d{number}-{wanted}"


def test_a_token_is_short_and_fit_for_an_address() -> None:
    token = Signer(b"key").sign(Purpose.UNSUBSCRIBE, CLAIM)
    assert len(token) < 80
    assert token.isalnum()
    assert token.islower()


def test_every_damaged_token_is_refused() -> None:
    signer = Signer(b"key")
    token = signer.sign(Purpose.UNSUBSCRIBE, CLAIM)
    for place in range(len(token)):
        for other in ("A", "B", "_"):
            damaged = token[:place] + other + token[place + 1 :]
            same = damaged.lower() == token
            assert signer.verify(Purpose.UNSUBSCRIBE, damaged) in ((CLAIM,) if same else (None,))
        assert signer.verify(Purpose.UNSUBSCRIBE, token[:place]) is None


def test_another_key_opens_nothing_and_an_older_key_still_does() -> None:
    old = Signer(b"old").sign(Purpose.UNSUBSCRIBE, CLAIM)
    assert Signer(b"new").verify(Purpose.UNSUBSCRIBE, old) is None
    assert Signer(b"new", b"old").verify(Purpose.UNSUBSCRIBE, old) == CLAIM


def test_a_token_in_capital_letters_is_the_same_token() -> None:
    signer = Signer(b"key")
    assert signer.verify(Purpose.UNSUBSCRIBE, signer.sign(Purpose.UNSUBSCRIBE, CLAIM).upper()) == CLAIM


@given(st.integers(0, 2**63), st.text(max_size=60))
def test_a_token_of_an_earlier_release_opens_what_it_opened(number: int, name: str) -> None:
    signer, claim = Signer(b"key"), Claim(subscriber=number, list=name)
    token = signer.sign(Purpose.UNSUBSCRIBE, claim)
    raw = bytes.fromhex(token)
    assert signer.verify(Purpose.UNSUBSCRIBE, base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) == claim


def test_keys_that_change_are_followed_and_the_hash_of_an_address_stays() -> None:
    keys: tuple[bytes, ...] = (b"old",)
    signer, marks = Signer.following(lambda: keys), Marks.following(lambda: keys)
    token, mark, hashed = (
        signer.sign(Purpose.UNSUBSCRIBE, CLAIM),
        marks.mark("n", 1),
        AddressHash(*keys)("x@example.org"),
    )
    keys = (b"new", b"old")
    assert signer.verify(Purpose.UNSUBSCRIBE, token) == CLAIM
    assert signer.sign(Purpose.UNSUBSCRIBE, CLAIM) == Signer(b"new").sign(Purpose.UNSUBSCRIBE, CLAIM) != token
    assert marks.is_of(mark, "n", 1)
    assert AddressHash(*keys)("x@example.org") == hashed


@given(st.text(max_size=200))
def test_any_text_is_an_answer_and_not_an_exception(text: str) -> None:
    assert Signer(b"key").verify(Purpose.UNSUBSCRIBE, text) is None


@pytest.mark.parametrize("subscriber", [0, 1, 255, 256, 2**40])
def test_every_subscriber_number_fits(subscriber: int) -> None:
    signer, claim = Signer(b"key"), Claim(subscriber=subscriber, list="a")
    assert signer.verify(Purpose.UNSUBSCRIBE, signer.sign(Purpose.UNSUBSCRIBE, claim)) == claim


def test_the_hash_of_an_address_depends_on_the_key() -> None:
    assert AddressHash(b"a")("x@example.org") != AddressHash(b"b")("x@example.org")
