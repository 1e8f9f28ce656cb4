"""Mailjet, Send API v3.1 (https://github.com/mailjet/api-documentation, guides/_send-api.md and _event-api.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said, basic

#: _send-api.md, line 3895: headers that can't be set.
_FORBIDDEN = {
    *("List-Id", "Message-Id", "X-Mailer", "Return-Path", "DKIM-Signature", "User-Agent", "X-Feedback-Id"),
    *("X-CSA-Complaints", "Feedback-ID", "Date", "From", "Sender", "Subject", "To", "Reply-To"),
}


def error(status: int, code: str, words: str) -> Said:
    """The whole call refused: "Send API v3.1 errors", global errors."""
    return Said(status, {"ErrorIdentifier": "e", "ErrorCode": code, "StatusCode": status, "ErrorMessage": words})


def failed(status: int, code: str, words: str, *related: str) -> dict[str, Any]:
    """One message refused."""
    one = {"ErrorCode": code, "StatusCode": status, "ErrorMessage": words, "ErrorRelatedTo": list(related)}
    return {"Status": "error", "Errors": [{"ErrorIdentifier": "e", **one}]}


class MailjetFake(Fake):
    """Takes an address once in a deduplicated campaign: the answer is a success all the same, and the event "blocked,
    duplicate in campaign" comes later (_event-api.md); with `tells_duplicates` it's an error at once. The HTTP status
    is a failing message's while others are sent (_send-api.md, line 2252).
    """

    sending = "/v3.1/send"
    tells_duplicates: bool = False
    troubles: ClassVar[Mapping[str, Said]] = {
        "suspended": error(401, "mj-0001", "The API key is suspended."),
        # https://documentation.mailjet.com/hc/en-us/articles/43977536821147: a reached limit puts a key in quarantine.
        "quota": error(401, "mj-0001", "API key temporarily suspended, daily sending limit reached."),
    }
    #: Those of a single message.
    entries: ClassVar[Mapping[str, dict[str, Any]]] = {
        "sender": failed(
            403,
            "send-0008",
            "The sender is not authorized to send: news@example.org has not been validated.",
            "From",
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.campaigns: set[tuple[str, str]] = set()

    def accounts(self) -> dict[str, Any]:
        state = "Active" if self.verified else "Inactive"
        return {"/v3/REST/sender": {"Data": [{"Email": "*@example.org", "Status": state}]}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return basic(headers, KEY)

    def wrong_key(self) -> Said:
        return error(401, "mj-0015", "API key authentication/authorization failure.")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["CustomID"])

    def letter(self, message: dict[str, Any]) -> Letter:
        return Letter(
            name=message["From"].get("Name", ""),
            sender=message["From"]["Email"],
            subject=message["Subject"],
            html=message["HTMLPart"],
            text=message["TextPart"],
            headers=message["Headers"],
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        messages = json.loads(body)["Messages"]
        self.bodies.append(messages)
        if len(messages) > 50:
            return error(400, "mj-0008", "The array exceeds 50 items.")
        if self.ailing() and self.trouble in self.troubles:
            return self.troubles[self.trouble]
        told = [self._entry(message) for message in messages]
        statuses = [one["Errors"][0]["StatusCode"] for one in told if one["Status"] == "error"]
        return Said(statuses[0] if statuses else 200, {"Messages": told})

    def _entry(self, message: dict[str, Any]) -> dict[str, Any]:
        address = message["To"][0]["Email"]
        if address in self.refuse or not address.isascii():
            return failed(400, "mj-0013", f'"{address}" is an invalid email address.', "To[0].Email")
        if self.ailing():
            return self.entries[self.trouble]
        if _FORBIDDEN & set(message["Headers"]):
            return failed(400, "send-0011", "Header cannot be customized using the Headers collection.", "Headers")
        if message["DeduplicateCampaign"] and not message.get("CustomCampaign"):
            return failed(400, "send-0012", "CustomCampaign must be set.", "DeduplicateCampaign")
        had = (address, message["CustomCampaign"]) in self.campaigns
        if had and self.tells_duplicates:
            return failed(400, "send-0012", "duplicate in campaign")
        if had or address in self.suppressed:
            why = "duplicate in campaign" if had else self.suppressed[address]
            self.events.append({"event": "blocked", "error": why, "email": address, "CustomID": message["CustomID"]})
            number = 10_000 + len(self.events)
        else:
            number = self.take(address, message)
            self.campaigns.add((address, message["CustomCampaign"]))
        to = [{"Email": address, "MessageUUID": f"uuid-{number}", "MessageID": number}]
        return {"Status": "success", "CustomID": message["CustomID"], "To": to}
