"""Links as they are kept: canonical, without what says who clicked and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

#: Services that wrap a link: host pattern, path prefix, and the parameter that holds where it leads.
_WRAPPERS = (
    ("*.safelinks.protection.outlook.com", "/", "url"),
    ("www.google.*", "/url", "q"),
    ("www.google.*", "/url", "url"),
    ("l.facebook.com", "/l.php", "u"),
    ("lm.facebook.com", "/l.php", "u"),
    ("l.instagram.com", "/", "u"),
    ("www.linkedin.com", "/redir/redirect", "url"),
    ("www.youtube.com", "/redirect", "q"),
    ("out.reddit.com", "/", "url"),
    ("slack-redir.net", "/link", "url"),
    ("urldefense.proofpoint.com", "/v1/url", "u"),
)
_PORTS = {"http": 80, "https": 443}
#: Nested wrappers are rare; more of them than this is somebody's joke.
_DEPTH = 5
#: What may stand unescaped in a path (RFC 3986, section 3.3); `%` so that escapes stay as they are.
_PATH_SAFE = "/:@!$&'()*+,;=-._~%"


def is_tracking(name: str, tracking: Iterable[str]) -> bool:
    """Whether a parameter says who clicked or where; `tracking` are names, with `*` for any letters."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in tracking)


def canonical(url: str, tracking: Iterable[str]) -> str:
    """A link without tracking parameters, click redirects, default port, empty query and empty fragment.

    What is no http or https address comes back as it is, stripped of blanks around it.
    """
    patterns = tuple(tracking)
    here = url.strip()
    for _ in range(_DEPTH):
        inner = _unwrapped(here)
        if inner is None:
            break
        here = inner
    try:
        parts = urlsplit(here)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return here
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        return here
    place = f"[{host}]" if ":" in host else host
    if parts.username or parts.password:
        place = f"{parts.netloc.rpartition('@')[0]}@{place}"
    if port and port != _PORTS[scheme]:
        place = f"{place}:{port}"
    kept = [pair for pair in parts.query.split("&") if pair and not is_tracking(_name(pair), patterns)]
    fragment = "" if is_tracking(_name(parts.fragment), patterns) else parts.fragment
    return urlunsplit((scheme, place, quote(parts.path, safe=_PATH_SAFE) or "/", "&".join(kept), fragment))


def _name(pair: str) -> str:
    return unquote(pair.partition("=")[0]).removeprefix("?")


def _unwrapped(url: str) -> str | None:
    """Where a wrapped link leads; None when it isn't wrapped or holds no address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    for pattern, path, parameter in _WRAPPERS:
        if fnmatchcase(host, pattern) and parts.path.startswith(path):
            inner = dict(parse_qsl(parts.query)).get(parameter, "")
            if parameter == "u" and "proofpoint" in host:
                inner = unquote(inner.replace("-", "%").replace("_", "/"))
            if re.match(r"https?://", inner, re.IGNORECASE):
                return inner
    return None
