"""What the service's own mails say: each a Letter, from which both the HTML and the plain text are made.

`_` is the language's gettext; the words are found by pybabel in the calls of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Gettext = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail of a few words: `button` is what leads to `url`; `small` is what's said below it."""

    subject: str
    preheader: str
    heading: str
    paragraphs: Sequence[str]
    button: str = ""
    url: str = ""
    small: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The letter as plain text, without its foot."""
        link = [f"{self.button}:\n{self.url}"] if self.button else []
        return "\n\n".join([self.heading, *self.paragraphs, *link, *self.small])


def confirm(_: Gettext, organization: str, lists: Sequence[str], url: str) -> Letter:
    """Please confirm that it's you who wants to join."""
    names = _join(_, lists)
    return Letter(
        subject=_("Please confirm: {lists}").format(lists=names),
        preheader=_("One press, and you are on the list."),
        heading=_("Is this you?"),
        paragraphs=[
            _("Somebody, we hope you, asked {organization} to send {lists} to this address.").format(
                organization=organization, lists=names
            )
        ],
        button=_("Yes, send it to me"),
        url=url,
        small=[_("If it wasn't you, do nothing: without this confirmation you get no mail from us.")],
    )


def welcome(_: Gettext, organization: str, lists: Sequence[str], url: str, archive: str) -> Letter:
    """You are on the list now."""
    names = _join(_, lists)
    return Letter(
        subject=_("Welcome to {lists}").format(lists=names),
        preheader=_("You are on the list. Here is how to choose what you get."),
        heading=_("Welcome"),
        paragraphs=[
            _("You will get {lists} from {organization} from now on.").format(lists=names, organization=organization),
            _("Past issues are here: {url}").format(url=archive),
        ],
        button=_("Choose what you get"),
        url=url,
        small=[_("You can leave at any time, with the link at the foot of every message.")],
    )


def already(_: Gettext, organization: str, lists: Sequence[str], url: str) -> Letter:
    """You asked for what you get already."""
    names = _join(_, lists)
    return Letter(
        subject=_("You are already on the list"),
        preheader=_("Nothing has changed."),
        heading=_("You are already on the list"),
        paragraphs=[
            _(
                "Somebody, we hope you, asked {organization} to send {lists} to this address. You get it already."
            ).format(organization=organization, lists=names)
        ],
        button=_("Choose what you get"),
        url=url,
        small=[_("If it wasn't you, do nothing: nothing has changed.")],
    )


def access(_: Gettext, organization: str, url: str) -> Letter:
    """The link to the preference center."""
    return Letter(
        subject=_("Your newsletter preferences"),
        preheader=_("The link you asked for."),
        heading=_("Your newsletter preferences"),
        paragraphs=[
            _("Here is the link with which you choose what {organization} sends you.").format(organization=organization)
        ],
        button=_("Choose what you get"),
        url=url,
        small=[_("Whoever has this link can change your choices, so keep it to yourself.")],
    )


def data(_: Gettext, organization: str, url: str) -> Letter:
    """The link to everything that is held about somebody."""
    return Letter(
        subject=_("Your data"),
        preheader=_("The link you asked for. It works for 7 days."),
        heading=_("Your data"),
        paragraphs=[
            _("With this link you get a file of all that {organization}'s newsletter holds about you.").format(
                organization=organization
            )
        ],
        button=_("Get my data"),
        url=url,
        small=[_("The link works for 7 days. If it wasn't you who asked, do nothing.")],
    )


def forget(_: Gettext, organization: str, url: str) -> Letter:
    """The link that erases somebody."""
    return Letter(
        subject=_("Shall we forget you?"),
        preheader=_("One press erases your data. The link works for 7 days."),
        heading=_("Shall we forget you?"),
        paragraphs=[
            _("With this link you erase all that {organization}'s newsletter holds about you, for good.").format(
                organization=organization
            ),
            _("You will get no more mail from us. We keep a scrambled mark of your address, so that this stays so."),
        ],
        button=_("Forget me"),
        url=url,
        small=[_("The link works for 7 days. If it wasn't you who asked, do nothing.")],
    )


def move(_: Gettext, organization: str, url: str) -> Letter:
    """The link that makes this address somebody's."""
    return Letter(
        subject=_("Please confirm your new address"),
        preheader=_("One press, and we write to this address."),
        heading=_("Is this your new address?"),
        paragraphs=[
            _("Somebody, we hope you, asked {organization} to write to this address from now on.").format(
                organization=organization
            )
        ],
        button=_("Change my address"),
        url=url,
        small=[_("The link works for 7 days. If it wasn't you who asked, do nothing.")],
    )


def moved(_: Gettext, organization: str, url: str) -> Letter:
    """Your address was changed; here is how to take that back."""
    return Letter(
        subject=_("Your address was changed"),
        preheader=_("If it was you, there is nothing to do."),
        heading=_("Your address was changed"),
        paragraphs=[
            _("{organization} writes to another address of yours from now on. If that was you, do nothing.").format(
                organization=organization
            )
        ],
        button=_("It wasn't me: write to this address again"),
        url=url,
        small=[_("The link works for 7 days.")],
    )


def _join(_: Gettext, names: Sequence[str]) -> str:
    """Names as one runs them together in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return _("{first} and {last}").format(first=", ".join(names[:-1]), last=names[-1])
