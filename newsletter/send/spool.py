"""Answers of providers that the database couldn't take: beside it, in files, until it can.

Nobody else knows what a provider has answered. So while the database is away or its disk is full, answers are kept in
memory and, as far as there's room, in a folder of the workspace; whoever sends next writes them into the ledger first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from newsletter.model import Call, Outcome, Receipt


@dataclass(frozen=True, slots=True)
class Answers:
    """The receipts of one call of a campaign, in a file."""

    path: Path
    batch: int
    key: str
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder with a file for each call whose answers aren't in the ledger yet. Files hold no addresses."""

    folder: Path

    def keep(self, campaign: int, call: Call, receipts: Sequence[Receipt]) -> Path | None:
        """Write answers into a file, whole or not at all; None where that isn't possible."""
        path = self.folder / f"{campaign}-{call.batch}-{call.key[:16]}.json"
        rows = [[r.delivery, r.outcome, r.message_id, r.detail, r.gone] for r in receipts]
        partial = path.with_suffix(".partial")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.write_text(json.dumps({"batch": call.batch, "key": call.key, "receipts": rows}), encoding="utf-8")
            partial.replace(path)
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            return None
        return path

    def of(self, campaign: int) -> Iterator[Answers]:
        """What is kept of a campaign. A file that can't be read is left where it is."""
        for path in sorted(self.folder.glob(f"{campaign}-*.json")):
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                receipts = tuple(
                    Receipt(delivery=d, outcome=Outcome(outcome), message_id=known, detail=detail, gone=gone)
                    for d, outcome, known, detail, gone in found["receipts"]
                )
                yield Answers(path, found["batch"], found["key"], receipts)
            except (OSError, ValueError, KeyError, TypeError):
                continue
