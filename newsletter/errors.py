"""Every error that a person can act on.

    NewsletterError                 one line: what, where (path:line), what to do; exit code 1
    ├── ConfigError                 config.toml is missing, broken, or names something unknown
    ├── IssueError                  issue.md can't be composed
    ├── TemplateError               an email or page template can't be rendered
    ├── NotFound                    no item, policy, issue, list, … of that name
    ├── InputError                  a file or value given to a command can't be read
    ├── StoreError                  the database can't be opened, is locked, or is of another version
    ├── CheckFailed                 findings of severity error; exit code 3
    ├── NotApproved                 nothing approved, or changed since; exit code 3
    ├── PublishError                the archive can't be put where it's to go
    ├── SendError                   a campaign can't be planned or continued
    ├── WebhookError                a webhook call that doesn't prove itself, or can't be read
    ├── DeliveryIncomplete          a campaign ended with refused or unknown deliveries; exit code 4
    └── ProviderError               speaks for those recipients of a call for whom no receipt has come
        ├── NotSent                 nothing left this machine
        ├── Later                   the provider took nothing; it may after `retry_after` seconds
        ├── Ours                    refused for our account, sender or content; nobody's fault but ours
        ├── BadRecipient            a call refused whole because of one of its recipients
        └── OutcomeUnknown          the answer never came, or proves nothing; the messages may have gone out

The command line prints `str(error)` and exits with `error.exit_code`; nothing else catches them but
the sender, which turns a ProviderError into a state in the ledger.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar


class NewsletterError(Exception):
    """What went wrong (`what`), where (`where`, a path or path:line), and what to do (`hint`)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str | Path | None = None, hint: str = "") -> None:
        self.what = " ".join(what.split())
        self.where = str(where) if where is not None else ""
        self.hint = " ".join(hint.split())
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(NewsletterError):
    """config.toml is missing, can't be parsed, or says something unknown."""


class IssueError(NewsletterError):
    """An issue's file can't be composed; `problems` holds one line for each fault in it."""

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        hint: str = "",
        problems: Iterable[NewsletterError] = (),
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(what, where=where, hint=hint)

    def __str__(self) -> str:
        return "\n".join(str(p) for p in self.problems) if self.problems else super().__str__()


class TemplateError(NewsletterError):
    """A template can't be rendered."""


class NotFound(NewsletterError):
    """Something named does not exist."""


class InputError(NewsletterError):
    """A file or a value that a person gave can't be read or understood."""


class StoreError(NewsletterError):
    """The database can't be opened, is locked, or belongs to another version."""


class CheckFailed(NewsletterError):
    """The check found errors."""

    exit_code = 3


class NotApproved(NewsletterError):
    """The issue has no valid approval."""

    exit_code = 3


class PublishError(NewsletterError):
    """The archive can't be put where it's to go."""


class SendError(NewsletterError):
    """A campaign can't be planned or continued."""


class DeliveryIncomplete(NewsletterError):
    """A campaign stopped with deliveries that are refused, unknown or still pending."""

    exit_code = 4


class WebhookError(NewsletterError):
    """A webhook call that doesn't prove itself, or can't be read."""


class ProviderError(NewsletterError):
    """What holds for those recipients of a call for whom no receipt has come."""


class NotSent(ProviderError):
    """Nothing of the request left this machine: no name, no connection, no valid certificate, no proxy."""


class Later(ProviderError):
    """The provider certainly took nothing; it may after `retry_after` seconds."""

    def __init__(self, what: str, *, retry_after: float | None = None, hint: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(what, hint=hint)


class Ours(ProviderError):
    """The provider refuses us: the account, the sender, the settings or the content. Nothing was taken."""


class BadRecipient(ProviderError):
    """The provider refused a whole call because of one recipient, and took nobody; `suspects` are the deliveries
    that it names, if it names any.
    """

    def __init__(self, what: str, *, suspects: Iterable[int] = ()) -> None:
        self.suspects = tuple(suspects)
        super().__init__(what)


class OutcomeUnknown(ProviderError):
    """The call may or may not have been carried out."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` for the known name most like `name` but not the same, in capitals or not; or an empty
    string.
    """
    others = {other.casefold(): other for other in sorted(known) if other != name}
    close = get_close_matches(name.casefold(), sorted(others), n=1, cutoff=0.5)
    return f'did you mean "{others[close[0]]}"?' if close else ""


def described(fault: BaseException) -> str:
    """What went wrong and where in our code, without its message: that may hold an address or a token."""
    return " from ".join(f"{type(one).__name__} at {_place(one)}" for one in _chain(fault))


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while fault is not None and seen < 5:
        yield fault
        fault, seen = fault.__cause__ or fault.__context__, seen + 1


def _place(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "newsletter" in frame.filename] or frames
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(ours[-6:])
    )
