"""TOML tables read into frozen values, every fault with its line and the nearest known key.

    document = Document.parse(text, "config.toml")
    sender = document.table("senders", "desk").read(Sender)

A dataclass says what a table may hold: its field names are the keys, its annotations the types, a field
without a default must be given.
"""

from __future__ import annotations

import math
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from newsletter.errors import ConfigError, nearest

T = TypeVar("T")
Error = type[ConfigError]
#: TOML's whole numbers have 64 bits (https://toml.io/en/v1.0.0#integer).
_LARGEST = 2**63 - 1
_HEADER = re.compile(r"^\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def _split(dotted: str) -> tuple[str, ...]:
    return tuple("".join(groups) for groups in _PART.findall(dotted))


_CURLY = "“”„‟‘’‚‛«»‹›″′＂"
_ODD_SPACE = re.compile("[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_VALUE = re.compile(r"\s*([\w-]+)\s*=\s*(.*?)\s*$")


def _syntax_hint(line: str) -> str:
    """What to write instead of a line that isn't TOML, for what people and word processors do to it."""
    key, value = found.groups() if (found := _VALUE.match(line)) else ("", "")
    bare = re.sub(r'"[^"]*"', "", line)
    if key in ("date", "since"):
        return f"write a date as {key} = 2022-10-12"
    if any(mark in bare for mark in _CURLY):
        return f'write straight quotes: {key or "title"} = "…"'
    if re.match(r"\d{1,4}[-‐‑‒–—−./]\d{1,2}[-‐‑‒–—−./]\d{1,4}$", value):
        return f"write a date as {key} = 2022-10-12"
    if _ODD_SPACE.search(bare):
        return "there is a blank that isn't a plain one; delete it and type it again"
    if yaml := re.match(r"\s*([\w-]+)\s*:", line):
        return f'write {yaml[1]} = "…"'
    if value.startswith('"') and value.count('"') > 2:
        return f'write \\" for a quote within quotes: {key} = "the \\"word\\""'
    if value.startswith(('"', "'")):
        return "the quote is never closed on its line"
    return f'put words between quotes: {key} = "…"' if value else ""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed TOML text that knows where its keys stand. `first_line` is the text's own first line number."""

    data: Mapping[str, Any]
    name: str
    lines: Mapping[tuple[str, ...], int]

    @classmethod
    def parse(cls, text: str, name: str, *, first_line: int = 1) -> Document:
        """Parse TOML; a syntax error becomes a ConfigError with its line."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            found = re.search(r"\(at line (\d+), column \d+\)", str(fault))
            line = int(found.group(1)) if found else text.count("\n") + 1
            what = re.sub(r"\s*\(at .*\)", "", str(fault))
            wrong = next(iter(text.split("\n")[line - 1 : line]), "")
            where = f"{name}:{line + first_line - 1}"
            raise ConfigError(f"not valid TOML: {what}", where=where, hint=_syntax_hint(wrong)) from None
        except (ValueError, RecursionError):
            raise ConfigError(
                "not valid TOML: a number is too long, or tables are nested too deep", where=name
            ) from None
        lines: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line_text in enumerate(text.splitlines(), first_line):
            if header := _HEADER.match(line_text):
                table = _split(header.group(1))
                lines.setdefault(table, number)
            elif key := _KEY.match(line_text):
                path = table + _split(key.group(1))
                for length in range(len(table) + 1, len(path) + 1):
                    lines.setdefault(path[:length], number)
        return cls(data, name, lines)

    def line(self, path: tuple[str, ...]) -> int:
        """The line on which a key or table stands, or that of the nearest table around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, *path: str) -> str:
        """`name:line` of a key."""
        return f"{self.name}:{self.line(path)}"

    def root(self) -> Table:
        """The whole document as a table."""
        return Table(self.data, self, ())


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a document, with the path of keys that leads to it."""

    data: Mapping[str, Any]
    document: Document
    path: tuple[str, ...]

    def error(self, what: str, *keys: str, hint: str = "") -> ConfigError:
        """A ConfigError that points at a key of this table."""
        return ConfigError(what, where=self.document.where(*self.path, *keys), hint=hint)

    def table(self, key: str) -> Table:
        """The table under `key`; an empty one where there is none."""
        value = self.data.get(key, {})
        if not isinstance(value, Mapping):
            raise self.error(f'"{key}" must be a table, [{".".join((*self.path, key))}]', key)
        return type(self)(value, self.document, (*self.path, key))

    def tables(self, key: str) -> dict[str, Table]:
        """The named tables under `key`: `[lists.a]`, `[lists.b]` for `lists`."""
        parent = self.table(key)
        return {name: parent.table(name) for name in parent.data}

    def without(self, *keys: str) -> Table:
        """The same table less some keys, for those that are read apart."""
        return type(self)({k: v for k, v in self.data.items() if k not in keys}, self.document, self.path)

    def only(self, *keys: str) -> Table:
        """The same table with none but some keys."""
        return type(self)({k: v for k, v in self.data.items() if k in keys}, self.document, self.path)

    def read(self, cls: type[T], **given: Any) -> T:
        """Make a `cls` of this table; `given` fills fields that are not to stand in the file."""
        hints = typing.get_type_hints(cls)
        known = {f.name: f for f in fields(cast("Any", cls)) if f.name not in given}
        for key in self.data:
            if key not in known:
                raise self.error(f'unknown key "{key}"{self._here()}', key, hint=nearest(key, known))
        values = dict(given)
        for name, spec in known.items():
            if name in self.data:
                values[name] = self._value(hints[name], self.data[name], name)
            elif spec.default is MISSING and spec.default_factory is MISSING:
                if is_dataclass(hints[name]):
                    values[name] = self.table(name).read(hints[name])
                else:
                    raise self.error(f'"{name}" is missing{self._here()}')
        try:
            return cls(**values)
        except ValueError as fault:
            raise self.error(str(fault)) from None

    def _here(self) -> str:
        return f" in [{'.'.join(self.path)}]" if self.path else ""

    def _check_number(self, value: Any, key: str) -> None:
        if type(value) is float and not math.isfinite(value):
            raise self.error(f'"{key}" must be a number, not {value}', key)
        if type(value) is int and abs(value) > _LARGEST:
            raise self.error(f'"{key}" is too large a number', key)

    def _value(self, hint: Any, value: Any, key: str) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        self._check_number(value, key)
        if hint is Any:
            return value
        if origin in (typing.Union, types.UnionType):
            return self._value(next(a for a in arguments if a is not type(None)), value, key)
        if origin is tuple and isinstance(value, list):
            return tuple(self._value(arguments[0], v, key) for v in value)
        if origin is dict and isinstance(value, Mapping):
            entries = self.table(key)
            return {name: entries._value(arguments[1], v, name) for name, v in value.items()}
        if is_dataclass(hint) and isinstance(value, Mapping):
            return type(self)(value, self.document, (*self.path, key)).read(cast("Any", hint))
        if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str):
            if value in set(hint):
                return hint(value)
            choices = ", ".join(hint)
            raise self.error(f'"{key}" is "{value}", which is none of: {choices}', key, hint=nearest(value, hint))
        if hint is Path and isinstance(value, str):
            return Path(value)
        if hint is float and type(value) is int:
            return float(value)
        if hint is date and type(value) is datetime:
            return value.date()
        if isinstance(hint, type) and type(value) is hint:
            return value
        raise self.error(f'"{key}" must be {_describe(hint)}, not {_describe(type(value))}', key)


def _describe(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is tuple or hint is list:
        return "a list"
    if origin is dict or hint is dict or is_dataclass(hint):
        return "a table"
    names = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
    names |= {date: "a date such as 2026-12-01", Path: "a path in quotes", datetime: "a date with a time"}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "a text in quotes"
    return names.get(hint, str(getattr(hint, "__name__", hint)))
