"""Commands for what issues are made of: items and policies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click
import tomli_w

from newsletter import collect
from newsletter.cli.output import as_json, many, next_step, print_json, print_table, say, workspace
from newsletter.collect import compilation, forms, transfer
from newsletter.collect import items as shelf
from newsletter.collect import policies as tracker
from newsletter.errors import ConfigError, InputError
from newsletter.model import Item, Kind, Level, Policy, Status
from newsletter.send import uses
from newsletter.tables import Document

#: Keys that hold lists, with the option that adds one.
_SINGULAR = {"topics": "topic", "places": "place", "people": "person", "sponsors": "sponsor", "links": "link"}
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
}
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
format_option = click.option(
    "--format", "format_", type=click.Choice(transfer.FORMATS), help="Default: by the file's ending, or toml."
)


def _form_options(keys: tuple[str, ...], choices: dict[str, type[Kind] | type[Level] | type[Status]]) -> Decorator:
    """An option for each key of a form; what is not given stays None."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for key in reversed(keys):
            option = f"--{_SINGULAR.get(key, key).replace('_', '-')}"
            kind = click.Choice([str(choice) for choice in choices[key]]) if key in choices else None
            function = click.option(option, key, type=kind, multiple=key in _SINGULAR, help=_HELP.get(key))(function)
        return function

    return decorate


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value}


@click.group()
def items() -> None:
    """Stored stories: add, list, show, edit, import, export, remove."""


@items.command()
@_form_options(forms.ITEM_KEYS, {"kind": Kind})
@click.pass_context
def add(ctx: click.Context, /, **options: Any) -> None:
    """Store an item. It needs a kind, a title, a link and a date."""
    with workspace(ctx) as space, space.store.write() as session:
        known = collect.taken(session)
        form = {"date": space.today(), **_given(options)}
        item = forms.read_item(form, base=Path.cwd(), workspace=space.folder, taken=known)
        _free(item.slug, known)
        shelf.add(session, item, space.clock.now())
    click.echo(item.slug)
    next_step(f"write [[{item.slug}]] into an issue, or: newsletter items list")


def _free(slug: str, known: set[str]) -> None:
    if slug in known:
        raise InputError(f'"{slug}" is taken by another item or policy', hint="give another --slug")


@items.command("list")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]))
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
@click.option("--days", default=120, show_default=True, help="How long a story stays news.")
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
        return (str(item.kind),)
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
        click.echo(tomli_w.dumps(form, multiline_strings=True), nl=False)


@items.command()
@click.argument("slug")
@_form_options(tuple(key for key in forms.ITEM_KEYS if key != "slug"), {"kind": Kind})
@click.pass_context
def edit(ctx: click.Context, /, slug: str, **options: Any) -> None:
    """Change an item: what the options say, or, without any, in your editor."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            form = forms.write_item(shelf.get(session, slug))
        changed = {**form, **_given(options)} if _given(options) else _in_editor(form, slug)
        item = forms.read_item(changed, base=Path.cwd(), workspace=space.folder)
        with space.store.write() as session:
            differs = shelf.replace(session, slug, item, space.clock.now())
    say(f"Changed {item.slug}." if differs else "Nothing has changed.")


def _in_editor(form: dict[str, Any], slug: str) -> dict[str, Any]:
    text = click.edit(tomli_w.dumps(form, multiline_strings=True), extension=".toml")
    if text is None:
        return form
    try:
        return dict(Document.parse(text, slug).data)
    except ConfigError as fault:
        raise InputError(f"{fault.what}; nothing was changed", where=fault.where) from None


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


@click.group()
def policies() -> None:
    """Policies followed over time: add, status, list, show, import, export."""


@policies.command("add")
@_form_options(tuple(key for key in forms.POLICY_KEYS if key != "history"), {"level": Level, "status": Status})
@click.pass_context
def add_policy(ctx: click.Context, /, **options: Any) -> None:
    """Store a policy. It needs a title and a level; --status and --status-date begin its history."""
    with workspace(ctx) as space, space.store.write() as session:
        known = collect.taken(session)
        policy = forms.read_policy(_given(options), base=Path.cwd(), workspace=space.folder, taken=known)
        _free(policy.slug, known)
        tracker.add(session, policy, space.clock.now())
    click.echo(policy.slug)
    next_step(f"newsletter policies status {policy.slug} STATUS --on DATE")


@policies.command()
@click.argument("slug")
@click.argument("status", type=click.Choice([str(status) for status in Status]))
@click.option("--on", "day", help="The day, as 2026-12-01 (default: today).")
@click.option("--link", "url", default="", help="Where it's told.")
@click.option("--note", default="")
@click.pass_context
def status(ctx: click.Context, slug: str, status: str, day: str | None, url: str, note: str) -> None:
    """Add a dated step to a policy's history."""
    with workspace(ctx) as space:
        form = {"status": status, "date": day or space.today(), "url": url, "note": note}
        change = forms.read_status(form)
        with space.store.write() as session:
            new = tracker.set_status(session, slug, change, space.clock.now())
    say(f"{slug}: {change.status} on {change.date}." if new else "That step is in the history already.")
    next_step(f"newsletter policies show {slug}")


@policies.command("list")
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--since", type=click.DateTime(formats=["%Y-%m-%d"]), help="Only those that moved after this day.")
@as_json
@click.pass_context
def list_policies(ctx: click.Context, topic: str, state: str, since: dt.datetime | None, as_json: bool) -> None:
    """Policies by place, with where they stand."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            day = since.date() if since else None
            found = tracker.find(session, topic=topic, state=state.upper(), since=day)
        today = space.today()
    if as_json:
        print_json([forms.write_policy(policy) for policy in found])
        return
    rows = []
    for policy in found:
        latest = policy.latest(today)
        stand = (latest.status, latest.date) if latest else ("", "")
        rows.append((str(policy.place), policy.slug, *stand, policy.title))
    print_table(("place", "slug", "status", "since", "title"), rows)
    say(f"{many(len(found), 'policy', 'policies')}.")


@policies.command("show")
@click.argument("slug")
@as_json
@click.pass_context
def show_policy(ctx: click.Context, slug: str, as_json: bool) -> None:
    """A policy with its whole history, as `policies import` would read it."""
    with workspace(ctx) as space, space.store.read() as session:
        form = forms.write_policy(tracker.get(session, slug))
    if as_json:
        print_json(form)
    else:
        click.echo(tomli_w.dumps(form, multiline_strings=True), nl=False)


@policies.command()
@click.option("--since", required=True, type=click.DateTime(formats=["%Y-%m-%d"]), help="What moved after this day.")
@click.option("--until", type=click.DateTime(formats=["%Y-%m-%d"]), help="Up to this day (default: today).")
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--format", "form", type=click.Choice(compilation.FORMATS), default="md", show_default=True)
@click.pass_context
def report(
    ctx: click.Context, since: dt.datetime, until: dt.datetime | None, topic: str, state: str, form: str
) -> None:
    """Compile every policy that moved in a span of time, to standard output."""
    with workspace(ctx) as space:
        end = until.date() if until else space.today()
        with space.store.read() as session:
            found = tracker.find(session, topic=topic, state=state.upper(), since=since.date())
    click.echo(compilation.compile_report(found, since.date(), end, form), nl=False)


def _import(ctx: click.Context, path: Path, what: Literal["items", "policies"], as_json: bool) -> None:
    with workspace(ctx) as space, space.store.write() as session:
        report = transfer.import_file(session, path, what, workspace=space.folder, now=space.clock.now())
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
        click.echo(f"{report.rows} {what}: {counts}, {len(report.rejected)} rejected")
    for row, reason in report.rejected[:10]:
        say(f"{path}:{row.line}: {reason}", fg="yellow")
    if len(report.rejected) > 10:
        say(f"… and {len(report.rejected) - 10} more")
    if report.rejects_file:
        next_step(f"mend {report.rejects_file}, then: newsletter {what} import {report.rejects_file.name}")
    else:
        next_step(f"newsletter {what} list")


def _export(values: list[Item | Policy], what: Literal["items", "policies"], output: str, format_: str | None) -> None:
    ending = Path(output).suffix.lstrip(".")
    text = transfer.export(values, what, format_ or (ending if ending in transfer.FORMATS else "toml"))
    if output == "-":
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, encoding="utf-8", newline="")
        say(f"{len(values)} {what} written to {output}.")


@items.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def import_items(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Add or update items from a TOML, JSON or CSV file; rows that can't be taken are written beside it."""
    _import(ctx, path, "items", as_json)


@policies.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def import_policies(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Add or update policies from a TOML, JSON or CSV file; rows that can't be taken are written beside it."""
    _import(ctx, path, "policies", as_json)


@items.command("export")
@click.argument("output", default="-")
@format_option
@click.pass_context
def export_items(ctx: click.Context, output: str, format_: str | None) -> None:
    """All items as a file that `items import` reads back; `-` is standard output."""
    with workspace(ctx) as space, space.store.read() as session:
        _export([*shelf.find(session)], "items", output, format_)


@policies.command("export")
@click.argument("output", default="-")
@format_option
@click.pass_context
def export_policies(ctx: click.Context, output: str, format_: str | None) -> None:
    """All policies as a file that `policies import` reads back; `-` is standard output."""
    with workspace(ctx) as space, space.store.read() as session:
        _export([*tracker.find(session)], "policies", output, format_)
