"""Commands for designers: templates list, copy, check."""

from __future__ import annotations

import shutil
from itertools import product

import click

from newsletter.cli.output import as_json, emit, many, next_step, print_json, print_table, say, workspace
from newsletter.errors import InputError, NotFound, nearest


@click.group()
def templates() -> None:
    """Email templates: list, copy, check."""


@templates.command("list")
@as_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every template, whose it is, and which publications use it."""
    with workspace(ctx) as space:
        names = space.templates()
        users = {
            name: [p.slug for p in space.config.publications.values() if (p.template or p.slug) == name]
            for name in names
        }
    if as_json:
        print_json([{"name": name, "of": whose, "used_by": users[name]} for name, whose in names.items()])
        return
    print_table(("template", "of", "used by"), [(n, whose, ", ".join(users[n]) or "-") for n, whose in names.items()])
    next_step("newsletter templates copy NAME, to change one")


@templates.command()
@click.argument("name")
@click.argument("as_name", required=False)
@click.pass_context
def copy(ctx: click.Context, name: str, as_name: str | None) -> None:
    """Copy a template into the workspace, to be changed there, perhaps AS_NAME.

    `base` holds the layout and the components that all templates share.
    """
    with workspace(ctx) as space:
        own, shipped = space.template_folders("email")
        known = [*space.templates(), "base"]
        if name not in known:
            raise NotFound(f'no template "{name}"', hint=nearest(name, known) or f"there are {', '.join(known)}")
        source = own / name if (own / name).is_dir() else shipped / name
        target = own / (as_name or name)
        if target.exists():
            raise InputError("exists already", where=target, hint="give another name behind it")
        shutil.copytree(source, target)
    for path in sorted(target.iterdir()):
        emit(path)
    next_step(f"change it, then: newsletter templates check {as_name or name if name != 'base' else ''}".rstrip())


@templates.command()
@click.argument("names", nargs=-1)
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Try templates (all without NAMES) on an issue that has every kind of block, for every publication's look.

    An unknown MJML tag or attribute, a name that isn't there, a missing unsubscribe link: each is an error.
    """
    with workspace(ctx) as space:
        known = names or tuple(space.templates())
        for name in known:
            mails = space.render_specimens(name)
            for mail, part in product(mails.values(), ("html", "text")):
                if "unsubscribe_url" not in {field.name for field in getattr(mail, part).fields}:
                    raise InputError(f"template {name} has no unsubscribe link in its {part} part")
            largest = max(len(str(mail.html).encode()) for mail in mails.values())
            emit(f"{name}: {largest:,} bytes of HTML")
    say(f"{many(len(known), 'template')} in order.")
