"""Email addresses, in the one form by which a person is known."""

from __future__ import annotations

import re
import unicodedata
from email.utils import parseaddr

from newsletter.errors import InputError

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_USUAL = re.compile(rf"(?=.{{1,254}}\Z)(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,63}}")

#: Services of which several domains lead to the same mailboxes, by the first of them.
_SERVICES = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), "gmail.com"),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me", "protonmail.ch"), "proton.me"),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"), "yandex.ru"),
}
#: The signs that make no difference there (https://support.google.com/mail/answer/7436150,
#: https://proton.me/support/addresses-and-aliases; at Yandex a dot and a hyphen are one).
_IGNORED = {"gmail.com": ".", "proton.me": ".-_", "yandex.ru": ".-"}
#: Where a name before the domain is the mailbox, and what's before the @ is not
#: (https://www.fastmail.help/hc/en-us/articles/360060591053).
_BY_SUBDOMAIN = re.compile(r"[^@]+@([^@.]+)\.(fastmail\.com|fastmail\.fm)")


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
    some services have several names for one.
    """
    if found := _BY_SUBDOMAIN.fullmatch(address):
        return f"{found[1]}@{found[2]}"
    name, _, domain = address.rpartition("@")
    domain = _SERVICES.get(domain, domain)
    name = name.partition("+")[0] or name
    return f"{name.translate(dict.fromkeys(map(ord, _IGNORED.get(domain, ''))))}@{domain}"


def same_service(domain: str) -> tuple[str, ...]:
    """The domains whose mailboxes are those of a domain, itself among them."""
    return tuple(name for name, first in _SERVICES.items() if first == _SERVICES.get(domain)) or (domain,)


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
    if len(valid.local_part) > 64:
        raise InputError("the part before the @ is longer than 64 characters (RFC 5321, 4.5.3.1.1)")
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
