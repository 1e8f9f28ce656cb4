"""Amazon SES v2 (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html): one template with
data for up to 50 recipients, through boto3.

SES can't tell what became of a call whose answer never came, so a person has to. It escapes nothing in a template, so
that every field travels twice, once for HTML; braces that somebody wrote travel as a field, too.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import html
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused, Unavailable, WebhookError
from newsletter.merge import MergeField, MergeText
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import everybody
from newsletter.tables import Table

#: What SES says of an entry, or of a call, when it may be tried again; nothing of it was taken.
_LATER = {"ACCOUNT_DAILY_QUOTA_EXCEEDED", "ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"}
_SLOWER = {"LimitExceededException", "Throttling", "ThrottlingException", "TooManyRequestsException"}
#: What SES says of an entry when it's about the recipient; anything else is about us.
_PERSONAL = {"FAILED", "INVALID_PARAMETER", "MESSAGE_REJECTED"}
_KINDS = {
    "Delivery": EventType.DELIVERED,
    "DeliveryDelay": EventType.SOFT_BOUNCE,
    "Complaint": EventType.COMPLAINT,
    "Subscription": EventType.UNSUBSCRIBED,
    "Open": EventType.OPENED,
    "Click": EventType.CLICKED,
    "Reject": EventType.FAILED,
    "Rendering Failure": EventType.FAILED,
}
#: What SNS signs, in this order.
_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_BRACE = re.compile(r"\{(?=\{)|\{$")
_AWS_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`region` is the AWS region; the credentials come as boto3 finds them. Events come from the SNS topic
    `topic_arn`, to which `configuration_set` publishes. `timeout` in seconds.
    """

    region: str
    configuration_set: str = ""
    topic_arn: str = ""
    base_url: str = ""
    timeout: float = 60.0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _fetch(url: str) -> bytes:
    """What lies at an address of AWS."""
    with requests.get(url, timeout=10, allow_redirects=False) as answer:
        answer.raise_for_status()
        return answer.content


class Ses(Provider):
    """Up to 50 recipients a call. `fetch` gets SNS's certificates, and confirms a subscription."""

    name: ClassVar[str] = "ses"
    recovery: ClassVar[Recovery] = Recovery(how=How.NONE)

    def __init__(
        self,
        options: Options,
        environment: Mapping[str, str],
        now: Callable[[], dt.datetime] = _now,
        fetch: Callable[[str], bytes] = _fetch,
    ) -> None:
        self.limits = Limits(recipients=50, parallel=4, copies=False)
        self._options, self._now, self._fetch = options, now, fetch
        self._certificates: dict[str, bytes] = {}
        self._client = _client(options, environment)

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch; SES answers for each recipient."""
        entries = self._call("send_bulk_email", **self.body(batch)).get("BulkEmailEntryResults", [])
        if len(entries) != len(batch.recipients):
            raise OutcomeUnknown("SES's answer can't be read")
        states = {str(entry.get("Status")) for entry in entries}
        if not states.intersection({"SUCCESS", *_LATER, *_PERSONAL}):
            raise Refused(f"SES refused the call: {min(states)}: {entries[0].get('Error', '')}")
        return [_receipt(r, entry) for r, entry in zip(batch.recipients, entries, strict=True)]

    def settle(self, batch: Batch) -> list[Receipt]:
        """SES can't be asked; a person decides."""
        return everybody(batch, Outcome.UNKNOWN, "SES can't tell; look for the tag among its events")

    def body(self, batch: Batch) -> dict[str, Any]:
        """The call's parameters, as boto3 takes them."""
        fields: dict[MergeField, int] = {}
        content = {
            "Subject": _compiled(batch.content.subject, fields, "t"),
            "Text": _compiled(batch.content.text, fields, "t"),
            "Html": _compiled(batch.content.html, fields, "h"),
        }
        template = {
            "TemplateContent": content,
            "TemplateData": json.dumps(_values({}, fields), ensure_ascii=False),
            "Headers": [{"Name": name, "Value": value} for name, value in batch.headers],
        }
        body: dict[str, Any] = {
            "FromEmailAddress": batch.sender,
            "DefaultContent": {"Template": template},
            "BulkEmailEntries": [_entry(batch, recipient, fields) for recipient in batch.recipients],
        }
        if batch.reply_to:
            body["ReplyToAddresses"] = [batch.reply_to]
        if self._options.configuration_set:
            body["ConfigurationSetName"] = self._options.configuration_set
        return body

    def prove(self, sender: str) -> Sequence[Proof]:
        """The credentials, whether the account may send to everybody, and whether the sender's domain is verified."""
        account = self._call("get_account")
        able = bool(account.get("SendingEnabled")) and bool(account.get("ProductionAccessEnabled"))
        told = "may send to everybody" if able else "is in the sandbox, or its sending is paused"
        proofs = [Proof(about="account", fine=able, told=told)]
        domain = sender.rpartition("@")[2]
        try:
            identity = self._call("get_email_identity", EmailIdentity=domain)
            fine = bool(identity.get("VerifiedForSendingStatus"))
            proofs.append(Proof(about="sender", fine=fine, told=f"{domain} is {'' if fine else 'not '}verified"))
        except Refused as fault:
            proofs.append(Proof(about="sender", fine=False, told=f"{domain}: {fault.what}"))
        return proofs

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """The events in an SNS notification, signed by AWS's certificate
        (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). A new subscription to our
        topic is confirmed.
        """
        del headers
        if not self._options.topic_arn:
            raise WebhookError("webhooks aren't set up", hint="set topic_arn of the provider in config.toml")
        envelope = webhooks.document(body)
        if webhooks.part(envelope, "TopicArn") != self._options.topic_arn:
            raise webhooks.forged("another topic")
        self._verify(envelope)
        if envelope.get("Type") == "SubscriptionConfirmation":
            self._get(str(envelope.get("SubscribeURL")))
            return []
        message = webhooks.document(str(envelope.get("Message")).encode())
        return _events(message, str(envelope.get("MessageId")), self._now()) if isinstance(message, dict) else []

    def _verify(self, envelope: Mapping[str, Any]) -> None:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
            from cryptography.x509 import load_pem_x509_certificate
        except ImportError:
            hint = "pip install 'newsletter-desk[ses]'"
            raise ConfigError("SES's webhooks need the package cryptography", hint=hint) from None
        names = _SIGNED if envelope.get("Type") == "Notification" else _SIGNED_CONFIRMATION
        signed = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode()
        algorithm = hashes.SHA1() if envelope.get("SignatureVersion") == "1" else hashes.SHA256()  # noqa: S303 (theirs)
        url = str(envelope.get("SigningCertURL"))
        if url not in self._certificates:
            self._certificates[url] = self._get(url)
        try:
            key = load_pem_x509_certificate(self._certificates[url]).public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise ValueError
            signature = base64.b64decode(str(envelope.get("Signature")), validate=True)
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError):
            raise webhooks.forged("the signature is wrong") from None

    def _get(self, url: str) -> bytes:
        """Fetch from SNS, and from nobody else."""
        try:
            parts = urlsplit(url)
            if parts.scheme != "https" or not _AWS_HOST.fullmatch(parts.netloc):
                raise webhooks.forged("it names an address that is not SNS's")
            return self._fetch(url)
        except (requests.RequestException, ValueError):
            raise WebhookError("SNS's certificate can't be had") from None

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call that is never repeated, and what its failure means."""
        from botocore import exceptions as aws

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except (aws.EndpointConnectionError, aws.ConnectTimeoutError):
            raise Unavailable("no connection to SES") from None
        except (aws.NoCredentialsError, aws.PartialCredentialsError):
            raise Refused("there are no credentials for SES", hint="set $AWS_ACCESS_KEY_ID and the like") from None
        except aws.ParamValidationError as fault:
            raise Refused(f"SES's own description refuses the call: {fault}") from None
        except aws.ClientError as fault:
            raise _meaning(fault.response) from None
        except (aws.HTTPClientError, aws.BotoCoreError) as fault:
            raise OutcomeUnknown(f"SES gave no usable answer: {type(fault).__name__}") from None
        return answer

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the topic is named that events come from."""
        topic = self._options.topic_arn
        return [Proof(about="webhooks", fine=True if topic else None, told=topic or "not set up: topic_arn")]

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def _client(options: Options, environment: Mapping[str, str]) -> Any:
    """boto3's client, which repeats no call by itself."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        hint = "pip install 'newsletter-desk[ses]'"
        raise ConfigError("SES needs the package boto3", hint=hint) from None
    session = boto3.session.Session(
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID") or None,
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or None,
        aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
    )
    settings = Config(
        retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=options.timeout, max_pool_connections=1
    )
    return session.client("sesv2", region_name=options.region, endpoint_url=options.base_url or None, config=settings)


def _meaning(response: Mapping[str, Any]) -> Exception:
    """What an error of SES means for the whole call."""
    code, said = (str(webhooks.part(response, "Error", key) or "") for key in ("Code", "Message"))
    status = webhooks.part(response, "ResponseMetadata", "HTTPStatusCode") or 0
    if code in _SLOWER or status == 429:
        return Unavailable(f"SES wants us slower: {said or code}")
    if status >= 500:
        return OutcomeUnknown(f"SES answered {status}: {said or code}")
    if status in (401, 403):
        return Refused(f"SES doesn't accept the key: {said or code}", hint="check the key and its rights")
    return Refused(f"SES refused the call: {code}: {said}")


def _compiled(text: MergeText, fields: dict[MergeField, int], kind: str) -> str:
    """A text in SES's syntax. A brace that somebody wrote where it could begin a field becomes one."""
    pieces = []
    for part in text:
        if isinstance(part, str):
            pieces.append(_BRACE.sub("{{brace}}", part))
        else:
            pieces.append("{{" + f"{kind}{fields.setdefault(part, len(fields))}" + "}}")
    return "".join(pieces)


def _values(values: Mapping[str, str], fields: Mapping[MergeField, int]) -> dict[str, str]:
    data = {"brace": "{"}
    for field, number in fields.items():
        value = field.value(dict(values))
        data |= {f"t{number}": value, f"h{number}": html.escape(value)}
    return data


def _entry(batch: Batch, recipient: Recipient, fields: Mapping[MergeField, int]) -> dict[str, Any]:
    data = json.dumps(_values(recipient.values, fields), ensure_ascii=False)
    entry: dict[str, Any] = {
        "Destination": {"ToAddresses": [recipient.address]},
        "ReplacementTags": [
            {"Name": "batch", "Value": batch.tag},
            {"Name": "delivery", "Value": str(recipient.delivery)},
        ],
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": data}},
    }
    if url := recipient.values.get("unsubscribe_url", ""):
        entry["ReplacementHeaders"] = [
            {"Name": "List-Unsubscribe", "Value": f"<{url}>"},
            {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
        ]
    return entry


def _receipt(recipient: Recipient, entry: Mapping[str, Any]) -> Receipt:
    status = str(entry.get("Status"))
    if status == "SUCCESS":
        known = str(entry.get("MessageId", ""))
        return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=known)
    outcome = Outcome.REFUSED if status in _PERSONAL else Outcome.DEFERRED
    detail = f"{status}: {entry.get('Error', '')}".replace(recipient.address, "…")
    return Receipt(delivery=recipient.delivery, outcome=outcome, detail=detail)


def _events(message: Mapping[str, Any], identity: str, now: dt.datetime) -> list[Event]:
    """The events of a notification: a bounce or a complaint may be of several recipients, ours has one."""
    name = str(message.get("eventType") or message.get("notificationType"))
    kind = _KINDS.get(name)
    if name == "Bounce":
        permanent = webhooks.part(message, "bounce", "bounceType") == "Permanent"
        kind = EventType.HARD_BOUNCE if permanent else EventType.SOFT_BOUNCE
    if kind is None:
        return []
    about = webhooks.part(message, name[:1].lower() + name[1:]) or {}
    deliveries = webhooks.part(message, "mail", "tags", "delivery")
    to = webhooks.part(message, "mail", "destination")
    return [
        webhooks.event(
            kind,
            id=identity,
            at=webhooks.moment(webhooks.part(about, "timestamp"), now),
            delivery=deliveries[0] if isinstance(deliveries, list) and deliveries else None,
            address=to[0] if isinstance(to, list) and to else "",
            detail=webhooks.part(about, "bounceSubType") or webhooks.part(about, "link"),
            agent=webhooks.part(about, "userAgent"),
        )
    ]
