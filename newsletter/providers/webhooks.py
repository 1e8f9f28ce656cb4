"""What all webhooks share: a secret that has to be set, a call that proves itself, and a body that can be read.

The raw bytes are judged before anything in them is read. Whatever is wrong with a call is a WebhookError: the service
answers it with 4xx and forgets it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from newsletter.errors import ConfigError, WebhookError
from newsletter.model import Event, EventType
from newsletter.providers import Verification
from newsletter.providers.faults import vendor_words


def secret(environment: Mapping[str, str], name: str) -> str:
    """The secret in that environment variable; WebhookError when there's none."""
    found = environment.get(name, "").strip()
    if not found:
        raise WebhookError("webhooks aren't set up", hint=f"set ${name}")
    return found


def verification(environment: Mapping[str, str], name: str, read: Callable[[str], object] = str) -> Verification:
    """Whether that environment variable holds a secret, in the form that `read` can take; without one, webhooks are
    simply not set up.
    """
    found = environment.get(name, "").strip()
    if not found:
        return Verification(about="webhooks", fine=None, found=f"not set up: ${name}")
    try:
        read(found)
    except ConfigError as fault:
        return Verification(about="webhooks", fine=False, found=f"{fault} in ${name}")
    return Verification(about="webhooks", fine=True, found=f"${name} is set")


def forged(why: str) -> WebhookError:
    """A call that isn't the vendor's, or can't be told to be."""
    return WebhookError(f"invalid webhook signature: {why}")


def password(headers: Mapping[str, str], wanted: str) -> None:
    """For vendors that sign nothing: the secret, as the password of basic auth (RFC 7617) or as a bearer token
    (RFC 6750); compared in constant time.
    """
    scheme, _, given = header(headers, "authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            given = ""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise forged("the password is wrong")


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its lower-case name; empty when it isn't there."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def document(body: bytes) -> Any:
    """The body as JSON; WebhookError when it's none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookError("the webhook's body is not JSON") from None


def entries(body: bytes) -> list[dict[str, Any]]:
    """The events of a body that is one or a list of them; what isn't an object is left out."""
    found = document(body)
    return [entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, dict)]


def part(entry: Any, *path: str) -> Any:
    """What lies at a path of keys; None where a step is missing or isn't an object."""
    found: Any = entry
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def rows(found: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none where it isn't a list."""
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def events(
    kind: EventType,
    *,
    id: str,  # noqa: A002 (the field's name)
    at: dt.datetime,
    mark: Any,
    address: Any = "",
    detail: Any = "",
    agent: Any = "",
    machine: Any = False,
    known: EventType | None = None,
) -> list[Event]:
    """An event, with whatever the vendor sent brought into form. An open or a click is a machine's where the vendor
    says so, or where the program that did it (`agent`) is no person's. `known` is what the vendor had known before
    when it dropped a message, a hard bounce say: an event of its own.
    """
    program = kind in (EventType.OPENED, EventType.CLICKED) and (bool(machine) or _is_program(str(agent or "")))
    event = Event(
        id=_identity(id),
        type=kind,
        at=at,
        mark=_word(mark, 100),
        address=_word(address, 320),
        detail=_detail(kind, detail),
        machine=program,
    )
    return [event] if known is None else [event, replace(event, id=f"{event.id}:known", type=known)]


def _word(value: Any, longest: int) -> str:
    """A text without blanks or what no database takes; what isn't one is nobody's."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "" if _UNPRINTABLE.search(text) else text[:longest]


def _identity(given: str) -> str:
    """A vendor's id of an event, as it is where it can be kept so, and else its digest."""
    return (
        given if re.fullmatch(r"[!-~ ]{1,180}", given) else hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()
    )


def _detail(kind: EventType, detail: Any) -> str:
    """A reason in the vendor's words, or the link that was clicked."""
    text = detail if isinstance(detail, str) else ""
    if kind is EventType.CLICKED:
        return _UNPRINTABLE.sub("", text)[:2_000]
    return vendor_words(text)


#: What no address on the web holds as it stands, and no database takes (a NUL, half a surrogate pair).
_UNPRINTABLE = re.compile(r"[^!-~\u00a1-\ud7ff\uf900-\uffef]")


#: Programs by the names they give themselves. Gmail's image proxy isn't among them: it fetches when somebody reads.
_PROGRAMS = re.compile(
    r"bot\b|crawler|spider|scanner|barracuda|proofpoint|mimecast|safelinks|headless|^python|^curl|^wget|^java/|^go-http",
    re.IGNORECASE,
)


def _is_program(agent: str) -> bool:
    """Whether a User-Agent is a program's. Apple's mail privacy fetches everything ahead as "Mozilla/5.0" alone."""
    return agent.strip() == "Mozilla/5.0" or bool(_PROGRAMS.search(agent))


def moment(value: Any, now: dt.datetime) -> dt.datetime:
    """A vendor's time, seconds or milliseconds since 1970 or ISO 8601, in UTC; `now` when it can't be read, or lies in
    the future.
    """
    return min(_moment(value, now), now)


def _moment(value: Any, now: dt.datetime) -> dt.datetime:
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value / 1_000 if value > 1e11 else value, dt.UTC)
        parsed = dt.datetime.fromisoformat(str(value))
        return parsed.replace(tzinfo=parsed.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return now
