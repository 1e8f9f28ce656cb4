"""Amazon SES v2 (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html): one template with
data for up to 50 recipients, through boto3.

SES can't tell what became of a call whose answer never came, so a person has to. It escapes nothing in a template, so
that every field travels twice, once for HTML; braces that somebody wrote travel as a field, too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from newsletter.config.rules import require_api_url, require_between
from newsletter.errors import BadRecipient, ConfigError, Later, NotSent, Ours, OutcomeUnknown, ProviderError
from newsletter.model import Call, Event, Receipt, Recipient, Route
from newsletter.providers import How, Limits, Provider, Recovery, Verification, sns, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning, fault_of, vendor_words
from newsletter.providers.http import Entry, each, key_in, only
from newsletter.providers.merging import Template, leaving
from newsletter.providers.ses_events import events_of
from newsletter.tables import Table

_BULK = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BulkEmailEntryResult.html"
_ERRORS = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html#API_SendBulkEmail_Errors"
_FAULTS = (
    Fault(
        meaning=Meaning.OURS,
        words="not verified",
        hint="verify the sender, and ask AWS to take the account out of the sandbox",
        source=f"{_BULK}; https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="ACCOUNT_DAILY_QUOTA_EXCEEDED|LimitExceededException",
        hint="the quota of 24 hours is used up: wait, or ask AWS for more",
        source=_BULK,
    ),
    Fault(
        meaning=Meaning.OURS,
        words="daily (message|sending) quota|quota exceeded",
        hint="the quota of 24 hours is used up: wait, or ask AWS for more",
        source="https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html",
    ),
    Fault(
        meaning=Meaning.LATER,
        code="ACCOUNT_THROTTLED|Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded",
        source=f"{_BULK}; {_ERRORS}",
    ),
    Fault(meaning=Meaning.MAILBOX_LATER, code="TRANSIENT_FAILURE", source=_BULK),
    OUR_OWN,
    Fault(
        meaning=Meaning.MAILBOX,
        code="INVALID_PARAMETER",
        words="address|domain|local part|recipient",
        source=_BULK,
    ),
    Fault(
        meaning=Meaning.BAD_RECIPIENT,
        status=(400,),
        code="BadRequestException|InvalidParameterValue",
        words=r"illegal (email )?address|invalid (email )?address|missing final|local address contains|destination",
        source="https://github.com/anymail/django-anymail, amazon_ses.py: one malformed address refuses the call",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="ACCOUNT_SUSPENDED|ACCOUNT_SENDING_PAUSED|CONFIGURATION_SET_SENDING_PAUSED|AccountSuspendedException|"
        "SendingPausedException",
        hint="AWS has paused or suspended sending: see the SES console",
        source=f"{_BULK}; {_ERRORS}",
    ),
    Fault(
        meaning=Meaning.OURS,
        status=(401, 403),
        hint="check the credentials, their rights, and this machine's clock",
        source="https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html",
    ),
)
#: Errors of the API's own that say that nothing was taken; others of 4xx may come from anybody on the way.
_NAMED = re.compile(
    r"\w+(Exception|Error|Failure)|MessageRejected|Throttling|AccessDenied|OptInRequired|NotAuthorized|InvalidClientTokenId|"
    r"SignatureDoesNotMatch|UnrecognizedClient\w*|ExpiredToken|InvalidParameterValue|IncompleteSignature"
)
#: The statuses of an entry that wasn't taken.
_REFUSED = (
    *("MESSAGE_REJECTED", "MAIL_FROM_DOMAIN_NOT_VERIFIED", "CONFIGURATION_SET_NOT_FOUND", "TEMPLATE_NOT_FOUND"),
    *("ACCOUNT_SUSPENDED", "ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED", "INVALID_SENDING_POOL_NAME"),
    *("ACCOUNT_SENDING_PAUSED", "CONFIGURATION_SET_SENDING_PAUSED", "INVALID_PARAMETER", "TRANSIENT_FAILURE", "FAILED"),
)
#: What can't stand as it is before a field: a brace, and a backslash, with which Handlebars escapes one.
_BRACE = re.compile(r"\{(?=\{)|\{$|\\(?=\\*(?:\{\{|\{?$))")
_ESCAPES = {"{": "{{brace}}", "\\": "{{backslash}}"}


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

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region):
            raise ValueError('"region" must be an AWS region such as us-east-1')
        if self.base_url:
            require_api_url("base_url", self.base_url)
        if self.topic_arn and not re.fullmatch(r"arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?", self.topic_arn):
            raise ValueError('"topic_arn" must be the ARN of an SNS topic')
        require_between("timeout", self.timeout, 1, 600, "seconds")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Ses(Provider):
    """Up to 50 recipients a call. `fetch` gets SNS's certificates, and confirms a subscription."""

    name: ClassVar[str] = "ses"
    limits: ClassVar[Limits] = Limits(recipients=50, parallel=4, copies=False)
    recovery = Recovery(how=How.NONE)
    faults: ClassVar[Sequence[Fault]] = _FAULTS

    def __init__(
        self,
        options: Options,
        environment: Mapping[str, str],
        now: Callable[[], dt.datetime] = _now,
        fetch: Callable[[str], bytes] = sns.fetch,
    ) -> None:
        self._options, self._environment, self._now = options, environment, now
        self._topic = sns.Topic(options.topic_arn, fetch)
        self.timeout = options.timeout

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def route(self) -> Route:
        """The region, the configuration set, and the access key's id, which isn't a secret."""
        settings = {"region": self._options.region, "base_url": self._options.base_url}
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ConfigError(
                "there are no credentials for SES", hint="set $AWS_ACCESS_KEY_ID and the like, or a profile"
            )
        # A role's keys change by the hour; its account doesn't.
        lasting = credentials.method not in (
            "iam-role",
            "assume-role",
            "assume-role-with-web-identity",
            "container-role",
        )
        return Route(type=self.name, settings={**settings, "key": credentials.access_key if lasting else "role"})

    @cached_property
    def _session(self) -> Any:
        """boto3's session; ConfigError where its profile or its package is missing."""
        try:
            import boto3
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise ConfigError("SES needs the package boto3", hint="pip install 'newsletter-desk[ses]'") from None
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        key, secret, token = (key_in(self._environment, name, "SES") or None for name in names)
        try:
            return boto3.session.Session(
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                profile_name=None if key else self._environment.get("AWS_PROFILE") or None,
            )
        except BotoCoreError as fault:
            raise ConfigError(f"boto3 can't be set up: {vendor_words(str(fault))}", hint="check $AWS_PROFILE") from None

    @cached_property
    def _client(self) -> Any:
        """boto3's client, which repeats no call by itself."""
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        settings = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=10,
            read_timeout=self._options.timeout,
            max_pool_connections=1,
        )
        try:
            return self._session.client(
                "sesv2",
                region_name=self._options.region,
                endpoint_url=self._options.base_url or None,
                config=settings,
            )
        except (BotoCoreError, ValueError) as fault:
            raise ConfigError(
                f"boto3 can't be set up: {vendor_words(str(fault))}", hint="check region and base_url"
            ) from None

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch; SES answers for each recipient."""
        try:
            answer = self._call("send_bulk_email", **self.body(call))
        except BadRecipient as fault:
            return only(call, fault)
        entries = answer.get("BulkEmailEntryResults")
        if not isinstance(entries, list) or len(entries) != len(call.recipients):
            raise OutcomeUnknown("SES's answer can't be read")
        return each(call, self.faults, "SES", [_verdict(entry) for entry in entries])

    def settle(self, call: Call) -> Iterator[Receipt]:
        """SES can't be asked; a person decides."""
        del call
        return iter(())

    def body(self, call: Call) -> dict[str, Any]:
        """The call's parameters, as boto3 takes them."""
        template = Template(call.content, lambda name: "{{" + name + "}}", _literal)
        body: dict[str, Any] = {
            "FromEmailAddress": _ascii(call),
            "DefaultContent": {
                "Template": {
                    "TemplateContent": {"Subject": template.subject, "Text": template.text, "Html": template.html},
                    "TemplateData": _data({}, template),
                    "Headers": [{"Name": name, "Value": value} for name, value in call.headers],
                }
            },
            "BulkEmailEntries": [_entry(call, recipient, template) for recipient in call.recipients],
        }
        if call.reply_to:
            body["ReplyToAddresses"] = [call.reply_to]
        if self._options.configuration_set:
            body["ConfigurationSetName"] = self._options.configuration_set
        return body

    def verify(self, sender: str) -> Sequence[Verification]:
        """The credentials, whether the account may send to everybody, and whether the sender's domain is verified."""
        account = self._call("get_account")
        able = bool(account.get("SendingEnabled")) and bool(account.get("ProductionAccessEnabled"))
        found = "may send to everybody" if able else "is in the sandbox, or its sending is paused"
        looked_at = [Verification(about="account", fine=able, found=found)]
        domain = sender.rpartition("@")[2]
        try:
            identity = self._call("get_email_identity", EmailIdentity=domain)
            fine = bool(identity.get("VerifiedForSendingStatus"))
            found = f"{domain} is {'' if fine else 'not '}verified"
            looked_at.append(Verification(about="sender", fine=fine, found=found))
        except Ours as fault:
            looked_at.append(Verification(about="sender", fine=False, found=f"{domain}: {fault.what}"))
        except ProviderError as fault:
            looked_at.append(Verification(about="sender", fine=None, found=f"{domain}: {fault.what}"))
        return looked_at

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """The events in an SNS notification. A new subscription to our topic is confirmed."""
        del headers
        notification = self._topic.read(body)
        if notification is None:
            return []
        message = webhooks.document(notification.message.encode("utf-8", "replace"))
        return events_of(message, notification.id, self._now()) if isinstance(message, dict) else []

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call that is never repeated, and what its failure means."""
        from botocore import exceptions as aws

        ask = getattr(self._client, operation)
        try:
            answer = ask(**parameters)
        except (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError) as fault:
            raise NotSent(f"nothing was sent to SES: {type(fault).__name__}", hint="check the network") from None
        except aws.SSLError as fault:
            # One class for a certificate that isn't valid and for a connection that broke after the request.
            if "certificate" in str(fault).lower():
                hint = "check base_url and this machine's clock"
                raise NotSent("nothing was sent to SES: the certificate is not valid", hint=hint) from None
            raise OutcomeUnknown("no usable answer from SES: the connection broke") from None
        except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.TokenRetrievalError, aws.SSOError) as fault:
            hint = "set $AWS_ACCESS_KEY_ID and the like, or log in again"
            raise Ours(f"no credentials for SES: {type(fault).__name__}", hint=hint) from None
        except aws.ParamValidationError as fault:
            raise Ours(f"SES's own description refuses the call: {vendor_words(str(fault))}") from None
        except aws.ClientError as fault:
            raise _refusal(fault.response, self.faults) from None
        except Exception as fault:
            raise OutcomeUnknown(f"no usable answer from SES: {type(fault).__name__}") from None
        return answer if isinstance(answer, dict) else {}

    def verify_webhooks(self) -> Sequence[Verification]:
        """Whether the topic is named that events come from."""
        topic = self._options.topic_arn
        return [Verification(about="webhooks", fine=True if topic else None, found=topic or "not set up: topic_arn")]

    def close(self) -> None:
        """Give the connections back."""
        if "_client" in self.__dict__:
            self._client.close()


def _ascii(call: Call) -> str:
    """The sender, a name beyond ASCII encoded (RFC 2047), as the API wants it."""
    from email.utils import formataddr

    return formataddr((call.sender.name, call.sender.address))


def _refusal(response: Mapping[str, Any], faults: Sequence[Fault]) -> ProviderError:
    """What an error of SES means for the whole call."""
    code, words = (str(webhooks.part(response, "Error", key) or "") for key in ("Code", "Message"))
    status = webhooks.part(response, "ResponseMetadata", "HTTPStatusCode") or 0
    named = bool(_NAMED.fullmatch(code)) and status < 500
    said = f"SES answered {status}" + (f": {vendor_words(f'{code}: {words}')}" if named else "")
    row = fault_of(faults, status=status, code=code, words=words if named else "")
    row = row if named or status in (401, 403) else None
    if row is not None and row.meaning is Meaning.LATER:
        return Later(said, hint=row.hint)
    if row is not None and row.meaning in (Meaning.BAD_RECIPIENT, Meaning.MAILBOX):
        return BadRecipient(said)
    if row is not None and row.meaning is Meaning.OURS:
        return Ours(said, hint=row.hint)
    if status == 429:
        return Later(said)
    if named and status in (400, 403, 404, 413):
        return Ours(said, hint="see the SES console")
    return OutcomeUnknown(said)


def _literal(text: str, kind: str) -> str:
    """A brace or a backslash that somebody wrote where it could begin or escape a field becomes one."""
    del kind
    return _BRACE.sub(lambda found: _ESCAPES[found[0]], text)


def _data(values: Mapping[str, str], template: Template) -> str:
    return json.dumps({"brace": "{", "backslash": "\\", **template.values(values)}, ensure_ascii=False)


def _entry(call: Call, recipient: Recipient, template: Template) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Destination": {"ToAddresses": [recipient.address]},
        "ReplacementTags": [{"Name": "batch", "Value": call.tag}, {"Name": "delivery", "Value": recipient.mark}],
        "ReplacementEmailContent": {
            "ReplacementTemplate": {"ReplacementTemplateData": _data(recipient.values, template)}
        },
    }
    if headers := leaving(recipient.values):
        entry["ReplacementHeaders"] = [{"Name": name, "Value": value} for name, value in headers.items()]
    return entry


def _verdict(entry: Any) -> Entry:
    status, known = (str(webhooks.part(entry, name) or "") for name in ("Status", "MessageId"))
    if status == "SUCCESS" and known:
        return Entry(message_id=known)
    if status not in _REFUSED:
        raise OutcomeUnknown("SES's answer lacks an id, or a status that is known")
    return Entry(code=status, words=str(webhooks.part(entry, "Error") or ""))
