"""What is new for a publication's readers: the entries that a draft takes, and those that it leaves out, with why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from newsletter.compose.body import Library
from newsletter.config import Publication, SectionPlan
from newsletter.model import POLICY, Item, Policy, Status, address_of

#: How far a policy has come, the farthest first: what is in force, then what is decided, then what moves.
_PROGRESS = (
    *(Status.IN_EFFECT, Status.ENFORCED, Status.ENACTED, Status.PASSED, Status.UPHELD),
    *(Status.IN_COMMITTEE, Status.INTRODUCED, Status.PROPOSED),
    *(Status.CHALLENGED, Status.STRUCK_DOWN, Status.PREEMPTED, Status.VETOED, Status.REPEALED),
)
#: How far ahead an event may lie to be listed in an issue.
_COMING = dt.timedelta(days=75)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What counts as new in an issue for `day`: what is dated from `since` on, both days included, and what was stored
    after the last issue was approved, whatever its date: the slugs in `late`. Where `by_date` is said, only the first.

    `told` are the issues that have told an item to these readers already, by its slug and by its address, and `named`
    the publication's other drafts, by the slugs that stand in them. `last` are the slugs in the last issue, which came
    out on `since`: what happened to a policy on that very day, they have told. `again` are the slugs of items to tell
    again all the same.
    """

    day: dt.date
    since: dt.date
    late: Collection[str] = ()
    by_date: bool = False
    told: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    last: Collection[str] = ()
    again: Collection[str] = ()

    def holds(self, entry: Item | Policy) -> bool:
        """Whether an entry is new, told or not."""
        late = entry.slug in self.late and not self.by_date
        if isinstance(entry, Policy):
            since = self.since + _DAY if entry.slug in self.last else self.since
            return bool(entry.moved(since, self.day) or (late and entry.latest(self.day)) or entry.scheduled(self.day))
        if entry.slug in self.again:
            return True
        if entry.facts.dated_by == "starts":
            return entry.starts is not None and self.day <= entry.starts <= self.day + _COMING
        if entry.facts.dated_by == "closes":
            return entry.date <= self.day and (entry.closes is None or entry.closes >= self.day)
        return entry.date <= self.day and (entry.date >= self.since or late)

    def told_in(self, entry: Item | Policy) -> str:
        """The issue that has told an item, or the draft that names an entry; empty where there's none, as for policies
        that were told, which are followed.
        """
        if entry.slug in self.again:
            return ""
        named = f"{self.named[entry.slug]} (a draft)" if entry.slug in self.named else ""
        if isinstance(entry, Policy):
            return named
        return self.told.get(entry.slug) or self.told.get(address_of(entry.url), "") or named

    def why_not(self, entry: Item | Policy) -> str:
        """Why an entry that was never told isn't new, where somebody could miss it; empty for what is merely old."""
        if isinstance(entry, Policy):
            return self._why_no_policy(entry)
        late = entry.slug in self.late
        if entry.facts.dated_by == "starts":
            if entry.starts is None:
                return "nobody knows when it starts"
            if entry.starts > self.day:
                return f"it starts on {entry.starts}, over {_COMING.days} days ahead" if late else ""
            return f"it started on {entry.starts}" if late or entry.starts >= self.since else ""
        if entry.date > self.day:
            return f"it's dated {entry.date}, after the issue"
        if entry.closes and entry.closes < self.day:
            return f"it closed on {entry.closes}" if late or entry.closes >= self.since else ""
        return f"it's dated {entry.date}, before {self.since}" if late else ""

    def _why_no_policy(self, policy: Policy) -> str:
        if not policy.history:
            return "no status is known"
        if policy.slug not in self.late:
            return ""
        latest = policy.latest(self.day)
        if latest is None:
            return f"its first step is on {policy.history[0].date}, after the issue"
        return f"its last step is of {latest.date}, before {self.since}" if self.by_date else ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Entries for one section of a draft; without a heading, those that no section of the plan takes."""

    heading: str
    entries: tuple[Item | Policy, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that isn't taken, why, and what to do for it to be."""

    entry: Item | Policy
    why: str
    remedy: str


def gather(publication: Publication, library: Library, window: Window) -> tuple[tuple[Shelf, ...], tuple[LeftOut, ...]]:
    """What could stand in an issue: new items that weren't told, policies that moved, events to come, and jobs still
    open, each in the section that the publication's plan gives it; and what was left out.

    Policies stand by how far they have come; events and jobs by their day, the next first; all else newest first.
    """
    found = [entry for entry in library.values() if window.holds(entry) and not window.told_in(entry)]
    fresh = sorted(found, key=lambda entry: _order(entry, window.day))
    left = filter(None, (_left_out(entry, window) for entry in library.values()))
    return tuple(_shelves(publication, fresh)), tuple(sorted(left, key=lambda one: one.entry.slug))


def _left_out(entry: Item | Policy, window: Window) -> LeftOut | None:
    """Why an entry isn't taken; None for one that is, and for what is merely old."""
    told, held = window.told_in(entry), window.holds(entry)
    by_hand = f"write [[{entry.slug}]]"
    if told and held:
        return LeftOut(entry, f"told in {told}", f"To take it: {_again(entry) or by_hand}")
    if held or told:
        return None
    why = window.why_not(entry)
    if not why:
        return None
    if isinstance(entry, Policy):
        status = f"newsletter policies status {entry.slug}"
        return LeftOut(entry, why, f"To set one: {status}" if not entry.history else f"To take it: {by_hand}")
    if entry.facts.dated_by == "starts" and entry.starts is None:
        return LeftOut(entry, why, f"To say it: newsletter items edit {entry.slug}")
    return LeftOut(entry, why, f"To take it: {_again(entry)}")


def _again(entry: Item | Policy) -> str:
    return "" if isinstance(entry, Policy) else f"--again {entry.slug}"


def _shelves(publication: Publication, fresh: list[Item | Policy]) -> Iterator[Shelf]:
    placed: set[str] = set()
    for plan in publication.sections:
        chosen = tuple(entry for entry in fresh if entry.slug not in placed and _fits(entry, plan))
        placed.update(entry.slug for entry in chosen)
        yield Shelf(plan.heading, chosen)
    yield Shelf("", tuple(entry for entry in fresh if entry.slug not in placed))


def _order(entry: Item | Policy, day: dt.date) -> tuple[int, int, str]:
    if isinstance(entry, Policy):
        latest = entry.latest(day)
        return (1, _PROGRESS.index(latest.status) if latest else len(_PROGRESS), f"{entry.place.state} {entry.slug}")
    if entry.facts.passes:
        return (0, (entry.day or dt.date.max).toordinal(), entry.slug)
    return (0, -entry.date.toordinal(), entry.slug)


def _fits(entry: Item | Policy, plan: SectionPlan) -> bool:
    kind = POLICY if isinstance(entry, Policy) else entry.kind
    return kind in plan.kinds and (not plan.topics or bool(set(plan.topics) & set(entry.topics)))
