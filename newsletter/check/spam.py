"""SpamAssassin's opinion of a whole message, where it's installed. It's asked only when somebody wants it to be."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.check.asked import SPAM_SCORE
from newsletter.errors import InputError
from newsletter.model import Finding, Severity

#: SpamAssassin calls a message spam from 5 on (its required_score); many servers are stricter.
_SPAM, _SUSPICIOUS = 5.0, 3.0
_SECONDS = 60
_STATUS = re.compile(r"^X-Spam-Status:.*?score=(-?[\d.]+).*?tests=([A-Z0-9_,\s]*)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Score:
    """Points, and the names of the rules that gave or took them."""

    points: float
    rules: tuple[str, ...]


def score(message: bytes, run: Callable[[bytes], str] | None = None) -> Score:
    """The score of a whole message (RFC 5322), by rules that ask no network; `run` gives what the program prints."""
    said = (run or _spamassassin)(message)
    found = _STATUS.search(said)
    if not found:
        raise InputError("SpamAssassin gave no score", hint="try: spamassassin --lint")
    names = re.split(r"[,\s]+", found[2])
    rules = tuple(name for name in names if re.fullmatch(r"[A-Z0-9_]+", name))
    return Score(float(found[1]), rules)


def findings(message: bytes, run: Callable[[bytes], str] | None = None) -> list[Finding]:
    """A finding when a message's score is near that of spam, or over it."""
    found = score(message, run)
    if found.points < _SUSPICIOUS:
        return []
    severity = Severity.ERROR if found.points >= _SPAM else Severity.WARNING
    told = f"SpamAssassin gives {found.points:g} points, and calls {_SPAM:g} spam: {', '.join(found.rules)}"
    return [Finding(rule=SPAM_SCORE, severity=severity, where="whole message", message=told)]


def _spamassassin(message: bytes) -> str:
    program = shutil.which("spamassassin")
    if not program:
        raise InputError("this needs SpamAssassin, which isn't installed", hint="install it, or check without --spam")
    try:
        done = subprocess.run([program, "-L", "-t"], input=message, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise InputError(f"SpamAssassin didn't answer: {type(fault).__name__}") from None
    return done.stdout.decode("utf-8", "replace")
