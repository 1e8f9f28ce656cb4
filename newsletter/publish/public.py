"""What may be public of a value: the same, with addresses that say nothing of who clicked and where.

It's done to values, before anything is made of them, so that pages, feeds, calendars and data files have it from one
place and no finished HTML is ever rewritten.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar, cast

from newsletter.links import cleaned_text
from newsletter.merge import MergeField

T = TypeVar("T")


def public(value: T, tracking: tuple[str, ...]) -> T:
    """The value with every text in it cleaned, however deep it lies; the very same where nothing had to go."""
    cleaned: object = value
    if isinstance(value, str) and type(value) is str:
        text = cleaned_text(value, tracking)
        cleaned = value if text == value else text
    elif isinstance(value, tuple):
        parts = [public(part, tracking) for part in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            cleaned = tuple(parts)
    elif isinstance(value, Mapping):
        pairs = {key: public(part, tracking) for key, part in value.items()}
        if any(pairs[key] is not part for key, part in value.items()):
            cleaned = pairs
    elif dataclasses.is_dataclass(value) and not isinstance(value, type | MergeField):
        changed = {}
        for name in _fields(type(value)):
            old = getattr(value, name)
            if (new := public(old, tracking)) is not old:
                changed[name] = new
        if changed:
            cleaned = dataclasses.replace(value, **changed)
    return cast("T", cleaned)


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)
