"""Commands that bring people in from other systems, and take an import back."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from newsletter.audience import columns, importing, undoing
from newsletter.audience.exports import unpacked
from newsletter.audience.people import Person
from newsletter.audience.planning import MEANINGS, Choices, ImportPlan
from newsletter.cli.arguments import NUMBER
from newsletter.cli.lists import known_list
from newsletter.cli.output import (
    as_json,
    many,
    next_step,
    print_json,
    print_table,
    progress,
    say,
    workspace,
)
from newsletter.errors import InputError
from newsletter.workspace import Workspace

#: Fields that are shown though no column holds them.
_USUAL = ("email", "first_name", "last_name", "state", "lists", "status", "confirmed")
_SHOWN = 5


@click.command("import")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="Which column a field is in; repeatable.")
@click.option("--skip", multiple=True, metavar="COLUMN", help="A column that says nothing of who may be mailed.")
@click.option("--word", "words", multiple=True, metavar="WORD=STANDING", help="What a word in a status column means.")
@click.option("--everybody", type=click.Choice([*MEANINGS]), help="Where all stand who are in the file.")
@click.option("--list", "default", multiple=True, metavar="LIST", help="For rows that name no list.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rejected rows go (default: beside the file).")
@click.option("--yes", is_flag=True, help="Take the guessed columns without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--undo", type=NUMBER, metavar="NUMBER", help="Take back what an earlier import added and changed.")
@as_json
@click.pass_context
def import_(
    ctx: click.Context,
    path: Path | None,
    pairs: tuple[str, ...],
    skip: tuple[str, ...],
    words: tuple[str, ...],
    everybody: str | None,
    default: tuple[str, ...],
    rejects: Path | None,
    yes: bool,
    dry_run: bool,
    undo: int | None,
    as_json: bool,
) -> None:
    """Import subscribers from FILE: CSV, TSV, a workbook or Mailchimp's archive; `-` reads standard input.

    Every row ends as imported, merged or rejected; a stop always wins.
    """
    if (path is None) == (undo is None):
        raise click.UsageError("Name a file, or --undo NUMBER.")
    with workspace(ctx) as space:
        if path is None:
            _undo(space, undo or 0)
            return
        for name in default:
            known_list(space, name)
        meant = {word: MEANINGS[standing] for word, standing in (_word(pair) for pair in words)}
        choices = Choices(pairs=pairs, skipped=skip, words=meant, everybody=MEANINGS[everybody] if everybody else None)
        with _given(path) as file, unpacked(file) as files:
            plans = [space.import_plan(one, choices, default) for one in files]
            for plan in plans:
                decided = plan.known and not (pairs or skip)
                _show(space, plan, decided=decided, preview=dry_run or not (yes or decided))
            if not (yes or dry_run or all(plan.known for plan in plans)):
                _confirm(asked=str(path) != "-" and sys.stdin.isatty())
            aside = rejects or (space.folder / "standard-input.rejects.csv" if str(path) == "-" else None)
            with progress("Importing", None) as advance:
                report = space.import_planned(file, plans, rejects=aside, dry_run=dry_run, progress=advance)
    if dry_run:
        say("A dry run: nothing was changed.")
    _print(report, as_json, undoable=not dry_run)


def _word(pair: str) -> tuple[str, str]:
    word, sign, standing = (part.strip() for part in pair.rpartition("="))
    if not sign or standing not in MEANINGS:
        raise InputError(f'"{pair}" is not WORD=STANDING', hint=f"standings: {', '.join(MEANINGS)}")
    return word, standing


@contextmanager
def _given(path: Path) -> Iterator[Path]:
    """The file, or what standard input holds as one."""
    if str(path) != "-":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "standard-input.csv")
        with file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield file


def _show(space: Workspace, plan: ImportPlan, *, decided: bool, preview: bool) -> None:
    """Show how a table would be read: its columns unless they were `decided` before, and its first rows if wanted."""
    if not decided:
        _show_columns(space, plan)
    _show_unknown(plan)
    if preview:
        _show_preview(space, plan)


def _confirm(*, asked: bool) -> None:
    """Have it confirmed; InputError where nobody can be `asked`."""
    if not asked:
        raise InputError("the columns were guessed", hint="look at the list above, then add --yes, or --map")
    click.confirm("Is that right?", abort=True, err=True)


def _show_columns(space: Workspace, plan: ImportPlan) -> None:
    system = plan.survey.system
    if system:
        say(f"{plan.survey.path.name} looks like an export of {system.name} ({system.source}).")
    for name in columns.fields(columns.named_by(space.config)):
        if name in plan.mapping or name in _USUAL:
            say(f"  {name:<16} {', '.join(column.strip() for column in plan.mapping.get(name, ('-',)))}")
    if above := plan.survey.above:
        say(f"  {'not read':<16} the first {many(above, 'line')}, above the names of the columns")
    if plan.not_taken:
        say(f"  {'not taken':<16} {', '.join(plan.not_taken)}")
    watched = [plan.survey.header[place].strip() for place in plan.rules.layout.watched]
    if watched:
        say(f'  Words such as "unsubscribed" in {", ".join(watched)} are taken as stops.', fg="yellow")


def _show_unknown(plan: ImportPlan) -> None:
    unknown = plan.survey.unknown(plan.mapping, plan.rules.words)
    for text, count in unknown.most_common(20):
        say(f'  unknown status   "{text[:40]}": {many(count, "row")} will be rejected', fg="yellow")
    if unknown:
        say("  Say what a word means with --word WORD=STANDING.")


def _show_preview(space: Workspace, plan: ImportPlan) -> None:
    found = importing.preview(plan.survey.path, plan.rules, space.clock.now(), _SHOWN)
    say("The first rows would be stored as:")
    for person in found.first:
        say(f"  {_told(person)}")
    counts = ", ".join(f"{count:,} {what}" for what, count in found.becomes.most_common())
    say(f"{many(plan.survey.rows, 'row')} would become: {counts}.")


def _told(person: Person | str) -> str:
    if isinstance(person, str):
        return person
    details = {**person.profile, **person.attributes, "tags": ", ".join(person.tags)}
    if person.consented_at:
        details["confirmed"] = f"{person.consented_at:%Y-%m-%d %H:%M}"
    standings = ", ".join(f"{name} {standing}" for name, standing in person.standings.items())
    stop = f"; suppressed: {person.stop}" if person.stop else ""
    return f"{person.email}; {'; '.join(f'{k}: {v}' for k, v in details.items() if v)}; {standings}{stop}"


def _print(report: importing.Report, as_json: bool, *, undoable: bool) -> None:
    names = ("rows", "imported", "merged", "rejected", "stopped", "changed", "suppressed", "blank_lines")
    counts: dict[str, Any] = {name: getattr(report, name) for name in names}
    standings = sorted(report.standings.items())
    if as_json:
        print_json(
            {
                "number": report.number if undoable else None,
                **counts,
                "standings": [{"list": name, "status": status, "people": n} for (name, status), n in standings],
                "rejects_files": [str(path) for path in report.rejects_files],
                "reasons": dict(report.reasons.most_common()),
                "warnings": {
                    what: {"rows": noted.rows, "examples": noted.examples} for what, noted in report.warnings.items()
                },
            }
        )
        return
    click.echo(
        f"{many(report.rows, 'row')}: {report.imported:,} imported, {report.merged:,} merged,"
        f" {report.rejected:,} rejected"
    )
    print_table(("list", "new standing", "people"), [(name, status, n) for (name, status), n in standings])
    changed = many(report.changed, "person", "people")
    say(f"{changed} changed, {many(report.suppressed, 'address', 'addresses')} suppressed.")
    if report.stopped:
        stopped = many(report.stopped, "person", "people")
        say(f"{stopped} in rejected rows stopped nevertheless; the rejected rows say who.", fg="yellow")
    for reason, count in report.reasons.most_common(12):
        say(f"{count:>6} {reason}", fg="yellow")
    for what, noted in report.warnings.items():
        say(f"{noted.rows:>6} {what}: {', '.join(noted.examples)}")
    if not undoable:
        next_step("the same without --dry-run")
        return
    undo = f"newsletter subscribers import --undo {report.number}"
    say(f"This was import {report.number}; {undo} takes back all but stops.")
    files = ", ".join(str(path) for path in report.rejects_files)
    next_step(f"look at {files}" if files else "newsletter lists list")


def _undo(space: Workspace, number: int) -> None:
    undone = space.undo_import(number)
    removed, restored = many(undone.removed, "person", "people"), many(undone.restored, "person", "people")
    click.echo(f"{removed} removed, {restored} as before")
    for why, count in undone.kept.items():
        if count:
            say(f"{count:>6} kept: {why}", fg="yellow")
    next_step("newsletter lists list")


@click.command()
@as_json
@click.pass_context
def imports(ctx: click.Context, as_json: bool) -> None:
    """List every import, with its number and what became of its rows."""
    header = ("number", "file", "at", "rows", "imported", "merged", "rejected", "undone")
    with workspace(ctx) as space, space.store.read() as session:
        found = undoing.imports(session)
        zone = space.config.timezone
    rows = [
        (
            one.id,
            one.file,
            f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}",
            one.rows,
            one.imported,
            one.merged,
            one.rejected,
            f"{one.undone_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.undone_at else "",
        )
        for one in found
    ]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)
