"""A folder of .eml files: the default, without an account or a server.

A message's file is named after its delivery, and appears only when it is whole; so after a crash the folder
itself tells what went out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from newsletter.errors import OutcomeUnknown, Refused
from newsletter.model import Batch, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery
from newsletter.providers.mime import Composer
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`folder` takes a folder for each campaign, relative to the workspace."""

    folder: Path = Path("outbox")


class Files(Provider):
    """Writes each message to `<folder>/<campaign>/<delivery>.eml`."""

    name: ClassVar[str] = "files"
    recovery: ClassVar[Recovery] = Recovery(how=How.LOOKUP)

    def __init__(self, folder: Path) -> None:
        self.limits = Limits(recipients=500)
        self._folder = folder

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        return cls(workspace / table.read(Options).folder)

    def send(self, batch: Batch) -> list[Receipt]:
        """Write the messages. When the folder can't be written at all, nobody was taken."""
        composer = Composer(batch)
        try:
            (self._folder / batch.campaign).mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            what = f"can't write to the folder {self._folder.name}: {fault.strerror}"
            raise Refused(what, hint="make it a folder that can be written, and send again") from None
        receipts = []
        try:
            for recipient in batch.recipients:
                path = self._path(batch, recipient)
                partial = path.with_suffix(".partial")
                partial.write_bytes(composer.message(recipient))
                partial.replace(path)
                receipts.append(_accepted(recipient, composer))
        except OSError as fault:
            raise OutcomeUnknown(f"stopped while writing to {self._folder.name}: {fault.strerror}") from None
        return receipts

    def settle(self, batch: Batch) -> list[Receipt]:
        """Look which files are there."""
        composer = Composer(batch)
        return [
            _accepted(recipient, composer)
            if self._path(batch, recipient).exists()
            else Receipt(delivery=recipient.delivery, outcome=Outcome.DEFERRED, detail="not written")
            for recipient in batch.recipients
        ]

    def prove(self, sender: str) -> Sequence[Proof]:
        """Whether the folder can be written."""
        del sender
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fine = os.access(self._folder, os.W_OK)
        except OSError:
            fine = False
        told = f"{self._folder.name} can be written" if fine else f"{self._folder.name} can't be written"
        return [Proof(about="folder", fine=fine, told=told)]

    def _path(self, batch: Batch, recipient: Recipient) -> Path:
        return self._folder / batch.campaign / f"{recipient.delivery:07}.eml"


def _accepted(recipient: Recipient, composer: Composer) -> Receipt:
    return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=composer.message_id(recipient))
