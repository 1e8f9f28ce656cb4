"""Who carries mail. One file a provider, all behind one contract.

    provider = load(config.providers["smtp"], config.folder)
    receipts = provider.send(batch)

The rest of the program can't tell providers apart: a provider that takes whole messages merges them itself,
one that takes a template and variables compiles the merge fields to its own syntax.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Self

from newsletter.config import ProviderConfig
from newsletter.errors import ConfigError, nearest
from newsletter.model import Batch, Event, Receipt
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
    """What one call may hold, and how fast calls may come: recipients, bytes of the whole request, calls a second
    (None for no limit of its own), and how many calls at a time are of use. `copies` says that every recipient's
    message travels whole, rather than one for all with variables.
    """

    recipients: int
    bytes: int | None = None
    calls_per_second: float | None = None
    parallel: int = 1
    copies: bool = True

    def batch_size(self, content: int) -> int:
        """How many recipients fit into one call, with a content of so many bytes; 0 when not even one does."""
        if self.bytes is None:
            return self.recipients
        each = _EACH + (content if self.copies else 0)
        room = self.bytes - (0 if self.copies else content)
        return max(0, min(self.recipients, room // each))


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
    """`how`, and for how long after the call it can be relied on (None for always)."""

    how: How
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was looked at: whether it's `fine` (None where the provider doesn't tell), and what was found."""

    about: str
    fine: bool | None
    told: str


class Provider(ABC):
    """The contract that every provider keeps; tests/providers/test_contract.py runs over all of them."""

    name: ClassVar[str]
    limits: Limits
    recovery: ClassVar[Recovery]
    #: Whether every message can carry its own List-Unsubscribe (RFC 8058); without it no list should be mailed.
    list_unsubscribe: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read the provider's own options from its `[providers.…]` table; unknown ones are refused."""

    @abstractmethod
    def send(self, batch: Batch) -> list[Receipt]:
        """Submit a batch: one Receipt for each recipient, in order.

        Raises Refused, Unavailable or OutcomeUnknown only when they hold for every recipient.
        """

    @abstractmethod
    def settle(self, batch: Batch) -> list[Receipt]:
        """What became of a batch whose answer never came: one Receipt for each recipient, in order.

        `unknown` where the provider can prove nothing, `deferred` only where it's certain that nothing went out.
        """

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """The events of a webhook call; WebhookError when it doesn't prove itself. A provider without webhooks has
        none. Calls come late, twice and in any order: an event's `id` tells them apart, its `at` their order.
        """
        del body, headers
        return ()

    def prove(self, sender: str) -> Sequence[Proof]:
        """Whether the credentials, the address that mail comes from, and the webhooks' secret are right, as far as
        that can be told without mailing anybody. Raises ProviderError when the provider can't be asked.
        """
        del sender
        return ()

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether webhooks could be believed: that their secret is there and has the right form. Asks nobody."""
        return ()

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what the provider holds open."""


def load(config: ProviderConfig, workspace: Path) -> Provider:
    """The provider of a `[providers.…]` table; `type` is a name in the registry or `package.module:Class`.

    Raises ConfigError for an unknown type or option.
    """
    where = config.table.error
    target = REGISTRY.get(config.type, config.type if ":" in config.type else "")
    if not target:
        hint = nearest(config.type, REGISTRY) or f"there are {', '.join(REGISTRY)}, or package.module:Class"
        raise where(f'no provider of type "{config.type}"', "type", hint=hint)
    module, _, name = target.partition(":")
    try:
        provider = getattr(import_module(module), name)
    except (ImportError, AttributeError) as fault:
        raise where(f'provider "{config.type}" can\'t be loaded: {fault}', "type") from None
    made = provider.from_config(config.table, workspace)
    if not isinstance(made, Provider):
        raise ConfigError(f'"{config.type}" is no newsletter.providers.Provider')
    return made
