"""DKIM: what is sent unsigned to a server is signed here, and verifies as any receiver would verify it."""

from __future__ import annotations

import base64
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from newsletter.errors import ConfigError
from newsletter.providers.mime import Composer
from newsletter.providers.signing import Signer
from newsletter.providers.smtp import Smtp
from newsletter.tables import Document
from tests.providers.lines import call

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def dns(name: bytes, timeout: int = 5) -> bytes:
    assert name == b"news._domainkey.example.org."
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def message() -> bytes:
    made = call()
    return Signer("example.org", "news", PEM).signed(Composer(made).message(made.recipients[0]))


def test_a_signed_message_verifies() -> None:
    assert dkim.verify(message(), dnsfunc=dns)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"List-Unsubscribe: <https://", b"List-Unsubscribe: <https://evil."),
        (b"List-Unsubscribe-Post: List", b"List-Unsubscribe-Post: Lost"),
        (b"Subject: ", b"Subject: not "),
        (b"From: ", b"From: Somebody Else <x@example.org>\r\nFrom: "),
        (b"Hi N1", b"Hi N2"),
    ],
)
def test_a_change_of_what_is_signed_shows(old: bytes, new: bytes) -> None:
    whole = message()
    assert old in whole
    assert not dkim.verify(whole.replace(old, new, 1), dnsfunc=dns)


def test_a_wrong_key_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(b"no key")
    with pytest.raises(ConfigError, match=r"key\.pem: the DKIM key can't be used"):
        Signer.from_file("example.org", "news", tmp_path / "key.pem")
    with pytest.raises(ConfigError, match="can't read the DKIM key"):
        Signer.from_file("example.org", "news", tmp_path / "gone.pem")


def test_half_a_configuration_is_told() -> None:
    table = Document.parse('host = "localhost"\ndkim_selector = "news"\n', "config.toml").root()
    with pytest.raises(ConfigError, match="DKIM needs all of"):
        Smtp.from_config(table, Path())
