"""Amazon SES v2 (botocore's description sesv2/2019-09-27: BulkEmailStatus, and the exceptions of SendBulkEmail)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said, mailbox


def error(status: int, kind: str, message: str) -> Said:
    """How REST-JSON names an exception: in a header."""
    return Said(status, {"message": message}, {"x-amzn-ErrorType": kind})


class SesFake(Fake):
    """Fills the template for each entry, as SES does, escaping nothing; can't be asked afterwards. Addresses on its
    lists are accepted and bounce by event.
    """

    sending = "/v2/email/outbound-bulk-emails"
    troubles: ClassVar[Mapping[str, Said]] = {
        "suspended": error(400, "AccountSuspendedException", "The account is suspended."),
        "paused": error(400, "SendingPausedException", "Sending is paused for this account."),
        "domain": error(400, "MailFromDomainNotVerifiedException", "The domain is not verified."),
        # https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html: the words tell it from a rate.
        "day": error(400, "Throttling", "Daily message quota exceeded."),
    }
    #: One entry's: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html for the sandbox's words.
    entries: ClassVar[Mapping[str, tuple[str, str]]] = {
        "quota": ("ACCOUNT_DAILY_QUOTA_EXCEEDED", "The account's daily quota is exceeded."),
        "sandbox": (
            "MESSAGE_REJECTED",
            "Email address is not verified. The following identities failed the check in region US-EAST-1: {address}",
        ),
        "sender": ("MAIL_FROM_DOMAIN_NOT_VERIFIED", "The domain is not verified."),
        "stopped": ("ACCOUNT_SENDING_PAUSED", "Sending is paused."),
    }

    def accounts(self) -> dict[str, Any]:
        return {
            "/v2/email/account": {"SendingEnabled": True, "ProductionAccessEnabled": True},
            "/v2/email/identities/example.org": {"VerifiedForSendingStatus": self.verified},
        }

    def authorized(self, headers: dict[str, str]) -> bool:
        return f"Credential={KEY}/" in headers.get("authorization", "")

    def wrong_key(self) -> Said:
        words = "The security token included in the request is invalid."
        return error(403, "UnrecognizedClientException", words)

    def delivery_of(self, message: dict[str, Any]) -> str:
        return next(str(tag["Value"]) for tag in message["tags"] if tag["Name"] == "delivery")

    def letter(self, message: dict[str, Any]) -> Letter:
        name, sender = mailbox(message["from"])
        headers = {one["Name"]: one["Value"] for one in message["headers"]}
        return Letter(
            name=name,
            sender=sender,
            subject=message["subject"],
            html=message["html"],
            text=message["text"],
            headers=headers,
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        people = call["BulkEmailEntries"]
        if not 0 < len(people) <= 50:
            return error(400, "BadRequestException", "1 to 50 entries")
        if not call["FromEmailAddress"].isascii():
            # API reference, FromEmailAddress: a name beyond ASCII has to be MIME-encoded.
            return error(400, "BadRequestException", "Missing final '@domain'")
        if self.ailing() and self.trouble in self.troubles:
            return self.troubles[self.trouble]
        for tag in (tag for entry in people for tag in entry["ReplacementTags"]):
            if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", word) for word in tag.values()):
                return error(400, "BadRequestException", "Invalid tag value")
        return Said(200, {"BulkEmailEntryResults": [self._result(call, entry) for entry in people]})

    def _result(self, call: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
        (address,) = entry["Destination"]["ToAddresses"]
        if address in self.refuse or not address.isascii():
            return {"Status": "INVALID_PARAMETER", "Error": f"Illegal email address: {address}"}
        if self.ailing():
            status, words = self.entries[self.trouble]
            return {"Status": status, "Error": words.format(address=address)}
        if address in self.suppressed:  # accepted, then told of as a bounce of that subtype
            self.events.append({"eventType": "Bounce", "bounceSubType": self.suppressed[address]})
            return {"Status": "SUCCESS", "MessageId": f"ses-suppressed-{len(self.events)}"}
        template = call["DefaultContent"]["Template"]
        data = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
        named = {"subject": "Subject", "text": "Text", "html": "Html"}
        filled = {name: _filled(template["TemplateContent"][key], data) for name, key in named.items()}
        headers = [*template["Headers"], *entry.get("ReplacementHeaders", [])]
        own = {"headers": headers, "tags": entry["ReplacementTags"], "from": call["FromEmailAddress"]}
        return {"Status": "SUCCESS", "MessageId": f"ses-{self.take(address, {**filled, **own})}"}

    def slow_down(self) -> Said:
        return error(429, "TooManyRequestsException", "Too many requests.")


def _filled(text: str, data: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: data[match[1]], text)
