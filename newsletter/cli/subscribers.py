"""Commands about people: bring them in and out, look somebody up, and what they may ask for."""

from __future__ import annotations

import datetime as dt
import shlex
from typing import Any

import click
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience import people, profile, rights
from newsletter.audience import segments as filters
from newsletter.audience.addresses import normalize
from newsletter.audience.exporting import export_people
from newsletter.audience.fields import PROFILE
from newsletter.cli.finding import edit, list_, search
from newsletter.cli.importing import import_, imports
from newsletter.cli.lists import known_list
from newsletter.cli.output import (
    as_json,
    many,
    next_step,
    on_a_terminal,
    print_json,
    print_table,
    private_output,
    progress,
    say,
    workspace,
)
from newsletter.errors import InputError, NotFound
from newsletter.places import state_code
from newsletter.store.records import SubscriberRecord


@click.group()
def subscribers() -> None:
    """People: import, imports, export, list, search, show, add, edit, tag, unsubscribe, data, forget."""


for command in (import_, imports, list_, search, edit):
    subscribers.add_command(command)


@subscribers.command()
@click.argument("target", default="-")
@click.option("--list", "name", default="", help="Only who stands on this list, in whatever way.")
@click.option("--segment", "slug", default="", help="Only whom this segment takes.")
@click.pass_context
def export(ctx: click.Context, target: str, name: str, slug: str) -> None:
    """Write people as CSV, with lists, tags and consent; to TARGET or, with `-`, to standard output.

    Bringing the file back with `subscribers import` changes nothing.
    """
    with workspace(ctx) as space:
        known_list(space, name)
        attributes = space.config.attributes
        with space.store.read() as session:
            where = filters.saved(space.config, slug, session) if slug else None
            with private_output(target) as out, progress("Exporting", None) as advance:
                count = export_people(session, out, attributes, name=name, where=where, progress=advance)
    say(f"{many(count, 'person', 'people')} written.")


@subscribers.command()
@click.argument("address")
@click.option("--list", "names", multiple=True, required=True, metavar="LIST", help="What they join; repeatable.")
@click.option("--consent", required=True, help='How they agreed, such as "signed up at the convening".')
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--state", default="", help="Two letters, or written out.")
@click.pass_context
def add(ctx: click.Context, /, address: str, names: tuple[str, ...], consent: str, **given: str) -> None:
    """Put somebody on lists by hand, with how they agreed. Who left or was suppressed comes back only by themselves."""
    with workspace(ctx) as space, space.store.write() as session:
        for name in names:
            known_list(space, name)
        code = state_code(given["state"])
        if code is None:
            raise InputError(f'"{given["state"]}" is no state', hint="two letters, such as FL")
        joined = audience.add_by_hand(
            session,
            normalize(address),
            names,
            {**given, "state": code},
            consent=consent,
            hashed=space.address_hash(normalize(address)),
            now=space.clock.now(),
        )
    say(f"On {', '.join(joined)}." if joined else "They were on it already.")
    next_step(f"newsletter subscribers show {address}")


@subscribers.command()
@click.argument("address")
@click.option("--list", "names", multiple=True, metavar="LIST", help="Only this list; repeatable. Without it, all.")
@click.pass_context
def unsubscribe(ctx: click.Context, address: str, names: tuple[str, ...]) -> None:
    """Take somebody off lists, as they asked for in a letter or on the telephone."""
    with workspace(ctx) as space, space.store.write() as session:
        for name in names:
            known_list(space, name)
        person = _person(session, address)
        on = names or [row.list for row in audience.subscriptions(session, person.id)]
        now = space.clock.now()
        left = [name for name in on if audience.unsubscribe(session, person.id, name, source="by hand", now=now)]
    say(f"Off {', '.join(left)}." if left else "They were on none of these.")


@subscribers.command()
@click.argument("address")
@click.argument("tags", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take the tags away.")
@click.pass_context
def tag(ctx: click.Context, address: str, tags: tuple[str, ...], remove: bool) -> None:
    """Put tags to somebody, or take them away."""
    with workspace(ctx) as space, space.store.write() as session:
        person = _person(session, address)
        before = rights.tags(session, person.id)
        after = [one for one in before if one not in tags] if remove else [*before, *people.tags("; ".join(tags))]
        profile.change(session, person, {"tags": after}, space.clock.now())
        session.flush()
        now = rights.tags(session, person.id)
    click.echo(", ".join(now))


@subscribers.command()
@click.argument("address")
@as_json
@click.pass_context
def show(ctx: click.Context, address: str, as_json: bool) -> None:
    """Show somebody, with their lists and the whole history of their consent, in the workspace's time."""
    with workspace(ctx) as space, space.store.read() as session:
        held, zone = rights.held(session, _person(session, address)), space.config.timezone
    if as_json:
        print_json(held)
        return
    for name in ("email", *PROFILE, "frequency", "paused_until", "consented_at"):
        if held[name]:
            value = _time(held[name], zone) if isinstance(held[name], dt.datetime) else held[name]
            click.echo(f"{name:<12} {value}")
    for name in ("attributes", "tags"):
        if held[name]:
            words = (f"{k}: {v}" for k, v in held[name].items()) if isinstance(held[name], dict) else held[name]
            click.echo(f"{name:<12} {', '.join(words)}")
    for stop in held["suppressions"]:
        click.echo(f"{'suppressed':<12} {stop['list'] or 'everywhere'}: {stop['reason']} ({stop['source']})")
    rows = [(r["list"], r["status"], _time(r["changed_at"], zone)) for r in held["lists"]]
    print_table(("list", "status", "since"), rows)
    if held["history"]:
        click.echo("")
        history = [
            (_time(row["at"], zone), row["list"], row["status"], row["source"], _evidence(row["evidence"]))
            for row in held["history"]
        ]
        print_table(("when", "list", "status", "source", "evidence"), history)
    if held["messages"]:
        click.echo("")
        told = [
            (
                row["issue"],
                row["state"],
                _time(row["at"], zone),
                ", ".join(dict.fromkeys(e["type"] for e in row["events"])),
            )
            for row in held["messages"]
        ]
        print_table(("issue", "message", "when", "then"), told)


def _time(at: dt.datetime, zone: dt.tzinfo) -> str:
    """A moment in the workspace's time; one at midnight UTC is a day without a time, as exports have it."""
    if at.astimezone(dt.UTC).time() == dt.time():
        return f"{at.astimezone(dt.UTC):%Y-%m-%d}"
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _evidence(evidence: dict[str, Any]) -> str:
    """What proves a step, as it was given."""
    return "; ".join(f"{name}: {value}" for name, value in evidence.items())


@subscribers.command()
@click.argument("address")
@click.pass_context
def data(ctx: click.Context, address: str) -> None:
    """Everything that's held about somebody, as JSON, for them to have (GDPR, article 15)."""
    with workspace(ctx) as space, space.store.read() as session:
        print_json(rights.held(session, _person(session, address)))


@subscribers.command()
@click.argument("address")
@click.option("--confirm", default="", metavar="ADDRESS", help="The address once more, where nobody can be asked.")
@click.pass_context
def forget(ctx: click.Context, address: str, confirm: str) -> None:
    """Erase somebody for good (GDPR, article 17). What's left is a keyed hash that stops a later import."""
    with workspace(ctx) as space:
        email = normalize(address)
        with space.store.read() as session:
            _person(session, email)
        typed = confirm
        if not typed and on_a_terminal():
            typed = click.prompt("This can't be undone. Type the address once more", err=True)
        if normalize(typed or "-@-.invalid") != email:
            raise InputError("not confirmed", hint=f"--confirm {email}")
        with space.store.write() as session:
            person = _person(session, email)
            rights.forget(session, person, space.address_hash(email), source="by hand", now=space.clock.now())
    say("Forgotten.")


def _person(session: Session, address: str) -> SubscriberRecord:
    try:
        person = audience.find(session, normalize(address))
    except InputError as fault:
        raise InputError(fault.what, hint=f"newsletter subscribers search {shlex.quote(address)}") from None
    if person is None:
        raise NotFound("nobody has that address", hint="newsletter subscribers search WORDS")
    return person
