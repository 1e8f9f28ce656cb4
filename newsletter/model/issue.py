"""An edition: its sections of blocks, and which of its readers get which of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.merge import MergeText
from newsletter.model.entries import Item, Photo, Policy, StatusChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Markdown that staff wrote into the issue.

    Of every block, `line` is where it stands in issue.md, `only` the expression that says who gets it (empty
    for everyone), and `first` the line of the `::: your state first` around it (0 for none).
    """

    markdown: str
    line: int
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture standing by itself in the issue, leading to `url` where there is one."""

    photo: Photo
    line: int
    url: str = ""
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A stored item as this issue shows it: `headline` and `blurb` may be written for this issue only. `mark`
    is "update" or "reminder" where it's told again on purpose. `had_in` are the issues of other publications
    whose readers have just had it.
    """

    item: Item
    headline: str
    blurb: str
    compact: bool
    line: int
    mark: str = ""
    had_in: tuple[str, ...] = ()
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The approved issue that told of something first: its folder, its publication's name, its date."""

    issue: str
    publication: str
    date: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """A stored policy as this issue shows it.

    `status` is where it stood on the issue's date, `moved` what changed since the issue's `since`, oldest
    first; both may be empty. `covered` is the issue before this one that told of it first.
    """

    policy: Policy
    headline: str
    blurb: str
    status: StatusChange | None
    moved: tuple[StatusChange, ...]
    compact: bool
    line: int
    covered: Coverage | None = None
    mark: str = ""
    only: str = ""
    first: int = 0


Block = Prose | Picture | Story | PolicyEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A `##` section; `only` says who gets its heading, one line of Markdown. The text before the first one has an
    empty heading. `anchor` is the heading's id, unique within the issue.
    """

    heading: str
    blocks: tuple[Block, ...]
    line: int
    only: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding that somebody answers for: the `rule`, what it's `about` (words of its message, such as a
    slug), who waives it, and why. It's approved and kept with the issue.
    """

    rule: str
    about: str
    by: str
    reason: str

    def __post_init__(self) -> None:
        for key in ("rule", "about", "by", "reason"):
            if not getattr(self, key).strip():
                raise ValueError(f'a waiver needs its "{key}"')


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTest:
    """A second subject that half of a `share` of the readers get first; which of the two the rest gets, a person says,
    or clicks do after some `hours`.
    """

    subject: MergeText
    share: float
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrects:
    """What a correction by mail is for: it goes only to those who were submitted that `issue`, in one of the
    `variants` where some are named. It has no page of its own; the corrected issue's is its page.
    """

    issue: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A link's definition, `[label]: url`, and the line it stands on."""

    label: str
    url: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One edition, composed. `since` is the day after which a policy's change is news here (the date of
    the edition before this one, or a month back). `unused` are definitions that no link names. `path` is the issue.md
    it came from, relative to the workspace.
    """

    slug: str
    publication: str
    title: str
    date: dt.date
    since: dt.date
    subject: MergeText
    preheader: MergeText
    teaser: str = ""
    hero: Photo | None = None
    logo: Photo | None = None
    partner_logo: Photo | None = None
    sections: tuple[Section, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    subject_test: SubjectTest | None = None
    corrects: Corrects | None = None
    unused: tuple[Definition, ...] = ()
    path: str = ""

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block, in order."""
        return (block for section in self.sections for block in section.blocks)

    @property
    def entries(self) -> Iterator[Story | PolicyEntry]:
        """Every item and policy shown, in order."""
        return (block for block in self.blocks if isinstance(block, Story | PolicyEntry))

    @property
    def stories(self) -> Iterator[Story]:
        """Every item shown, in order."""
        return (block for block in self.blocks if isinstance(block, Story))

    @property
    def guards(self) -> tuple[str, ...]:
        """The expressions that say who gets a part of the issue, in the order of their first use."""
        found = [only for section in self.sections for only in (section.only, *(b.only for b in section.blocks))]
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def repeated(self) -> tuple[str, ...]:
        """The issues of other publications whose readers have had some story of this one, sorted."""
        return tuple(sorted({issue for story in self.stories for issue in story.had_in}))

    @property
    def local_states(self) -> tuple[str, ...]:
        """The states that some `::: your state first` can put first, sorted."""
        return tuple(sorted({state for block in self.blocks if block.first for state in states_of(block)}))

    @property
    def photos(self) -> dict[str, Photo]:
        """Every picture that mail or page may show, by public name."""
        found = [photo for photo in (self.hero, self.logo, self.partner_logo) if photo]
        for block in self.blocks:
            match block:
                case Picture(photo=photo):
                    found.append(photo)
                case Story(item=Item(photo=Photo() as photo)) | PolicyEntry(policy=Policy(photo=Photo() as photo)):
                    found.append(photo)
        return {photo.name: photo for photo in found}


def states_of(block: Block) -> frozenset[str]:
    """The states that an entry is about, as two letters; none for other blocks."""
    match block:
        case Story():
            return frozenset(place.state for place in block.item.places if place.state)
        case PolicyEntry():
            return frozenset(filter(None, (block.policy.place.state,)))
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a group of readers has in common as far as an issue goes: the guards that let them in, the issues with
    stories of this one that they've had, and their state where the issue puts it first. `name` is unique within
    the issue; everybody else gets `default`.
    """

    name: str = "default"
    guards: frozenset[str] = frozenset()
    had: frozenset[str] = frozenset()
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard of an issue: its expression, how many mailable readers it lets in, and what's wrong with it."""

    name: str
    expression: str
    readers: int
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Who gets what of an issue, of `readers` mailable people in all: readers by variant, and each guard."""

    readers: int
    variants: Mapping[Variant, int]
    guards: tuple[Guard, ...]
