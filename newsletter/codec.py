"""The pipeline's values as JSON and back, and the digest that binds an approval to its content."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from newsletter.merge import MergeField, MergeText
from newsletter.model import Block, Policy

T = TypeVar("T")


@cache
def _converter() -> Converter:
    converter = make_converter()
    configure_tagged_union(Block, converter, tag_name="block")
    converter.register_unstructure_hook(
        MergeText,
        lambda text: [p if isinstance(p, str) else _field(p) for p in text.parts],
    )
    converter.register_structure_hook(
        MergeText,
        lambda parts, _: MergeText(
            tuple(
                p
                if isinstance(p, str)
                else MergeField(name=p["field"], fallback=p["fallback"], in_url=p.get("in_url", False))
                for p in parts
            )
        ),
    )
    # What was approved before there were provisions has no word of them, and stays as it was.
    converter.register_unstructure_hook(
        Policy, make_dict_unstructure_fn(Policy, converter, provisions=override(omit_if_default=True))
    )
    return converter


def _field(field: MergeField) -> dict[str, Any]:
    """A merge field; what was kept before there were fields within addresses has no word of it."""
    return {"field": field.name, "fallback": field.fallback} | ({"in_url": True} if field.in_url else {})


def plain(value: Any) -> Any:
    """A value of the model as dicts, lists, texts and numbers."""
    return _converter().unstructure(value)


def build(data: Any, cls: type[T]) -> T:
    """The value that `plain` took apart."""
    return _converter().structure(data, cls)


def dumps(value: Any) -> str:
    """A value of the model as JSON, always the same text for the same value."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def loads(text: str, cls: type[T]) -> T:
    """The value that `dumps` wrote."""
    return build(json.loads(text), cls)


def digest(*values: Any) -> str:
    """SHA-256 of the values' JSON, in hexadecimal."""
    sha = hashlib.sha256()
    for value in values:
        sha.update(dumps(value).encode())
        sha.update(b"\n")
    return sha.hexdigest()
