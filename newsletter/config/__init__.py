"""config.toml, read once into frozen values.

It holds what was decided: publications, lists, segments, senders, providers, addresses. Unknown keys are
refused with the nearest known one and the line; secrets are never in it, only the names of environment
variables or files that hold them. Relative paths are relative to the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.config.publications import Brand, Partner, Publication, SectionPlan
from newsletter.config.secrets import Keyring
from newsletter.config.settings import (
    HOOK_EVENTS,
    S3,
    Archive,
    CheckConfig,
    Cluster,
    CollectConfig,
    Feed,
    FeedbackConfig,
    Hook,
    LinksConfig,
    MailingList,
    MediaInquiry,
    Organization,
    Pace,
    ProviderConfig,
    Retention,
    Segment,
    Sender,
    Service,
)
from newsletter.errors import ConfigError, NotFound, nearest
from newsletter.model import is_site_folder
from newsletter.tables import Document, Table

__all__ = [
    "FILE_NAME",
    "HOOK_EVENTS",
    "S3",
    "Archive",
    "Brand",
    "CheckConfig",
    "Cluster",
    "CollectConfig",
    "Config",
    "Feed",
    "FeedbackConfig",
    "Hook",
    "LinksConfig",
    "MailingList",
    "MediaInquiry",
    "Organization",
    "Pace",
    "Partner",
    "ProviderConfig",
    "Publication",
    "Retention",
    "SectionPlan",
    "Segment",
    "Sender",
    "Service",
    "load",
    "parse",
]

FILE_NAME = "config.toml"
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that was decided. `folder` is the workspace: where config.toml stands."""

    path: Path
    timezone: ZoneInfo
    database: str
    secret_file: Path
    organization: Organization
    archive: Archive
    service: Service
    senders: Mapping[str, Sender]
    lists: Mapping[str, MailingList]
    segments: Mapping[str, Segment]
    providers: Mapping[str, ProviderConfig]
    publications: Mapping[str, Publication]
    test_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    collect: CollectConfig = field(default_factory=CollectConfig)
    check: CheckConfig = field(default_factory=CheckConfig)
    cluster: Cluster = field(default_factory=Cluster)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    retention: Retention = field(default_factory=Retention)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    s3: S3 = field(default_factory=S3)
    links: LinksConfig = field(default_factory=LinksConfig)
    attributes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The workspace."""
        return self.path.parent

    def list_named(self, name: str) -> MailingList | None:
        """The list of that slug, or the one that has it among its aliases: lists are renamed, and mail that is out
        names the old one.
        """
        wanted = name.casefold()
        known = self.lists.values()
        return self.lists.get(name) or next((one for one in known if wanted in map(str.casefold, one.aliases)), None)

    def publication(self, slug: str) -> Publication:
        """The publication of that slug, or NotFound with the nearest."""
        try:
            return self.publications[slug]
        except KeyError:
            hint = nearest(slug, self.publications) or f"known: {', '.join(self.publications)}"
            raise NotFound(f'no publication "{slug}"', where=self.path.name, hint=hint) from None

    def language(self, publication: Publication) -> str:
        """The language that a publication's mail and pages are in."""
        return publication.language or self.archive.language

    def test_addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a test list, or the address itself; NotFound for what is neither."""
        if "@" in name:
            return (name,)
        try:
            return self.test_lists[name]
        except KeyError:
            known = f"known: {', '.join(self.test_lists)}" if self.test_lists else "give an address"
            hint = nearest(name, self.test_lists) or known
            raise NotFound(f'no test list "{name}", and not an address', where=self.path.name, hint=hint) from None

    def keyring(self, environment: Mapping[str, str] | None = None) -> Keyring:
        """The keys that sign readers' links: those of $NEWSLETTER_SECRET or of the secret file, made at first use."""
        return Keyring(self.folder / self.secret_file, os.environ if environment is None else environment)


def load(path: Path) -> Config:
    """Read and check a config file; ConfigError with path:line for whatever is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = "go to your workspace, or make one: newsletter init FOLDER"
        raise ConfigError(f"no {path.name} here", where=path, hint=hint) from None
    except UnicodeDecodeError as fault:
        raise ConfigError("not UTF-8", where=path, hint=f"save it as UTF-8; byte {fault.start} is wrong") from None
    except OSError as fault:
        raise ConfigError(f"can't be read: {fault.strerror}", where=path) from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Config from the text of config.toml; `path` is where it stands."""
    root = Document.parse(text, str(path)).root()
    config = root.read(_File)
    senders = {slug: t.read(Sender) for slug, t in root.tables("senders").items()}
    lists = {slug: t.read(MailingList, slug=slug) for slug, t in root.tables("lists").items()}
    segments = {slug: t.read(Segment, slug=slug) for slug, t in root.tables("segments").items()}
    publications = {slug: t.read(Publication, slug=slug) for slug, t in root.tables("publications").items()}
    providers = {slug: _provider(slug, t) for slug, t in root.tables("providers").items()}
    for kind, names in (("lists", lists), ("segments", segments), ("publications", publications)):
        for slug in names:
            if not _SLUG.fullmatch(slug):
                raise root.table(kind).error(f'"{slug}" is no slug: lower-case letters, digits and hyphens', slug)
    for slug in filter(is_site_folder, publications):
        what = f'"{slug}" is a folder that the archive has for something else'
        raise root.table("publications").error(what, slug, hint="give the publication another key")
    for slug, publication in publications.items():
        table = root.table("publications").table(slug)
        for key, known in (("list", lists), ("sender", senders), ("provider", providers)):
            value = getattr(publication, key)
            if value not in known:
                raise table.error(f'no {key} "{value}" is configured', key, hint=nearest(value, known))
    return Config(
        path=path,
        timezone=_timezone(root, config.timezone),
        database=config.database,
        secret_file=config.secret_file,
        organization=config.organization,
        archive=config.archive,
        service=config.service,
        senders=senders,
        lists=lists,
        segments=segments,
        providers=providers,
        publications=publications,
        test_lists=config.test_lists,
        collect=config.collect,
        check=config.check,
        cluster=config.cluster,
        feedback=config.feedback,
        retention=config.retention,
        hooks=config.hooks,
        s3=config.s3,
        links=config.links,
        attributes=config.attributes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The top level of config.toml; the named tables are read one by one."""

    organization: Organization
    archive: Archive
    service: Service
    timezone: str = "UTC"
    collect: CollectConfig = field(default_factory=CollectConfig)
    check: CheckConfig = field(default_factory=CheckConfig)
    cluster: Cluster = field(default_factory=Cluster)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    retention: Retention = field(default_factory=Retention)
    hooks: dict[str, Hook] = field(default_factory=dict)
    s3: S3 = field(default_factory=S3)
    links: LinksConfig = field(default_factory=LinksConfig)
    attributes: tuple[str, ...] = ()
    database: str = "sqlite:///newsletter.db"
    secret_file: Path = Path("secret.key")
    senders: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, Any] = field(default_factory=dict)
    providers: dict[str, Any] = field(default_factory=dict)
    publications: dict[str, Any] = field(default_factory=dict)
    test_lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.attributes:
            if not _ATTRIBUTE.fullmatch(name):
                raise ValueError(f'"attributes": "{name}" is no name: lower-case letters, digits and _')


def _timezone(root: Table, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = "use a name such as America/New_York"
        raise root.error(f'unknown timezone "{name}"', "timezone", hint=hint) from None


def _provider(slug: str, table: Table) -> ProviderConfig:
    kind = table.data.get("type", slug)
    if not isinstance(kind, str):
        raise table.error('"type" must be a text in quotes', "type")
    pace = table.only(*Pace.__dataclass_fields__).read(Pace)
    return ProviderConfig(slug=slug, type=kind, pace=pace, table=table.without("type", *Pace.__dataclass_fields__))
