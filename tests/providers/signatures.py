"""How each vendor signs a webhook's call, and what it sends in the shape of its documentation."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from newsletter.providers import Provider
from newsletter.providers.brevo import Brevo
from newsletter.providers.brevo import Options as BrevoOptions
from newsletter.providers.mailgun import Mailgun
from newsletter.providers.mailgun import Options as MailgunOptions
from newsletter.providers.mailjet import Mailjet
from newsletter.providers.mailjet import Options as MailjetOptions
from newsletter.providers.postmark import Options as PostmarkOptions
from newsletter.providers.postmark import Postmark
from newsletter.providers.resend import Options as ResendOptions
from newsletter.providers.resend import Resend
from newsletter.providers.sendgrid import Options as SendgridOptions
from newsletter.providers.sendgrid import Sendgrid
from newsletter.providers.ses import Options as SesOptions
from newsletter.providers.ses import Ses

NOW = dt.datetime(2022, 10, 12, 15, 0, tzinfo=dt.UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:events"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
#: What travels with a message and comes back.
MARK = "mark-7-Ab_9"
Call = tuple[bytes, dict[str, str]]
_NAMES = "RESEND_API_KEY MAILGUN_API_KEY POSTMARK_SERVER_TOKEN MAILJET_API_KEY MAILJET_SECRET_KEY SENDGRID_API_KEY"
KEYS = dict.fromkeys(f"{_NAMES} BREVO_API_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY".split(), "key")
SECRETS = {
    "RESEND_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"shared").decode(),
    "MAILGUN_WEBHOOK_KEY": "signing",
    "POSTMARK_WEBHOOK_PASSWORD": "word",
    "MAILJET_WEBHOOK_PASSWORD": "word",
    "BREVO_WEBHOOK_PASSWORD": "word",
    "SENDGRID_WEBHOOK_KEY": base64.b64encode(
        EC_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
}


def certificate() -> bytes:
    """A certificate for the key that plays SNS's."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA_KEY.public_key())
    made = made.serial_number(1).not_valid_before(NOW - dt.timedelta(days=1)).not_valid_after(NOW + dt.timedelta(1))
    return made.sign(RSA_KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def made_for_webhooks(name: str, environment: dict[str, str]) -> Provider:
    def now() -> dt.datetime:
        return NOW

    match name:
        case "resend":
            return Resend(ResendOptions(), environment, now)
        case "mailgun":
            return Mailgun(MailgunOptions(domain="mg.example.org"), environment, now)
        case "postmark":
            return Postmark(PostmarkOptions(), environment, now)
        case "mailjet":
            return Mailjet(MailjetOptions(), environment, now)
        case "sendgrid":
            return Sendgrid(SendgridOptions(), environment, now)
        case "brevo":
            return Brevo(BrevoOptions(), environment, now)
        case _:
            topic = TOPIC if "POSTMARK_WEBHOOK_PASSWORD" in environment else ""
            return Ses(SesOptions(region="us-east-1", topic_arn=topic), environment, now, lambda _: certificate())


# How each vendor signs a call.


def svix(body: bytes, *, id: str = "msg_1", at: dt.datetime = NOW, key: bytes = b"shared") -> Call:  # noqa: A002
    stamp = str(int(at.timestamp()))
    signed = base64.b64encode(hmac.digest(key, f"{id}.{stamp}.".encode() + body, "sha256")).decode()
    return body, {"Svix-Id": id, "Svix-Timestamp": stamp, "Svix-Signature": f"v1,AAAA v1,{signed}"}


def mailgun_signed(data: dict[str, Any], *, token: str = "t1", at: dt.datetime = NOW, key: bytes = b"signing") -> Call:
    stamp = str(int(at.timestamp()))
    signature = hmac.new(key, f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": data}).encode(), {}


def basic(body: bytes, word: str = "word") -> Call:
    return body, {"Authorization": "Basic " + base64.b64encode(f"newsletter:{word}".encode()).decode()}


def ecdsa(body: bytes, *, at: dt.datetime = NOW, key: ec.EllipticCurvePrivateKey = EC_KEY) -> Call:
    stamp = str(int(at.timestamp()))
    signature = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    prefix = "X-Twilio-Email-Event-Webhook"
    return body, {f"{prefix}-Timestamp": stamp, f"{prefix}-Signature": signature}


def sns(message: dict[str, Any], *, id: str = "sns-1", kind: str = "Notification", **more: str) -> Call:  # noqa: A002
    envelope = {
        "Type": kind,
        "MessageId": id,
        "TopicArn": TOPIC,
        "Message": json.dumps(message),
        "Timestamp": "2022-10-12T15:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **more,
    }
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode("utf-8", "replace")
    envelope["Signature"] = base64.b64encode(RSA_KEY.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
    return json.dumps(envelope).encode(), {}


# What each vendor sends, in the shape of its documentation, by what it means.


def resend_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        told = {"email_id": "e", "to": ["a@example.org"], "tags": {"delivery": MARK}, **data}
        body = {"type": kind, "created_at": f"2022-10-12T14:{number:02}:00.000Z", "data": told}
        return svix(json.dumps(body).encode(), id=f"msg_{number}")

    return call


def mailgun_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = (NOW - dt.timedelta(hours=1, minutes=-number)).timestamp()
        told = {"event": kind, "timestamp": at, "recipient": "a@example.org", "user-variables": {"delivery": MARK}}
        return mailgun_signed({**told, **data}, token=f"t{number}")

    return call


def postmark_call(kind: str, when: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        told = {
            "RecordType": kind,
            "MessageID": "m",
            when: f"2022-10-12T14:{number:02}:00Z",
            "Recipient": "a@example.org",
        }
        return basic(json.dumps({**told, "Metadata": {"delivery": MARK, "batch": "b"}, **data}).encode())

    return call


def mailjet_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp())
        told = {"event": kind, "time": at, "MessageID": 5, "email": "a@example.org", "CustomID": MARK, **data}
        return basic(json.dumps([told] if number % 2 else told).encode())

    return call


def sendgrid_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp())
        told = {
            "event": kind,
            "timestamp": at,
            "email": "a@example.org",
            "delivery": MARK,
            "sg_event_id": f"sg{number}",
        }
        return ecdsa(json.dumps([{**told, **data}]).encode())

    return call


def brevo_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp() * 1000)
        told = {"event": kind, "ts_epoch": at, "message-id": "<m>", "email": "a@example.org"}
        return basic(json.dumps({**told, "X-Mailin-custom": f"delivery:{MARK}", **data}).encode())

    return call


def ses_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        about = {"timestamp": f"2022-10-12T14:{number:02}:00.000Z", **data}
        mail = {"tags": {"delivery": [MARK]}, "destination": ["a@example.org"]}
        key = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}.get(kind, kind.lower())
        return sns({"eventType": kind, "mail": mail, key: about}, id=f"sns-{number}")

    return call
