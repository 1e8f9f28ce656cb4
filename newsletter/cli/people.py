"""Commands about people: subscribers, lists, segments, suppressions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience import columns, importing
from newsletter.audience import segments as filters
from newsletter.audience.addresses import normalize
from newsletter.audience.exports import open_export
from newsletter.audience.people import PROFILE
from newsletter.cli.output import as_json, next_step, print_json, print_table, progress, say, workspace
from newsletter.errors import InputError, NotFound, nearest
from newsletter.store.records import ConsentRecord, SuppressionRecord
from newsletter.workspace import Workspace


@click.group()
def subscribers() -> None:
    """Import people, and look somebody up."""


@subscribers.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="Which column a field is in; repeatable.")
@click.option("--list", "default", multiple=True, metavar="LIST", help="For rows that name no list.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rejected rows go (default: beside the file).")
@click.option("--yes", is_flag=True, help="Take the guessed columns without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@as_json
@click.pass_context
def import_(
    ctx: click.Context,
    path: Path,
    pairs: tuple[str, ...],
    default: tuple[str, ...],
    rejects: Path | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring an export of people in. Every row ends as imported, merged or rejected; a stop always wins."""
    with workspace(ctx) as space:
        for name in default:
            if name not in space.config.lists:
                raise NotFound(f'no list "{name}"', hint=nearest(name, space.config.lists))
        with open_export(path) as table:
            header = table.header
        mapping = _mapping(space, header, pairs, yes=yes)
        with progress("Importing", None) as advance:
            report = space.import_people(
                path, mapping=mapping, lists=default, rejects=rejects, dry_run=dry_run, progress=advance
            )
    if dry_run:
        say("A dry run: nothing was changed.")
    _print(report, as_json)


def _mapping(space: Workspace, header: list[str], pairs: tuple[str, ...], *, yes: bool) -> dict[str, str]:
    """The columns: as saved for this header, or guessed, with what was given on top."""
    with space.store.read() as session:
        saved = columns.remembered(session, header)
    mapping = {**(saved or columns.guess(header)), **columns.given(pairs, header)}
    mapping = {field: column for field, column in mapping.items() if column}
    unused = [column.strip() for column in header if column not in mapping.values() and column.strip()]
    if not saved or pairs:
        for field in columns.FIELDS:
            say(f"  {field:<12} {mapping.get(field, '-').strip()}")
        if unused:
            say(f"  not taken    {', '.join(unused)}")
        if not yes and not saved:
            if not sys.stdin.isatty():
                raise InputError("the columns were guessed", hint="look at the list above, then add --yes, or --map")
            click.confirm("Is that right?", abort=True, err=True)
    return mapping


def _print(report: importing.Report, as_json: bool) -> None:
    counts: dict[str, Any] = {
        name: getattr(report, name)
        for name in ("rows", "imported", "merged", "rejected", "changed", "suppressed", "blank_lines")
    }
    if as_json:
        rejects_file = str(report.rejects_file) if report.rejects_file else None
        print_json(
            {
                **counts,
                "rejects_file": rejects_file,
                "reasons": dict(report.reasons.most_common()),
                "warnings": report.warnings,
            }
        )
        return
    click.echo(
        f"{report.rows:,} rows: {report.imported:,} imported, {report.merged:,} merged, {report.rejected:,} rejected"
    )
    say(f"{report.changed:,} people changed, {report.suppressed:,} addresses suppressed.")
    for reason, count in report.reasons.most_common(12):
        say(f"{count:>6} {reason}", fg="yellow")
    for warning, count in report.warnings.most_common(5):
        say(f"{count:>6} {warning}")
    if report.rejects_file:
        next_step(f"look at {report.rejects_file}")
    else:
        next_step("newsletter lists list")


@subscribers.command()
@click.argument("address")
@as_json
@click.pass_context
def show(ctx: click.Context, address: str, as_json: bool) -> None:
    """Somebody, with their lists and the whole history of their consent."""
    with workspace(ctx) as space, space.store.read() as session:
        email = normalize(address)
        person = audience.find(session, email)
        if person is None:
            raise NotFound("nobody has that address", hint="newsletter subscribers import FILE")
        stop = session.scalar(select(SuppressionRecord).where(SuppressionRecord.email == email))
        history = session.scalars(
            select(ConsentRecord).where(ConsentRecord.subscriber_id == person.id).order_by(ConsentRecord.id)
        )
        data = {
            "email": person.email,
            **{name: getattr(person, name) for name in PROFILE if getattr(person, name)},
            "lists": {row.list: row.status for row in audience.subscriptions(session, person.id)},
            "suppressed": stop.reason if stop else "",
            "history": [
                {"at": row.at, "list": row.list, "status": row.status, "source": row.source, **row.evidence}
                for row in history
            ],
        }
    if as_json:
        print_json(data)
        return
    history_rows = data.pop("history")
    for key, value in data.items():
        click.echo(
            f"{key:<12} {', '.join(f'{k}: {v}' for k, v in value.items()) if isinstance(value, dict) else value}"
        )
    print_table(
        ("when", "list", "status", "source"),
        [(f"{row['at']:%Y-%m-%d %H:%M}", row["list"], row["status"], row["source"]) for row in history_rows],
    )


@click.group()
def lists() -> None:
    """The lists, with their counts."""


@lists.command("list")
@as_json
@click.pass_context
def list_lists(ctx: click.Context, as_json: bool) -> None:
    """Every list: who is active, suppressed, pending, gone, and who would be mailed."""
    with workspace(ctx) as space, space.store.read() as session:
        rows = [(slug, *_counts(audience.count(session, slug, space.clock.now()))) for slug in space.config.lists]
    _print_counts("list", rows, as_json)


def _counts(count: audience.Count) -> tuple[int, int, int, int, int, int]:
    return count.mailable, count.active, count.suppressed, count.paused, count.pending, count.unsubscribed


def _print_counts(what: str, rows: list[tuple[Any, ...]], as_json: bool) -> None:
    header = (what, "mailable", "active", "suppressed", "paused", "pending", "unsubscribed")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


@click.group()
def segments() -> None:
    """Saved filters, with their counts."""


@segments.command("list")
@click.option("--list", "name", help="Count within this list (default: each list).")
@as_json
@click.pass_context
def list_segments(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Every segment, counted within a list."""
    with workspace(ctx) as space, space.store.read() as session:
        if name and name not in space.config.lists:
            raise NotFound(f'no list "{name}"', hint=nearest(name, space.config.lists))
        rows = []
        for slug, segment in space.config.segments.items():
            where = filters.condition(segment.where, slug)
            rows += [
                (f"{listed}.{slug}", *_counts(audience.count(session, listed, space.clock.now(), where=where)))
                for listed in ([name] if name else space.config.lists)
            ]
    _print_counts("segment", rows, as_json)


@click.group()
def suppressions() -> None:
    """Addresses that are never mailed."""


@suppressions.command("list")
@as_json
@click.pass_context
def list_suppressions(ctx: click.Context, as_json: bool) -> None:
    """How many addresses are suppressed, by reason and source."""
    with workspace(ctx) as space, space.store.read() as session:
        query = select(SuppressionRecord.reason, SuppressionRecord.source, func.count())
        query = query.group_by(SuppressionRecord.reason, SuppressionRecord.source).order_by(SuppressionRecord.reason)
        rows = session.execute(query).all()
    if as_json:
        print_json([{"reason": reason, "source": source, "addresses": count} for reason, source, count in rows])
    else:
        print_table(("reason", "source", "addresses"), rows)


@suppressions.command("add")
@click.argument("addresses", nargs=-1, required=True)
@click.pass_context
def add_suppression(ctx: click.Context, addresses: tuple[str, ...]) -> None:
    """Never mail these addresses again; `-` reads them from standard input, one a line."""
    given = sys.stdin.read().split() if addresses == ("-",) else addresses
    emails = [normalize(address) for address in given]
    with workspace(ctx) as space, space.store.write() as session:
        added = sum(
            audience.suppress(
                session,
                email,
                space.address_hash(email),
                audience.Reason.MANUAL,
                source="by hand",
                now=space.clock.now(),
            )
            for email in emails
        )
    say(f"{added} added, {len(emails) - added} were suppressed already.")
