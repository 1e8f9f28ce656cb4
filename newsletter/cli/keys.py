"""Commands for the keys to the API, and for the one that signs readers' links."""

from __future__ import annotations

import os

import click

from newsletter.audience import keys as known_keys
from newsletter.audience.keys import Scope
from newsletter.cli.output import as_json, emit, many, next_step, print_json, print_table, say, workspace
from newsletter.config import secrets


@click.group()
def keys() -> None:
    """Keys for other programs to the API: make, list, revoke; rotate the key that signs readers' links."""


@keys.command()
@click.argument("name")
@click.option("--write", is_flag=True, help="Good for changes, too (default: for reading only).")
@click.pass_context
def make(ctx: click.Context, name: str, write: bool) -> None:
    """Make a key. It's shown this once, and only its digest is kept."""
    with workspace(ctx) as space, space.store.write() as session:
        scopes = (Scope.READ, Scope.WRITE) if write else (Scope.READ,)
        key = known_keys.make(session, name, scopes, space.clock.now())
        url = space.config.service.url.rstrip("/")
    emit(key)
    say("Keep it where your program finds it; it can't be shown again.")
    next_step(f"see what it's good for: {url}/api/v1/openapi.json")


@keys.command("list")
@as_json
@click.pass_context
def list_keys(ctx: click.Context, as_json: bool) -> None:
    """Every key there is or was: what it's good for, and when it was used last."""
    with workspace(ctx) as space, space.store.read() as session:
        rows = [
            (key.name, ", ".join(key.scopes), *(_day(at) for at in (key.created_at, key.used_at, key.revoked_at)))
            for key in known_keys.known(session)
        ]
    header = ("name", "good for", "made", "used", "revoked")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


def _day(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


@keys.command()
@click.argument("name")
@click.pass_context
def revoke(ctx: click.Context, name: str) -> None:
    """End a key at once."""
    with workspace(ctx) as space, space.store.write() as session:
        ended = known_keys.revoke(session, name, space.clock.now())
    say("Revoked." if ended else "It was revoked already.")


@keys.command()
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Make a new key that signs readers' links.

    The older ones stay in the file, so that links in mail that is out keep working. Services that run take it up by
    themselves within a second.
    """
    with workspace(ctx) as space:
        path = space.keyring.path
        count = secrets.rotate(path, os.environ)
    say(f"{path.name} holds {many(count, 'key')}: the first signs, all of them verify.")
    next_step(f"keep a copy of {path.name} in a safe place")
