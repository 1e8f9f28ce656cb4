"""The contract of webhooks over every provider that has them: signed as the vendor signs, read into one vocabulary."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError, WebhookError
from newsletter.model import Event, EventType
from newsletter.providers import Provider
from newsletter.providers.ses import Options as SesOptions
from newsletter.providers.ses import Ses
from tests.providers.hostile import mutations
from tests.providers.reasons import REASONS, Reason
from tests.providers.signatures import (
    CERTIFICATE,
    KEYS,
    MARK,
    NOW,
    SECRETS,
    TOPIC,
    Call,
    basic,
    certificate,
    ecdsa,
    made_for_webhooks,
    mailgun_call,
    mailgun_signed,
    sns,
    svix,
)

__all__ = ["KEYS", "SECRETS", "Call", "basic", "svix"]
READERS: Mapping[str, Provider] = {name: made_for_webhooks(name, {**KEYS, **SECRETS}) for name in REASONS}
CASES = [
    pytest.param(name, reason, id=f"{name}-{number}-{' and '.join(reason[0]) or 'nothing'}")
    for name, reasons in REASONS.items()
    for number, reason in enumerate(reasons)
]


@pytest.fixture(params=list(REASONS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(name: str, call: Call) -> list[Event]:
    return list(READERS[name].parse_webhook(*call))


def first(name: str, kind: EventType) -> Callable[[int], Call]:
    return next(call for kinds, call in REASONS[name] if kinds == (kind,))


@pytest.mark.parametrize(("name", "reason"), CASES)
def test_every_reason_means_what_its_vendor_says(name: str, reason: Reason) -> None:
    kinds, call = reason
    events = read(name, call(5))
    assert tuple(event.type for event in events) == kinds
    for event in events:
        assert (event.mark, event.address, event.delivery) == (MARK, "a@example.org", None)
        assert event.at == NOW - dt.timedelta(minutes=55)
    if len(events) == 2:
        assert events[1].id == f"{events[0].id}:known"
    if name != "mailgun" or kinds:
        assert [event.id for event in read(name, call(5))] == [event.id for event in events], "again is the same"


@pytest.mark.parametrize("name", list(REASONS))
def test_every_kind_of_event_is_among_the_reasons(name: str) -> None:
    found = {kind for kinds, _ in REASONS[name] for kind in kinds}
    assert found >= set(EventType) - {EventType.UNSUBSCRIBED}
    assert (EventType.UNSUBSCRIBED in found) is (name != "resend"), "Resend has none for mail by its API"


def test_another_event_has_another_id(name: str) -> None:
    for kinds, call in REASONS[name]:
        one, other = ({event.id for event in read(name, call(number))} for number in (1, 2))
        assert len(one) == len(other) == len(kinds)
        assert not one & other


# Who may call.


def tampered(call: Call) -> Call:
    body, headers = call
    wrong = {name: value[:-4] + ("AAA=" if value.endswith("=") else "AAAA") for name, value in headers.items()}
    return body.replace(b'"signature": "', b'"signature": "0').replace(b'"Signature": "', b'"Signature": "A'), wrong


def test_a_forged_call_is_refused(name: str) -> None:
    call = first(name, EventType.DELIVERED)(1)
    assert read(name, call)
    body, headers = call
    for wrong in (tampered(call), (body, {}) if headers else tampered(call)):
        with pytest.raises(WebhookError, match="invalid webhook signature"):
            read(name, wrong)


@pytest.mark.parametrize("name", ["resend", "sendgrid", "ses"])
def test_a_changed_body_is_refused_where_the_vendor_signs_it(name: str) -> None:
    body, headers = first(name, EventType.DELIVERED)(1)
    with pytest.raises(WebhookError, match="invalid webhook signature"):
        read(name, (body.replace(b"a@example.org", b"b@example.org"), headers))


def test_headers_beyond_any_alphabet_are_a_forgery(name: str) -> None:
    body, headers = first(name, EventType.DELIVERED)(1)
    for odd in ("é", "\udcff", "\x00", "Basic \udcff", "Basic ====", "v1,\udcff", ""):
        if headers:
            with pytest.raises(WebhookError):
                read(name, (body, dict.fromkeys(headers, odd)))


def test_without_its_secret_a_webhook_believes_nobody(name: str) -> None:
    with pytest.raises(WebhookError, match="aren't set up"):
        made_for_webhooks(name, KEYS).parse_webhook(*first(name, EventType.DELIVERED)(1))


def test_a_late_retry_with_its_first_signature_is_believed() -> None:
    """Mailgun repeats a call for eight hours with the first one's time and signature; its token is its identity."""
    complained = {"event": "complained", "recipient": "a@example.org", "user-variables": {"delivery": MARK}}
    call = mailgun_signed(complained, at=NOW - dt.timedelta(hours=8))
    (event,), (again,) = read("mailgun", call), read("mailgun", call)
    assert event.type is EventType.COMPLAINT
    assert event.id == again.id == "t1"
    for kept in (svix(b"{}", at=NOW - dt.timedelta(days=1)), ecdsa(b"[]", at=NOW - dt.timedelta(days=1))):
        assert read("resend" if "Svix-Id" in kept[1] else "sendgrid", kept) == []


# SNS, exactly (S27).


def topic_of(fetch: Callable[[str], bytes]) -> Ses:
    return Ses(SesOptions(region="us-east-1", topic_arn=TOPIC), KEYS, lambda: NOW, fetch)


BOUNCE = {
    "eventType": "Bounce",
    "mail": {"tags": {"delivery": [MARK]}, "destination": ["a@example.org"]},
    "bounce": {"bounceType": "Permanent", "bounceSubType": "General"},
}


def test_a_subscription_to_our_topic_is_confirmed_and_one_to_another_is_not() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    confirm = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
    call = sns({}, kind="SubscriptionConfirmation", SubscribeURL=confirm, Token="t")
    assert list(topic_of(fetch).parse_webhook(*call)) == []
    assert asked == [CERTIFICATE, confirm]
    other = sns({}, kind="SubscriptionConfirmation", SubscribeURL=confirm, Token="t", TopicArn=f"{TOPIC}2")
    with pytest.raises(WebhookError, match="another topic"):
        topic_of(fetch).parse_webhook(*other)


def test_leaving_a_topic_is_no_event_and_fetches_nothing_more() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    back = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
    call = sns(BOUNCE, kind="UnsubscribeConfirmation", SubscribeURL=back, Token="t")
    assert list(topic_of(fetch).parse_webhook(*call)) == []
    assert asked == [CERTIFICATE]


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://x@sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com:444/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/cert.pem",
        "https://sns.us-east-1.amazonaws.com/x/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
        "https://sns.us-east-1.amazonaws.com\n/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com\\@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://s3.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://[",
        "",
    ],
)
def test_a_certificate_is_fetched_from_sns_and_from_nobody_else(url: str) -> None:
    def fetch(_url: str) -> bytes:
        raise AssertionError("fetched")

    with pytest.raises(WebhookError):
        topic_of(fetch).parse_webhook(*sns(BOUNCE, SigningCertURL=url))


@pytest.mark.parametrize(
    ("change", "signed"),
    [
        ({"Type": "Other"}, "Message"),
        ({"Type": "notification"}, "Message"),
        ({"Type": ""}, "Message"),
        ({"Type": "Notification\n"}, "Message"),
        ({"MessageId": "1\nTimestamp\nx"}, "MessageId"),
        ({"Timestamp": "2022-10-12T15:00:00.000Z\nTopicArn"}, "Timestamp"),
        ({"Timestamp": 5}, "Timestamp"),
        ({"MessageId": None}, "MessageId"),
        ({"Message": None}, "Message"),
        ({"Message": {"eventType": "Bounce"}}, "Message"),
        ({"SignatureVersion": "3"}, "SignatureVersion"),
        ({"SignatureVersion": None}, "SignatureVersion"),
        ({"Signature": "!!!"}, "Signature"),
        ({"Signature": None}, "Signature"),
        ({"Subject": "added"}, "Subject"),
        ({"TopicArn": [TOPIC]}, "TopicArn"),
    ],
)
def test_an_envelope_that_could_be_read_in_two_ways_is_nobodys(change: dict[str, Any], signed: str) -> None:
    del signed
    body, headers = sns(BOUNCE)
    assert read("ses", (body, headers))
    with pytest.raises(WebhookError):
        read("ses", (json.dumps({**json.loads(body), **change}).encode(), headers))


def test_a_signature_over_line_feeds_in_a_field_is_not_believed() -> None:
    """What AWS would sign for somebody's own topic, cut anew so that it reads as ours."""
    forged = sns(BOUNCE, MessageId="1\nTimestamp\n2022\nTopicArn\nx")
    with pytest.raises(WebhookError, match="MessageId"):
        read("ses", forged)


def test_a_subject_with_a_line_feed_is_fine() -> None:
    assert read("ses", sns(BOUNCE, Subject="two\nlines"))


# What comes in.


def test_a_nul_or_half_a_letter_in_any_field_never_comes_in(name: str) -> None:
    """No database takes them (S18, S27): each text of each event in turn."""
    for kinds, call in REASONS[name]:
        if not kinds:
            continue
        body, _ = call(1)
        for odd in ("\x00", "\ud800", "a\x00b@example.org", "\udfff\ud800", "\x1b[2J", "x" * 5_000):
            for document in texts(inner(name, body), odd):
                for event in read(name, signed_again(name, document)):
                    assert_clean(event)


def texts(document: Any, odd: str) -> list[Any]:
    """The document with each text in turn replaced."""
    found = []
    for path, changed in mutations(document):
        if path.endswith("= '\\ud800'"):
            found.append(json.loads(json.dumps(changed).replace('"\\ud800"', json.dumps(odd))))
    if isinstance(document, list | dict):
        found += _replaced(document, odd)
    return found


def _replaced(value: Any, odd: str) -> list[Any]:
    if isinstance(value, str):
        return [odd]
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    made = []
    for key in keys:
        for other in _replaced(value[key], odd):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = other
            made.append(copy)
    return made


def inner(name: str, body: bytes) -> Any:
    """What the vendor says, without its envelope."""
    whole = json.loads(body)
    if name == "mailgun":
        return whole["event-data"]
    return json.loads(whole["Message"]) if name == "ses" else whole


def signed_again(name: str, document: Any) -> Call:
    body = json.dumps(document).encode()
    match name:
        case "resend":
            return svix(body)
        case "mailgun":
            return mailgun_signed(document)
        case "sendgrid":
            return ecdsa(body)
        case "ses":
            return sns(document)
        case _:
            return basic(body)


def assert_clean(event: Event) -> None:
    for text in (event.id, event.mark, event.address, event.detail):
        assert not {"\x00", "\x1b"} & set(text), event
        text.encode("utf-8")
        assert len(text) <= 2_000
    assert event.at <= NOW
    assert event.delivery is None


def test_no_value_of_another_kind_ends_in_an_error_or_in_a_hard_bounce_for_nobody(name: str) -> None:
    for kinds, call in REASONS[name][:: 3 if name != "ses" else 6]:
        if kinds:
            body, _ = call(1)
            for _, document in mutations(inner(name, body)):
                for event in read(name, signed_again(name, document)):
                    assert_clean(event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *("event", "type", "data", "tags", "RecordType", "timestamp", "ts_epoch", "time", "event-data", "mail"),
    *("eventType", "bounce", "complaint", "email", "reason", "delivery-status", "severity", "Metadata", "error"),
]


@settings(max_examples=60, deadline=None)
@given(document=st.dictionaries(st.sampled_from(FIELDS), JSON) | st.lists(JSON, max_size=3) | JSON, raw=st.binary())
def test_no_body_ends_in_another_error_than_ours(document: Any, raw: bytes) -> None:
    for name in READERS:
        for event in read(name, signed_again(name, document)):
            assert_clean(event)
    for name, call in (
        ("resend", svix(raw)),
        ("mailgun", (raw, {})),
        ("postmark", basic(raw)),
        ("mailjet", basic(raw)),
        ("brevo", basic(raw)),
        ("sendgrid", ecdsa(raw)),
        ("ses", (raw, {})),
    ):
        try:
            read(name, call)
        except NewsletterError:
            continue


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "python-requests/2", "Mozilla/5.0", "Barracuda Sentinel"])
def test_a_programs_open_is_a_machines(agent: str) -> None:
    (event,) = read("mailgun", mailgun_call("opened", **{"client-info": {"user-agent": agent}})(1))
    assert event.machine
    (person,) = read("mailgun", mailgun_call("opened", **{"client-info": {"user-agent": "Mozilla/5.0 (X11)"}})(1))
    assert not person.machine
