"""The contract of webhooks over every provider that has them: signed as the vendor signs, read into one vocabulary."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from newsletter import feedback
from newsletter.errors import NewsletterError, WebhookError
from newsletter.model import Event, EventType
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
from newsletter.store import Store

NOW = dt.datetime(2022, 10, 12, 15, 0, tzinfo=dt.UTC)
TOPIC = "arn:aws:sns:us-east-1:1:events"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/cert.pem"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
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


def made(name: str, environment: dict[str, str]) -> Provider:
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
    names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode()
    envelope["Signature"] = base64.b64encode(RSA_KEY.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
    return json.dumps(envelope).encode(), {}


# What each vendor sends, in the shape of its documentation, by what it means.


def resend_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        told = {"email_id": "e", "to": ["a@example.org"], "tags": {"delivery": "7"}, **data}
        body = {"type": kind, "created_at": f"2022-10-12T14:{number:02}:00.000Z", "data": told}
        return svix(json.dumps(body).encode(), id=f"msg_{number}")

    return call


def mailgun_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = (NOW - dt.timedelta(hours=1, minutes=-number)).timestamp()
        told = {"event": kind, "timestamp": at, "recipient": "a@example.org", "user-variables": {"delivery": "7"}}
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
        return basic(json.dumps({**told, "Metadata": {"delivery": "7", "batch": "b"}, **data}).encode())

    return call


def mailjet_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp())
        told = {"event": kind, "time": at, "MessageID": 5, "email": "a@example.org", "CustomID": "7", **data}
        return basic(json.dumps([told] if number % 2 else told).encode())

    return call


def sendgrid_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp())
        told = {"event": kind, "timestamp": at, "email": "a@example.org", "delivery": "7", "sg_event_id": f"sg{number}"}
        return ecdsa(json.dumps([{**told, **data}]).encode())

    return call


def brevo_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        at = int((NOW - dt.timedelta(hours=1, minutes=-number)).timestamp() * 1000)
        told = {"event": kind, "ts_epoch": at, "message-id": "<m>", "email": "a@example.org"}
        return basic(json.dumps({**told, "X-Mailin-custom": "delivery:7", **data}).encode())

    return call


def ses_call(kind: str, **data: Any) -> Callable[[int], Call]:
    def call(number: int) -> Call:
        about = {"timestamp": f"2022-10-12T14:{number:02}:00.000Z", **data}
        mail = {"tags": {"delivery": ["7"]}, "destination": ["a@example.org"]}
        told = {"eventType": kind, "mail": mail, kind[0].lower() + kind[1:]: about}
        return sns(told, id=f"sns-{number}")

    return call


CALLS: dict[str, dict[EventType, list[Callable[[int], Call]]]] = {
    "resend": {
        EventType.DELIVERED: [resend_call("email.delivered")],
        EventType.HARD_BOUNCE: [resend_call("email.bounced", bounce={"type": "Permanent", "message": "gone"})],
        EventType.SOFT_BOUNCE: [
            resend_call("email.bounced", bounce={"type": "Transient", "message": "full"}),
            resend_call("email.delivery_delayed"),
        ],
        EventType.COMPLAINT: [resend_call("email.complained")],
        EventType.OPENED: [resend_call("email.opened")],
        EventType.CLICKED: [
            resend_call("email.clicked", click={"link": "https://example.org/"}),
            resend_call("email.clicked", tags=[{"name": "delivery", "value": "7"}]),
        ],
        EventType.FAILED: [resend_call("email.failed"), resend_call("email.suppressed")],
    },
    "mailgun": {
        EventType.DELIVERED: [mailgun_call("delivered")],
        EventType.HARD_BOUNCE: [mailgun_call("failed", severity="permanent")],
        EventType.SOFT_BOUNCE: [mailgun_call("failed", severity="temporary")],
        EventType.COMPLAINT: [mailgun_call("complained")],
        EventType.UNSUBSCRIBED: [mailgun_call("unsubscribed")],
        EventType.OPENED: [mailgun_call("opened")],
        EventType.CLICKED: [mailgun_call("clicked", url="https://example.org/")],
    },
    "postmark": {
        EventType.DELIVERED: [postmark_call("Delivery", "DeliveredAt")],
        EventType.HARD_BOUNCE: [postmark_call("Bounce", "BouncedAt", Type="HardBounce", ID=4)],
        EventType.SOFT_BOUNCE: [
            postmark_call("Bounce", "BouncedAt", Type="SoftBounce", ID=4),
            postmark_call("Bounce", "BouncedAt", Type="Transient", ID=4),
        ],
        EventType.COMPLAINT: [postmark_call("SpamComplaint", "BouncedAt", Type="SpamComplaint")],
        EventType.UNSUBSCRIBED: [postmark_call("SubscriptionChange", "ChangedAt", SuppressSending=True)],
        EventType.OPENED: [postmark_call("Open", "ReceivedAt")],
        EventType.CLICKED: [postmark_call("Click", "ReceivedAt", OriginalLink="https://example.org/")],
    },
    "mailjet": {
        EventType.DELIVERED: [mailjet_call("sent")],
        EventType.HARD_BOUNCE: [mailjet_call("bounce", hard_bounce=True)],
        EventType.SOFT_BOUNCE: [mailjet_call("bounce", hard_bounce=False)],
        EventType.COMPLAINT: [mailjet_call("spam")],
        EventType.UNSUBSCRIBED: [mailjet_call("unsub")],
        EventType.OPENED: [mailjet_call("open")],
        EventType.CLICKED: [mailjet_call("click", url="https://example.org/")],
        EventType.FAILED: [mailjet_call("blocked")],
    },
    "sendgrid": {
        EventType.DELIVERED: [sendgrid_call("delivered")],
        EventType.HARD_BOUNCE: [sendgrid_call("bounce", type="bounce")],
        EventType.SOFT_BOUNCE: [sendgrid_call("deferred"), sendgrid_call("bounce", type="blocked")],
        EventType.COMPLAINT: [sendgrid_call("spamreport")],
        EventType.UNSUBSCRIBED: [sendgrid_call("unsubscribe"), sendgrid_call("group_unsubscribe")],
        EventType.OPENED: [sendgrid_call("open")],
        EventType.CLICKED: [sendgrid_call("click", url="https://example.org/")],
        EventType.FAILED: [sendgrid_call("dropped")],
    },
    "brevo": {
        EventType.DELIVERED: [brevo_call("delivered")],
        EventType.HARD_BOUNCE: [brevo_call("hard_bounce")],
        EventType.SOFT_BOUNCE: [brevo_call("soft_bounce"), brevo_call("deferred")],
        EventType.COMPLAINT: [brevo_call("spam"), brevo_call("complaint")],
        EventType.UNSUBSCRIBED: [brevo_call("unsubscribed"), brevo_call("unsubscribe")],
        EventType.OPENED: [brevo_call("opened"), brevo_call("unique_opened"), brevo_call("proxy_open")],
        EventType.CLICKED: [brevo_call("click", link="https://example.org/")],
    },
    "ses": {
        EventType.DELIVERED: [ses_call("Delivery")],
        EventType.HARD_BOUNCE: [ses_call("Bounce", bounceType="Permanent")],
        EventType.SOFT_BOUNCE: [ses_call("Bounce", bounceType="Transient")],
        EventType.COMPLAINT: [ses_call("Complaint")],
        EventType.UNSUBSCRIBED: [ses_call("Subscription")],
        EventType.OPENED: [ses_call("Open")],
        EventType.CLICKED: [ses_call("Click", link="https://example.org/")],
    },
}


@dataclass
class Line:
    """A provider and what its vendor may call with."""

    name: str
    provider: Provider
    calls: dict[EventType, list[Callable[[int], Call]]] = field(default_factory=dict)

    def read(self, call: Call) -> list[Event]:
        return list(self.provider.parse_webhook(*call))


@pytest.fixture(params=list(CALLS))
def line(request: pytest.FixtureRequest) -> Line:
    return Line(request.param, made(request.param, {**KEYS, **SECRETS}), CALLS[request.param])


def test_every_event_is_read_into_one_vocabulary_with_our_own_delivery(line: Line) -> None:
    for kind, calls in line.calls.items():
        for call in calls:
            (event,) = line.read(call(5))
            assert (event.type, event.delivery, event.address) == (kind, 7, "a@example.org")
            assert event.at == NOW - dt.timedelta(minutes=55)


def tampered(call: Call) -> Call:
    body, headers = call
    wrong = {name: value[:-4] + ("AAA=" if value.endswith("=") else "AAAA") for name, value in headers.items()}
    return body.replace(b'"signature": "', b'"signature": "0').replace(b'"Signature": "', b'"Signature": "A'), wrong


def test_a_forged_call_is_refused(line: Line) -> None:
    body, headers = line.calls[EventType.COMPLAINT][0](1)
    line.read((body, headers))
    for wrong in (tampered((body, headers)), (body, {}) if headers else tampered((body, headers))):
        with pytest.raises(WebhookError, match="doesn't prove itself"):
            line.read(wrong)


@pytest.mark.parametrize("name", ["resend", "sendgrid", "ses"])
def test_a_changed_body_is_refused_where_the_vendor_signs_it(name: str) -> None:
    line = Line(name, made(name, {**KEYS, **SECRETS}))
    body, headers = CALLS[name][EventType.COMPLAINT][0](1)
    with pytest.raises(WebhookError, match="doesn't prove itself"):
        line.read((body.replace(b"a@example.org", b"b@example.org"), headers))


def test_an_old_call_that_somebody_kept_is_refused() -> None:
    old = NOW - dt.timedelta(minutes=6)
    for name, call in (
        ("resend", svix(b"{}", at=old)),
        ("mailgun", mailgun_signed({}, at=old)),
        ("sendgrid", ecdsa(b"[]", at=old)),
    ):
        with pytest.raises(WebhookError, match="too far from now"):
            made(name, {**KEYS, **SECRETS}).parse_webhook(*call)


def test_without_its_secret_a_webhook_believes_nobody(line: Line) -> None:
    bare = Line(line.name, made(line.name, KEYS))
    with pytest.raises(WebhookError, match="aren't set up"):
        bare.read(line.calls[EventType.DELIVERED][0](1))


def test_a_replayed_and_reordered_stream_of_calls_is_kept_once_and_in_order(line: Line, store: Store) -> None:
    calls = [call(number) for number, (call, *_) in enumerate(line.calls.values(), 1)]
    stream = [*calls, *calls]
    random.Random(4).shuffle(stream)
    with store.write() as session:
        for call in stream:
            feedback.keep(session, line.name, line.read(call))
    with store.read() as session:
        kept = feedback.events_of(session, None)
    assert [event.type for event in kept] == list(line.calls)


def test_what_a_vendor_may_come_to_send_is_no_event(line: Line) -> None:
    unknown: dict[str, Call] = {
        "resend": resend_call("email.sent")(1),
        "mailgun": mailgun_call("accepted")(1),
        "postmark": postmark_call("SubscriptionChange", "ChangedAt", SuppressSending=False)(1),
        "mailjet": mailjet_call("new")(1),
        "sendgrid": sendgrid_call("processed")(1),
        "brevo": brevo_call("request")(1),
        "ses": ses_call("Send")(1),
    }
    assert line.read(unknown[line.name]) == []


def test_a_subscription_to_our_topic_is_confirmed_and_one_to_another_is_not() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    options = SesOptions(region="us-east-1", topic_arn=TOPIC)
    provider = Ses(options, KEYS, lambda: NOW, fetch)
    confirm = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
    call = sns({}, kind="SubscriptionConfirmation", SubscribeURL=confirm, Token="t")
    assert list(provider.parse_webhook(*call)) == []
    assert asked == [CERTIFICATE, confirm]
    other = sns({}, kind="SubscriptionConfirmation", SubscribeURL=confirm, Token="t", TopicArn="arn:other")
    with pytest.raises(WebhookError, match="another topic"):
        provider.parse_webhook(*other)


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-east-1.amazonaws.com.evil.example/cert.pem",
        "http://sns.us-east-1.amazonaws.com/cert.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com",
        "https://x@sns.us-east-1.amazonaws.com/",
        "https://[",
    ],
)
def test_a_certificate_is_fetched_from_sns_and_from_nobody_else(url: str) -> None:
    def fetch(_url: str) -> bytes:
        raise AssertionError("fetched")

    provider = Ses(SesOptions(region="us-east-1", topic_arn=TOPIC), KEYS, lambda: NOW, fetch)
    with pytest.raises(WebhookError):
        provider.parse_webhook(*sns({}, SigningCertURL=url))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "event",
    "type",
    "data",
    "tags",
    "RecordType",
    "timestamp",
    "ts_epoch",
    "time",
    "event-data",
    "mail",
    "eventType",
]


@given(document=st.dictionaries(st.sampled_from(FIELDS), JSON) | st.lists(JSON, max_size=3) | JSON, raw=st.binary())
def test_no_body_ends_in_another_error_than_ours(document: Any, raw: bytes) -> None:
    for body in (json.dumps(document).encode(), raw):
        for name, call in (
            ("resend", svix(body)),
            ("mailgun", (body, {})),
            ("postmark", basic(body)),
            ("mailjet", basic(body)),
            ("brevo", basic(body)),
            ("sendgrid", ecdsa(body)),
            ("ses", (body, {})),
        ):
            try:
                READERS[name].parse_webhook(*call)
            except NewsletterError:
                continue
    for reader, call in (("mailgun", mailgun_signed(document)), ("ses", sns(document))):
        READERS[reader].parse_webhook(*call)


READERS = {name: made(name, {**KEYS, **SECRETS}) for name in CALLS}
