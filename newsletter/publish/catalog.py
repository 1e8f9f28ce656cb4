"""Everything that is public, by what it's about: what pages there are follows from it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from slugify import slugify

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.links import host_of
from newsletter.model import (
    POLICY,
    Amendments,
    Correction,
    Item,
    Kind,
    Member,
    Place,
    Policy,
    Replacement,
    StatusChange,
    is_site_folder,
    kind_of,
)
from newsletter.publish.ids import Ids, PublicId, moved_names
from newsletter.publish.public import public
from newsletter.publish.summary import Entry, Summary
from newsletter.render.words import state_words

SUBJECTS = ("topics", "places", "people")
#: A nation's own place among the states.
NATION = "nationwide"
_OFFICE = re.compile(
    r"^(?:(?:state|county|city|town|vice|deputy|council) )*"
    r"(?:council ?(?:member|woman|man|or)|alder(?:man|woman|person)?|"
    r"commissioner|mayor|supervisor|senator|sen\.|rep\.|representative|delegate|trustee|president)\s+(?=\w)",
    re.IGNORECASE,
)

#: A folder's name has at most so many letters; a longer one is cut, with a mark of what was cut off.
_LONGEST = 80


@lru_cache(maxsize=65536)
def slug_of(text: str) -> str:
    """The name of the folder of what is called so."""
    slug = slugify(text)
    if len(slug) <= _LONGEST:
        return slug
    return f"{slug[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


@dataclass(slots=True)
class Subject:
    """A topic, a place or a person, with the entries, newest first, and the policies that are about it. `inside` are
    the places of a state; `office` is a person's.
    """

    kind: str
    slug: str
    name: str
    office: str = ""
    entries: list[Entry] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    inside: list[Subject] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """Its page's folder, with a slash."""
        return f"{self.kind}/{self.slug}/"

    @property
    def count(self) -> int:
        """How many entries and policies there are."""
        return len(self.entries) + len(self.policies)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one policy."""

    policy: Policy
    change: StatusChange

    @property
    def anchor(self) -> str:
        """Its place on the policy's page."""
        return step_anchor(self.change, self.policy)


def step_anchor(change: StatusChange, policy: Policy) -> str:
    """The id of a step in a policy's history; of several with one status on one day, the later ones have a number."""
    alike = [one for one in policy.history if (one.status, one.date) == (change.status, change.date)]
    number = next((n for n, one in enumerate(alike, 1) if one is change), 1)
    return f"{change.status.replace(' ', '-')}-{change.date}" + (f"-{number}" if number > 1 else "")


@dataclass(frozen=True)
class Catalog:
    """What is public on the day `today`. `issues` and entries come newest first, `policies` by place and title."""

    config: Config
    today: dt.date
    issues: tuple[Summary, ...]
    policies: tuple[Policy, ...]
    members: tuple[Member, ...]
    amendments: Amendments
    ids: Ids = field(default_factory=Ids, compare=False)

    @cached_property
    def by_slug(self) -> dict[str, Summary]:
        """The issues by their slugs."""
        return {issue.slug: issue for issue in self.issues}

    @cached_property
    def policy(self) -> dict[str, Policy]:
        """The policies by their slugs."""
        return {policy.slug: policy for policy in self.policies}

    @cached_property
    def publications(self) -> dict[str, list[Summary]]:
        """The issues of each publication that has any, in the order of their names."""
        found: dict[str, list[Summary]] = defaultdict(list)
        for issue in self.issues:
            found[issue.publication].append(issue)
        return dict(sorted(found.items(), key=lambda pair: self.config.publications[pair[0]].name))

    @cached_property
    def kinds(self) -> dict[str, list[Entry]]:
        """The entries of each kind, each item once, as it was told last."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._once:
            found[entry.kind].append(entry)
        for kind, entries in found.items():
            if not kind_of(kind).passes:
                entries.sort(key=lambda entry: (entry.date, entry.slug), reverse=True)
        return dict(found)

    @cached_property
    def _once(self) -> list[Entry]:
        found: dict[str, Entry] = {}
        for issue in self.issues:
            for entry in issue.entries:
                if entry.kind != POLICY:
                    found.setdefault(entry.slug, entry)
        return list(found.values())

    @cached_property
    def told(self) -> dict[str, list[tuple[Summary, Entry]]]:
        """Who told of a policy, by its slug, newest first."""
        found: dict[str, list[tuple[Summary, Entry]]] = defaultdict(list)
        for issue in self.issues:
            for entry in issue.entries:
                if entry.kind == POLICY:
                    found[entry.slug].append((issue, entry))
        return dict(found)

    @cached_property
    def steps(self) -> list[Step]:
        """Every change of a policy up to today, newest first."""
        found = (Step(policy, change) for policy in self.policies for change in policy.history)
        past = [step for step in found if step.change.date <= self.today]
        return sorted(past, key=lambda step: (step.change.date, step.policy.slug, step.anchor), reverse=True)

    @cached_property
    def corrections(self) -> dict[str, list[Correction]]:
        """The corrections of each issue, newest first."""
        found: dict[str, list[Correction]] = defaultdict(list)
        for correction in sorted(self.amendments.corrections, key=lambda c: c.date, reverse=True):
            found[correction.issue].append(correction)
        return dict(found)

    def updated(self, issue: Summary) -> dt.date:
        """When an issue's page was last changed on purpose."""
        corrected = (c.date for c in self.corrections.get(issue.slug, ()))
        return max([issue.date, self.issue_id(issue).updated or issue.date, *corrected])

    @cached_property
    def base(self) -> str:
        """The archive's address, without a slash at its end."""
        return self.config.archive.url.rstrip("/")

    def issue_id(self, issue: Summary) -> PublicId:
        """By what feed readers know an issue."""
        return self.ids.of("issue", issue.slug, "", f"{self.base}/{issue.slug}/", issue.digest)

    def story_id(self, entry: Entry) -> PublicId:
        """By what they know an entry of an issue."""
        url = f"{self.base}/{entry.issue}/#{entry.slug}"
        return self.ids.of("story", entry.issue, entry.slug, url, entry.headline, entry.blurb)

    def step_id(self, step: Step) -> PublicId:
        """By what they know a change of a policy."""
        slug, anchor = step.policy.slug, step.anchor
        change = step.change
        told = (str(change.status), str(change.date), change.url, change.note)
        content = (step.policy.title, str(step.policy.place), *told)
        return self.ids.of("step", slug, anchor, f"{self.base}/policies/{slug}/#{anchor}", *content)

    def event_id(self, entry: Entry) -> PublicId:
        """By what calendars know an event."""
        uid = f"{entry.slug}@{host_of(self.base)}"
        return self.ids.of("event", entry.slug, "", uid, entry.headline, _stable(entry.document))

    def feed_id(self, folder: str) -> PublicId:
        """By what feed readers know a feed."""
        return self.ids.of("feed", folder, "", f"{self.base}/{folder}feed.atom")

    def listed(self, kind: Kind) -> list[Entry]:
        """The entries of a kind that count today: those to come, those that are still open, or all."""
        match kind.dated_by:
            case "starts":
                return self.ahead_and_past(kind)[0]
            case "closes":
                return self._open(kind)
            case "date":
                return self.kinds.get(kind.name, [])

    def _open(self, kind: Kind) -> list[Entry]:
        """Those that close first first."""
        found = []
        for entry in self.kinds.get(kind.name, ()):
            end = entry.day("closes") or dt.date.fromisoformat(entry.date) + dt.timedelta(days=kind.open_days)
            found.append((end, entry.slug, entry))
        return [entry for end, _, entry in sorted(found, key=lambda one: one[:2]) if end >= self.today]

    def ahead_and_past(self, kind: Kind) -> tuple[list[Entry], list[Entry]]:
        """Entries to come, the next first, and those that are over, the last first."""
        known = []
        for entry in self.kinds.get(kind.name, ()):
            start = entry.day("starts") or dt.date.fromisoformat(entry.date)
            known.append((start, max(start, entry.day("ends") or start), entry))
        known.sort(key=lambda event: (event[0], event[2].slug))
        ahead = [entry for _, end, entry in known if end >= self.today]
        return ahead, [entry for _, end, entry in reversed(known) if end < self.today]

    @cached_property
    def subjects(self) -> dict[str, dict[str, Subject]]:
        """Topics, places (states and localities) and people by kind and slug, in the order of their names."""
        found: dict[str, dict[str, Subject]] = {kind: {} for kind in SUBJECTS}
        names: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

        def put(kind: str, slug: str, name: str, thing: Entry | Policy) -> None:
            names[kind, slug][name] += 1
            subject = found[kind].setdefault(slug, Subject(kind, slug, name))
            shelf: list[Entry] | list[Policy] = subject.policies if isinstance(thing, Policy) else subject.entries
            if not shelf or shelf[-1] is not thing:
                shelf.append(thing)  # type: ignore[arg-type]

        for entry in sorted(self._once, key=lambda entry: (entry.date, entry.slug), reverse=True):
            self._file(entry, entry.topics, entry.places, entry.people, put)
        for policy in self.policies:
            self._file(policy, policy.topics, ((policy.place.state, policy.place.locality),), policy.sponsors, put)
        for (kind, slug), spelled in names.items():
            subject = found[kind][slug]
            subject.name = min(spelled, key=lambda name: (-spelled[name], name))
            if kind == "people" and (member := self._roster.get(slug)):
                subject.name, subject.office = member.name, member.title
        for slug, place in found["places"].items():
            if "/" in slug:
                found["places"][slug.partition("/")[0]].inside.append(place)
        gone = self.gone_paths
        return {
            kind: dict(sorted(((s, v) for s, v in group.items() if v.folder.rstrip("/") not in gone), key=_by_name))
            for kind, group in found.items()
        }

    def _file(
        self,
        thing: Entry | Policy,
        topics: Iterable[str],
        places: Iterable[tuple[str, str]],
        people: Iterable[str],
        put: Callable[[str, str, str, Entry | Policy], None],
    ) -> None:
        for topic in topics:
            if slug := slug_of(topic):
                put("topics", slug, topic, thing)
        for state, locality in places:
            put("places", state.lower() or NATION, state_words(state, self.config.archive.language), thing)
            if locality and (slug := slug_of(locality)):
                put("places", f"{state.lower() or NATION}/{slug}", f"{locality}, {state}".rstrip(", "), thing)
        for person in people:
            name = person_name(person)
            if slug := self._person_slug(name):
                put("people", slug, name, thing)

    @cached_property
    def _roster(self) -> dict[str, Member]:
        return {slug_of(member.name): member for member in self.members}

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return {slug_of(name): slug_of(member.name) for member in self.members for name in member.names}

    def _person_slug(self, name: str) -> str:
        slug = slug_of(name)
        return self._aliases.get(slug, slug)

    @cached_property
    def gone_paths(self) -> frozenset[str]:
        """The paths of pages that had to go."""
        return frozenset(gone.path.strip("/") for gone in self.amendments.gone)

    def subject_folder(self, kind: str, name: str) -> str:
        """The folder of the page about a topic, a place (`FL` or `FL/Miami`) or a person; empty where there's none."""
        if kind == "people":
            slug = self._person_slug(person_name(name))
        elif kind == "places":
            state, _, locality = name.partition("/")
            slug = "/".join(part for part in (state.lower() or NATION, slug_of(locality) if locality else "") if part)
        else:
            slug = slug_of(name)
        subject = self.subjects[kind].get(slug)
        return subject.folder if subject else ""

    def place_folder(self, place: Place) -> str:
        """The folder of a place's page."""
        return self.subject_folder("places", f"{place.state}/{place.locality}" if place.locality else place.state)


def _stable(document: Mapping[str, object] | None) -> str:
    """A document as the same text, whether it was just made or read from the cache."""
    return json.dumps(document, sort_keys=True, default=str)


def _by_name(pair: tuple[str, Subject]) -> tuple[str, str]:
    return pair[1].name.casefold(), pair[0]


def person_name(text: str) -> str:
    """A person's name without the office before it: `Councilmember Lisa Herbold` is Lisa Herbold."""
    return _OFFICE.sub("", text.strip()) or text.strip()


def build(
    issues: Iterable[Summary],
    policies: Iterable[Policy],
    members: Sequence[Member],
    amendments: Amendments,
    config: Config,
    today: dt.date,
    ids: Mapping[str, PublicId] | None = None,
) -> Catalog:
    """The catalog of what is public on that day: an issue with a later date waits for it.

    InputError for an issue whose folder the site needs for something else.
    """
    tracking = config.collect.tracking
    amendments = public(amendments, tracking)
    gone = {gone.path.strip("/") for gone in amendments.gone}
    visible = [i for i in issues if i.publication in config.publications and i.slug not in gone and i.date <= today]
    for issue in visible:
        if issue.slug in config.publications or is_site_folder(issue.slug):
            hint = "rename the issue's folder, and approve it again"
            raise InputError(f'the archive has another folder "{issue.slug}"', where=issue.path, hint=hint)
    told = {entry.slug for issue in visible for entry in issue.entries if entry.kind == POLICY}
    shown = [
        public(policy, tracking)
        for policy in policies
        if (policy.slug in told or config.archive.policies == "all") and f"policies/{policy.slug}" not in gone
    ]
    texts = {name: public(getattr(config, name), tracking) for name in ("organization", "archive", "publications")}
    return Catalog(
        config=replace(config, **texts),
        today=today,
        issues=tuple(sorted(visible, key=lambda issue: (issue.day, issue.slug), reverse=True)),
        policies=tuple(sorted(shown, key=lambda p: (p.place.state, p.place.locality, p.title, p.slug))),
        members=tuple(members),
        amendments=amendments,
        ids=Ids(ids or {}, moved_names({moved.old: moved.new for moved in amendments.moved}), today),
    )


def event_path(item: Item) -> str:
    """The calendar file of an item; empty for one of a kind that has no part of the archive, nor days to come."""
    kind = item.facts
    if not kind.section or kind.dated_by != "starts" or not item.starts:
        return ""
    name = "calendar-event" if item.slug == "calendar" else item.slug
    return f"{kind.section.folder}/{name}.ics"


def replaced(amendments: Amendments) -> dict[str, str]:
    """Where links lead that had to be replaced."""
    return {replacement.url: replacement.archived for replacement in amendments.replacements}


__all__ = [
    "NATION",
    "SUBJECTS",
    "Catalog",
    "Replacement",
    "Step",
    "Subject",
    "build",
    "event_path",
    "person_name",
    "replaced",
    "slug_of",
    "step_anchor",
]
