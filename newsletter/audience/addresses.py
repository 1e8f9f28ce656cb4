"""Email addresses, in the one form by which a person is known."""

from __future__ import annotations

import re
import unicodedata
from email.utils import parseaddr

from newsletter.errors import InputError

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_USUAL = re.compile(rf"(?=.{{1,254}}\Z)(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,63}}")

#: Two names of one service.
GMAIL = ("gmail.com", "googlemail.com")


def normalize(text: str) -> str:
    """An address in lower case, with its domain in ASCII (RFC 5890); InputError with the reason if it's none.

    `Name <address>` is taken for the address. A name part beyond ASCII is refused, since the mail servers of most
    receivers don't take it (RFC 6531).
    """
    address = text.strip().lower()
    if _USUAL.fullmatch(address):
        return address
    return _unusual(address)


def mailbox_of(address: str) -> str:
    """The mailbox that a normalized address leads to: what stands behind a plus leads to the same one (RFC 5233), and
    at Gmail dots make no difference.
    """
    name, _, domain = address.rpartition("@")
    name = name.partition("+")[0] or name
    if domain in GMAIL:
        return f"{name.replace('.', '')}@{GMAIL[0]}"
    return f"{name}@{domain}"


def _unusual(address: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    if not address:
        raise InputError("no address")
    if address.endswith(">"):
        address = parseaddr(address)[1]
    try:
        valid = validate_email(address, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError as fault:
        raise InputError(f"not an address: {fault}".replace(address, "…").rstrip(".")) from None
    if valid.ascii_email is None:
        raise InputError("the part before the @ is not plain ASCII, which most mail servers refuse")
    return valid.ascii_email.lower()


_WITHIN = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]{1,253}", re.IGNORECASE)


_SLIPS = (
    (re.compile(r"\s*@[\s@]*"), "@"),  # a blank, or a second @
    (re.compile(r"\.{2,}"), "."),
    (re.compile(r"(?<=@)([\w-]+),([a-z]{2,})$"), r"\1.\2"),
    (re.compile(r'"([\w.+-]+)"(?=@)'), r"\1"),  # quotes that nothing needs (RFC 5321, 4.1.2)
)


def found_in(text: str) -> list[str]:
    """Every address in a text, in its one form; of a cell that holds two, or one with a sign too many, or one with a
    slip of the hand.
    """
    plain = unicodedata.normalize("NFKC", text)
    for pattern, better in _SLIPS:
        plain = pattern.sub(better, plain)
    found = []
    for match in _WITHIN.findall(plain):
        try:
            found.append(normalize(match.strip(".'")))
        except InputError:
            continue
    return found
