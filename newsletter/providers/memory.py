"""A provider that keeps messages in memory: for trying things out, and for the tests of whoever builds on this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from newsletter.model import Batch, Outcome, Receipt
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.mime import Composer
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoOptions:
    """There is nothing to set."""


class Memory(Provider):
    """Keeps every message in `messages`, by delivery; `refused` are addresses it doesn't take."""

    name: ClassVar[str] = "memory"
    recovery: ClassVar[Recovery] = Recovery(how=How.LOOKUP)

    def __init__(self, *, recipients: int = 100, refused: frozenset[str] = frozenset()) -> None:
        self.limits = Limits(recipients=recipients)
        self.refused = refused
        self.messages: dict[int, bytes] = {}

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`: there's nothing to set."""
        del workspace
        table.read(_NoOptions)
        return cls()

    def send(self, batch: Batch) -> list[Receipt]:
        """Keep the messages."""
        composer = Composer(batch)
        receipts = []
        for recipient in batch.recipients:
            if recipient.address in self.refused:
                receipts.append(Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail="not taken"))
            else:
                self.messages[recipient.delivery] = composer.message(recipient)
                receipts.append(Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED))
        return receipts

    def settle(self, batch: Batch) -> list[Receipt]:
        """Look which messages are kept."""
        return [
            Receipt(
                delivery=recipient.delivery,
                outcome=Outcome.ACCEPTED if recipient.delivery in self.messages else Outcome.DEFERRED,
            )
            for recipient in batch.recipients
        ]
