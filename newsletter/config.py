"""config.toml, read once into frozen values.

It holds what was decided: publications, lists, segments, senders, providers, addresses. Unknown keys are
refused with the nearest known one and the line; secrets are never in it, only the names of environment
variables or files that hold them. Relative paths are relative to the file.
"""

from __future__ import annotations

import os
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.errors import ConfigError, NotFound, nearest
from newsletter.model import Kind
from newsletter.tables import Document, Table

FILE_NAME = "config.toml"
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LIMITS = re.compile(r"\d+ per (second|minute|hour|day)(; \d+ per (second|minute|hour|day))*")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_FONTS = re.compile(r"[\w ,'-]*")
_ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"
_TITLE_FIELDS = {"headlines", "month", "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Who publishes. The postal address stands in every message (CAN-SPAM, 16 CFR 316)."""

    name: str
    postal_address: str
    url: str

    def __post_init__(self) -> None:
        _require_url("url", self.url)
        if not self.postal_address.strip():
            raise ValueError('"postal_address" is empty; the law wants one in every message')


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInquiry:
    """Whom journalists ask: the press contact that every reader of the archive may see."""

    name: str
    email: str = ""
    phone: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.email and not re.fullmatch(_ADDRESS, self.email):
            raise ValueError('"email" is not an e-mail address')


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The archive website: its public address, the folder it is built in, its title and language.

    `policies` are those in the tracker: the "told" ones, of which a published issue speaks, or "all" that are stored.
    `hub` is a WebSub hub that feeds name; empty for none.
    """

    url: str
    folder: Path = Path("archive")
    title: str = "News"
    description: str = ""
    language: str = "en"
    policies: str = "told"
    hub: str = ""
    media_inquiry: MediaInquiry | None = None

    def __post_init__(self) -> None:
        _require_url("url", self.url)
        if self.hub:
            _require_url("hub", self.hub)
        if self.policies not in ("told", "all"):
            raise ValueError('"policies" must be "told" or "all"')


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """A bucket that the archive is published into: the service's `endpoint` and `region`, where they aren't AWS's or in
    the environment; `cache_seconds` is how long others may keep a page without asking again.
    """

    endpoint: str = ""
    region: str = ""
    cache_seconds: int = 300

    def __post_init__(self) -> None:
        if self.endpoint:
            _require_url("endpoint", self.endpoint)
        if self.cache_seconds < 0:
            raise ValueError('"cache_seconds" must be 0 or more')


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The public service that readers reach: unsubscribing lives at `<url>/u/<token>`. `trusted_proxies` is how many
    proxies stand before it, whose word on the caller's address is taken; `rate_limit` is how often one network may ask
    for mail to be sent.
    """

    url: str
    trusted_proxies: int = 0
    rate_limit: str = "10 per minute; 60 per hour"

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise ValueError('"url" must start with https://; one-click unsubscribe needs it (RFC 8058)')
        if self.trusted_proxies < 0:
            raise ValueError('"trusted_proxies" must be 0 or more')
        if not _LIMITS.fullmatch(self.rate_limit):
            raise ValueError('"rate_limit" must be such as "10 per minute; 60 per hour"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The person or desk a publication comes from."""

    name: str
    address: str
    reply_to: str = ""

    def __post_init__(self) -> None:
        for key in ("address", "reply_to"):
            value = getattr(self, key)
            if (key == "address" or value) and not re.fullmatch(_ADDRESS, value):
                raise ValueError(f'"{key}" is not an e-mail address')


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """What people join. `aliases` are other names that exports use for it; whoever finds the service may join one that
    is `public`.
    """

    slug: str
    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A saved filter: `where` is an expression such as `state = "FL" and role in ("elected", "staff")`."""

    slug: str
    name: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Who a publication is made with: a second byline and logo. `logo` is a file in the workspace."""

    name: str
    byline: str
    url: str
    logo: Path

    def __post_init__(self) -> None:
        _require_url("url", self.url)


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
            if kind not in (*Kind, "policy"):
                raise ValueError(f'"{kind}" is no kind of item; there are {", ".join(Kind)} and policy')


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A newsletter as a series. `title` is the pattern of an issue's title, of {name}, {headlines}, {month};
    `approvals` is how many persons have to approve an issue; when a campaign has more or fewer messages than the last
    by more than the share `largest_change`, it has to be confirmed twice. Whoever had a story through another
    publication in the `skip_repeats_days` before doesn't get it again; 0 is for never.
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
    brand: Brand = field(default_factory=Brand)
    partner: Partner | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.skip_repeats_days <= 365:
            raise ValueError('"skip_repeats_days" must be from 0 to 365 days')
        if not 1 <= self.approvals <= 5:
            raise ValueError('"approvals" must be from 1 to 5 persons')
        unknown = {name for _, name, _, _ in string.Formatter().parse(self.title) if name} - _TITLE_FIELDS
        if unknown:
            raise ValueError(f'"title" knows {{name}}, {{headlines}} and {{month}}, not {{{min(unknown)}}}')


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """The house style: `words` maps a wording that isn't used to the one that is."""

    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """An RSS or Atom feed to collect from; `kind`, `topics`, `places` and `outlet` are given to its items."""

    url: str
    kind: Kind = Kind.NEWS
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    outlet: str = ""

    def __post_init__(self) -> None:
        _require_url("url", self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """Where items come from. `tracking` are parameters that links are kept without, `*` for any letters;
    `private_hosts` may be fetched from though they aren't on the public internet.
    """

    tracking: tuple[str, ...] = (
        *("utm_*", "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "twclid", "igshid", "igsh", "yclid"),
        *("mc_cid", "mc_eid", "ceid", "emci", "emdi", "mkt_tok", "_hsenc", "_hsmi", "hsctatracking", "vero_id"),
        *("ms", "sourceid", "oly_anon_id", "oly_enc_id", "ml_subscriber*", "ss_email_id", "ck_subscriber_id"),
    )
    private_hosts: tuple[str, ...] = ()
    feeds: dict[str, Feed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksConfig:
    """How published links are asked whether they're still what they were: `contact` is what a host's people find in
    their log (the organization's address unless set), `pause_seconds` lie between two requests to a host, and one run
    asks it for at most `per_host` pages.
    """

    contact: str = ""
    pause_seconds: float = 1.0
    per_host: int = 100

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-'*-~]*", self.contact):
            raise ValueError('"contact" must be an address, of a page or for mail')
        if self.pause_seconds < 0 or self.per_host < 1:
            raise ValueError('"pause_seconds" must be at least 0, "per_host" at least 1')


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a provider may be called, where it's to be other than the provider's own limits: calls a second, calls
    at a time, and messages a day (for warming up; the rest goes out on the days after).
    """

    calls_per_second: float | None = None
    parallel: int | None = None
    per_day: int | None = None

    def __post_init__(self) -> None:
        for key in ("calls_per_second", "parallel", "per_day"):
            value = getattr(self, key)
            if value is not None and value <= 0:
                raise ValueError(f'"{key}" must be above 0')


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """A provider as configured: its `type`, how fast it may be called, and the table that the provider itself reads."""

    slug: str
    type: str
    table: Table
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackConfig:
    """What follows from what providers tell: an address is suppressed when messages of so many separate campaigns
    bounced softly within `soft_bounce_days`; an open or a click counts for nothing before a message has been delivered
    for `machine_seconds`.
    """

    soft_bounces: int = 3
    soft_bounce_days: int = 180
    machine_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.soft_bounces < 1 or self.soft_bounce_days < 1 or self.machine_seconds < 0:
            raise ValueError('"soft_bounces" and "soft_bounce_days" must be at least 1, "machine_seconds" at least 0')


#: What other programs can be told of.
HOOK_EVENTS = ("subscriber.subscribed", "subscriber.unsubscribed", "subscriber.bounced", "subscriber.complained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Another program that is told of changes, at its address; `secret_env` names the environment variable with the
    secret that signs the calls.
    """

    url: str
    secret_env: str = "NEWSLETTER_HOOK_SECRET"  # noqa: S105 (a name, not a secret)
    events: tuple[str, ...] = HOOK_EVENTS

    def __post_init__(self) -> None:
        _require_url("url", self.url)
        for event in self.events:
            if event not in HOOK_EVENTS:
                raise ValueError(f'"{event}" is no event; there are {", ".join(HOOK_EVENTS)}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days things are kept, 0 meaning for ever: webhooks as they came; requests for mail, and calls to
    other programs; people who never confirmed; opens and clicks; addresses in the ledger of what went out; and from
    where somebody joined or left.
    """

    webhooks_days: int = 30
    requests_days: int = 30
    unconfirmed_days: int = 30
    behaviour_days: int = 0
    addresses_days: int = 0
    evidence_days: int = 0

    def __post_init__(self) -> None:
        for key in self.__dataclass_fields__:
            if getattr(self, key) < 0:
                raise ValueError(f'"{key}" must be 0 or more')


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Several machines: a worker that hasn't been heard of for `dead_after` seconds is dead, and others settle what it
    had under way. It has to be longer than a provider's `timeout`.
    """

    dead_after: float = 120.0

    def __post_init__(self) -> None:
        if self.dead_after < 1:
            raise ValueError('"dead_after" must be at least 1 second')


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

    def publication(self, slug: str) -> Publication:
        """The publication of that slug, or NotFound with the nearest."""
        try:
            return self.publications[slug]
        except KeyError:
            hint = nearest(slug, self.publications) or f"known: {', '.join(self.publications)}"
            raise NotFound(f'no publication "{slug}"', where=self.path.name, hint=hint) from None

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

    def secret(self, environment: Mapping[str, str] | None = None) -> bytes:
        """The key that signs readers' links: $NEWSLETTER_SECRET, or the secret file, made at first use."""
        if given := (os.environ if environment is None else environment).get("NEWSLETTER_SECRET"):
            return given.encode()
        path = self.folder / self.secret_file
        try:
            if not path.exists():
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(secrets.token_urlsafe(32) + "\n")
            return path.read_text(encoding="ascii").strip().encode()
        except OSError as fault:
            raise ConfigError(f"can't read the secret file: {fault.strerror}", where=path) from None


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


def _require_url(key: str, value: str) -> None:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValueError(f'"{key}" must be an address starting with https://')
