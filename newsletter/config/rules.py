"""What values in the settings must be like: numbers, hosts, web addresses, names of variables.

Web addresses end up in mail headers, which are ASCII (RFC 5322), and in links to which a path is added.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

#: Hosts of this machine, to which plain http goes over no network.
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


def is_host(name: str) -> bool:
    """Whether that is the name of a host, with labels of 1 to 63 letters (RFC 1123, section 2.1), or an IP address."""
    if ":" in name or re.fullmatch(r"[\d.]+", name):
        return _is_ip(name)
    plain = name.removesuffix(".")
    return 0 < len(plain) <= 253 and all(_LABEL.fullmatch(label) for label in plain.split("."))


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def require_between(key: str, value: float | None, least: float, most: float, unit: str = "") -> None:
    """ValueError for a number out of its range; None is a setting that isn't there."""
    if value is not None and not least <= value <= most:
        raise ValueError(f'"{key}" must be from {_number(least)} to {_number(most)}{unit and f" {unit}"}')


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.10f}".rstrip("0").rstrip(".")


def require_variable(key: str, value: str) -> None:
    """ValueError for what can't be the name of an environment variable."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError(f'"{key}" must be the name of an environment variable, such as NEWSLETTER_KEY')


def require_url(key: str, value: str, *, schemes: tuple[str, ...] = ("https", "http")) -> None:
    """ValueError for what isn't the address of a web page, written in ASCII."""
    shown = " or ".join(f"{scheme}://" for scheme in schemes)
    if re.search(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]", value):
        raise ValueError(f'"{key}" must be an address starting with {shown}, without blanks and line breaks')
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise ValueError(f'"{key}" must be an address starting with {shown}; its host or port is not valid') from None
    if parts.scheme not in schemes:
        raise ValueError(f'"{key}" must be an address starting with {shown}')
    if not host or port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f'"{key}" must be an address with a host, such as {parts.scheme}://www.example.org')
    if "@" in parts.netloc:
        raise ValueError(f'"{key}" must be an address without a user or password')
    if not value.isascii():
        raise ValueError(f'"{key}" must be written in ASCII{_in_ascii(parts, host)}')
    if not is_host(host):
        raise ValueError(f'"{key}" has a host that is not valid: "{host}"')


def require_base_url(key: str, value: str, *, schemes: tuple[str, ...] = ("https", "http")) -> None:
    """ValueError for what isn't an address to which a path can be added: no query, no fragment."""
    require_url(key, value, schemes=schemes)
    if "?" in value or "#" in value:
        raise ValueError(f'"{key}" must be an address without a query or fragment: leave out what follows ? or #')
    if found := re.search(r"""[<>"'\\^`{|}]""", value):
        raise ValueError(f'"{key}" must be an address without {found[0]}')


def require_api_url(key: str, value: str) -> None:
    """ValueError for what can't be an API's address: https, or plain http on this machine."""
    require_base_url(key, value)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS:
        raise ValueError(f'"{key}" must be an address starting with https://')


def _in_ascii(parts: SplitResult, host: str) -> str:
    """`: https://xn--…`, the same address in ASCII (RFC 5891, RFC 3986); nothing where the host can't be written so."""
    try:
        plain = host if host.isascii() else host.encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    rest = (quote(part, safe="/%?#&=:@!$'()*+,;~-._") for part in (parts.path, parts.query, parts.fragment))
    return f": {urlunsplit((parts.scheme, plain + port, *rest))}"
