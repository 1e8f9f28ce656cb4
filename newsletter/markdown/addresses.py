"""Bare addresses within words: what is one, and where it ends."""

from __future__ import annotations

import re
from typing import Any

from linkify_it import LinkifyIt

_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/?#][^\s<>()\[\]\"]*)?")
#: Signs of a sentence that no address holds as they are: quotes, dashes, dots of omission, and those of Chinese and
#: Japanese. Word processors write them where somebody types ", ' or ...
_AFTER = re.compile('["`|“”„‟‘’‚‛‹›«»…–—。．、，；：！？（）「」『』《》〈〉【】〔〕｡｢｣､؟،؛।]')
_LAST = ".,;:!?'*~"


class Addresses(LinkifyIt):  # type: ignore[misc]  # it tells no types
    """Only what says itself that it's an address is one: "Inc.com" or "a.me" may be a slip."""

    def __init__(self) -> None:
        super().__init__()
        self.set({"fuzzy_link": False, "fuzzy_ip": False})
        self.add("www.", {"validate": _host_length, "normalize": _with_scheme})

    def match(self, text: str) -> Any:
        """Every address of a text."""
        return [_ended(found) for found in super().match(text) or ()] or None

    def match_at_start(self, text: str) -> Any:
        """The address that a text begins with."""
        found = super().match_at_start(text)
        return _ended(found) if found else None


def _ended(found: Any) -> Any:
    """What was found, without the sign behind it and what follows that."""
    kept = _AFTER.split(found.raw, maxsplit=1)[0].rstrip(_LAST)
    extra = len(found.raw) - len(kept)
    if extra and found.url.endswith(found.raw[-extra:]):
        found.last_index -= extra
        found.url, found.raw, found.text = found.url[:-extra], kept, kept
    return found


def _host_length(_: object, text: str, at: int) -> int:
    """How far the address goes on after its `www.`; 0 where it's none."""
    found = _HOST.match(text, at)
    return len(found[0].rstrip(".,;:!?'\"")) if found else 0


def _with_scheme(_: object, match: Any) -> None:
    match.url = f"https://{match.url}"
