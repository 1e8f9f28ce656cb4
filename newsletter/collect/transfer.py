"""Items, policies and members from and to files: TOML, JSON and CSV, with the keys of `forms`.

An import is one transaction. Every row ends as added, updated, unchanged or rejected; the rejected ones
are written beside the input, with their line and reason, to be mended and imported again.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tomli_w
from sqlalchemy.orm import Session

from newsletter import private
from newsletter.collect import forms, items, members, policies, provisions, taken
from newsletter.collect.columns import WORKBOOKS, keys_of, sheet_rows
from newsletter.collect.forms import Form
from newsletter.collect.inbox import Known
from newsletter.errors import ConfigError, InputError, NewsletterError
from newsletter.gazetteer import doubts
from newsletter.model import Item, Level, Member, Place, Policy
from newsletter.tables import Document

What = Literal["items", "policies", "members"]
Entry = Item | Policy | Member
FORMATS = ("toml", "json", "csv")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of entry is read, written and stored: functions of `forms`, and the module that stores it."""

    read: Callable[..., Any]
    write: Callable[..., dict[str, Any]]
    shelf: Any
    keys: tuple[str, ...]


_KINDS: dict[What, _Kind] = {
    "items": _Kind(forms.read_item, forms.write_item, items, forms.ITEM_KEYS),
    "policies": _Kind(forms.read_policy, forms.write_policy, policies, forms.POLICY_KEYS),
    "members": _Kind(forms.read_member, forms.write_member, members, forms.MEMBER_KEYS),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a file: the line it starts on (or, in JSON, its place in the list) and its keys."""

    line: int
    form: Form


@dataclass(slots=True)
class Report:
    """What became of the rows of an import; `doubts` are about places that nobody knows."""

    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[tuple[Row, str]] = field(default_factory=list)
    doubts: list[tuple[Row, str]] = field(default_factory=list)
    rejects_file: Path | None = None


def import_file(
    session: Session, path: Path, what: What, *, workspace: Path, now: dt.datetime, tracking: Collection[str] = ()
) -> Report:
    """Add or update the items, policies or members of a file, by slug; `tracking` as in `forms`."""
    report = Report()
    known = members.slugs(session) if what == "members" else taken(session)
    around = {} if what == "members" else {"base": path.parent, "workspace": workspace, "tracking": tracking}
    read = partial(_KINDS[what].read, **around)
    seen: dict[str, int] = {}
    stories = Known.of(session, tracking) if what == "items" else None
    for row in read_file(path, what):
        report.rows += 1
        try:
            form = _of_known_story(session, row.form, stories) if stories else row.form
            value = read(form, taken=() if form.get("slug") else known)
            if value.slug in seen:
                raise InputError(f'"{value.slug}" stands already on line {seen[value.slug]}')
            _store(session, value, what, known, now, report, told=row.form)
            seen[value.slug] = row.line
            known.add(value.slug)
            report.doubts += [(row, doubt) for doubt in doubts(places_of(value))]
        except NewsletterError as fault:
            report.rejected.append((row, str(fault)))
    if report.rejected:
        report.rejects_file = write_rejects(path, what, report.rejected)
    return report


def _of_known_story(session: Session, form: Form, stories: Known) -> Form:
    """A row without a slug whose address is stored already: what it says of that story, with what was known of it."""
    slug = "" if form.get("slug") else stories.same(str(form.get("url") or ""))
    if not slug:
        return form
    said = {key: value for key, value in form.items() if value not in ("", None)}
    return {**forms.write_item(items.get(session, slug)), **said}


def places_of(value: Entry) -> tuple[Place, ...]:
    """The places that an entry names; a school district's is its own, and in no list."""
    if isinstance(value, Item):
        return value.places
    return () if isinstance(value, Policy) and value.level is Level.SCHOOL else (value.place,)


def _store(
    session: Session, value: Entry, what: What, known: set[str], now: dt.datetime, report: Report, *, told: Form
) -> None:
    shelf = _KINDS[what].shelf
    if value.slug not in known:
        shelf.add(session, value, now)
        report.added += 1
        return
    if value.slug not in shelf.slugs(session):
        raise InputError(f'"{value.slug}" is the slug of another kind of entry', hint="choose another slug")
    if isinstance(value, Policy):
        had = policies.get(session, value.slug)
        if not told.get("history"):  # a row with only the latest status adds to the history that we have
            value = replace(value, history=tuple(dict.fromkeys((*had.history, *value.history))))
        if "provisions" not in told:
            value = replace(value, provisions=had.provisions)
    changed = shelf.replace(session, value.slug, value, now)
    report.updated += changed
    report.unchanged += not changed


def read_file(path: Path, what: What) -> list[Row]:
    """The rows of a file, by its ending; InputError when it can't be read at all."""
    if path.suffix.lower() in WORKBOOKS:
        return _table_rows(sheet_rows(path), path, what)
    if path.suffix.lower().lstrip(".") not in (*FORMATS, "tsv"):
        raise InputError("unknown kind of file", where=path, hint="use .toml, .json, .csv, .tsv or .xlsx")
    text = read_text(path)
    match path.suffix.lower():
        case ".toml":
            return _toml_rows(text, path, what)
        case ".json":
            return _json_rows(text, path, what)
        case _:
            return _table_rows(_csv_lines(text, path), path, what)


def read_text(path: Path) -> str:
    """The text of a file: UTF-8, with or without a mark, UTF-16 with one, else Windows-1252."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"can't be read: {fault.strerror}", where=path) from None
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InputError("not a text file that we can read", where=path, hint="save it as UTF-8")


def _toml_rows(text: str, path: Path, what: What) -> list[Row]:
    try:
        document = Document.parse(text.replace("\r\n", "\n"), str(path))
    except ConfigError as fault:
        raise InputError(fault.what, where=fault.where) from None
    tables = document.data.get(what, [])
    if not isinstance(tables, list):
        raise InputError(f'"{what}" must be tables that start with [[{what}]]', where=path)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{what}\s*\]\]", line)]
    numbers = lines if len(lines) == len(tables) else range(1, len(tables) + 1)
    return [Row(line, table) for line, table in zip(numbers, tables, strict=True)]


def _json_rows(text: str, path: Path, what: What) -> list[Row]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as fault:
        raise InputError(f"not valid JSON: {fault.msg}", where=f"{path}:{fault.lineno}") from None
    except (ValueError, RecursionError):
        raise InputError("not valid JSON: a number is too long, or it's nested too deep", where=path) from None
    entries = data.get(what, []) if isinstance(data, dict) else data
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f'must be a list of objects, or an object with "{what}"', where=path)
    return [Row(number, _mended(entry)) for number, entry in enumerate(entries, 1)]


def _csv_lines(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the line that it starts on."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as fault:
        raise InputError(f"not valid CSV: {fault}", where=f"{path}:{reader.line_num}") from None


def _table_rows(lines: Iterator[tuple[int, list[str]]], path: Path, what: What) -> list[Row]:
    """The rows of a table whose first one names the columns, as people name them."""
    header = next((cells for _, cells in lines if any(map(str.strip, cells))), [])
    if not header:
        raise InputError("the file is empty", where=path)
    keys = keys_of(header, _KINDS[what].keys)
    rows = []
    for line, cells in lines:
        if any(map(str.strip, cells)):
            beyond = "".join(cells[len(keys) :])
            extra = {"cells beyond the header": beyond} if beyond.strip() else {}
            named = {key: cell for key, cell in zip(keys, cells, strict=False) if key}
            rows.append(Row(line, _mended({**named, **extra})))
    return rows


def _mended(form: Mapping[str, Any]) -> Form:
    """A row of a file of rejected rows without what was said of it."""
    return {key: form[key] for key in form if key not in ("line", "reason")} if "reason" in form else form


def write_rejects(path: Path, what: What, rejected: Iterable[tuple[Row, str]]) -> Path:
    """Write rejected rows beside their file, with line and reason; gives the new file."""
    if path.suffix.lower() in (".csv", ".tsv", *WORKBOOKS):
        target = path.with_name(f"{path.stem}.rejects.csv")
        lines = [{**row.form, "line": row.line, "reason": reason} for row, reason in rejected]
        return _write(target, _to_csv(lines, tuple(dict.fromkeys(key for line in lines for key in line))))
    target = path.with_name(f"{path.stem}.rejects.json")
    entries = [{**row.form, "line": row.line, "reason": reason} for row, reason in rejected]
    return _write(target, _to_json(what, entries))


def export(values: Iterable[Entry], what: What, format: str) -> str:  # noqa: A002 (the word for it)
    """Items, policies or members as TOML, JSON or CSV text that `import_file` reads back to the same values."""
    kind = _KINDS[what]
    entries = [kind.write(value) for value in values]
    if format == "toml":
        return tomli_w.dumps({what: entries}, multiline_strings=True)
    if format == "json":
        return _to_json(what, entries)
    return _to_csv([_flat(entry) for entry in entries], kind.keys)


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A form whose lists are single cells."""
    flat = dict(entry)
    if "history" in flat:
        flat["history"] = "\n".join(map(forms.status_line, flat["history"]))
    if "provisions" in flat:
        flat["provisions"] = "\n".join(map(provisions.line, flat["provisions"]))
    if "links" in flat:
        flat["links"] = "; ".join(f"{link['label']} <{link['url']}>" for link in flat["links"])
    return {key: "; ".join(value) if isinstance(value, list) else value for key, value in flat.items()}


def _to_json(what: What, entries: list[dict[str, Any]]) -> str:
    return json.dumps({what: entries}, ensure_ascii=False, indent=2, default=str) + "\n"


def _to_csv(entries: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, keys, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(entries)
    return out.getvalue()


def _write(target: Path, text: str) -> Path:
    try:
        private.write(target, text.encode())
    except OSError as fault:
        raise InputError(f"can't write the rejected rows: {fault.strerror}", where=target) from None
    return target
