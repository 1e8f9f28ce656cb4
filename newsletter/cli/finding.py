"""Commands that find people, and change what is known of one."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from typing import Any

import click
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience import finding, moving, profile
from newsletter.audience import segments as filters
from newsletter.audience.addresses import normalize
from newsletter.audience.finding import Criteria, Found
from newsletter.cli.arguments import DAY, NUMBER
from newsletter.cli.lists import known_list
from newsletter.cli.output import as_json, many, next_step, print_json, print_table, say, workspace
from newsletter.errors import InputError, NotFound
from newsletter.languages import tag_of
from newsletter.model.text import clean
from newsletter.places import state_code
from newsletter.spreadsheet import guarded
from newsletter.workspace import Workspace

_HEADER = ("address", "name", "place", "lists")


@click.command("list")
@click.option("--list", "name", default="", help="On this list, in whatever way.")
@click.option("--standing", type=click.Choice(finding.STANDINGS), help="With this standing.")
@click.option("--state", default="", help="In this state: two letters, or written out.")
@click.option("--tag", default="", help="With this tag.")
@click.option("--since", type=DAY, help="Joined on this day or later.")
@click.option("--before", type=DAY, help="Joined before this day.")
@click.option("--segment", "slug", default="", help="In this saved segment.")
@click.option("--where", "expression", default="", help="Whom an expression fits, written as a segment is.")
@click.option("--page", default=1, show_default=True, type=NUMBER)
@click.option("--size", default=50, show_default=True, type=click.IntRange(1, 1_000), help="People on a page.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all of them as CSV.")
@as_json
@click.pass_context
def list_(ctx: click.Context, /, page: int, size: int, as_csv: bool, as_json: bool, **given: Any) -> None:
    """List people: by list, standing, state, tag, when they joined, or by an expression."""
    with workspace(ctx) as space, space.store.read() as session:
        criteria = _criteria(space, session, **given)
        if as_csv:
            _print_csv(finding.every(session, criteria))
            return
        total, found = finding.people(session, criteria, page=page, size=size)
    if as_json:
        print_json({"people": total, "page": page, "subscribers": [_plain(one) for one in found]})
        return
    print_table(_HEADER, [_row(one) for one in found])
    shown = f", {(page - 1) * size + 1}-{(page - 1) * size + len(found)} shown" if len(found) < total else ""
    say(f"{many(total, 'person', 'people')}{shown if found else ''}.")
    if page * size < total:
        next_step(f"the same with --page {page + 1}")


def _criteria(
    space: Workspace,
    session: Session,
    *,
    name: str,
    standing: str | None,
    state: str,
    tag: str,
    since: dt.datetime | None,
    before: dt.datetime | None,
    slug: str,
    expression: str,
) -> Criteria:
    known_list(space, name)
    where = filters.saved(space.config, slug, session) if slug else None
    if expression:
        asked = filters.condition(expression, "--where", space.config, saved=True, session=session)
        where = asked if where is None else where & asked
    zone = space.config.timezone
    return Criteria(
        list=name,
        standing=standing or "",
        state=_state(state),
        tag=tag,
        since=since.replace(tzinfo=zone) if since else None,
        before=before.replace(tzinfo=zone) if before else None,
        where=where,
    )


def _state(text: str) -> str:
    code = state_code(text)
    if code is None:
        raise InputError(f'"{text}" is not a state', hint="two letters, such as FL")
    return code


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 500), help="How many to show.")
@as_json
@click.pass_context
def search(ctx: click.Context, words: tuple[str, ...], most: int, as_json: bool) -> None:
    """Search people by name, address or place; parts of words will do, case and accents don't matter."""
    with workspace(ctx) as space, space.store.read() as session:
        total, found = finding.search(session, " ".join(words), most=most)
    if as_json:
        print_json({"people": total, "subscribers": [_plain(one) for one in found]})
        return
    print_table(_HEADER, [_row(one) for one in found])
    shown = f", the first {len(found)} shown" if len(found) < total else ""
    say(f"{many(total, 'person', 'people')}{shown}.")
    if found:
        next_step(f"newsletter subscribers show {found[0].email}")


def _row(one: Found) -> tuple[str, str, str, str]:
    place = ", ".join(filter(None, (one.locality, one.state)))
    lists = ", ".join(f"{name} ({status})" if status != "active" else name for name, status in one.lists.items())
    return one.email, one.name, place, f"{lists}{'; suppressed' if one.suppressed else ''}"


def _plain(one: Found) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("id", "email", "name", "state", "locality", "lists", "suppressed")}


def _print_csv(found: Any) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(("email", "name", "locality", "state", "lists", "suppressed"))
    for one in found:
        lists = "; ".join(f"{name}: {status}" for name, status in one.lists.items())
        cells = (one.email, one.name, one.locality, one.state, lists, "yes" if one.suppressed else "")
        writer.writerow([guarded(cell) for cell in cells])


@click.command()
@click.argument("address")
@click.option("--first-name")
@click.option("--last-name")
@click.option("--state", help="Two letters, or written out.")
@click.option("--locality", help="City or county.")
@click.option("--role")
@click.option("--chapter")
@click.option("--language", help="A tag such as es, or the language's name.")
@click.option("--note")
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="One of config.toml's; repeatable."
)
@click.option("--email", "new", help="Another address; lists, consent and history stay.")
@click.option("--why", default="", help="Who asked for another address, and how; it's kept in their history.")
@click.pass_context
def edit(
    ctx: click.Context, /, address: str, attributes: tuple[str, ...], new: str | None, why: str, **given: str | None
) -> None:
    """Change what is known of somebody; an empty value takes it away."""
    if new and not why:
        raise click.UsageError("Another address needs --why: who asked for it, and how.")
    with workspace(ctx) as space:
        changes: dict[str, Any] = {name: _value(name, text) for name, text in given.items() if text is not None}
        if attributes:
            changes["attributes"] = dict(_attribute(space, pair) for pair in attributes)
        if not changes and not new:
            raise click.UsageError("Nothing to change.")
        with space.store.write() as session:
            person = audience.find(session, normalize(address))
            if person is None:
                raise NotFound(
                    "Subscriber not found.", hint=f"newsletter subscribers search {address.partition('@')[0]}"
                )
            profile.change(session, person, changes, space.clock.now())
            if new:
                moving.change_address(
                    session,
                    person,
                    normalize(new),
                    hash_address=space.address_hash,
                    source="by hand",
                    why=why,
                    now=space.clock.now(),
                )
            email = person.email
    say("Changed.")
    next_step(f"newsletter subscribers show {email}")


def _value(name: str, text: str) -> str:
    plain = clean(text)
    if name == "state":
        return _state(plain)
    if name == "language":
        tag = tag_of(plain)
        if tag is None:
            raise InputError(f'"{plain}" is not a language', hint="a tag such as es, or its name")
        return tag
    return plain


def _attribute(space: Workspace, pair: str) -> tuple[str, str]:
    name, sign, value = pair.partition("=")
    if not sign or name not in space.config.attributes:
        known = ", ".join(space.config.attributes) or "none"
        raise InputError(f'"{pair}" is not NAME=VALUE with an attribute of config.toml', hint=f"attributes: {known}")
    return name, clean(value)
