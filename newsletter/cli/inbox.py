"""Commands that bring items in: add one, pull many, and look through what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from newsletter.cli.arguments import KIND
from newsletter.cli.entries import form_options, given, say_doubts
from newsletter.cli.output import as_json, emit, many, next_step, on_a_terminal, print_json, print_table, say, workspace
from newsletter.collect import forms
from newsletter.errors import InputError, NewsletterError, NotFound, nearest
from newsletter.model import KINDS, OTHERS, Item
from newsletter.workspace import Workspace


@click.command()
@click.argument("page", metavar="[URL]", default="")
@form_options(forms.ITEM_KEYS, {"kind": KIND})
@click.option("--keep", is_flag=True, help="Straight to the shelf, past the inbox.")
@click.pass_context
def add(ctx: click.Context, /, page: str, keep: bool, **options: Any) -> None:
    """Store an item: a page by its URL, which fills in the rest and waits in the inbox, or one written by hand.

    By hand it needs --kind, --title and --url, and goes to the shelf at once. Options win over the page.
    """
    from newsletter.collect import pull as collecting
    from newsletter.collect.inbox import Standing

    with workspace(ctx) as space:
        intake = space.intake()
        said = given(options)
        doubts: list[str] = []
        form = {**(collecting.look_up(intake, page, doubts) if page else {"date": space.today()}), **said}
        if page and on_a_terminal():
            form = _asked(form)
        kept = keep or not page
        if kept and form.get("photo") and page:
            _need_words(form)
        source = f"page {page}" if page else ""
        item, notes = collecting.add(intake, form, source, Standing.KEPT if kept else Standing.INBOX)
    emit(item.slug)
    for note in (*doubts, *notes):
        say(f"Note: {note}", fg="yellow")
    say_doubts(item)
    if kept:
        next_step(f"write [[{item.slug}]] into an issue, or: newsletter items list")
    else:
        say(f"{item.kind}: {item.title} ({item.date}). It waits in the inbox.")
        next_step("newsletter items inbox")


def _asked(form: dict[str, Any]) -> dict[str, Any]:
    """Ask a person for what a page didn't say."""
    answers = dict(form)
    kinds = click.Choice(list(KINDS))
    answers["kind"] = click.prompt("Kind", type=kinds, default=form.get("kind", OTHERS), err=True)
    if not form.get("title"):
        answers["title"] = click.prompt("Title", err=True)
    if not form.get("summary"):
        answers["summary"] = click.prompt("Summary", default="", show_default=False, err=True)
    if form.get("photo") and not form.get("photo_alt"):
        say(f"Picture: {form['photo']}")
        answers["photo_alt"] = click.prompt("What does it show", default="", show_default=False, err=True)
    return answers


def _need_words(form: dict[str, Any]) -> None:
    lacking = [f"--{key.replace('_', '-')}" for key in ("photo_alt", "photo_credit") if not form.get(key)]
    if lacking:
        raise InputError("the picture needs words before it goes to the shelf", hint=f"give {' and '.join(lacking)}")


@click.command()
@click.argument("feeds", nargs=-1)
@click.option("--mail", "folder", type=click.Path(path_type=Path), help="A folder of .eml files that people sent.")
@click.option("--file", type=click.Path(path_type=Path), help="A CSV, TOML or JSON file that somebody filled in.")
@click.option("--from", "sender", default="", help="Who sent the file.")
@as_json
@click.pass_context
def pull(
    ctx: click.Context, feeds: tuple[str, ...], folder: Path | None, file: Path | None, sender: str, as_json: bool
) -> None:
    """Collect into the inbox: from the feeds in config.toml (all, or those named), from letters, or from a file.

    What is known already, by its address, isn't collected again; nor is what you dropped.
    """
    from newsletter.collect import pull as collecting

    with workspace(ctx) as space:
        intake = space.intake()
        faults: list[NewsletterError] = []
        if folder:
            results = [collecting.pull_letters(intake, folder)]
        elif file:
            results = [collecting.pull_file(intake, file, sender)]
        else:
            results, faults = _pull_feeds(space, feeds)
    if as_json:
        print_json([{name: getattr(result, name) for name in result.__dataclass_fields__} for result in results])
    for result in results:
        counts = f"{len(result.added)} new, {result.known} known, {len(result.rejected)} rejected"
        say(f"{result.source}: " + ("nothing new since the last time" if result.unchanged else counts))
        for name, reason in result.rejected:
            say(f"  {name}: {reason}", fg="yellow")
        for note in result.notes:
            say(f"  {note}", fg="yellow")
        if result.rejects_file:
            say(f"  mend {result.rejects_file} and pull that file")
    for fault in faults:
        say(f"Error: {fault}", fg="red")
    next_step("newsletter items inbox")
    if faults:
        ctx.exit(1)


def _pull_feeds(space: Workspace, names: tuple[str, ...]) -> tuple[list[Any], list[NewsletterError]]:
    """One feed that fails doesn't keep the others away."""
    from newsletter.collect import pull as collecting

    known = space.config.collect.feeds
    if not known:
        raise NotFound(
            "no feeds are configured", where=space.config.path.name, hint="add [collect.feeds.NAME] with a url"
        )
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"known: {', '.join(known)}"
            raise NotFound(f'no feed "{name}"', where=space.config.path.name, hint=hint)
    results: list[Any] = []
    faults: list[NewsletterError] = []
    for name in names or known:
        try:
            results.append(collecting.pull_feed(space.intake(), name, known[name]))
        except NewsletterError as fault:
            faults.append(fault)
    return results, faults


@click.command()
@click.option("--keep", "kept", multiple=True, metavar="SLUG", help="Take it to the shelf; may be repeated.")
@click.option("--drop", "dropped", multiple=True, metavar="SLUG", help="Put it aside for good; may be repeated.")
@click.option("--list", "listing", is_flag=True, help="Only list, also on a terminal.")
@as_json
@click.pass_context
def inbox(ctx: click.Context, kept: tuple[str, ...], dropped: tuple[str, ...], listing: bool, as_json: bool) -> None:
    """Look through what was collected: keep, edit, skip or drop, a key for each.

    Without a terminal it lists; --keep and --drop act on what they name. A dropped item can be kept again.
    """
    from newsletter.collect import inbox as tray

    with workspace(ctx) as space:
        if kept or dropped:
            with space.store.write() as session:
                for slug in kept:
                    tray.keep(session, slug, space.clock.now())
                for slug in dropped:
                    tray.drop(session, slug)
            say(f"{len(kept)} kept, {len(dropped)} dropped.")
            next_step("newsletter draft PUBLICATION" if kept else "newsletter items inbox")
            return
        with space.store.read() as session:
            waiting = tray.waiting(session, space.config.collect.tracking)
        if not as_json and not listing and on_a_terminal():
            _triage(space, waiting)
            return
    if as_json:
        print_json(
            [
                {**forms.write_item(w.item), "source": w.source, "since": w.since, "alike": w.alike, "lacks": w.lacks}
                for w in waiting
            ]
        )
        return
    rows = [(w.item.date, w.item.kind, w.item.slug, w.item.title, w.source) for w in waiting]
    print_table(("date", "kind", "slug", "title", "from"), rows)
    say(f"{many(len(waiting), 'item')} in the inbox.")
    if waiting:
        next_step(f"newsletter items inbox --keep {waiting[0].item.slug}, or --drop")


def _triage(space: Workspace, waiting: list[Any]) -> None:
    """Show one after the other and act on a key; each act is stored at once, so that stopping loses nothing."""
    from newsletter.collect import inbox as tray

    counts = {"kept": 0, "dropped": 0, "skipped": 0}
    for number, found in enumerate(waiting, start=1):
        item: Item = found.item
        say("")
        say(f"{number}/{len(waiting)}  {item.title}", bold=True)
        say(f"  {item.kind}, {item.date}, from {found.source}\n  {item.url}")
        if item.summary:
            say(f"  {item.summary}")
        for slug in found.alike:
            say(f"  Almost the same title: {slug}", fg="yellow")
        match _key(item):
            case "k":
                with space.store.write() as session:
                    if found.lacks:
                        _say_photo(space, session, item)
                    tray.keep(session, item.slug, space.clock.now())
                counts["kept"] += 1
            case "d":
                with space.store.write() as session:
                    tray.drop(session, item.slug)
                counts["dropped"] += 1
            case "q":
                break
            case _:
                counts["skipped"] += 1
    say(", ".join(f"{number} {word}" for word, number in counts.items()) + ".")
    next_step("newsletter draft PUBLICATION")


def _key(item: Item) -> str:
    """Wait for a key that means something; `o` opens the page and asks again."""
    while True:
        say("  [k]eep  [d]rop  [s]kip  [o]pen the page  [q]uit ", nl=False)
        key = click.getchar().lower()
        say(key if key.isprintable() else "")
        if key == "o":
            click.launch(item.url)
        elif key in "kdsq":
            return key


def _prompt(question: str) -> str:
    return str(click.prompt(f"  {question}", default="", show_default=False, err=True))


def _say_photo(space: Workspace, session: Any, item: Item) -> None:
    """Ask for the words that a kept picture needs; without alt text the picture goes."""
    from dataclasses import replace

    from newsletter.collect import items as shelf

    assert item.photo is not None  # noqa: S101 (only what has a picture can lack its words)
    alt = item.photo.alt or _prompt("What does the picture show (empty: leave it out)")
    credit = item.photo.credit or (_prompt("Whose picture is it") if alt else "")
    photo = replace(item.photo, alt=alt, credit=credit) if alt else None
    shelf.replace(session, item.slug, replace(item, photo=photo), space.clock.now())
