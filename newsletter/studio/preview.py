"""A mail or a page made to look as it will in the dark, and an inbox row as it will be cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Scheme = Literal["light", "dark"]

_PREFERS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_DECLARED = re.compile(r"((?:supported-)?color-schemes?\s*[:=]\s*)(light dark|dark light)", re.IGNORECASE)
_META = re.compile(r'(<meta name="(?:supported-)?color-schemes?" content=")[^"]*(")', re.IGNORECASE)
#: Characters: where Gmail on a wide screen cuts subject and preheader together, and where an iPhone cuts each.
_GMAIL, _IPHONE_SUBJECT, _IPHONE_PREHEADER = 100, 38, 80


def in_scheme(text: str, scheme: Scheme) -> str:
    """HTML or CSS as a reader of that colour scheme sees it, whatever the scheme of this screen."""

    def decided(match: re.Match[str]) -> str:
        return "(min-width: 0)" if match.group(1).lower() == scheme else "(max-width: 0)"

    text = _PREFERS.sub(decided, text)
    text = _META.sub(rf"\g<1>{scheme}\g<2>", text)
    return _DECLARED.sub(rf"\g<1>{scheme}", text)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """How a program shows a message in its list; what is cut off is empty where all is shown."""

    program: str
    subject: str
    subject_cut: str
    preheader: str
    preheader_cut: str


def inbox_rows(subject: str, preheader: str) -> tuple[InboxRow, ...]:
    """Subject and preheader as Gmail on a wide screen and Mail on an iPhone show them, by count of characters."""
    left = max(0, _GMAIL - len(subject))
    return (
        InboxRow("Gmail", *_cut(subject, _GMAIL), *_cut(preheader, left)),
        InboxRow("iPhone", *_cut(subject, _IPHONE_SUBJECT), *_cut(preheader, _IPHONE_PREHEADER)),
    )


def _cut(text: str, length: int) -> tuple[str, str]:
    return text[:length], text[length:]
