"""Notifications of Amazon SNS, verified exactly
(https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).

What is signed is a text of names and values, one a line. A value that holds a line end could be cut anew into other
names and values, so that only the message and its subject may hold one; and the type decides which names are signed,
so that it has to be one of the three there are.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from newsletter.errors import ConfigError, WebhookError
from newsletter.providers import webhooks

_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
#: What SNS signs, in this order, by type.
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_MAY_HOLD_LINES = ("Message", "Subject")
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_MOST_CERTIFICATES = 16


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that came from our topic."""

    id: str
    message: str


def fetch(url: str) -> bytes:
    """What lies at an address of AWS."""
    with requests.get(url, timeout=10, allow_redirects=False) as answer:
        answer.raise_for_status()
        return answer.content


class Topic:
    """A topic that we subscribe to; `get` fetches from AWS."""

    def __init__(self, arn: str, get: Callable[[str], bytes] = fetch) -> None:
        self._arn, self._fetch = arn, get
        self._certificates: dict[str, bytes] = {}

    def read(self, body: bytes) -> Notification | None:
        """The notification in a call, verified; None where the call was about the subscription itself."""
        if not self._arn:
            raise WebhookError("webhooks aren't set up", hint="set topic_arn of the provider in config.toml")
        envelope = webhooks.document(body)
        if webhooks.part(envelope, "TopicArn") != self._arn:
            raise webhooks.forged("another topic")
        self._verify(envelope, _signed(envelope))
        if envelope["Type"] == "SubscriptionConfirmation":
            self._get(str(envelope["SubscribeURL"]))
        if envelope["Type"] != "Notification":
            return None
        return Notification(str(envelope["MessageId"]), str(envelope["Message"]))

    def _verify(self, envelope: Mapping[str, Any], signed: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
            from cryptography.x509 import load_pem_x509_certificate
        except ImportError:
            hint = "pip install 'newsletter-desk[ses]'"
            raise ConfigError("SES's webhooks need the package cryptography", hint=hint) from None
        versions = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 (Amazon signs so)
        algorithm = versions.get(str(envelope.get("SignatureVersion")))
        if algorithm is None:
            raise webhooks.forged("an unknown version of the signature")
        try:
            key = load_pem_x509_certificate(self._certificate(str(envelope.get("SigningCertURL")))).public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise ValueError
            signature = base64.b64decode(str(envelope.get("Signature")), validate=True)
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError):
            raise webhooks.forged("the signature is wrong") from None

    def _certificate(self, url: str) -> bytes:
        """The certificate at SNS's own address for certificates, and nowhere else."""
        if not _CERTIFICATE.fullmatch(_path_at_sns(url)):
            raise webhooks.forged("its certificate is not at an address of SNS's")
        if url not in self._certificates:
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = self._get(url)
        return self._certificates[url]

    def _get(self, url: str) -> bytes:
        """Fetch from SNS, and from nobody else."""
        _path_at_sns(url)
        try:
            return self._fetch(url)
        except (requests.RequestException, ValueError):
            raise WebhookError("SNS can't be reached") from None


def _path_at_sns(url: str) -> str:
    """The path of an address of SNS's, `https://sns.<region>.amazonaws.com/…`."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) and re.fullmatch(r"[!-~]+", url)
    except ValueError:
        known = None
    if not known:
        raise webhooks.forged("it names an address that is not SNS's")
    return parts.path


def _signed(envelope: Mapping[str, Any]) -> bytes:
    """The text that SNS has signed; an envelope that could be read in two ways is nobody's."""
    names = _SIGNED.get(str(envelope.get("Type")))
    if names is None:
        raise webhooks.forged("an unknown type")
    lines = []
    for name in names:
        value = envelope.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str) or ("\n" in value and name not in _MAY_HOLD_LINES):
            raise webhooks.forged(f"{name} is not what SNS would send")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8", "replace")
