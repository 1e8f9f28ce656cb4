"""The year-end compilation: every policy that moved in a span of time, as Markdown, CSV or HTML."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from jinja2 import Environment, FileSystemLoader

from newsletter.model import Policy, StatusChange
from newsletter.places import state_name
from newsletter.resources import TEMPLATES
from newsletter.spreadsheet import guarded

FORMATS = ("md", "csv", "html")
_COLUMNS = ("state", "place", "policy", "number", "level", "status", "date", "link", "note", "topics", "sponsors")


def compile_report(policies: Iterable[Policy], since: dt.date, until: dt.date, form: str) -> str:
    """All policies with a change from `since` to `until`, by state, each with the changes of that span."""
    moved = [(policy, moves) for policy in policies if (moves := policy.moved(since, until))]
    title = f"Policies that moved, {since} to {until}"
    if form == "csv":
        return _csv(moved)
    groups = [(state, list(found)) for state, found in _by_state(moved)]
    count = f"{len(moved)} {'policy' if len(moved) == 1 else 'policies'} in {len(groups)} states and territories."
    if form == "html":
        templates = Environment(loader=FileSystemLoader(TEMPLATES / "reports"), autoescape=True, trim_blocks=True)
        return templates.get_template("policies.html.j2").render(title=title, count=count, groups=groups) + "\n"
    return "\n".join(_markdown(title, count, groups))


_Moved = tuple[Policy, tuple[StatusChange, ...]]


def _by_state(moved: list[_Moved]) -> Iterator[tuple[str, list[_Moved]]]:
    for state in sorted({policy.place.state for policy, _ in moved}, key=state_name):
        of_state = [pair for pair in moved if pair[0].place.state == state]
        yield state_name(state), sorted(of_state, key=lambda pair: (str(pair[0].place), pair[0].title))


def _markdown(title: str, count: str, groups: list[tuple[str, list[_Moved]]]) -> Iterator[str]:
    yield from (f"# {title}", "", count, "")
    for state, policies in groups:
        yield from (f"## {state}", "")
        for policy, moves in policies:
            name = f"[{policy.title}]({policy.url})" if policy.url else policy.title
            number = f" · {policy.number}" if policy.number else ""
            yield from (f"### {name}", "", f"{policy.place or 'Nationwide'}{number}", "")
            if policy.summary:
                yield from (policy.summary, "")
            for change in moves:
                told = f" ([told here]({change.url}))" if change.url else ""
                yield f"- {change.date}: {change.status}" + (f" – {change.note}" if change.note else "") + told
            yield ""


def _csv(moved: list[_Moved]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for policy, moves in moved:
        for change in moves:
            cells = (
                *(policy.place.state, str(policy.place), policy.title, policy.number, policy.level),
                *(change.status, change.date.isoformat(), change.url or policy.url, change.note),
                *("; ".join(policy.topics), "; ".join(policy.sponsors)),
            )
            writer.writerow([guarded(str(cell)) for cell in cells])
    return out.getvalue()
