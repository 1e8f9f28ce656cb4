"""What the commands for items, policies and members share: options of a form, files in and out, the editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import tomli_w

from newsletter import private
from newsletter.cli.output import emit, emit_document, next_step, print_json, say, workspace
from newsletter.collect import transfer
from newsletter.errors import ConfigError, InputError
from newsletter.gazetteer import doubts
from newsletter.tables import Document

#: Keys that hold lists, with the option that adds one.
_SINGULAR = {
    "topics": "topic",
    "places": "place",
    "people": "person",
    "sponsors": "sponsor",
    "links": "link",
    "aliases": "alias",
}
_HELP = {
    "slug": "Short name (default: made of the title).",
    "url": "Where it is.",
    "date": "Its day, as 2026-12-01.",
    "summary": "A sentence or three, in Markdown.",
    "photo": "A picture file; it's copied into media/.",
    "topics": "A topic; may be repeated.",
    "places": 'A place such as "Durham, NC" or "NC"; may be repeated.',
    "place": 'A place such as "Durham, NC" or "NC".',
    "people": "Somebody it concerns; may be repeated.",
    "sponsors": "Somebody who led it; may be repeated.",
    "links": '"Label <https://…>"; may be repeated.',
    "number": "Bill or ordinance number.",
    "starts": "First day of an event.",
    "closes": "Last day of a job posting.",
    "aliases": "Another spelling of the name; may be repeated.",
}
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
format_option = click.option(
    "--format", "format_", type=click.Choice(transfer.FORMATS), help="Default: by the file's ending, or toml."
)


def form_options(keys: tuple[str, ...], types: Mapping[str, click.ParamType[Any]]) -> Decorator:
    """An option for each key of a form; what is not given stays None."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for key in reversed(keys):
            option = f"--{_SINGULAR.get(key, key).replace('_', '-')}"
            of = types.get(key)
            function = click.option(option, key, type=of, multiple=key in _SINGULAR, help=_HELP.get(key))(function)
        return function

    return decorate


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as a form."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value}


def free(slug: str, known: set[str]) -> None:
    """Refuse a slug that is taken."""
    if slug in known:
        raise InputError(f'"{slug}" is taken by another item or policy', hint="give another --slug")


def in_editor(form: dict[str, Any], slug: str) -> dict[str, Any]:
    """The form as it comes back from a person's editor."""
    text = click.edit(tomli_w.dumps(form, multiline_strings=True), extension=".toml")
    if text is None:
        return form
    try:
        return dict(Document.parse(text, slug).data)
    except ConfigError as fault:
        raise InputError(f"{fault.what}; nothing was changed", where=fault.where) from None


def say_doubts(value: transfer.Entry) -> None:
    """Point out places that aren't known."""
    for doubt in doubts(transfer.places_of(value)):
        say(f"Note: {doubt}", fg="yellow")


def import_entries(ctx: click.Context, path: Path, what: transfer.What, as_json: bool) -> None:
    """Import a file and say what became of its rows."""
    with workspace(ctx) as space, space.store.write() as session:
        tracking = space.config.collect.tracking
        now = space.clock.now()
        report = transfer.import_file(session, path, what, workspace=space.folder, now=now, tracking=tracking)
    if as_json:
        print_json(
            {
                **{key: getattr(report, key) for key in ("rows", "added", "updated", "unchanged")},
                "rejected": len(report.rejected),
                "rejects_file": report.rejects_file,
            }
        )
    else:
        counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
        emit(f"{report.rows} {what}: {counts}, {len(report.rejected)} rejected")
    for row, reason in report.rejected[:10]:
        say(f"{path}:{row.line}: {reason}", fg="yellow")
    for row, doubt in report.doubts[:10]:
        say(f"Note: {path}:{row.line}: {doubt}", fg="yellow")
    if len(report.rejected) > 10:
        say(f"… and {len(report.rejected) - 10} more")
    if report.rejects_file:
        next_step(f"mend {report.rejects_file}, then: newsletter {what} import {report.rejects_file.name}")
    else:
        next_step(f"newsletter {what} list")


def export_entries(values: list[transfer.Entry], what: transfer.What, output: str, form: str | None) -> None:
    """Write items or policies to a file, or to standard output for `-`."""
    ending = Path(output).suffix.lstrip(".")
    text = transfer.export(values, what, form or (ending if ending in transfer.FORMATS else "toml"))
    if output == "-":
        emit_document(text)
    else:
        private.write(Path(output), text.encode())
        say(f"{len(values)} {what} written to {output}.")
