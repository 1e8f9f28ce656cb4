"""Resend (https://resend.com/docs/api-reference/emails/send-batch-emails)."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said, mailbox

#: https://resend.com/docs/dashboard/emails/idempotency-keys
_WINDOW = dt.timedelta(hours=24)


def error(status: int, name: str, message: str, **headers: str) -> Said:
    """https://resend.com/docs/api-reference/errors: {"statusCode", "name", "message"}."""
    return Said(status, {"statusCode": status, "name": name, "message": message}, headers)


class ResendFake(Fake):
    """Same key and same bytes within 24 hours: the same answer; other bytes: a conflict
    (https://resend.com/docs/dashboard/emails/idempotency-keys). `busy`: the first call with a key is still under way.
    `restricted`: a key that may only send answers 401 to anything else (errors page, restricted_api_key).
    """

    sending = "/emails/batch"
    busy: bool = False
    restricted: bool = False
    #: https://resend.com/docs/api-reference/errors; suspended_api_key from resend-node, src/interfaces.ts.
    troubles: ClassVar[Mapping[str, Said]] = {
        "quota": error(429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
        "month": error(429, "monthly_quota_exceeded", "You have reached your monthly email sending quota."),
        "sandbox": error(
            403,
            "validation_error",
            "You can only send testing emails to your own email address (me@example.com). To send emails to other "
            "recipients, please verify a domain at resend.com/domains, and change the `from` address to an email "
            "using this domain.",
        ),
        "sender": error(403, "validation_error", "The example.org domain is not verified. Please, add and verify it."),
        "suspended": error(403, "suspended_api_key", "This API key is suspended."),
    }

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, tuple[bytes, Said, dt.datetime]] = {}

    def accounts(self) -> dict[str, Any]:
        return {"/domains": {"data": [{"name": "example.org", "status": "verified" if self.verified else "pending"}]}}

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        if self.restricted:
            return error(401, "restricted_api_key", "This API key is restricted to only send emails")
        return super().look(path, query)

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {KEY}"

    def wrong_key(self) -> Said:
        return error(401, "validation_error", "API key is invalid")  # the newer wording of the errors page

    def delivery_of(self, message: dict[str, Any]) -> str:
        return next(str(tag["value"]) for tag in message["tags"] if tag["name"] == "delivery")

    def letter(self, message: dict[str, Any]) -> Letter:
        name, sender = mailbox(message["from"])
        return Letter(
            name=name,
            sender=sender,
            subject=message["subject"],
            html=message["html"],
            text=message["text"],
            headers=message["headers"],
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        key = headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 256:
            return error(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if not headers.get("user-agent"):
            return Said(403, "<html>no User-Agent</html>", {"Content-Type": "text/html"})
        if self.busy:
            return error(
                409, "concurrent_idempotent_requests", "Same idempotency key used while original request in p…"
            )
        known = self.keys.get(key)
        if known and known[2] + _WINDOW > self.clock():
            if known[0] == body:
                return known[1]
            return error(
                409, "invalid_idempotent_request", "Same idempotency key used with a different request payload"
            )
        if self.ailing():
            return self.troubles[self.trouble]
        messages = json.loads(body)
        self.bodies.append(messages)
        if not 0 < len(messages) <= 100:
            return error(422, "validation_error", "1 to 100 messages")
        said = self._judged(messages, permissive=headers.get("x-batch-validation") == "permissive")
        if said.status == 200:  # whether a refused call keeps its key isn't documented
            self.keys[key] = (body, said, self.clock())
        return said

    def _judged(self, messages: list[dict[str, Any]], *, permissive: bool) -> Said:
        """Permissive: `data` holds the accepted ones alone, `errors` names the others by their place
        (https://resend.com/changelog/batch-validation-modes); strict: one that's invalid refuses all.
        """
        errors = [
            {"index": index, "message": wrong} for index, one in enumerate(messages) if (wrong := self._wrong(one))
        ]
        if errors and not permissive:
            return error(422, "validation_error", str(errors[0]["message"]))
        data = []
        refused = {one["index"] for one in errors}
        for index, message in enumerate(messages):
            if index not in refused and message["to"][0] not in self.suppressed:
                data.append({"id": f"re-{self.take(message['to'][0], message)}"})
            elif index not in refused:  # accepted, and told of as email.suppressed
                data.append({"id": f"re-suppressed-{index}"})
                self.events.append({"type": "email.suppressed", "to": message["to"]})
        return Said(200, {"data": data, "errors": errors} if permissive else {"data": data})

    def _wrong(self, message: dict[str, Any]) -> str:
        (address,) = message["to"]
        if address in self.refuse or not address.isascii():
            return (
                "Invalid `to` field. The email address needs to follow the `email@example.com` or "
                "`Name <email@example.com>` format."
            )
        # resend's OpenAPI description, Tag: ASCII letters, numbers, underscores, dashes; no more than 256 characters.
        words = [word for tag in message["tags"] for word in tag.values()]
        if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", word) for word in words):
            return "Tags should only contain ASCII letters, numbers, underscores, or dashes."
        return ""

    def slow_down(self) -> Said:
        """https://resend.com/docs/api-reference/rate-limit: seconds, in `retry-after`."""
        return error(429, "rate_limit_exceeded", "Too many requests", **{"retry-after": self.wait})
