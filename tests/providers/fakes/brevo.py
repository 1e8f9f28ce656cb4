"""Brevo (https://developers.brevo.com/reference/sendtransacemail; its Node SDK's ErrorModel.CodeEnum)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said

#: https://developers.brevo.com/changelog/email-api-now-supports-idempotency; another page says 30 minutes.
_WINDOW = dt.timedelta(minutes=15)


def error(status: int, code: str, message: str) -> Said:
    """https://developers.brevo.com/docs/how-it-works: {"code", "message"}."""
    return Said(status, {"code": code, "message": message})


class BrevoFake(Fake):
    """Refuses a call that it has had within 15 minutes, by the UUID among the body's headers."""

    sending = "/v3/smtp/email"
    troubles: ClassVar[Mapping[str, Said]] = {
        # SDK, CodeEnum; the statuses by those whom it befell
        "credits": error(402, "not_enough_credits", "You do not have enough credits to send the email."),
        "suspended": error(403, "permission_denied", "Your account is suspended. Please contact the support."),
        "sandbox": error(403, "account_under_validation", "Your account is under validation."),
        "sender": error(
            400, "invalid_parameter", "Sending has been rejected because the sender you used is not valid."
        ),
        "address": error(401, "unauthorized", "We have detected you are using an unrecognised IP address 192.0.2.7."),
    }

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, dt.datetime] = {}

    def accounts(self) -> dict[str, Any]:
        return {"/v3/senders/domains": {"domains": [{"domain_name": "example.org", "authenticated": self.verified}]}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("api-key") == KEY

    def wrong_key(self) -> Said:
        return error(401, "unauthorized", "Key not found")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["headers"]["X-Mailin-custom"]).removeprefix("delivery:")

    def letter(self, message: dict[str, Any]) -> Letter:
        return Letter(
            name=message["sender"].get("name", ""),
            sender=message["sender"]["email"],
            subject=message["subject"],
            html=message["html"],
            text=message["text"],
            headers=message["headers"],
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        key = str(uuid.UUID(call["headers"]["idempotencyKey"]))
        if key in self.calls and self.calls[key] + _WINDOW > self.clock():
            return error(400, "duplicate_parameter", "idempotencyKey was already used")
        if self.ailing():
            return self.troubles[self.trouble]
        versions = call["messageVersions"]
        if wrong := self._wrong(call, versions):
            return wrong
        self.calls[key] = self.clock()
        ids = []
        for version in versions:
            address = version["to"][0]["email"]
            told = {**version, "sender": call["sender"], "html": version["htmlContent"], "text": version["textContent"]}
            if address in self.suppressed:  # taken, and told of as "blocked" (event names)
                self.events.append({"event": "blocked", "reason": self.suppressed[address], "email": address})
                ids.append(f"<blocked-{address}>")
            else:
                ids.append(f"<br-{self.take(address, told)}>")
        return Said(201, {"messageIds": ids})

    def _wrong(self, call: dict[str, Any], versions: list[dict[str, Any]]) -> Said | None:
        if len(versions) > 1000 or any(len(version["to"]) > 99 for version in versions):
            return error(400, "invalid_parameter", "messageVersions: too many")
        if any(v["to"][0]["email"] in self.refuse or not v["to"][0]["email"].isascii() for v in versions):
            return error(400, "invalid_parameter", "email is not valid in to")
        # django-anymail, docs/esps/brevo.rst: what isn't ASCII goes out raw, and may be undeliverable.
        if not json.dumps([call["headers"], *(v["headers"] for v in versions)], ensure_ascii=False).isascii():
            return error(400, "invalid_parameter", "headers must be ASCII")
        return None

    def slow_down(self) -> Said:
        """https://developers.brevo.com/docs/limit-headers: seconds left."""
        return Said(429, {"code": "too_many_requests", "message": "too many"}, {"x-sib-ratelimit-reset": self.wait})
