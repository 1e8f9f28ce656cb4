"""Which variant of an issue each reader gets: found in the database, so that an audience of any size is one
question, and the distinct answers are the renderings that are needed.

A variant's name tells what it holds: `g1` for the issue's first guard, `g1-g3-fl` for two guards and Florida
first, `h1` without the stories of the first other issue that its readers have had, `default` for everybody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import ColumnElement, case, exists, func, literal, select
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience.segments import Condition, condition, saved
from newsletter.config import Config
from newsletter.errors import ConfigError
from newsletter.model import DeliveryState, Guard, Issue, Reach, Variant
from newsletter.store.records import CampaignRecord, DeliveryRecord, SubscriberRecord

DEFAULT = Variant()


def name_in_sql(issue: Issue, config: Config, session: Session, allowed: Collection[str] = ()) -> ColumnElement[str]:
    """The name of a subscriber's variant, as SQL. Where names are `allowed`, any other becomes `default`.

    A guard that can't be evaluated is closed: nobody gets its part.
    """
    parts: list[ColumnElement[str]] = []
    for number, expression in enumerate(issue.guards, 1):
        try:
            opens = condition(expression, expression, config, saved=True, session=session)
        except ConfigError:
            continue
        parts.append(case((opens, f"-g{number}"), else_=""))
    parts += [case((_had(other), f"-h{number}"), else_="") for number, other in enumerate(issue.repeated, 1)]
    if issue.local_states:
        local = SubscriberRecord.state.in_(issue.local_states)
        parts.append(case((local, literal("-").concat(func.lower(SubscriberRecord.state))), else_=""))
    if not parts:
        return literal(DEFAULT.name)
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.concat(part)
    name = func.coalesce(func.nullif(func.substr(joined, 2), ""), DEFAULT.name)
    return case((name.in_(allowed), name), else_=DEFAULT.name) if allowed else name


def _had(issue: str) -> ColumnElement[bool]:
    """Whether a subscriber has had an issue, or may have."""
    campaigns = select(CampaignRecord.id).where(CampaignRecord.issue == issue)
    states = (DeliveryState.SUBMITTING, DeliveryState.SUBMITTED, DeliveryState.UNKNOWN)
    return exists(
        select(DeliveryRecord.id)
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id, DeliveryRecord.campaign_id.in_(campaigns))
        .where(DeliveryRecord.state.in_(states))
        .correlate(SubscriberRecord)
    )


def variant_named(issue: Issue, name: str) -> Variant:
    """The variant that a name stands for."""
    if name == DEFAULT.name:
        return DEFAULT
    guards = {f"g{number}": expression for number, expression in enumerate(issue.guards, 1)}
    had = {f"h{number}": other for number, other in enumerate(issue.repeated, 1)}
    words = name.split("-")
    states = [word.upper() for word in words if word not in guards and word not in had]
    return Variant(
        name=name,
        guards=frozenset(guards[word] for word in words if word in guards),
        had=frozenset(had[word] for word in words if word in had),
        state=states[0] if states else "",
    )


def reach(session: Session, issue: Issue, list_: str, config: Config, now: dt.datetime) -> Reach:
    """Who of a list would get which variant now; `default` is always among them."""
    people = audience.mailable(list_, now).add_columns(name_in_sql(issue, config, session).label("variant")).subquery()
    query = select(people.c.variant, func.count()).group_by(people.c.variant)
    counted = {row[0]: row[1] for row in session.execute(query)}
    names = sorted({DEFAULT.name, *counted}, key=lambda name: (name != DEFAULT.name, name))
    return Reach(
        readers=sum(counted.values()),
        variants={variant_named(issue, name): counted.get(name, 0) for name in names},
        guards=tuple(_guard(session, n, e, list_, config, now) for n, e in enumerate(issue.guards, 1)),
    )


def _guard(session: Session, number: int, expression: str, list_: str, config: Config, now: dt.datetime) -> Guard:
    try:
        where = condition(expression, expression, config, saved=True, session=session)
    except ConfigError as fault:
        return Guard(name=f"g{number}", expression=expression, readers=0, fault=fault.what)
    count = session.scalar(select(func.count()).select_from(audience.mailable(list_, now, where=where).subquery()))
    return Guard(name=f"g{number}", expression=expression, readers=count or 0)


def explain(
    session: Session,
    issue: Issue,
    person: SubscriberRecord,
    list_: str,
    config: Config,
    now: dt.datetime,
) -> dict[str, object]:
    """Whether somebody would be mailed, and what: list, standing, suppression, segments, guards, variant."""

    def holds(where: Condition) -> bool:
        return bool(session.scalar(select(SubscriberRecord.id).where(SubscriberRecord.id == person.id, where)))

    name = (
        session.scalar(select(name_in_sql(issue, config, session)).where(SubscriberRecord.id == person.id))
        or DEFAULT.name
    )
    variant = variant_named(issue, name)
    standing = {row.list: row.status for row in audience.subscriptions(session, person.id)}.get(list_)
    suppressed = not holds(audience.unsuppressed(list_))
    paused = holds(audience.paused(now))
    return {
        "list": f"{list_}: {standing or 'not on it'}",
        "suppressed": "yes" if suppressed else "no",
        "paused": "yes" if paused else "no",
        "mailed": "yes" if standing == audience.Standing.ACTIVE and not suppressed and not paused else "no",
        "segments": [slug for slug in config.segments if holds(saved(config, slug, session))],
        "variant": name,
        "state first": variant.state or "-",
        "opens": [expression for expression in issue.guards if expression in variant.guards],
        "closed": [expression for expression in issue.guards if expression not in variant.guards],
        "had already": [entry.item.slug for entry in issue.stories if variant.had.intersection(entry.had_in)],
    }
