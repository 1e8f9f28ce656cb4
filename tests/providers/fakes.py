"""Providers' APIs on loopback, with a memory: they keep whom they took, and fail as the real ones do.

`faults` are done to the next calls that send: "drop" takes the batch and hangs up, "half" takes it and hangs up in
the middle of its answer, "lose" hangs up before, "stall" takes it and answers too late, "500" takes it and answers
500, "429" doesn't take it and says how long to wait as the vendor does. `refuse` are addresses.
"""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

KEY = "a-key-of-the-fake"
#: For how many seconds a call is left without an answer.
STALL = 2.5


@dataclass
class Said:
    """An answer of a fake."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fake:
    """What all fakes share: whom they took, as often as they did. `mood` says what to do to a call that no fault is
    set for. `quiet` waits until whatever callers sent is served.
    """

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    url: str = ""
    mood: Callable[[], str] = lambda: ""
    quiet: Callable[[], None] = lambda: None
    wait: str = "7"
    verified: bool = True

    sending: ClassVar[str] = ""
    #: Bytes that a call may have.
    size: ClassVar[int] = 50_000_000

    def authorized(self, headers: dict[str, str]) -> bool:
        raise NotImplementedError

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        """Take a batch."""
        raise NotImplementedError

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        """Answer a question about what was taken."""
        del query
        known = self.accounts().get(path)
        return Said(404, {"message": "no such thing"}) if known is None else Said(200, known)

    def accounts(self) -> dict[str, Any]:
        """What the vendor tells of our account, by path."""
        return {}

    def delivery_of(self, message: dict[str, Any]) -> str:
        """The delivery's own number, as the message carries it."""
        raise NotImplementedError

    def slow_down(self) -> Said:
        """Mailjet, Postmark and SES don't say for how long."""
        return Said(429, {"message": "too many"})


def _plain(part: Any) -> str:
    """A form field's text; the form's own line end isn't part of it."""
    return bytes(part.get_payload(decode=True)).decode()


def basic(headers: dict[str, str], user: str) -> bool:
    return headers.get("authorization") == "Basic " + base64.b64encode(f"{user}:{KEY}".encode()).decode()


class ResendFake(Fake):
    """Same key and same bytes: the same answer; other bytes: a conflict."""

    sending = "/emails/batch"

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, tuple[bytes, Said]] = {}

    def accounts(self) -> dict[str, Any]:
        return {"/domains": {"data": [{"name": "example.org", "status": "verified" if self.verified else "pending"}]}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {KEY}"

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["tags"][0]["value"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        key = headers["idempotency-key"]
        if key in self.keys:
            before, said = self.keys[key]
            return said if before == body else Said(409, {"name": "invalid_idempotent_request", "message": "other"})
        messages = json.loads(body)
        self.bodies.append(messages)
        if not 0 < len(messages) <= 100:
            return Said(422, {"name": "validation_error", "message": "1 to 100 messages"})
        errors, data = [], []
        for index, message in enumerate(messages):
            (address,) = message["to"]
            if address in self.refuse:
                errors.append({"index": index, "message": f"invalid address {address}"})
            else:
                self.taken.append((address, message))
                data.append({"id": f"re-{len(self.taken)}"})
        said = Said(200, {"data": data, "errors": errors})
        self.keys[key] = (body, said)
        return said

    def slow_down(self) -> Said:
        return Said(429, {"name": "rate_limit_exceeded", "message": "too many"}, {"Retry-After": self.wait})


class MailgunFake(Fake):
    """One bad address refuses the call; what was taken stands among the events under its tag."""

    sending = "/v3/mg.example.org/messages"
    size: ClassVar[int] = 25_000_000
    #: Small pages, so that paging is always gone through; the real ones hold 300.
    page: ClassVar[int] = 5

    def accounts(self) -> dict[str, Any]:
        return {"/v3/domains/mg.example.org": {"domain": {"state": "active" if self.verified else "unverified"}}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return basic(headers, "api")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["v:delivery"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts()
        fields = [(str(part.get_param("name", header="content-disposition")), _plain(part)) for part in parts]
        form = {name: [value] for name, value in fields}
        form["to"] = form["to"][0].split(",")
        self.bodies.append(form)
        if len(form["to"]) > 1000:
            return Said(400, {"message": "to parameter has more than 1000 recipients"})
        if bad := [address for address in form["to"] if address in self.refuse]:
            return Said(400, {"message": f"to parameter is not a valid address: {bad[0]}"})
        variables = json.loads(form["recipient-variables"][0])
        for address in form["to"]:
            message = {name: self._filled(values[0], variables[address]) for name, values in form.items()}
            self.taken.append((address, message))
        return Said(200, {"id": "<call@mg.example.org>", "message": "Queued. Thank you."})

    def slow_down(self) -> Said:
        return Said(429, {"message": f"Domain is over its limit. Please try again after {self.wait} seconds."})

    @staticmethod
    def _filled(text: str, values: dict[str, str]) -> str:
        return re.sub(r"%recipient\.(\w+)%", lambda match: values.get(match[1], match[0]), text)

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        if not path.endswith("/events"):
            return super().look(path, query)
        page = int(query.get("page", ["0"])[0])
        tag = query["tags"][0]
        events = [
            {"event": "accepted", "recipient": address, "message": {"headers": {"message-id": f"mg-{address}"}}}
            for address, message in self.taken
            if message["o:tag"] == tag
        ]
        some = events[page * self.page : (page + 1) * self.page]
        following = f"{self.url}/v3/mg.example.org/events?tags={tag}&page={page + 1}"
        return Said(200, {"items": some, "paging": {"next": following}})


class PostmarkFake(Fake):
    """Answers for each message; searches by metadata."""

    sending = "/email/batch"

    def accounts(self) -> dict[str, Any]:
        return {"/message-streams/broadcast": {"MessageStreamType": "Broadcasts"}} if self.verified else {}

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("x-postmark-server-token") == KEY

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["Metadata"]["delivery"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        messages = json.loads(body)
        self.bodies.append(messages)
        if len(messages) > 500:
            return Said(422, {"ErrorCode": 410, "Message": "more than 500 messages"})
        entries = []
        for message in messages:
            if message["To"] in self.refuse:
                entries.append({"ErrorCode": 406, "Message": f"{message['To']} is inactive"})
            else:
                self.taken.append((message["To"], message))
                entries.append({"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{len(self.taken)}"})
        return Said(200, entries)

    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        if path != "/messages/outbound":
            return super().look(path, query)
        matching = [
            {"MessageID": f"pm-{number}", "Metadata": message["Metadata"]}
            for number, (_, message) in enumerate(self.taken, 1)
            if message["Metadata"]["batch"] == query["metadata_batch"][0]
        ]
        offset = int(query["offset"][0])
        return Said(200, {"TotalCount": len(matching), "Messages": matching[offset : offset + 50]})


class MailjetFake(Fake):
    """Takes an address once in a campaign; a 400 may be a partial success."""

    sending = "/v3.1/send"

    def accounts(self) -> dict[str, Any]:
        state = "Active" if self.verified else "Inactive"
        return {"/v3/REST/sender": {"Data": [{"Email": "*@example.org", "Status": state}]}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return basic(headers, KEY)

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["CustomID"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        messages = json.loads(body)["Messages"]
        self.bodies.append(messages)
        if len(messages) > 50:
            return Said(400, {"ErrorMessage": "more than 50 messages"})
        entries = []
        had = {(address, message["CustomCampaign"]) for address, message in self.taken}
        for message in messages:
            address = message["To"][0]["Email"]
            assert "List-Id" not in message["Headers"], "Mailjet refuses it"
            if address in self.refuse:
                entries.append({"Status": "error", "Errors": [{"ErrorMessage": f"{address} is no address"}]})
            elif (address, message["CustomCampaign"]) in had and message["DeduplicateCampaign"]:
                entries.append({"Status": "error", "Errors": [{"ErrorMessage": "duplicate in the campaign"}]})
            else:
                self.taken.append((address, message))
                entries.append({"Status": "success", "To": [{"Email": address, "MessageID": len(self.taken)}]})
        partial = any(entry["Status"] == "error" for entry in entries)
        return Said(400 if partial else 200, {"Messages": entries})


class SendgridFake(Fake):
    """Says 202 and nothing else, and can't be asked afterwards."""

    sending = "/v3/mail/send"
    size: ClassVar[int] = 30_000_000

    def accounts(self) -> dict[str, Any]:
        return {
            "/v3/scopes": {"scopes": ["mail.send", "whitelabel.read"]},
            "/v3/whitelabel/domains": [{"domain": "example.org", "valid": self.verified}],
        }

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {KEY}"

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["custom_args"]["delivery"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        if not 0 < len(call["personalizations"]) <= 1000:
            return Said(400, {"errors": [{"message": "1 to 1000 personalizations"}]})
        for person in call["personalizations"]:
            address = person["to"][0]["email"]
            if address in self.refuse:
                field = f"personalizations.{call['personalizations'].index(person)}.to.0.email"
                return Said(400, {"errors": [{"message": f"{address} is no address", "field": field}]})
        for person in call["personalizations"]:
            text, markup = (part["value"] for part in call["content"])
            filled = {"subject": call["subject"], "text": text, "html": markup}
            for name, part in filled.items():
                for mark, value in person["substitutions"].items():
                    part = part.replace(mark, value)
                filled[name] = part
            self.taken.append((person["to"][0]["email"], {**person, **filled, "substitutions": {}}))
        return Said(202, "", {"X-Message-Id": f"sg-{len(self.bodies)}"})

    def slow_down(self) -> Said:
        return Said(429, {"errors": [{"message": "too many requests"}]}, {"X-RateLimit-Reset": self.wait})


class BrevoFake(Fake):
    """Refuses a call that it has had, by the UUID among the body's headers."""

    sending = "/v3/smtp/email"

    def __init__(self) -> None:
        super().__init__()
        self.calls: set[str] = set()

    def accounts(self) -> dict[str, Any]:
        return {"/v3/senders/domains": {"domains": [{"domain_name": "example.org", "authenticated": self.verified}]}}

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("api-key") == KEY

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["headers"]["X-Mailin-custom"]).removeprefix("delivery:")

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        key = call["headers"]["idempotencyKey"]
        if key in self.calls:
            return Said(400, {"code": "duplicate_parameter", "message": "idempotencyKey was used"})
        versions = call["messageVersions"]
        if len(versions) > 1000 or any(len(version["to"]) > 99 for version in versions):
            return Said(400, {"code": "invalid_parameter", "message": "too many versions, or too many in one"})
        for version in versions:
            if version["to"][0]["email"] in self.refuse:
                return Said(400, {"code": "invalid_parameter", "message": "email is not valid in to"})
        self.calls.add(key)
        for version in versions:
            told = {**version, "html": version["htmlContent"], "text": version["textContent"]}
            self.taken.append((version["to"][0]["email"], told))
        return Said(201, {"messageIds": [f"br-{key}-{number}" for number in range(len(versions))]})

    def slow_down(self) -> Said:
        return Said(429, {"code": "too_many_requests", "message": "too many"}, {"x-sib-ratelimit-reset": self.wait})


class SesFake(Fake):
    """Fills the template for each entry, as SES does, escaping nothing; can't be asked afterwards."""

    sending = "/v2/email/outbound-bulk-emails"

    def accounts(self) -> dict[str, Any]:
        return {
            "/v2/email/account": {"SendingEnabled": True, "ProductionAccessEnabled": True},
            "/v2/email/identities/example.org": {"VerifiedForSendingStatus": self.verified},
        }

    def authorized(self, headers: dict[str, str]) -> bool:
        return f"Credential={KEY}/" in headers.get("authorization", "")

    def delivery_of(self, message: dict[str, Any]) -> str:
        return next(str(tag["Value"]) for tag in message["tags"] if tag["Name"] == "delivery")

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        call = json.loads(body)
        self.bodies.append(call)
        entries = call["BulkEmailEntries"]
        if not 0 < len(entries) <= 50:
            return Said(400, {"message": "1 to 50 entries"}, {"x-amzn-ErrorType": "BadRequestException"})
        content = call["DefaultContent"]["Template"]["TemplateContent"]
        results = []
        for entry in entries:
            (address,) = entry["Destination"]["ToAddresses"]
            if address in self.refuse:
                results.append({"Status": "MESSAGE_REJECTED", "Error": f"{address} is no address"})
                continue
            data = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
            named = {"subject": "Subject", "text": "Text", "html": "Html"}
            filled = {name: self._filled(content[key], data) for name, key in named.items()}
            self.taken.append((address, {**filled, "headers": entry["ReplacementHeaders"], **self._tags(entry)}))
            results.append({"Status": "SUCCESS", "MessageId": f"ses-{len(self.taken)}"})
        return Said(200, {"BulkEmailEntryResults": results})

    @staticmethod
    def _tags(entry: dict[str, Any]) -> dict[str, Any]:
        return {"tags": entry["ReplacementTags"]}

    @staticmethod
    def _filled(text: str, data: dict[str, str]) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda match: data[match[1]], text)

    def slow_down(self) -> Said:
        return Said(429, {"message": "too many"}, {"x-amzn-ErrorType": "TooManyRequestsException"})


class _Handler(BaseHTTPRequestHandler):
    """One connection to a fake."""

    protocol_version = "HTTP/1.1"
    fake: Fake
    lock: threading.Lock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if urlsplit(self.path).path != self.fake.sending:
            self._say(Said(200, "Mailgun Magnificent API"))
        elif not self.fake.authorized(self._named()):
            self._say(Said(401, {"message": "unknown key"}))
        else:
            self._take(body)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        known = self.fake.authorized(self._named())
        self._say(self.fake.look(parts.path, parse_qs(parts.query)) if known else Said(401, {"message": "unknown key"}))

    def _take(self, body: bytes) -> None:
        with self.lock:
            fault = self.fake.faults.pop(0) if self.fake.faults else self.fake.mood()
            said = self.fake.slow_down() if fault == "429" else Said(500, {"message": "oops"})
            if len(body) > self.fake.size:
                said = Said(413, {"message": "too large"})
            elif fault not in ("429", "lose"):
                taken = self.fake.accept(self._named(), body)
                said = said if fault == "500" else taken
        if fault in ("lose", "drop"):
            self.close_connection = True
            self.connection.close()
            return
        if fault == "stall":
            time.sleep(STALL)
        self._say(said, half=fault == "half")

    def _named(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _say(self, said: Said, *, half: bool = False) -> None:
        data = said.body.encode() if isinstance(said.body, str) else json.dumps(said.body).encode()
        self.close_connection = self.close_connection or half
        try:
            if half and not data:
                self.wfile.write(b"HTTP/1.1 2")
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if half else data)
        except OSError:
            return  # the caller had enough

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


class SmtpFake(Fake):
    """A mail server that takes messages, or hangs up, at the moment at which it hurts."""

    def authorized(self, headers: dict[str, str]) -> bool:
        return True

    def delivery_of(self, message: dict[str, Any]) -> str:
        return str(message["delivery"])

    def accept(self, headers: dict[str, str], body: bytes) -> Said:
        found = re.search(rb"^Message-ID: <(\d+)\.", body, re.MULTILINE)
        assert found
        self.taken.append((headers["to"], {"delivery": found[1].decode()}))
        return Said(250, "fine")


class _SmtpHandler(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a sender needs that means no harm."""

    fake: Fake
    lock: threading.Lock

    def handle(self) -> None:
        self._line("220 fake")
        address = ""
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
            if command == b"DATA":
                self._line("354 go on")
                body = self._read_message()
                if body is None or not self._take(address, body):
                    return
            else:
                self._line("221 bye" if command == b"QUIT" else "250 fine")

    def _read_message(self) -> bytes | None:
        """A message up to its end; None when the caller is gone before."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return None
            lines.append(line)
        return b"".join(lines)

    def _take(self, address: str, body: bytes) -> bool:
        with self.lock:
            fault = self.fake.mood()
            if fault not in ("429", "lose"):
                self.fake.accept({"to": address}, body)
        if fault in ("drop", "lose"):
            return False
        if fault == "stall":
            time.sleep(STALL)
        self._line("451 later" if fault == "429" else "250 fine")
        return True

    def _line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
        self.wfile.flush()


class _Counting(socketserver.ThreadingTCPServer):
    """Knows how many connections it's serving."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.begun = self.ended = 0
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.begun += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.ended += 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is what these tests are about."""

    def quiet(self) -> None:
        """Wait until all that callers had sent before they were gone is served: a vendor's delay covers that."""
        before = self.begun
        # Connections are taken one after the other, so all earlier ones were taken when this one is.
        socket.create_connection(self.server_address).close()  # type: ignore[arg-type]
        for _ in range(3_000):
            if self.begun > before and self.begun == self.ended:
                return
            time.sleep(0.01)
        raise AssertionError("the fake never came to rest")


class _SmtpServer(_Counting):
    pass


class _Server(_Counting, ThreadingHTTPServer):
    pass


@contextmanager
def serve(fake: Fake) -> Iterator[Fake]:
    """Serve a fake on a free port of 127.0.0.1 until the block ends."""
    given = {"fake": fake, "lock": threading.Lock()}
    server: _Counting
    if isinstance(fake, SmtpFake):
        server = _SmtpServer(("127.0.0.1", 0), type("Handler", (_SmtpHandler,), given))
    else:
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), given))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    fake.quiet = server.quiet
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
