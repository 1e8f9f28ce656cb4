"""The kinds of items: one table of what each is called, where its link leads, when it's over, and where it's archived.

Collecting, composing, the check, mail, plain text and the archive read it; none of them knows a kind by its name. Texts
are English, and marked for translation by `_`; who shows one translates it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from newsletter.errors import InputError, nearest

#: The kind of an entry that is a policy, which is stored otherwise. No kind of item may be called so.
POLICY = "policy"
#: Folders at the site's root that hold other things than items of a kind.
OTHER_FOLDERS = frozenset(
    ("assets", "media", "pagefind", "people", "places", "policies", "search", "topics"),
)
#: What the store's column holds.
_LONGEST = 20
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSection:
    """The part of the archive that lists a kind: its folder, title and description, and the words of the link from the
    front page, `all`. There it stands under `front`, where that isn't the title. `empty` is said while nothing lies
    ahead or is open, `past` stands over what is over; both only for kinds of which some are. `in_menu`: in the menu at
    the top of every page.
    """

    folder: str
    title: str
    description: str
    all: str
    front: str = ""
    empty: str = ""
    past: str = ""
    in_menu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an item may be. `kicker` says it to readers, `link` where its link leads; `link_at` says that with the
    {outlet}. `words` are what people call it in files, beside its `name`.

    `dated_by` is the day that counts: its own `date`, the day on which it `starts`, or the one on which it `closes`.
    The latter two are over one day. What closes says so in the words `deadline`, and one without a day is taken down
    after `open_days`.

    `by_others`: somebody else's, whose outlet is named. `schema` are the types of schema.org that pages of the kind
    have, subtypes included; `page_type` is how their Open Graph type begins. `translations` are, by language, for
    texts that this package's catalogues don't have.
    """

    name: str
    kicker: str
    link: str
    link_at: str = ""
    words: tuple[str, ...] = ()
    dated_by: Literal["date", "starts", "closes"] = "date"
    deadline: str = _("Apply by {day}")
    open_days: int = 60
    by_others: bool = False
    schema: tuple[str, ...] = ()
    page_type: str = ""
    section: ArchiveSection | None = None
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether items of the kind are over one day."""
        return self.dated_by != "date"

    def texts(self) -> Iterator[str]:
        """Everything of it that readers are shown, in English."""
        yield from (self.kicker, self.link, self.link_at)
        if self.dated_by == "closes":
            yield self.deadline
        if section := self.section:
            yield from (section.title, section.description, section.all, section.front, section.empty, section.past)


_TABLE = (
    Kind(
        name="post",
        kicker=_("From the blog"),
        link=_("Read the post"),
        words=("blog", "blog post", "our post", "update"),
    ),
    Kind(
        name="news",
        kicker=_("In the news"),
        link=_("Read the article"),
        link_at=_("Read it at {outlet}"),
        words=("article", "news article", "news story", "story", "clip", "news clip", "coverage"),
        by_others=True,
        section=ArchiveSection(
            folder="news",
            title=_("In the news"),
            description=_("What others write about the network."),
            all=_("All coverage"),
        ),
    ),
    Kind(
        name="press",
        kicker=_("Press release"),
        link=_("Read the press release"),
        words=("press release", "release", "statement", "media release"),
        section=ArchiveSection(
            folder="press",
            title=_("Press releases"),
            description=_("What we tell the press."),
            all=_("All press releases"),
        ),
    ),
    Kind(
        name="report",
        kicker=_("Report"),
        link=_("Read the report"),
        words=("study", "white paper", "paper", "brief", "research"),
        schema=("Report",),
    ),
    Kind(
        name="event",
        kicker=_("Event"),
        link=_("Details and registration"),
        words=("meeting", "webinar", "hearing", "events", "training"),
        dated_by="starts",
        schema=("Event",),
        section=ArchiveSection(
            folder="events",
            title=_("Events"),
            description=_("Convenings, clinics and calls."),
            all=_("All events"),
            front=_("Coming up"),
            empty=_("Nothing is announced at the moment."),
            past=_("Past events"),
            in_menu=True,
        ),
    ),
    Kind(
        name="video",
        kicker=_("Video"),
        link=_("Watch the video"),
        words=("recording", "videos", "youtube"),
        schema=("VideoObject",),
        page_type="video",
    ),
    Kind(
        name="job",
        kicker=_("Job"),
        link=_("Read the job posting"),
        words=("job posting", "opening", "position", "vacancy", "jobs"),
        dated_by="closes",
        schema=("JobPosting",),
        section=ArchiveSection(
            folder="jobs",
            title=_("Jobs"),
            description=_("Open positions, until the day that they close."),
            all=_("All jobs"),
            empty=_("No position is open at the moment."),
        ),
    ),
)
#: What pages of the publisher's own are, and those of others, unless they say that they're something else.
OWN, OTHERS = "post", "news"
_kinds: dict[str, Kind] = {}
#: Every kind by its name, in the order of the table.
KINDS: Mapping[str, Kind] = MappingProxyType(_kinds)


def register(kind: Kind) -> None:
    """Add a kind, before anything is read; ValueError where its name, one of its words or its folder is taken, or
    can't be one.
    """
    taken = {word for known in KINDS.values() for word in (known.name, *known.words)} | {POLICY}
    if not _NAME.fullmatch(kind.name) or len(kind.name) > _LONGEST:
        raise ValueError(
            f'"{kind.name}" is not a kind\'s name: {_LONGEST} lower-case letters, digits and hyphens at most'
        )
    for word in (kind.name, *kind.words):
        if word != kind.name and word != _plain(word):
            raise ValueError(f'write "{word}" as "{_plain(word)}"')
        if word in taken:
            raise ValueError(f'"{word}" is a kind of item already')
    if kind.section:
        folder = kind.section.folder
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", folder) or re.fullmatch(r"\d{4}", folder):
            raise ValueError(f'"{folder}" is not a folder\'s name: lower-case letters, digits and hyphens, no year')
        if folder in OTHER_FOLDERS or folder in kind_folders():
            raise ValueError(f'the archive has another folder "{folder}"')
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind of that name; InputError where there's none."""
    try:
        return KINDS[name]
    except KeyError:
        hint = nearest(name, KINDS) or f"there are {', '.join(KINDS)}"
        raise InputError(f'"{name[:40]}" is not a kind of item', hint=hint) from None


def kind_said(words: str) -> Kind | None:
    """The kind that people mean by words such as "press release"; None where no kind is called so."""
    plain = _plain(words)
    return next((kind for kind in KINDS.values() if plain in (_plain(kind.name), *kind.words)), None)


def _plain(words: str) -> str:
    return " ".join(words.lower().replace("_", " ").replace("-", " ").split())


def kind_folders() -> frozenset[str]:
    """The folders of the archive that list kinds."""
    return frozenset(kind.section.folder for kind in KINDS.values() if kind.section)


for _row in _TABLE:
    register(_row)
