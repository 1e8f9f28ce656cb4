"""A folder of .eml files: the default, without an account or a server.

A message's file is named after its delivery, and appears only when it is whole; so after a crash the folder
itself tells what went out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from newsletter.errors import Ours, OutcomeUnknown
from newsletter.model import Call, Receipt, Recipient, Route
from newsletter.providers import How, Limits, Provider, Recovery, Verification
from newsletter.providers.http import accepted
from newsletter.providers.mime import Composer
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`folder` takes a folder for each campaign, relative to the workspace."""

    folder: Path = Path("outbox")


class Files(Provider):
    """Writes each message to `<folder>/<campaign>/<delivery>.eml`."""

    name: ClassVar[str] = "files"
    limits: ClassVar[Limits] = Limits(recipients=500)
    recovery = Recovery(how=How.LOOKUP, complete=True)
    pictures: ClassVar[bool] = True
    keeps: ClassVar[str] = "into a folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        return cls(workspace / table.read(Options).folder)

    def route(self) -> Route:
        """The folder."""
        return Route(type=self.name, settings={"folder": str(self._folder)})

    def send(self, call: Call) -> Iterator[Receipt]:
        """Write the messages. When the folder can't be written at all, nobody was taken."""
        composer = Composer(call)
        try:
            (self._folder / call.campaign).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            what = f"can't write to the folder {self._folder.name}: {fault.strerror}"
            raise Ours(what, hint="make it a folder that can be written, and send again") from None
        try:
            for recipient in call.recipients:
                path = self._path(call, recipient)
                partial = path.with_suffix(".partial")
                partial.write_bytes(composer.message(recipient))
                partial.replace(path)
                yield accepted(recipient, composer.message_id(recipient))
        except OSError as fault:
            raise OutcomeUnknown(f"stopped while writing to {self._folder.name}: {fault.strerror}") from None

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Look which files are there."""
        composer = Composer(call)
        for recipient in call.recipients:
            if self._path(call, recipient).is_file():
                yield accepted(recipient, composer.message_id(recipient))

    def verify(self, sender: str) -> Sequence[Verification]:
        """Whether the folder can be written."""
        del sender
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fine = os.access(self._folder, os.W_OK)
        except OSError:
            fine = False
        found = f"{self._folder.name} can be written" if fine else f"{self._folder.name} can't be written"
        return [Verification(about="folder", fine=fine, found=found)]

    def _path(self, call: Call, recipient: Recipient) -> Path:
        return self._folder / call.campaign / f"{recipient.delivery:07}.eml"
