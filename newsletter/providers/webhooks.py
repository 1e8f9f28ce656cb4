"""What all webhooks share: a secret that has to be set, a call that proves itself, and a body that can be read.

The raw bytes are judged before anything in them is read. Whatever is wrong with a call is a WebhookError: the service
answers it with 4xx and forgets it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from newsletter.errors import ConfigError, WebhookError
from newsletter.model import Event, EventType
from newsletter.providers import Proof

#: How far a signed time may be from ours, in seconds: Svix's own tolerance, taken for all.
_TOLERANCE = 300.0


def secret(environment: Mapping[str, str], name: str) -> str:
    """The secret in that environment variable; WebhookError when there's none."""
    found = environment.get(name, "")
    if not found:
        raise WebhookError("webhooks aren't set up", hint=f"set ${name}")
    return found


def proof(environment: Mapping[str, str], name: str, read: Callable[[str], object] = str) -> Proof:
    """Whether that environment variable holds a secret, in the form that `read` can take; without one, webhooks are
    simply not set up.
    """
    if not environment.get(name):
        return Proof(about="webhooks", fine=None, told=f"not set up: ${name}")
    try:
        read(environment[name])
    except ConfigError as fault:
        return Proof(about="webhooks", fine=False, told=f"{fault} in ${name}")
    return Proof(about="webhooks", fine=True, told=f"${name} is set")


def forged(why: str) -> WebhookError:
    """A call that didn't prove itself."""
    return WebhookError(f"the webhook doesn't prove itself: {why}")


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
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise forged("the password is wrong")


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its lower-case name; empty when it isn't there."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def fresh(timestamp: str, now: dt.datetime) -> None:
    """A signed time has to be about now, or somebody replays an old call."""
    if not timestamp.isascii() or not timestamp.isdecimal() or abs(now.timestamp() - float(timestamp)) > _TOLERANCE:
        raise forged("its time is too far from now")


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


def part(entry: Mapping[str, Any], *path: str) -> Any:
    """What lies at a path of keys; None where a step is missing."""
    found: Any = entry
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def event(
    kind: EventType,
    *,
    id: str,  # noqa: A002 (the field's name)
    at: dt.datetime,
    delivery: Any,
    address: Any = "",
    detail: Any = "",
    agent: Any = "",
    machine: Any = False,
) -> Event:
    """An event, with whatever the vendor sent brought into form; an unreadable delivery is None. An open or a click
    is a machine's where the vendor says so, or where the program that did it (`agent`) is no person's.
    """
    number = str(delivery)
    known = int(number) if number.isascii() and number.isdecimal() and len(number) < 18 else None
    told = " ".join(str(detail or "").split())[:500]
    program = kind in (EventType.OPENED, EventType.CLICKED) and (bool(machine) or _is_program(str(agent or "")))
    return Event(
        id=id[:200], type=kind, at=at, delivery=known, address=str(address or ""), detail=told, machine=program
    )


#: Programs by the names they give themselves. Gmail's image proxy isn't among them: it fetches when somebody reads.
_PROGRAMS = re.compile(
    r"bot\b|crawler|spider|scanner|barracuda|proofpoint|mimecast|safelinks|headless|^python|^curl|^wget|^java/|^go-http",
    re.IGNORECASE,
)


def _is_program(agent: str) -> bool:
    """Whether a User-Agent is a program's. Apple's mail privacy fetches everything ahead as "Mozilla/5.0" alone."""
    return agent.strip() == "Mozilla/5.0" or bool(_PROGRAMS.search(agent))


def moment(value: Any, now: dt.datetime) -> dt.datetime:
    """A vendor's time, seconds since 1970 or ISO 8601, in UTC; `now` when it can't be read."""
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value, dt.UTC)
        parsed = dt.datetime.fromisoformat(str(value))
        return parsed.replace(tzinfo=parsed.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return now
