"""A provider that keeps messages in memory: for trying things out, and for the tests of whoever builds on this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from newsletter.model import Call, Receipt, Route
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.http import accepted, refused
from newsletter.providers.mime import Composer
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoOptions:
    """There is nothing to set."""


class Memory(Provider):
    """Keeps every message in `messages`, by delivery; `refuse` are addresses it doesn't take."""

    name: ClassVar[str] = "memory"
    limits: ClassVar[Limits] = Limits(recipients=100)
    recovery = Recovery(how=How.LOOKUP, complete=True)
    pictures: ClassVar[bool] = True
    keeps: ClassVar[str] = "into memory"

    def __init__(self, *, refuse: frozenset[str] = frozenset()) -> None:
        self.refuse = refuse
        self.messages: dict[int, bytes] = {}

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`: there's nothing to set."""
        del workspace
        table.read(_NoOptions)
        return cls()

    def route(self) -> Route:
        """Here."""
        return Route(type=self.name)

    def send(self, call: Call) -> Iterator[Receipt]:
        """Keep the messages."""
        composer = Composer(call)
        for recipient in call.recipients:
            if recipient.address in self.refuse:
                yield refused(recipient, "not taken")
            else:
                self.messages[recipient.delivery] = composer.message(recipient)
                yield accepted(recipient, composer.message_id(recipient))

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Look which messages are kept."""
        composer = Composer(call)
        for recipient in call.recipients:
            if recipient.delivery in self.messages:
                yield accepted(recipient, composer.message_id(recipient))
