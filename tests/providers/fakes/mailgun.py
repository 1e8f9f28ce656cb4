"""Mailgun (https://documentation.mailgun.com; its OpenAPI description of 2026-07)."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.fakes.base import Fake, Letter, Said, basic, mailbox

_LIMIT = (
    "Domain mg.example.org is not allowed to send: recipient limit exceeded, try again after "
    "Wed, 12 Oct 2022 01:00:00 UTC"
)


def _plain(part: Any) -> str:
    """A form field's text; the form's own line end isn't part of it."""
    return bytes(part.get_payload(decode=True)).decode()


class MailgunFake(Fake):
    """One bad address refuses the call; what was taken stands among the events under its tag. `sending_only`: a
    domain's sending key may read nothing. `probation`: ten recipients a call (support, quoted in TryGhost/Ghost#15725).
    `late`: the sandbox takes a call and rejects it by event (documentation, api-events: reject.reason).
    """

    sending = "/v3/mg.example.org/messages"
    size: ClassVar[int] = 25_000_000
    #: "at least 3 days" by the description of 2026, a day on free plans by documentation/source/api-events.rst.
    retention = dt.timedelta(days=1)
    #: Small pages, so that paging is always gone through; the real ones hold 300.
    page: ClassVar[int] = 5
    files: tuple[Any, ...] = ()
    sending_only: bool = False
    probation: bool = False
    late: bool = False
    troubles: ClassVar[Mapping[str, Said]] = {
        # https://github.com/mailgun/mailgun-java/issues/50, answered by the vendor; TryGhost/Ghost#16125
        "quota": Said(420, {"message": _LIMIT}),
        # documentation, api-events, reject.reason; 403 by those whom it befell
        "sandbox": Said(
            403,
            {
                "message": "Sandbox subdomains are for test purposes only. Please add your own domain or add the "
                "address to authorized recipients in Account Settings."
            },
        ),
        # https://help.kyriossystems.com 13613564 (the wording); https://help.mailgun.com/hc/en-us/articles/202051664
        "sender": Said(
            403,
            {
                "message": "Domain mg.example.org is not allowed to send: The domain is unverified and requires DNS "
                "configuration. Log in to your control panel to view required DNS records."
            },
        ),
        # https://help.mailgun.com/hc/en-us/articles/202850080
        "suspended": Said(403, {"message": "Domain mg.example.org is not allowed to send: Account Terminated"}),
        "credits": Said(402, {"message": "Payment required"}),
    }

    def accounts(self) -> dict[str, Any]:
        return {"/v3/domains/mg.example.org": {"domain": {"state": "active" if self.verified else "unverified"}}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return basic(headers, "api")

    def wrong_key(self) -> Said:
        """OpenAPI description: 401 is the bare word."""
        return Said(401, "Forbidden", {"Content-Type": "text/plain"})

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["v:delivery"])

    def letter(self, message: dict[str, Any]) -> Letter:
        name, sender = mailbox(message["from"])
        if not message["from"].isascii() and re.search(r"[,.;:]", name):
            name = "?"  # mangled: django-anymail, docs/esps/mailgun.rst
        return Letter(
            name=name,
            sender=sender,
            subject=message["subject"],
            html=message["html"],
            text=message["text"],
            headers={key[2:]: value for key, value in message.items() if key.startswith("h:")},
        )

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts()
        named = [(str(part.get_param("name", header="content-disposition")), part) for part in parts]
        inside = (part for name, part in named if name == "inline")
        self.files = tuple((part.get_filename(), part.get_payload(decode=True)) for part in inside)
        fields = [(name, _plain(part)) for name, part in named if name != "inline"]
        form: dict[str, Any] = dict(fields)
        people = form["to"].split(",")
        self.bodies.append({**form, "to": people})
        if wrong := self._wrong(form, people):
            return wrong
        if self.late:
            reason = self.troubles["sandbox"].body["message"]
            self.events += [{"event": "rejected", "reject": {"reason": reason}} for _ in people]
            return Said(200, {"id": "<call@mg.example.org>", "message": "Queued. Thank you."})
        variables = json.loads(form["recipient-variables"])
        for address in people:
            if address in self.suppressed:  # accepted, and dropped by event (OpenAPI: failed, suppress-…)
                self.events.append({"event": "failed", "severity": "permanent", "reason": self.suppressed[address]})
                continue
            self.take(address, {name: _filled(str(value), variables[address]) for name, value in form.items()})
        return Said(200, {"id": "<call@mg.example.org>", "message": "Queued. Thank you."})

    def _wrong(self, form: dict[str, Any], people: list[str]) -> Said | None:
        if len(people) > 1000:
            return Said(400, {"message": "Too many recipients; max is 1000"})
        if self.ailing():
            return self.troubles[self.trouble]
        if self.probation and len(people) > 10:
            return self.troubles["quota"]
        # OpenAPI description: o:, h:, v: and t: are limited to 16 kB together.
        if sum(len(f"{name}{value}") for name, value in form.items() if name[:2] in ("o:", "h:", "v:", "t:")) > 16_000:
            words = "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total"
            return Said(400, {"message": words})
        if not "".join(name for name in form if name.startswith("h:")).isascii():
            return Said(400, {"message": "Header name must be pure ASCII"})
        if any(address in self.refuse for address in people):
            return Said(400, {"message": "'to' parameter is not a valid address. please check documentation"})
        return None

    def slow_down(self) -> Said:
        """OpenAPI description: 429, the time stands in the words."""
        limit = "account-requests-per-sec limit exceeded"
        words = f"Domain mg.example.org is not allowed to send: {limit}, try again after {self.wait} seconds"
        return Said(429, {"message": words})

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        if self.sending_only:
            return self.wrong_key()
        if not path.endswith("/events"):
            return super().look(path, query)
        if path != "/v3/mg.example.org/events":
            return Said(404, {"message": "Domain not found"})
        page, tag = int(query.get("page", ["0"])[0]), query["tags"][0]
        events = [
            {"event": "accepted", "recipient": address, "message": {"headers": {"message-id": f"mg-{number}"}}}
            for number, address, message in self.shown()
            if message["o:tag"] == tag and query.get("event", ["accepted"])[0] == "accepted"
        ]
        some = events[page * self.page : (page + 1) * self.page]
        # paging.next is always there; the end is an empty page (OpenAPI description; documentation, api-events).
        following = f"{self.url}/v3/mg.example.org/events?tags={tag}&page={page + 1}"
        return Said(200, {"items": some, "paging": {"next": following}})


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"%recipient\.(\w+)%", lambda match: values.get(match[1], match[0]), text)
