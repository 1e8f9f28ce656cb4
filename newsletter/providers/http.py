"""The one base of all providers with an HTTP API: key, address, session, errors, lookups, webhooks' secrets.

A vendor's own file says how a call is written, what its answer means, what its codes mean (`faults`), and how it
tells of events. A call is never repeated here: whether it may be is the ledger's to say.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import quote

from newsletter.config.rules import require_api_url, require_between, require_variable
from newsletter.errors import BadRecipient, ConfigError, Later, NotSent, Ours, OutcomeUnknown, ProviderError
from newsletter.model import Call, Event, Outcome, Receipt, Recipient, Route
from newsletter.providers import Provider, Verification, webhooks
from newsletter.providers.faults import Fault, Meaning, fault_of, vendor_words
from newsletter.providers.wire import Answer, Wire
from newsletter.tables import Table

#: Statuses that say "not taken" by themselves, whoever answered (RFC 9110, section 15.5); with others of 4xx the vendor
#: has to say so in its own form.
_NOT_TAKEN = (401, 402, 403, 404, 405, 411, 413, 414, 415, 421, 431)
_NOT_TAKEN_IN_WORDS = (400, 406, 410, 412, 417, 420, 422, 451)
#: With others a vendor's words count only where a row names the status: a gateway's 502 may repeat them.
_REFUSING = (*_NOT_TAKEN, *_NOT_TAKEN_IN_WORDS, 429)
#: A lookup that isn't over after so many pages proves nothing.
_PAGES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """What every vendor's table may hold: the names of the environment variables with the key and with the webhooks'
    secret, the API's address, and for how many seconds an answer is waited for.
    """

    api_key_env: str
    webhook_secret_env: str
    base_url: str
    timeout: float = 60.0

    def __post_init__(self) -> None:
        require_variable("api_key_env", self.api_key_env)
        require_variable("webhook_secret_env", self.webhook_secret_env)
        require_api_url("base_url", self.base_url)
        require_between("timeout", self.timeout, 1, 600, "seconds")


def key_in(environment: Mapping[str, str], name: str, vendor: str) -> str:
    """The key in an environment variable, without the line end of a mounted file; ConfigError for what can't be a
    header (RFC 9110, section 5.5).
    """
    found = environment.get(name, "").strip()
    if re.search(r"[^!-~]", found):
        what = f"the key for {vendor} has blanks or letters that no key has"
        raise ConfigError(what, hint=f"copy the whole key into ${name}")
    return found


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class HttpProvider(Provider):
    """A vendor with an HTTP API. Receiving webhooks needs no key, so that it's read when something is sent."""

    vendor: ClassVar[str]
    faults: ClassVar[Sequence[Fault]]
    options_type: ClassVar[type[HttpOptions]]

    def __init__(
        self, options: HttpOptions, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now
    ) -> None:
        self.timeout = options.timeout
        self._common = options
        self._environment, self._now = environment, now

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(cls.options_type), os.environ)

    def route(self) -> Route:
        """The API's address, a fingerprint of the key, and what a vendor adds."""
        key = hashlib.sha256(b"newsletter route\0" + self._account().encode()).hexdigest()[:12]
        return Route(type=self.name, settings={"base_url": self._common.base_url, "key": key, **self._place()})

    def _account(self) -> str:
        """What tells one account from another."""
        return self._secret(self._common.api_key_env)

    def _place(self) -> dict[str, str]:
        """What else of the settings decides where a call goes and where it can be looked up."""
        return {}

    def _secret(self, name: str) -> str:
        """The key in an environment variable; ConfigError where there's none."""
        found = key_in(self._environment, name, self.vendor)
        if not found:
            raise ConfigError(f"there is no key for {self.vendor}", hint=f"set ${name}")
        return found

    @abstractmethod
    def _authorize(self, wire: Wire) -> None:
        """Put the key where the vendor wants it."""

    @cached_property
    def _wire(self) -> Wire:
        wire = Wire(self.vendor, self._common.base_url, self._common.timeout)
        self._authorize(wire)
        return wire

    def _ask(self, path: str, **parameters: str) -> Answer:
        """A question that changes nothing; raises for what isn't answered with 200."""
        answer = self._wire.call("GET", path, params=parameters or None)
        if answer.status != 200:
            raise self._refusal(answer)
        return answer

    def _words(self, answer: Answer) -> tuple[str, str]:
        """The vendor's own code and message in an answer."""
        body = answer.json
        if isinstance(body, Mapping):
            found = [body.get(key) for key in ("message", "Message", "ErrorMessage", "error")]
            words = next((str(told) for told in found if isinstance(told, str) and told), "")
            codes = [body.get(key) for key in ("code", "name", "ErrorCode")]
            return next((str(code) for code in codes if isinstance(code, str | int)), ""), words
        return "", ""

    def _shown(self, words: str) -> str:
        """A vendor's words for people, without our key if they repeat it."""
        return vendor_words(self._hidden(words))

    def _hidden(self, words: str) -> str:
        for secret in self._secrets():
            words = words.replace(secret, "…")
        return words

    def _secrets(self) -> list[str]:
        """What must not be shown, also as it stands in a link or in basic auth."""
        names = [name for name in (self._common.api_key_env, getattr(self._common, "api_secret_env", "")) if name]
        keys = list(filter(None, (self._environment.get(name, "").strip() for name in names)))
        logins = (":".join(keys), *(f"api:{key}" for key in keys), *(f"{key}:" for key in keys))
        encoded = [base64.b64encode(login.encode()).decode().rstrip("=") for login in logins]
        return [*keys, *(quote(key, safe="") for key in keys), *encoded] if keys else []

    def _refusal(self, answer: Answer) -> ProviderError:
        """What an answer that isn't a success means for everybody in a call who has no receipt. Only what's known to
        say "not taken" is taken for that.
        """
        code, words = self._words(answer)
        plain = self._shown(words)
        said = f"{self.vendor} answered {answer.status}" + (f": {plain}" if plain else "")
        row = fault_of(self.faults, status=answer.status, code=code, words=words)
        if row is not None and (row.status or answer.status in _REFUSING):
            return self._meaning(row, said, answer)
        if answer.status == 429:
            return Later(f"{self.vendor} is rate-limiting us: {plain or 429}", retry_after=answer.wait(self._now()))
        if answer.status == 407:
            return NotSent(f"nothing was sent to {self.vendor}: the proxy wants a login", hint="check $HTTPS_PROXY")
        if answer.status in (401, 403):
            return Ours(f"{self.vendor} does not accept the key: {plain or answer.status}", hint="check the key")
        if answer.status in _NOT_TAKEN or (answer.status in _NOT_TAKEN_IN_WORDS and (code or words)):
            return Ours(said, hint=f"see {self.vendor}'s documentation of this error")
        return OutcomeUnknown(said)

    def _meaning(self, row: Fault, said: str, answer: Answer) -> ProviderError:
        match row.meaning:
            case Meaning.LATER | Meaning.MAILBOX_LATER:
                return Later(said, retry_after=answer.wait(self._now()), hint=row.hint)
            case Meaning.OURS:
                return Ours(said, hint=row.hint)
            case Meaning.BAD_RECIPIENT | Meaning.MAILBOX | Meaning.GONE:
                return BadRecipient(said)
            case _:
                return OutcomeUnknown(said, hint=row.hint)

    def _unreadable(self, answer: Answer) -> OutcomeUnknown:
        """An answer that lacks what it must have is none."""
        return OutcomeUnknown(f"{self.vendor} answered {answer.status}, and it can't be read")

    def _each(self, call: Call, entries: Sequence[Entry]) -> Iterator[Receipt]:
        told = [replace(entry, code=self._hidden(entry.code), words=self._hidden(entry.words)) for entry in entries]
        return each(call, self.faults, self.vendor, told)

    def _webhook_secret(self) -> str:
        return webhooks.secret(self._environment, self._common.webhook_secret_env)

    def _check_password(self, headers: Mapping[str, str]) -> None:
        """For vendors that sign nothing."""
        webhooks.password(headers, self._webhook_secret())

    def verify_webhooks(self) -> Sequence[Verification]:
        """Whether the secret is there and has the vendor's form."""
        return [webhooks.verification(self._environment, self._common.webhook_secret_env, self._webhook_key)]

    def _webhook_key(self, secret: str) -> object:
        """The secret as the vendor means it; ConfigError for what it can't be."""
        return secret

    def close(self) -> None:
        """Give the connections back."""
        if "_wire" in self.__dict__:
            self._wire.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A vendor's verdict on one recipient of a call: its id for a message that was taken, or else a code and words."""

    message_id: str | None = None
    code: str = ""
    words: str = ""


def each(call: Call, faults: Sequence[Fault], vendor: str, entries: Sequence[Entry]) -> Iterator[Receipt]:
    """Receipts from a vendor's own verdict on each recipient. What is ours, or everybody's for now, is raised after
    the receipts that are certain. A verdict that no row names is ours; where others of the call were taken it's one
    recipient's alone all the same, who is tried again without stopping everybody.
    """
    raised: ProviderError | None = None
    unnamed: list[tuple[Recipient, Ours]] = []
    taken = False
    for recipient, entry in zip(call.recipients, entries, strict=True):
        row = None if entry.message_id is not None else fault_of(faults, code=entry.code, words=entry.words)
        found = accepted(recipient, entry.message_id) if entry.message_id else verdict(recipient, row, vendor, entry)
        if isinstance(found, Receipt):
            taken = taken or found.outcome is Outcome.ACCEPTED
            yield found
        elif row is None and isinstance(found, Ours):
            unnamed.append((recipient, found))
        elif raised is None or isinstance(found, Ours):
            raised = found
    if raised is None and unnamed and not taken:
        raised = unnamed[0][1]
    if raised is not None:
        raise raised
    for recipient, fault in unnamed:
        yield deferred(recipient, fault.what)


def verdict(recipient: Recipient, row: Fault | None, vendor: str, entry: Entry) -> Receipt | ProviderError:
    """What a vendor's verdict on one recipient means: a Receipt where it's about that mailbox, else what to raise for
    everybody who has none.
    """
    said = vendor_words(": ".join(filter(None, (entry.code, entry.words)))) or "refused without a reason"
    match row.meaning if row else Meaning.OURS:
        case Meaning.TAKEN:
            return accepted(recipient, "", f"{vendor} had it already")
        case Meaning.MAILBOX | Meaning.BAD_RECIPIENT:
            return refused(recipient, said)
        case Meaning.GONE:
            return refused(recipient, said, gone=True)
        case Meaning.MAILBOX_LATER:
            return deferred(recipient, said)
        case Meaning.LATER:
            return Later(f"{vendor} is rate-limiting us: {said}", hint=row.hint if row else "")
        case Meaning.UNKNOWN:
            return Receipt(delivery=recipient.delivery, outcome=Outcome.UNKNOWN, detail=said)
        case _:
            return Ours(f"{vendor} refused it: {said}", hint=row.hint if row else "")


def deferred(recipient: Recipient, detail: str) -> Receipt:
    """The provider didn't take this message now, and may later."""
    return Receipt(delivery=recipient.delivery, outcome=Outcome.DEFERRED, detail=vendor_words(detail))


def accepted(recipient: Recipient, message_id: object, detail: str = "") -> Receipt:
    """The provider took the message. Half a letter or a NUL in its id is replaced: no database takes them."""
    known = str(message_id if isinstance(message_id, str | int) else "")[:500].replace("\0", "?")
    known = known if known.isascii() else known.encode("utf-8", "replace").decode()
    return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=known, detail=detail)


def refused(recipient: Recipient, detail: str, *, gone: bool = False) -> Receipt:
    """The provider won't have this recipient, for good."""
    detail = vendor_words(detail.replace(recipient.address, "…"))
    return Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail=detail, gone=gone)


def only(call: Call, fault: BadRecipient) -> Iterator[Receipt]:
    """Of a call that was refused for one of its recipients, the receipt where it has but one; otherwise the ledger
    cuts it in two.
    """
    if len(call.recipients) > 1:
        raise fault
    yield refused(call.recipients[0], fault.what)


def pages(vendor: str, following: Callable[[int], Sequence[Any] | None]) -> Iterator[Any]:
    """The entries of a log, page by page, until `following` gives None; bounded, since a log may have no end."""
    before: Sequence[Any] | None = None
    for number in range(_PAGES):
        page = following(number)
        if page is None:
            return
        if page and page == before:
            raise OutcomeUnknown(f"{vendor}'s log shows the same page again and again")
        yield from page
        before = page
    raise OutcomeUnknown(f"{vendor}'s log has no end")


def verify_domain(sender: str, states: Mapping[str, str], wanted: str) -> Verification:
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
            found = f"{name} is {'verified' if fine else 'not verified yet'}"
            return Verification(about="sender", fine=fine, found=found)
    return Verification(about="sender", fine=False, found=f"{domain} is not among the provider's domains")


def events_of(body: bytes, read: Callable[[Mapping[str, Any]], Sequence[Event]]) -> list[Event]:
    """The events of a webhook's entries."""
    return [event for entry in webhooks.entries(body) for event in read(entry)]
