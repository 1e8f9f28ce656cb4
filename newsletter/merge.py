"""Merge fields: the places in a text that differ from reader to reader.

Staff write `{{ first_name | friend }}`: the field's name, then the words for readers of whom it isn't
known. A `MergeText` is such a text taken apart once, so that merging a message is one join, and so that
braces which came from elsewhere (an item's summary, say) can never turn into a field.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

#: Fields a person may use, each with what it holds.
PERSONAL_FIELDS: Mapping[str, str] = {
    "first_name": "the reader's first name",
    "last_name": "the reader's last name",
    "locality": "the reader's city or county",
    "state": "the reader's state, as two letters",
}
#: Fields the program fills in for every reader; they need no fallback.
SYSTEM_FIELDS: Mapping[str, str] = {
    "unsubscribe_url": "the reader's own signed address for leaving the list",
    "preferences_url": "the reader's own signed address for choosing lists, and how much mail",
}
#: Every merge field.
FIELDS: Mapping[str, str] = {**PERSONAL_FIELDS, **SYSTEM_FIELDS}


def reader_links(unsubscribe_url: str) -> dict[str, str]:
    """The values of the system's fields, given a reader's address for leaving: it differs from the others by one letter
    of its path, `/u/` for leaving and `/p/` for preferences.
    """
    head, _, token = unsubscribe_url.rpartition("/u/")
    return {"unsubscribe_url": unsubscribe_url, "preferences_url": f"{head}/p/{token}" if head else unsubscribe_url}


PATTERN = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*(?:\|([^{}|]*))?\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeField:
    """One use of a field. `fallback` is None where the writer gave none; `in_url` says that it stands within an
    address, and that its value has to be encoded for that (RFC 3986).
    """

    name: str
    fallback: str | None = None
    in_url: bool = False

    def __str__(self) -> str:
        return f"{{{{ {self.name} }}}}" if self.fallback is None else f"{{{{ {self.name} | {self.fallback} }}}}"

    def value(self, values: Mapping[str, str]) -> str:
        """The reader's value, or the fallback, or nothing."""
        value = values.get(self.name, "").strip() or self.fallback or ""
        return quote(value, safe="") if self.in_url else value


@dataclass(frozen=True, slots=True)
class MergeText:
    """A text as literal strings and merge fields, in order."""

    parts: tuple[str | MergeField, ...] = ()

    def __iter__(self) -> Iterator[str | MergeField]:
        return iter(self.parts)

    def __str__(self) -> str:
        """The text as its writer would have typed it."""
        return "".join(map(str, self.parts))

    @property
    def fields(self) -> tuple[MergeField, ...]:
        """The fields, in the order of their use."""
        return tuple(p for p in self.parts if isinstance(p, MergeField))

    def merge(self, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
        """The text for one reader; `escape` is applied to merged values only, never to literals."""
        return "".join(p if isinstance(p, str) else escape(p.value(values)) for p in self.parts)

    def merge_html(self, values: Mapping[str, str]) -> str:
        """The text for one reader, values escaped for HTML text and quoted attributes."""
        return self.merge(values, html.escape)


def parse(text: str) -> MergeText:
    """Take `{{ name | fallback }}` fields out of a text that staff wrote."""
    parts: list[str | MergeField] = []
    position = 0
    for match in PATTERN.finditer(text):
        if match.start() > position:
            parts.append(text[position : match.start()])
        fallback = match.group(2)
        parts.append(MergeField(name=match.group(1), fallback=None if fallback is None else fallback.strip()))
        position = match.end()
    if position < len(text):
        parts.append(text[position:])
    return MergeText(tuple(parts))
