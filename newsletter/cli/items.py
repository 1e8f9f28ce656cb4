"""Commands for items, the stored stories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import tomli_w

from newsletter.cli import inbox
from newsletter.cli.arguments import DAYS, KIND
from newsletter.cli.entries import (
    export_entries,
    form_options,
    format_option,
    given,
    import_entries,
    in_editor,
    say_doubts,
)
from newsletter.cli.output import as_json, emit_document, many, next_step, print_json, print_table, say, workspace
from newsletter.collect import forms
from newsletter.collect import items as shelf
from newsletter.model import Item
from newsletter.send import uses


@click.group()
def items() -> None:
    """Stored stories: add, pull, inbox, list, gaps, show, edit, import, export, remove."""


items.add_command(inbox.add)
items.add_command(inbox.pull)
items.add_command(inbox.inbox)


@items.command("list")
@click.option("--kind", type=KIND)
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--search", default="", help="Words in the slug, title or summary.")
@click.option("--unused", is_flag=True, help="Only what no approved issue has used.")
@click.option("--used-in", default="", metavar="ISSUE", help="Only what that approved issue used.")
@as_json
@click.pass_context
def list_items(
    ctx: click.Context,
    kind: str | None,
    topic: str,
    state: str,
    search: str,
    unused: bool,
    used_in: str,
    as_json: bool,
) -> None:
    """Items, newest first."""
    with workspace(ctx) as space, space.store.read() as session:
        found = shelf.find(session, kind=kind or "", topic=topic, state=state.upper(), text=search)
        if unused or used_in:
            used = uses.slugs_used(session, used_in)
            found = [item for item in found if (item.slug in used) == bool(used_in)]
    if as_json:
        print_json([forms.write_item(item) for item in found])
        return
    print_table(("date", "kind", "slug", "title"), [(i.date, i.kind, i.slug, i.title) for i in found])
    say(f"{many(len(found), 'item')}.")


@items.command()
@click.option("--by", type=click.Choice(["state", "topic", "kind"]), default="state", show_default=True)
@click.option("--days", default=120, show_default=True, type=DAYS, help="How long a story stays news.")
@as_json
@click.pass_context
def gaps(ctx: click.Context, by: str, days: int, as_json: bool) -> None:
    """What could still be told and never was, so that no chapter is forgotten."""
    with workspace(ctx) as space:
        today = space.today()
        with space.store.read() as session:
            used = uses.slugs_used(session)
            waiting = [i for i in shelf.find(session) if i.slug not in used and shelf.is_fresh(i, today, days)]
    groups: dict[str, list[str]] = {}
    for item in waiting:
        for name in _groups(item, by) or ("(none)",):
            groups.setdefault(name, []).append(item.slug)
    rows = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    if as_json:
        print_json(dict(rows))
        return
    print_table((by, "items", "which"), [(name, len(slugs), ", ".join(slugs)) for name, slugs in rows])
    say(f"{many(len(waiting), 'item')} could still be told and never was.")
    next_step("newsletter draft PUBLICATION")


def _groups(item: Item, by: str) -> tuple[str, ...]:
    if by == "kind":
        return (item.kind,)
    return item.topics if by == "topic" else tuple(dict.fromkeys(place.state for place in item.places if place.state))


@items.command("show")
@click.argument("slug")
@as_json
@click.pass_context
def show_item(ctx: click.Context, slug: str, as_json: bool) -> None:
    """An item, as `items import` would read it."""
    with workspace(ctx) as space, space.store.read() as session:
        form = forms.write_item(shelf.get(session, slug))
    if as_json:
        print_json(form)
    else:
        emit_document(tomli_w.dumps(form, multiline_strings=True))


@items.command()
@click.argument("slug")
@form_options(tuple(key for key in forms.ITEM_KEYS if key != "slug"), {"kind": KIND})
@click.pass_context
def edit(ctx: click.Context, /, slug: str, **options: Any) -> None:
    """Change an item: what the options say, or, without any, in your editor."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            form = forms.write_item(shelf.get(session, slug))
        changed = {**form, **given(options)} if given(options) else in_editor(form, slug)
        tracking = space.config.collect.tracking
        item = forms.read_item(changed, base=None, workspace=space.folder, tracking=tracking)
        with space.store.write() as session:
            differs = shelf.replace(session, slug, item, space.clock.now())
    say(f"Changed {item.slug}." if differs else "Nothing has changed.")
    say_doubts(item)


@items.command()
@click.argument("slugs", nargs=-1, required=True)
@click.pass_context
def remove(ctx: click.Context, slugs: tuple[str, ...]) -> None:
    """Delete items. Approved issues keep their own copy."""
    with workspace(ctx) as space:
        used = space.used_slugs()
        with space.store.write() as session:
            for slug in slugs:
                shelf.remove(session, slug)
    for slug in slugs:
        say(f"Removed {slug}." + (" An issue still names it." if slug in used else ""))


@items.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def import_items(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Add or update items from a TOML, JSON or CSV file; rows that can't be taken are written beside it."""
    import_entries(ctx, path, "items", as_json)


@items.command("export")
@click.argument("output", default="-")
@format_option
@click.pass_context
def export_items(ctx: click.Context, output: str, format_: str | None) -> None:
    """All items as a file that `items import` reads back; `-` is standard output."""
    with workspace(ctx) as space, space.store.read() as session:
        export_entries([*shelf.find(session)], "items", output, format_)
