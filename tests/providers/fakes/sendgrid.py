"""SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send; its OpenAPI description of 2026-01)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said

#: Set by SendGrid alone (OpenAPI description, headers).
_RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from"),
    *("subject", "reply-to", "cc", "bcc"),
}


def error(status: int, message: str, field: str | None = None) -> Said:
    """How errors look: {"errors": [{"message", "field", "help"}]}."""
    return Said(status, {"errors": [{"message": message, "field": field, "help": None}]})


class SendgridFake(Fake):
    """Says 202 and an id, and can't be asked afterwards. Its own lists drop by event (glossary, drops). `sandboxed`
    answers 200 and mails nobody (for-developers/sending-email/sandbox-mode).
    """

    sending = "/v3/mail/send"
    size: ClassVar[int] = 30_000_000
    sandboxed: bool = False
    #: https://support.sendgrid.com/hc/en-us/articles/18322114821403; https://www.twilio.com/docs/api/errors/60603;
    #: https://github.com/sendgrid/docs, smtp-errors-and-troubleshooting.md
    troubles: ClassVar[Mapping[str, Said]] = {
        "credits": error(401, "Maximum credits exceeded"),
        "sender": error(
            403,
            "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
            "resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the "
            "Sender Identity requirements",
            "from",
        ),
        "suspended": error(403, "access forbidden"),
        "scope": error(401, "Authenticated user is not authorized to send mail"),
    }

    def accounts(self) -> dict[str, Any]:
        return {
            "/v3/scopes": {"scopes": ["mail.send", "whitelabel.read"]},
            "/v3/whitelabel/domains": [{"domain": "example.org", "valid": self.verified}],
        }

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {KEY}"

    def wrong_key(self) -> Said:
        return error(401, "The provided authorization grant is invalid, expired, or revoked")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["custom_args"]["delivery"])

    def letter(self, message: dict[str, Any]) -> Letter:
        return Letter(
            name=message["from"].get("name", ""),
            sender=message["from"]["email"],
            subject=message["subject"],
            html=message["html"],
            text=message["text"],
            headers=message["headers"],
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        people = call["personalizations"]
        if wrong := self._wrong(call, people):
            return wrong
        if self.sandboxed:
            return Said(200, "")
        for person in people:
            address = person["to"][0]["email"]
            if address in self.suppressed:
                self.events.append({"event": "dropped", "reason": self.suppressed[address], "email": address})
            else:
                self.take(address, _filled(call, person))
        return Said(202, "", {"X-Message-Id": f"sg-{len(self.bodies)}"})

    def _wrong(self, call: dict[str, Any], people: list[dict[str, Any]]) -> Said | None:
        if not 0 < len(people) <= 1000:
            return error(400, "You must have at least one personalization.", "personalizations")
        if self.ailing():
            return self.troubles[self.trouble]
        seen = set()
        for place, person in enumerate(people):
            address = person["to"][0]["email"]
            # The words: errors page and bug reports; the place in `field`: the OpenAPI description.
            if address in self.refuse or not address.isascii():
                return error(400, "Does not contain a valid address.", f"personalizations.{place}.to.0.email")
            if address in seen:
                words = "Each email address in the personalization block should be unique between to, cc, and bcc."
                return error(400, words, f"personalizations.{place}.to")
            seen.add(address)
            if max(len(json.dumps(person.get(part, {}))) for part in ("custom_args", "substitutions")) > 10_000:
                return error(400, "The custom_args exceed 10,000 bytes.", f"personalizations.{place}.custom_args")
            if _RESERVED & {name.lower() for name in (*call["headers"], *person.get("headers", {}))}:
                return error(400, "Headers may not be reserved ones.", "headers")
        return None

    def slow_down(self) -> Said:
        """how-to-use-the-sendgrid-v3-api/rate-limits: a time since 1970; here what the test wants."""
        return Said(
            429, {"errors": [{"field": None, "message": "too many requests"}]}, {"X-RateLimit-Reset": self.wait}
        )


def _filled(call: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    """A message after the substitutions."""
    text, markup = (part["value"] for part in call["content"])
    filled = {"subject": call["subject"], "text": text, "html": markup}
    for name, part in filled.items():
        for mark, value in person["substitutions"].items():
            part = part.replace(mark, value)
        filled[name] = part
    headers = {**call["headers"], **person.get("headers", {})}
    return {**person, **filled, "from": call["from"], "headers": headers, "substitutions": {}}
