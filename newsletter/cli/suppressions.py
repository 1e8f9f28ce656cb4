"""Commands for addresses that are never mailed."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from sqlalchemy import func, select

from newsletter import audience
from newsletter.audience import Reason, stops
from newsletter.audience.addresses import normalize
from newsletter.cli.lists import known_list
from newsletter.cli.output import (
    as_json,
    emit,
    many,
    next_step,
    print_json,
    print_table,
    private_output,
    say,
    workspace,
)
from newsletter.errors import InputError
from newsletter.store.records import SuppressionRecord

_on = click.option("--list", "name", default="", help="For this list only (default: for all).")
_REASONS = [str(reason) for reason in (Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.MANUAL)]


@click.group()
def suppressions() -> None:
    """Addresses that are never mailed: list, add, import, remove."""


@suppressions.command("list")
@as_json
@click.pass_context
def list_suppressions(ctx: click.Context, as_json: bool) -> None:
    """How many addresses are suppressed, by list, reason and source."""
    record = SuppressionRecord
    with workspace(ctx) as space, space.store.read() as session:
        query = select(record.list, record.reason, record.source, func.count())
        query = query.group_by(record.list, record.reason, record.source).order_by(record.list, record.reason)
        rows = [(name or "(all)", reason, source, count) for name, reason, source, count in session.execute(query)]
    header = ("list", "reason", "source", "addresses")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


@suppressions.command("add")
@click.argument("addresses", nargs=-1, required=True)
@_on
@click.pass_context
def add_suppression(ctx: click.Context, addresses: tuple[str, ...], name: str) -> None:
    """Never mail these addresses again; `-` reads them from standard input, one a line. Those that can be read are
    added even where others can't.
    """
    given = [line for line in sys.stdin.read().splitlines() if line.strip()] if addresses == ("-",) else addresses
    emails, faults = [], []
    for number, address in enumerate(given, 1):
        try:
            if "*" in address:
                raise InputError('"*" can\'t stand for other letters', hint="name each address")
            emails.append(normalize(address))
        except InputError as fault:
            faults.append(InputError(fault.what, where=f"address {number}", hint=fault.hint))
    with workspace(ctx) as space:
        known_list(space, name)
        now = space.clock.now()
        with space.store.write() as session:
            added = sum(
                audience.suppress(
                    session, email, space.address_hash(email), Reason.MANUAL, source="by hand", now=now, name=name
                )
                for email in emails
            )
    say(f"{added} added, {len(emails) - added} were suppressed already.")
    if faults:
        for other in faults[1:]:
            say(f"Error: {other}", fg="red")
        raise faults[0]


@suppressions.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--reason", type=click.Choice(_REASONS), help="For rows that give none that's known.")
@_on
@as_json
@click.pass_context
def import_suppressions(ctx: click.Context, path: Path, reason: str | None, name: str, as_json: bool) -> None:
    """Take over a provider's list of addresses that are not to be mailed: CSV, or an address a line."""
    with workspace(ctx) as space:
        known_list(space, name)
        with space.store.write() as session:
            report = stops.import_stops(
                session,
                path,
                reason=Reason(reason) if reason else None,
                name=name,
                hash_address=space.address_hash,
                now=space.clock.now(),
            )
    if as_json:
        rejected = [{"line": line, "reason": why} for line, why in report.rejected]
        counts = {"rows": report.rows, "added": report.added, "known": report.known}
        print_json({**counts, "rejected": rejected, "reasons": report.reasons})
        return
    emit(f"{many(report.rows, 'row')}: {report.added:,} added, {report.known:,} were suppressed already")
    for line, why in report.rejected[:20]:
        say(f"{path}:{line}: {why}", fg="yellow")
    if len(report.rejected) > 20:
        say(f"and {len(report.rejected) - 20:,} more without an address", fg="yellow")
    next_step("newsletter suppressions list")


@suppressions.command("export")
@click.argument("target", default="-")
@click.pass_context
def export_suppressions(ctx: click.Context, target: str) -> None:
    """Write the suppressed addresses as CSV, with list and reason; to TARGET or, with `-`, to standard output.

    `suppressions import` takes the file over in another workspace. Of who was forgotten, there's no address to write.
    """
    with workspace(ctx) as space, space.store.read() as session, private_output(target) as out:
        count = stops.export_stops(session, out)
    say(f"{many(count, 'address', 'addresses')} written.")


@suppressions.command("remove")
@click.argument("address")
@click.option("--list", "name", help="For this list only (default: everywhere).")
@click.option("--why", required=True, help="Who answers for it, and why; it's kept in the person's history.")
@click.pass_context
def remove_suppression(ctx: click.Context, address: str, name: str | None, why: str) -> None:
    """Let an address be mailed again, by the lists that it's on. Who was forgotten comes back only by themselves."""
    email = normalize(address)
    with workspace(ctx) as space:
        known_list(space, name or "")
        hashed, now = space.address_hash(email), space.clock.now()
        with space.store.write() as session:
            if audience.reason_of(session, hashed) == Reason.ERASED:
                raise InputError("its owner asked to be forgotten", hint="they may subscribe again themselves")
            gone = audience.lift(session, hashed, name=name)
            if gone:
                audience.note_lifted(session, email, why=why, now=now)
    if not gone:
        raise InputError("the address isn't suppressed", hint="newsletter suppressions list")
    say("It may be mailed again.")
