"""Publications: what they are called, made of, look like, and who they come from."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.config.rules import require_between, require_url
from newsletter.model import KINDS, POLICY

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_FONTS = re.compile(r"[\w ,'-]*")
_TITLE_FIELDS = {"headlines", "month", "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Who a publication is made with: a second byline and logo. `logo` is a file in the workspace."""

    name: str
    byline: str
    url: str
    logo: Path

    def __post_init__(self) -> None:
        require_url("url", self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """The publication's look. Colours are #rrggbb; `accent` has to be readable on white. `body_font` and
    `heading_font` are names of fonts, the wanted first; empty for the template's own.
    """

    accent: str = "#1d4ed8"
    accent_dark: str = "#93c5fd"
    banner: str = "#172554"
    body_font: str = ""
    heading_font: str = ""
    logo: Path | None = None

    def __post_init__(self) -> None:
        for key in ("accent", "accent_dark", "banner"):
            if not _COLOR.fullmatch(getattr(self, key)):
                raise ValueError(f'"{key}" must be a colour such as "#1d4ed8"')
        for key in ("body_font", "heading_font"):
            if not _FONTS.fullmatch(getattr(self, key)):
                raise ValueError(f'"{key}" must be names of fonts, such as "Georgia, serif"')


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
    """A section that a new draft starts with, and which entries go there: those of one of the `kinds` (of
    items, or "policy") that share one of the `topics`, where topics are given.
    """

    heading: str
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in (*KINDS, POLICY):
                raise ValueError(f'"{kind}" is no kind of item; there are {", ".join(KINDS)} and {POLICY}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A newsletter as a series. `title` is the pattern of an issue's title, of {name}, {headlines}, {month};
    `approvals` is how many persons have to approve an issue; when a campaign has more or fewer messages than the last
    by more than the share `largest_change`, it has to be confirmed twice. Whoever had a story through another
    publication in the `skip_repeats_days` before doesn't get it again; 0 is for never. `language` is a tag such as
    "es"; without it, the archive's. With `provisions`, its mail tells what a policy provides.
    """

    slug: str
    name: str
    list: str
    sender: str
    provider: str = "files"
    template: str = ""
    tagline: str = ""
    title: str = "{name}: {headlines} | {month}"
    sections: tuple[SectionPlan, ...] = ()
    cadence_days: int = 30
    approvals: int = 1
    largest_change: float = 0.25
    skip_repeats_days: int = 0
    provisions: bool = False
    language: str = ""
    brand: Brand = field(default_factory=Brand)
    partner: Partner | None = None

    def __post_init__(self) -> None:
        if self.language and not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", self.language):
            raise ValueError('"language" must be a tag such as "en", "es" or "es-MX"')
        require_between("skip_repeats_days", self.skip_repeats_days, 0, 365, "days")
        require_between("approvals", self.approvals, 1, 5, "persons")
        require_between("cadence_days", self.cadence_days, 1, 3_660, "days")
        require_between("largest_change", self.largest_change, 0, 100)
        unknown = {name for _, name, _, _ in string.Formatter().parse(self.title) if name} - _TITLE_FIELDS
        if unknown:
            raise ValueError(f'"title" knows {{name}}, {{headlines}} and {{month}}, not {{{min(unknown)}}}')
