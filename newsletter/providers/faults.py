"""Whose fault it was: what a vendor's refusal means, by one table a vendor, each row with its source.

A row names the status, the vendor's own code, words of the message, or several of them; the first row that fits
counts. What no row names is our own fault and never a reader's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What a refusal says."""

    #: This mailbox, for good; `GONE` where it certainly doesn't exist.
    MAILBOX = "mailbox"
    GONE = "gone"
    #: This mailbox, for now.
    MAILBOX_LATER = "mailbox later"
    #: Our account, sender, settings or content.
    OURS = "ours"
    #: Everybody, for now.
    LATER = "later"
    #: One recipient of the call, for whom the vendor refused all of it.
    BAD_RECIPIENT = "bad recipient"
    #: The vendor had taken the call, or the message, before.
    TAKEN = "taken"
    #: It may have been taken.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row: `status` is any of these (none for all), `code` a pattern for the whole of the vendor's code, `words`
    one to be found in its message. `hint` says what a person has to do, `source` where the vendor, or somebody whom it
    happened to, says so.
    """

    meaning: Meaning
    source: str
    status: tuple[int, ...] = ()
    code: str = ""
    words: str = ""
    hint: str = ""

    def fits(self, status: int, code: str, words: str) -> bool:
        """Whether this row is about that answer."""
        return (
            (not self.status or status in self.status)
            and (not self.code or re.fullmatch(self.code, code, re.IGNORECASE) is not None)
            and (not self.words or re.search(self.words, words, re.IGNORECASE) is not None)
        )


def fault_of(table: Iterable[Fault], *, status: int = 0, code: str = "", words: str = "") -> Fault | None:
    """The first row that fits; None where none does. A reader's address among the words decides nothing."""
    told = without_addresses(words)
    return next((row for row in table if row.fits(status, code, told)), None)


#: To stand before whatever row is about a recipient of ours: one of our own fields is named, or what we may do, so that
#: "address" or "recipient" beside it says nothing of a reader.
OUR_OWN = Fault(
    meaning=Meaning.OURS,
    status=(0, 400, 422),
    words=r"reply[ _-]?to|\b(from|sender|mail ?from|source)|quota|\blimit|credits|subscription|suspended|paused|"
    r"\b(your|this|the) (account|plan)",
    hint="check the sender's and the reply's address, and the account's limits",
    source="the names of the fields in each vendor's API; a limit is the account's, also where it counts recipients",
)

#: Also as it stands in a link.
_ADDRESS = re.compile(r"(?<![^{0}])[^{0}]+(?:@|%40)[^{0}]+".format(r"\s<>\"'(),;:\[\]"), re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b(?i:basic|bearer)\s+(?=\S*[\d=+/])[\w+/=.~-]{8,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_LONGEST = 300


def without_addresses(text: str) -> str:
    """A text with a dot for each address, bounded."""
    return _ADDRESS.sub("…", text[:2_000])


def vendor_words(text: str) -> str:
    """A vendor's own words for the ledger and for people: one line, bounded, without addresses, without a login, and
    without characters that steer a terminal.
    """
    line = " ".join(_CONTROL.sub(" ", text[: 4 * _LONGEST]).split())
    return _ADDRESS.sub("…", _CREDENTIALS.sub("…", line))[:_LONGEST]
