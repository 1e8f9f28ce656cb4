"""Who carries mail. One file a provider, all behind one contract.

    provider = load(config.providers["smtp"], config.folder)
    for receipt in provider.send(call): ...

The rest of the program can't tell providers apart: a provider that takes whole messages merges them itself,
one that takes a template and variables compiles the merge fields to its own syntax.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Self

from newsletter.config import ProviderConfig
from newsletter.errors import ConfigError, nearest
from newsletter.model import Call, Event, Receipt, Route
from newsletter.tables import Table

#: Provider types that come with the product, and where their classes are; imported when used.
REGISTRY: Mapping[str, str] = {
    "brevo": "newsletter.providers.brevo:Brevo",
    "files": "newsletter.providers.files:Files",
    "mailgun": "newsletter.providers.mailgun:Mailgun",
    "mailjet": "newsletter.providers.mailjet:Mailjet",
    "memory": "newsletter.providers.memory:Memory",
    "postmark": "newsletter.providers.postmark:Postmark",
    "resend": "newsletter.providers.resend:Resend",
    "sendgrid": "newsletter.providers.sendgrid:Sendgrid",
    "ses": "newsletter.providers.ses:Ses",
    "smtp": "newsletter.providers.smtp:Smtp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may hold, and how fast calls may come: recipients (`usual` of them unless settings say otherwise),
    bytes of the whole request, calls a second (None for no limit of its own), and how many calls at a time are of use.
    `copies` says that every recipient's message travels whole, rather than one for all with variables.
    """

    recipients: int
    usual: int | None = None
    bytes: int | None = None
    calls_per_second: float | None = None
    parallel: int = 1
    copies: bool = True

    def batch_size(self, content: int, wanted: int | None = None) -> int:
        """How many recipients fit into one call, with a content of so many bytes; 0 when not even one does."""
        most = min(self.recipients, wanted or self.usual or self.recipients)
        if self.bytes is None:
            return most
        each = _EACH + (content if self.copies else 0)
        room = self.bytes - (0 if self.copies else content)
        return max(0, min(most, room // each))


#: The longest that a vendor's wish to wait is believed, in seconds.
LONGEST_RETRY_AFTER = 86_400.0
#: Bytes that a recipient costs in a request beside the content, on the safe side: address, links, names.
_EACH = 2_000


class How(StrEnum):
    """How a provider can prove what became of a call whose answer never came."""

    REPLAY = "replay"
    DEDUPLICATE = "deduplicate"
    LOOKUP = "lookup"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a provider's `settle` can prove, and when; the ledger holds it to that.

    `replay`, `deduplicate`: the same call again submits nobody twice for as long as `within` after it was first made,
    but it may submit those whom it hadn't reached. `lookup`: a log is read; whoever is in it was accepted, and whoever
    isn't was not if the call is older than `after` and younger than `within`, and if the log shows something of ours
    that was accepted later. One that is `complete` shows a call as soon as it has ended; one that takes a call `whole`
    took everybody in it if it took anybody.
    """

    how: How
    after: timedelta = timedelta(0)
    within: timedelta | None = None
    complete: bool = False
    whole: bool = False

    @property
    def submits(self) -> bool:
        """Whether settling may submit messages."""
        return self.how in (How.REPLAY, How.DEDUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One thing that was looked at: whether it's `fine` (None where the provider doesn't say), and what was found."""

    about: str
    fine: bool | None
    found: str


class Provider(ABC):
    """The contract that every provider keeps; tests/providers/test_contract.py runs over all of them."""

    name: ClassVar[str]
    limits: ClassVar[Limits]
    #: A provider may narrow it by its settings.
    recovery: Recovery
    #: How many seconds a call may take before its answer counts as lost.
    timeout: float = 0.0
    #: Whether every message can carry its own List-Unsubscribe (RFC 8058); without it no list should be mailed.
    list_unsubscribe: ClassVar[bool] = True
    #: Whether a call's pictures can travel inside its messages.
    pictures: ClassVar[bool] = False
    #: Where messages stay that reach nobody, as `into a folder`; empty for what mails people.
    keeps: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read the provider's own options from its `[providers.…]` table; unknown ones are refused."""

    @abstractmethod
    def route(self) -> Route:
        """Where calls go. ConfigError when the settings or the environment can't work: a key that is missing, say."""

    @abstractmethod
    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit a call: a Receipt for each recipient as soon as it's certain, in any order.

        A ProviderError speaks only for those for whom no Receipt has come. Refusing a recipient is a Receipt, and only
        for what is certainly about that mailbox.
        """

    @abstractmethod
    def settle(self, call: Call) -> Iterator[Receipt]:
        """What became of a call whose answer never came, as `recovery` says: a Receipt for each recipient of whom
        something is certain. Whoever a lookup doesn't find has none.
        """

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """The events of a webhook call; WebhookError when its signature or password is wrong. A provider without
        webhooks has none. Calls come late, twice and in any order: an event's `id` tells them apart, its `at` their
        order. Needs the secret for receiving alone, not the key for sending.
        """
        del body, headers
        return ()

    def verify(self, sender: str) -> Sequence[Verification]:
        """Whether the credentials and the address that mail comes from are right, as far as that can be told without
        mailing anybody. Raises ProviderError when the provider can't be asked.
        """
        del sender
        return ()

    def verify_webhooks(self) -> Sequence[Verification]:
        """Whether webhooks could be believed: that their secret is there and has the right form. Asks nobody."""
        return ()

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what the provider holds open."""


def provider_class(config: ProviderConfig) -> type[Provider]:
    """The class of a `[providers.…]` table: its limits are known without an instance. `type` is a name in the registry
    or `package.module:Class`; ConfigError for an unknown one.
    """
    where = config.table.error
    target = REGISTRY.get(config.type, config.type if ":" in config.type else "")
    if not target:
        hint = nearest(config.type, REGISTRY) or f"there are {', '.join(REGISTRY)}, or package.module:Class"
        raise where(f'no provider of type "{config.type}"', "type", hint=hint)
    module, _, name = target.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as fault:
        raise where(f'provider "{config.type}" can\'t be loaded: {fault}', "type") from None
    if not (isinstance(found, type) and issubclass(found, Provider)):
        raise ConfigError(f'"{config.type}" is not a newsletter.providers.Provider')
    return found


def mails(kind: str) -> bool:
    """Whether a provider of a type mails people, by its name in the registry; somebody else's does."""
    module, _, name = REGISTRY.get(kind, "").partition(":")
    return not getattr(import_module(module), name).keeps if module else True


def load(config: ProviderConfig, workspace: Path) -> Provider:
    """The provider of a `[providers.…]` table; ConfigError for an unknown type or option."""
    return provider_class(config).from_config(config.table, workspace)
