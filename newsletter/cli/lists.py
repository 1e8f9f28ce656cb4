"""Commands for lists and segments: who is there, and whom a filter takes."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from newsletter import audience
from newsletter.audience import segments as filters
from newsletter.audience.segments import Condition
from newsletter.cli.output import as_json, emit, next_step, print_json, print_table, say, workspace
from newsletter.errors import NotFound, nearest
from newsletter.store.records import SubscriberRecord
from newsletter.workspace import Workspace


def known_list(space: Workspace, name: str) -> None:
    """NotFound with the nearest for a name that is given and none of a list."""
    if name and name not in space.config.lists:
        raise NotFound(f'no list "{name}"', hint=nearest(name, space.config.lists))


@click.group()
def lists() -> None:
    """The lists, with their counts."""


@lists.command("list")
@as_json
@click.pass_context
def list_lists(ctx: click.Context, as_json: bool) -> None:
    """Every list: who is active, suppressed, pending, gone, and who would be mailed."""
    with workspace(ctx) as space:
        rows = [(slug, *counts) for slug in space.config.lists for counts in [_counts(space, slug, None)]]
    _print_counts("list", rows, as_json)


def _counts(space: Workspace, name: str, where: Condition | None) -> tuple[int, ...]:
    with space.store.read() as session:
        count = audience.count(session, name, space.clock.now(), where=where)
    return count.mailable, count.active, count.suppressed, count.paused, count.pending, count.unsubscribed


def _print_counts(what: str, rows: list[tuple[Any, ...]], as_json: bool) -> None:
    header = (what, "mailable", "active", "suppressed", "paused", "pending", "unsubscribed")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


@click.group()
def segments() -> None:
    """Saved filters: list, show, count, preview."""


_within = click.option("--list", "name", default="", help="Within this list only (default: each list).")


@segments.command("list")
@_within
@as_json
@click.pass_context
def list_segments(ctx: click.Context, name: str, as_json: bool) -> None:
    """Every segment, counted within a list."""
    with workspace(ctx) as space:
        known_list(space, name)
        rows = [
            (f"{listed}.{slug}", *_counts(space, listed, _where(space, slug)))
            for slug in space.config.segments
            for listed in ([name] if name else space.config.lists)
        ]
    _print_counts("segment", rows, as_json)


@segments.command("show")
@click.argument("slug")
@as_json
@click.pass_context
def show_segment(ctx: click.Context, slug: str, as_json: bool) -> None:
    """A segment's expression, and whom it takes of each list."""
    with workspace(ctx) as space:
        segment, where = filters.segment(space.config, slug), _where(space, slug)
        rows = [(listed, *_counts(space, listed, where)) for listed in space.config.lists]
    if not as_json:
        emit(f"{segment.name}: {segment.where}")
    _print_counts("list", rows, as_json)
    if not as_json:
        next_step(f"newsletter segments preview {slug}")


@segments.command("count")
@click.argument("expression")
@_within
@as_json
@click.pass_context
def count_segment(ctx: click.Context, expression: str, name: str, as_json: bool) -> None:
    """How many people an expression takes, before it's saved; a saved segment's name will do, too."""
    with workspace(ctx) as space:
        known_list(space, name)
        where = _where(space, expression)
        rows = [(listed, *_counts(space, listed, where)) for listed in ([name] if name else space.config.lists)]
    _print_counts("list", rows, as_json)


@segments.command("preview")
@click.argument("expression")
@click.option("--list", "name", default="", help="Only who'd be mailed by this list.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000))
@as_json
@click.pass_context
def preview_segment(ctx: click.Context, expression: str, name: str, limit: int, as_json: bool) -> None:
    """Some of the people whom a segment, or an expression, takes."""
    header = ("email", "first_name", "last_name", "state", "locality", "role")
    with workspace(ctx) as space:
        known_list(space, name)
        query = select(*(getattr(SubscriberRecord, column) for column in header)).where(_where(space, expression))
        if name:
            mailable = audience.mailable(name, space.clock.now()).subquery()
            query = query.where(SubscriberRecord.id.in_(select(mailable.c.id)))
        with space.store.read() as session:
            rows = [tuple(row) for row in session.execute(query.order_by(SubscriberRecord.email).limit(limit))]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    elif rows:
        print_table(header, rows)
    else:
        say("Nobody.")


def _where(space: Workspace, expression: str) -> Condition:
    """The condition of a saved segment, by its name, or of an expression."""
    with space.store.read() as session:
        if expression in space.config.segments:
            return filters.saved(space.config, expression, session)
        return filters.condition(expression, "given", space.config, session=session)
