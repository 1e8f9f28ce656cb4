"""Postmark (https://postmarkapp.com/developer/api/overview#error-codes; django-anymail, backends/postmark.py)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import KEY, Fake, Letter, Said, mailbox


def error(status: int, code: int, words: str) -> Said:
    """A whole call's refusal; a header repeats the code."""
    return Said(status, {"ErrorCode": code, "Message": words}, {"X-PM-ApiErrorCode": str(code)})


class PostmarkFake(Fake):
    """Answers for each message within a 200; searches by metadata, in one stream, for as long as it keeps messages."""

    sending = "/email/batch"
    #: https://postmarkapp.com/developer/api/messages-api: 45 days, customizable from 7.
    retention = dt.timedelta(days=45)
    streams: ClassVar[Mapping[str, str]] = {
        "broadcast": "Broadcasts",
        "outbound": "Transactional",
        "news": "Broadcasts",
    }
    #: https://postmarkapp.com/developer/api/overview#error-codes: ErrorCode and words of one message's refusal.
    entries: ClassVar[Mapping[str, tuple[int, str]]] = {
        "credits": (405, "You are not allowed to send: your account has run out of credits."),
        "sender": (400, "The 'From' address you supplied is not a Sender Signature on your account."),
        "unconfirmed": (401, "The Sender Signature that you tried to send with is not confirmed."),
        "sandbox": (
            412,
            "While your account is pending approval, all recipient addresses must share the same domain as the "
            "'From' address.",
        ),
        "suspended": (413, "Your account may not send."),
    }
    #: Those of the whole call.
    troubles: ClassVar[Mapping[str, Said]] = {
        "stream": error(422, 1235, "The message stream provided does not exist on this server."),
        "address": error(422, 1480, "Sending from this IP address is not allowed."),
        "maintenance": error(503, 100, "Planned maintenance."),
    }

    def accounts(self) -> dict[str, Any]:
        known = self.streams.items() if self.verified else ()
        return {f"/message-streams/{name}": {"MessageStreamType": kind} for name, kind in known}

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("x-postmark-server-token") in (KEY, "POSTMARK_API_TEST")

    def wrong_key(self) -> Said:
        return error(401, 10, "Request does not contain a valid Server token.")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["Metadata"]["delivery"])

    def letter(self, message: dict[str, Any]) -> Letter:
        name, sender = mailbox(message["From"])
        return Letter(
            name=name,
            sender=sender,
            subject=message["Subject"],
            html=message["HtmlBody"],
            text=message["TextBody"],
            headers={one["Name"]: one["Value"] for one in message["Headers"]},
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        messages = json.loads(body)
        self.bodies.append(messages)
        if len(messages) > 500:
            return error(422, 410, "The batch has more than 500 messages.")
        if self.ailing() and self.trouble in self.troubles:
            return self.troubles[self.trouble]
        if any(message.get("MessageStream", "outbound") not in self.streams for message in messages):
            return self.troubles["stream"]
        if headers["x-postmark-server-token"] == "POSTMARK_API_TEST":
            # https://postmarkapp.com/support/article/1213: validated, and nobody is mailed.
            words = "Test job accepted"
            return Said(
                200, [{"ErrorCode": 0, "Message": words, "MessageID": f"test-{n}"} for n, _ in enumerate(messages)]
            )
        return Said(200, [self._entry(message) for message in messages])

    def _entry(self, message: dict[str, Any]) -> dict[str, Any]:
        """In order; a failed one has neither To nor MessageID."""
        if self.ailing():
            code, words = self.entries[self.trouble]
            return {"ErrorCode": code, "Message": words}
        if message["To"] in self.refuse or not message["To"].isascii():
            return {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{message['To']}'."}
        if message["To"] in self.suppressed:
            words = "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
            return {"ErrorCode": 406, "Message": f"{words}{message['To']}. Inactive recipients are ones that …"}
        if wrong := _wrong(message["Metadata"]):
            return {"ErrorCode": 300, "Message": wrong}
        number = self.take(message["To"], message)
        said = {"To": message["To"], "SubmittedAt": self.clock().isoformat(), "MessageID": f"pm-{number}"}
        return {"ErrorCode": 0, "Message": "OK", **said}

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        """https://postmarkapp.com/developer/api/messages-api: `messagestream` filters, and `outbound` is meant where
        it's missing; count and offset together reach 10,000.
        """
        if path != "/messages/outbound":
            return super().look(path, query)
        count, offset = (int(query[name][0]) for name in ("count", "offset"))
        if count > 500 or count + offset > 10_000:
            return error(422, 600, "The 'count' and 'offset' parameters are out of range.")
        stream = query.get("messagestream", ["outbound"])[0]
        filters = {name[9:]: values[0] for name, values in query.items() if name.startswith("metadata_")}
        matching = [
            {"MessageID": f"pm-{number}", "Metadata": message["Metadata"], "MessageStream": stream, "Status": "Sent"}
            for number, _, message in self.shown()
            if message.get("MessageStream", "outbound") == stream
            and all(message["Metadata"].get(name) == value for name, value in filters.items())
        ]
        return Said(200, {"TotalCount": len(matching), "Messages": matching[offset : offset + count]})


def _wrong(metadata: dict[str, str]) -> str:
    """Ten keys of 20 characters with values of 80 (a vendor's page quoted by postmark mocks)."""
    if len(metadata) > 10 or any(len(key) > 20 or len(value) > 80 for key, value in metadata.items()):
        return "Metadata is too large."
    return ""
