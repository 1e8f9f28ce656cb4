"""The year-end compilation: every policy that moved in a span of time, as Markdown, CSV or HTML."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from jinja2 import Environment, FileSystemLoader

from newsletter.model import Policy, Provision, StatusChange
from newsletter.places import state_name
from newsletter.render.provisions import amount
from newsletter.resources import TEMPLATES
from newsletter.spreadsheet import guarded

FORMATS = ("md", "csv", "html")
_COLUMNS = (
    *("state", "place", "policy", "number", "level", "status", "date", "link", "note", "topics", "sponsors"),
    "provisions",
)


def compile_report(policies: Iterable[Policy], since: dt.date, until: dt.date, form: str) -> str:
    """All policies with a change from `since` to `until`, by state, each with the changes of that span."""
    found = ((policy, policy.moved(since, until), _provided(policy, since, until)) for policy in policies)
    moved = [(policy, moves, steps) for policy, moves, steps in found if moves or steps]
    title = f"Policies that moved, {since} to {until}"
    if form == "csv":
        return _csv(moved)
    groups = [(state, list(found)) for state, found in _by_state(moved)]
    count = f"{len(moved)} {'policy' if len(moved) == 1 else 'policies'} in {len(groups)} states and territories."
    if form == "html":
        templates = Environment(loader=FileSystemLoader(TEMPLATES / "reports"), autoescape=True, trim_blocks=True)
        page = templates.get_template("policies.html.j2")
        return page.render(title=title, count=count, groups=groups, words=step_words) + "\n"
    return "\n".join(_markdown(title, count, groups))


_Moved = tuple[Policy, tuple[StatusChange, ...], tuple[Provision, ...]]


def _by_state(moved: list[_Moved]) -> Iterator[tuple[str, list[_Moved]]]:
    for state in sorted({policy.place.state for policy, _, _ in moved}, key=state_name):
        of_state = [pair for pair in moved if pair[0].place.state == state]
        yield state_name(state), sorted(of_state, key=lambda pair: (str(pair[0].place), pair[0].title))


def _markdown(title: str, count: str, groups: list[tuple[str, list[_Moved]]]) -> Iterator[str]:
    yield from (f"# {title}", "", count, "")
    for state, policies in groups:
        yield from (f"## {state}", "")
        for policy, moves, steps in policies:
            name = f"[{policy.title}]({policy.url})" if policy.url else policy.title
            number = f" · {policy.number}" if policy.number else ""
            yield from (f"### {name}", "", f"{policy.place or 'Nationwide'}{number}", "")
            if policy.summary:
                yield from (policy.summary, "")
            for change in moves:
                told = f" ([told here]({change.url}))" if change.url else ""
                yield f"- {change.date}: {change.status}" + (f" – {change.note}" if change.note else "") + told
            yield from (f"- {step_words(step)}" for step in steps)
            yield ""


def _provided(policy: Policy, since: dt.date, until: dt.date) -> tuple[Provision, ...]:
    return tuple(step for step in policy.provisions if since <= step.date <= until)


def step_words(step: Provision) -> str:
    """`2026-01-01: minimum wage $15.50 an hour (large employers)`."""
    note = step.note if step.amount else ""
    covers = f"({step.covers})" if step.covers else ""
    return " ".join(filter(None, (f"{step.date}: {step.topic}", amount(step), covers, note)))


def _csv(moved: list[_Moved]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for policy, moves, steps in moved:
        about = (policy.place.state, str(policy.place), policy.title, policy.number, str(policy.level))
        ends = ("; ".join(policy.topics), "; ".join(policy.sponsors), "; ".join(map(step_words, steps)))
        changes = [(str(c.status), c.date.isoformat(), c.url or policy.url, c.note) for c in moves]
        for change in changes or [("", "", policy.url, "")]:
            writer.writerow([guarded(cell) for cell in (*about, *change, *ends)])
    return out.getvalue()
