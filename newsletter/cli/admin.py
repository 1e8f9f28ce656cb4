"""Commands that keep it running: config, db."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter import providers
from newsletter.audience import segments
from newsletter.cli.output import as_json, next_step, print_json, say, workspace
from newsletter.photos import read_photo
from newsletter.store import HEAD, backup, connect, revision, upgrade


@click.group()
def config() -> None:
    """Check config.toml."""


@config.command()
@as_json
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Read config.toml and everything that it names, without mailing anybody."""
    with workspace(ctx) as space:
        for slug, segment in space.config.segments.items():
            segments.condition(segment.where, slug)
        for provider in space.config.providers.values():
            providers.load(provider, space.folder).close()
        for publication in space.config.publications.values():
            logos = [publication.brand.logo, publication.partner.logo if publication.partner else None]
            for logo in filter(None, logos):
                read_photo(space.folder / logo, space.folder)
        counts = {
            name: len(getattr(space.config, name))
            for name in ("publications", "lists", "segments", "senders", "providers")
        }
    if as_json:
        print_json(counts)
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
        next_step("newsletter status")


@click.group()
def db() -> None:
    """Upgrade or back up the database."""


@db.command("upgrade")
@click.pass_context
def upgrade_(ctx: click.Context) -> None:
    """Bring the database up to this version, with all data kept."""
    with workspace(ctx) as space:
        store = connect(space.config.database, space.folder)
        with store.read() as session:
            before = revision(session.connection())
        upgrade(store)
        store.close()
    say("The database is up to date." if before == HEAD else f"Upgraded from {before or 'nothing'} to {HEAD}.")


@db.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup_(ctx: click.Context, target: Path) -> None:
    """Copy the whole database into a new SQLite file, while others may go on using it."""
    with workspace(ctx) as space:
        size = backup(space.store, target)
    click.echo(target)
    say(f"{size:,} bytes.")
