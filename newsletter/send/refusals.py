"""Refusals in a row: the same one for everybody from some moment on is our own fault, and not the readers'."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping

from newsletter.model import Outcome, Receipt

#: So many in a row for one reason are our own fault.
_ALIKE = 5
#: Mailboxes that don't exist are our own fault where they're of so many domains in a row.
_DOMAINS = 3
_CODE = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")


class RefusalsInARow:
    """The refusals since somebody was last accepted, as long as they are alike; any number of threads may add some."""

    def __init__(self) -> None:
        self._run: list[Receipt] = []
        self._domains: set[str] = set()
        self._lock = threading.Lock()

    def alike(self, receipts: Iterable[Receipt], domains: Mapping[int, str], *, trusted: bool) -> list[Receipt]:
        """Add a call's receipts, whose addresses are at these domains, by delivery. Everybody who was refused for one
        reason since somebody was last accepted, where there are enough of them; otherwise nobody.

        That a mailbox doesn't exist is such a reason, where the provider is `trusted`, only if it's said of several
        domains: a firm that closes takes all its mailboxes along, and only an outage those of others.
        """
        with self._lock:
            for receipt in receipts:
                if receipt.outcome is Outcome.ACCEPTED:
                    self._begin_anew()
                elif receipt.outcome is Outcome.REFUSED:
                    if self._run and not _alike(self._run[-1], receipt):
                        self._begin_anew()
                    self._run.append(receipt)
                    self._domains.add(domains[receipt.delivery])
            gone = trusted and all(receipt.gone for receipt in self._run)
            if len(self._run) < _ALIKE or (gone and len(self._domains) < _DOMAINS):
                return []
            found = self._run
            self._begin_anew()
            return found

    def _begin_anew(self) -> None:
        self._run, self._domains = [], set()


def _alike(one: Receipt, other: Receipt) -> bool:
    """Whether two refusals are for one reason: the same code of RFC 3463, or else the same words."""
    codes = [_CODE.search(receipt.detail) for receipt in (one, other)]
    if all(codes):
        return codes[0] is not None and codes[1] is not None and codes[0][0] == codes[1][0]
    return _words(one.detail) == _words(other.detail)


def _words(detail: str) -> str:
    """A refusal's words without what differs from reader to reader: names, addresses and numbers."""
    bare = re.sub(r"<[^>]*>|\[[^\]]*\]|\([^)]*\)|\S*[@=.]\w\S*", " ", detail.lower())
    return re.sub(r"\W|\d|\b\w*[\d_]\w*\b", " ", bare).strip()[:80]
