"""The tables of config.toml but publications: each a frozen value that refuses what can't be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.config.rules import require_base_url, require_between, require_url, require_variable
from newsletter.model import KINDS, OTHERS, ascii_address
from newsletter.tables import Table

_LIMITS = re.compile(r"[1-9]\d{0,8} per (second|minute|hour|day)(; [1-9]\d{0,8} per (second|minute|hour|day))*")
_ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"
#: In seconds; and the most days that a setting may name.
_DAY, _DAYS = 86_400, 36_500
#: What other programs can be told of.
HOOK_EVENTS = ("subscriber.subscribed", "subscriber.unsubscribed", "subscriber.bounced", "subscriber.complained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Who publishes. The postal address stands in every message (CAN-SPAM, 16 CFR 316)."""

    name: str
    postal_address: str
    url: str

    def __post_init__(self) -> None:
        require_url("url", self.url)
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
    `hub` is a WebSub hub that feeds name; empty for none. `robots` are the programs that may read it: "all", "none", or
    all with "no-training" of models.
    """

    url: str
    folder: Path = Path("archive")
    title: str = "News"
    description: str = ""
    language: str = "en"
    policies: str = "told"
    hub: str = ""
    robots: str = "all"
    media_inquiry: MediaInquiry | None = None

    def __post_init__(self) -> None:
        require_base_url("url", self.url)
        if self.hub:
            require_url("hub", self.hub)
        if self.policies not in ("told", "all"):
            raise ValueError('"policies" must be "told" or "all"')
        if self.robots not in ("all", "no-training", "none"):
            raise ValueError('"robots" must be "all", "no-training" or "none"')


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
            require_base_url("endpoint", self.endpoint)
        require_between("cache_seconds", self.cache_seconds, 0, 365 * _DAY, "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The public service that readers reach: unsubscribing lives at `<url>/u/<token>`. `trusted_proxies` is how many
    proxies stand before it, whose word on the caller's address is taken.

    The limits say how often mail may be asked for: by one network, for one mailbox, for one list, and in all. While
    most people who ask don't confirm, the limits by network, list and in all are a quarter of that.
    """

    url: str
    trusted_proxies: int = 0
    rate_limit: str = "10 per minute; 60 per hour"
    mailbox_limit: str = "3 per hour; 8 per day"
    list_limit: str = "100 per minute; 600 per hour"
    total_limit: str = "200 per minute; 1200 per hour"

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise ValueError('"url" must start with https://; one-click unsubscribe needs it (RFC 8058)')
        require_base_url("url", self.url, schemes=("https",))
        require_between("trusted_proxies", self.trusted_proxies, 0, 20)
        for key in ("rate_limit", "mailbox_limit", "list_limit", "total_limit"):
            if not _LIMITS.fullmatch(getattr(self, key)):
                raise ValueError(f'"{key}" must be such as "10 per minute; 60 per hour"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The person or desk a publication comes from. Domains may be of any script; they travel in ASCII (RFC 5891)."""

    name: str
    address: str
    reply_to: str = ""

    def __post_init__(self) -> None:
        for key in ("address", "reply_to"):
            value = getattr(self, key)
            if (key == "address" or value) and not re.fullmatch(_ADDRESS, value):
                raise ValueError(f'"{key}" is not an e-mail address')
            try:
                plain = ascii_address(value) if value else ""
            except UnicodeError:
                raise ValueError(f'"{key}" has a domain that can\'t be one') from None
            except ValueError as fault:
                raise ValueError(f'"{key}": {fault}') from None
            if not re.fullmatch(r"[!-~]*", plain):
                raise ValueError(f'"{key}" is not an e-mail address')
        if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", self.name):
            raise ValueError('"name" must be one line, without control characters')


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """What people join. `aliases` are other names that exports use for it; whoever finds the service may join one that
    is `public`. `descriptions` say in other languages, by tag, what `description` says.
    """

    slug: str
    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    public: bool = True
    descriptions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tag in self.descriptions:
            if not re.fullmatch(r"[a-z]{2,3}", tag):
                raise ValueError(f'"descriptions" has "{tag}", which is not a language such as "es"')

    def described(self, language: str) -> str:
        """What readers of a language are told of it."""
        return self.descriptions.get(language, self.description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A saved filter: `where` is an expression such as `state = "FL" and role in ("elected", "staff")`."""

    slug: str
    name: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """The house style: `words` maps a wording that isn't used to the one that is."""

    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """An RSS or Atom feed to collect from; `kind`, `topics`, `places` and `outlet` are given to its items."""

    url: str
    kind: str = OTHERS
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    outlet: str = ""

    def __post_init__(self) -> None:
        require_url("url", self.url)
        if self.kind not in KINDS:
            raise ValueError(f'"kind" is "{self.kind}"; there are {", ".join(KINDS)}')


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """Where items come from. `tracking` are parameters that links are kept without, `*` for any letters;
    `private_hosts` may be fetched from though they aren't on the public internet.
    """

    tracking: tuple[str, ...] = (
        *("utm_*", "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "twclid", "igshid", "igsh", "yclid"),
        *("mc_cid", "mc_eid", "ceid", "emci", "emdi", "mkt_tok", "_hsenc", "_hsmi", "hsctatracking", "vero_id"),
        *("ms", "sourceid", "oly_anon_id", "oly_enc_id", "ml_subscriber*", "ss_email*", "ck_subscriber_id", "hsa_*"),
        *("__hssc", "__hstc", "__hsfp", "vero_conv", "wickedid", "elqtrack*", "trk_contact", "trk_msg", "trk_sid"),
        *(
            "_kx",
            "__s",
            "dm_i",
            "nr_email_referer",
            "bbeml",
            "mibextid",
            "srsltid",
            "recruiter_id",
            "ttclid",
            "li_fat_id",
            "rdt_cid",
        ),
        *(
            "_branch_match_id",
            "_ga",
            "_gl",
            "gad_source",
            "epik",
            "s_kwcid",
            "mtm_*",
            "pk_campaign",
            "pk_kwd",
            "piwik_*",
        ),
    )
    private_hosts: tuple[str, ...] = ()
    feeds: dict[str, Feed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksConfig:
    """How links are asked whether they're still what they were: `contact` is what a host's people find in their log
    (the organization's address unless set), `pause_seconds` lie between two requests to a host, and one run asks it for
    at most `per_host` pages. With `copies`, an approval keeps what the pages say that its policies rest on.
    """

    contact: str = ""
    pause_seconds: float = 1.0
    per_host: int = 100
    copies: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-'*-~]*", self.contact):
            raise ValueError('"contact" must be an address, of a page or for mail')
        require_between("pause_seconds", self.pause_seconds, 0, 3_600, "seconds")
        require_between("per_host", self.per_host, 1, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a provider may be called, where it's to be other than the provider's own limits: calls a second, calls at a
    time, recipients a call, and messages a day (for warming up; the rest goes out on the days after).
    """

    calls_per_second: float | None = None
    parallel: int | None = None
    batch_size: int | None = None
    per_day: int | None = None

    def __post_init__(self) -> None:
        require_between("calls_per_second", self.calls_per_second, 0.001, 10_000)
        require_between("parallel", self.parallel, 1, 100)
        require_between("batch_size", self.batch_size, 1, 100_000)
        require_between("per_day", self.per_day, 1, 1_000_000_000)


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
        require_between("soft_bounces", self.soft_bounces, 1, 1_000)
        require_between("soft_bounce_days", self.soft_bounce_days, 1, _DAYS, "days")
        require_between("machine_seconds", self.machine_seconds, 0, _DAY, "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Another program that is told of changes, at its address; `secret_env` names the environment variable with the
    secret that signs the calls.
    """

    url: str
    secret_env: str = "NEWSLETTER_HOOK_SECRET"  # noqa: S105 (a name, not a secret)
    events: tuple[str, ...] = HOOK_EVENTS

    def __post_init__(self) -> None:
        require_url("url", self.url)
        require_variable("secret_env", self.secret_env)
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
            require_between(key, getattr(self, key), 0, _DAYS, "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Several machines: a worker that hasn't been heard of for `dead_after` seconds is dead, and others settle what it
    had under way. It has to be longer than a provider's `timeout`.
    """

    dead_after: float = 120.0

    def __post_init__(self) -> None:
        require_between("dead_after", self.dead_after, 1, _DAY, "seconds")
