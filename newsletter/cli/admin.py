"""Commands that keep it running: config, db."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter import providers
from newsletter.cli.output import as_json, emit, next_step, print_json, print_table, say, workspace
from newsletter.errors import ConfigError, ProviderError
from newsletter.send.envelope import mailbox
from newsletter.store import HEAD, backup, connect, revision, upgrade
from newsletter.workspace import Workspace
from newsletter.workspace.settings_check import check_settings, load_provider


@click.group()
def config() -> None:
    """Check config.toml."""


@config.command()
@click.option("--online", is_flag=True, help="Ask the providers whether they'd take our mail, too.")
@as_json
@click.pass_context
def check(ctx: click.Context, online: bool, as_json: bool) -> None:
    """Read config.toml and everything that it names, without mailing anybody.

    With --online, the providers that publications use are asked about the key, the sender and the like.
    """
    with workspace(ctx) as space:
        check_settings(space)
        counts = {
            name: len(getattr(space.config, name))
            for name in ("publications", "lists", "segments", "senders", "providers")
        }
        rows = _verify(space) if online else []
    if as_json:
        print_json(
            {**counts, "verified": [dict(zip(_COLUMNS, row, strict=True)) for row in rows]} if online else counts
        )
    else:
        emit(", ".join(f"{count} {name}" for name, count in counts.items()))
        print_table(_COLUMNS, rows)
    wrong = [row for row in rows if row[3] == "wrong"]
    if wrong:
        raise ConfigError(f"{wrong[0][1]}: {wrong[0][4]}", where=f"[providers.{wrong[0][1]}]")
    if not as_json:
        next_step("newsletter status" if online else "newsletter config check --online")


_COLUMNS = ("publication", "provider", "about", "verdict", "found")
_VERDICTS = {True: "fine", False: "wrong", None: "can't tell"}


def _verify(space: Workspace) -> list[tuple[str, str, str, str, str]]:
    """What the publications' providers say of key, sender and the like."""
    rows = []
    for publication in space.config.publications.values():
        provider = load_provider(space, publication.provider)
        try:
            found = provider.verify(mailbox(space.config.senders[publication.sender]).address)
        except ProviderError as fault:
            found = [providers.Verification(about="call", fine=False, found=str(fault))]
        finally:
            provider.close()
        found = [*found, *provider.verify_webhooks()]
        rows += [(publication.slug, publication.provider, v.about, _VERDICTS[v.fine], v.found) for v in found]
    return rows


@click.group()
def db() -> None:
    """Upgrade, back up or prune the database."""


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
    emit(target)
    say(f"{size:,} bytes.")


@db.command()
@as_json
@click.pass_context
def prune(ctx: click.Context, as_json: bool) -> None:
    """Drop what is older than the settings in [retention] allow; `newsletter serve` does it every hour."""
    from newsletter import retention

    with workspace(ctx) as space, space.store.write() as session:
        dropped = retention.prune(session, space.config.retention, space.clock.now())
    if as_json:
        print_json(dropped)
    else:
        print_table(("what", "dropped"), list(dropped.items()))
