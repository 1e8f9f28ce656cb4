"""What all providers with an HTTP API share: one session, a deadline, and what an answer or its absence means.

A POST is never repeated here: whether it may be is the provider's to say. Only a connection that was never made
proves that nothing was taken; a lost answer proves nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from newsletter.errors import OutcomeUnknown, Refused, Unavailable
from newsletter.model import Batch, Outcome, Receipt
from newsletter.providers import Proof

_CONNECT_SECONDS = 10.0
_WAIT = re.compile(r"(?:try again|retry).{0,20}?(\d+(?:\.\d+)?)\s*(second|minute)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer: its status, headers with lower-case names, and text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON; None for what is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """What the provider says went wrong, on one line."""
        body = self.json
        told = (
            next((body[key] for key in ("message", "Message", "ErrorMessage") if key in body), "")
            if isinstance(body, dict)
            else ""
        )
        return " ".join(str(told or self.text[:200]).split()) or f"status {self.status}"

    def wait(self, now: dt.datetime) -> float | None:
        """Seconds to wait, as a 429 says it: Retry-After (RFC 9110, 10.2.3), a vendor's reset header, or in words."""
        after = self.headers.get("retry-after", "")
        if after:
            try:
                return max(0.0, float(after))
            except ValueError:
                return max(0.0, (parsedate_to_datetime(after) - now).total_seconds())
        for name in ("x-ratelimit-reset", "x-sib-ratelimit-reset"):
            if self.headers.get(name, "").isdecimal():
                value = float(self.headers[name])
                return max(0.0, value - now.timestamp()) if value > 1e9 else value
        found = _WAIT.search(self.text)
        return float(found[1]) * (60 if found[2].startswith("m") else 1) if found else None


class Api:
    """One provider's API under a base address; `vendor` is its name in messages, `timeout` in seconds."""

    def __init__(self, vendor: str, base: str, session: requests.Session, timeout: float) -> None:
        self._vendor = vendor
        self._base = base.rstrip("/")
        self._session = session
        self._timeout = timeout

    def call(self, method: str, path: str, **how: Any) -> Answer:
        """One request. Unavailable when no connection was made, OutcomeUnknown when the answer never came."""
        try:
            with self._session.request(
                method, self._base + path, timeout=(_CONNECT_SECONDS, self._timeout), allow_redirects=False, **how
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, headers, response.text)
        except requests.ConnectTimeout:
            raise Unavailable(f"no connection to {self._vendor} in time") from None
        except requests.ConnectionError as fault:
            reason = getattr(fault.args[0] if fault.args else None, "reason", None)
            if isinstance(reason, NewConnectionError):
                raise Unavailable(f"no connection to {self._vendor}") from None
            raise OutcomeUnknown(f"the connection to {self._vendor} broke before its answer") from None
        except requests.RequestException as fault:
            raise OutcomeUnknown(f"{self._vendor} gave no usable answer: {type(fault).__name__}") from None

    def judge(self, answer: Answer, now: dt.datetime) -> None:
        """Raise for what holds for a whole call: 401 and 403, 429, and 5xx, after which nobody knows."""
        if answer.status in (401, 403):
            raise Refused(f"{self._vendor} doesn't accept the key: {answer.said}", hint="check the key and its rights")
        if answer.status == 429:
            raise Unavailable(f"{self._vendor} wants us slower: {answer.said}", retry_after=answer.wait(now))
        if answer.status >= 500:
            raise OutcomeUnknown(f"{self._vendor} answered {answer.status}: {answer.said}")

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()


def domain_proof(sender: str, states: Mapping[str, str], wanted: str) -> Proof:
    """Whether the address that mail comes from, its domain or a domain above it stands among those that the
    provider knows, in the state that lets it send.
    """
    domain = sender.rpartition("@")[2].lower()
    labels = domain.split(".")
    names = [sender.lower(), *(".".join(labels[place:]) for place in range(len(labels) - 1))]
    known = {name.lower(): state for name, state in states.items()}
    for name in names:
        if name in known:
            fine = known[name] == wanted
            return Proof(about="sender", fine=fine, told=f"{name} is {'verified' if fine else 'not verified yet'}")
    return Proof(about="sender", fine=False, told=f"{domain} is not among the provider's domains")


def everybody(batch: Batch, outcome: Outcome, detail: str = "") -> list[Receipt]:
    """The same receipt for every recipient of a batch."""
    return [Receipt(delivery=r.delivery, outcome=outcome, detail=detail) for r in batch.recipients]


def found(batch: Batch, accepted: Mapping[int, str], *, asked_too_early: bool) -> list[Receipt]:
    """Receipts after a lookup: those found were accepted; the others certainly weren't, unless it's too early."""
    missing = Outcome.UNKNOWN if asked_too_early else Outcome.DEFERRED
    detail = "not to be found yet; ask again later" if asked_too_early else ""
    return [
        Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED, message_id=accepted[r.delivery])
        if r.delivery in accepted
        else Receipt(delivery=r.delivery, outcome=missing, detail=detail)
        for r in batch.recipients
    ]


def halved(batch: Batch, said: str, send: Callable[[Batch], list[Receipt]]) -> list[Receipt]:
    """Send each half of a refused batch by itself, until the one is found for whom it was refused.

    Of a call that was refused nothing was taken. What `said` names is kept without the address.
    """
    if len(batch.recipients) == 1:
        return everybody(batch, Outcome.REFUSED, said.replace(batch.recipients[0].address, "…"))
    middle = len(batch.recipients) // 2
    receipts: list[Receipt] = []
    for recipients in (batch.recipients[:middle], batch.recipients[middle:]):
        half = replace(batch, recipients=recipients)
        try:
            receipts += send(half)
        except OutcomeUnknown as fault:
            receipts += everybody(half, Outcome.UNKNOWN, fault.what)
        except Unavailable as fault:
            receipts += everybody(half, Outcome.DEFERRED, fault.what)
    return receipts
