"""Services that wrap a link to see who clicks or to look at the page first, and how the address inside is read.

Wrappers that hold no address, only a number that their owner knows (Mimecast's `/s/…`, bit.ly, t.co), can't be
read without asking, and stay as they are.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, unquote, urlsplit

Query = Mapping[str, list[str]]


def _parameter(*names: str) -> Callable[[str, Query], str]:
    """The address stands in one of these parameters, percent-encoded."""
    return lambda _, query: next((query[name][0] for name in names if name in query), "")


def _base64(name: str, *, skip: str = "") -> Callable[[str, Query], str]:
    """The address stands in a parameter in base64 (RFC 4648), after the letters `skip`."""

    def read(_: str, query: Query) -> str:
        return _from_base64(query.get(name, [""])[0].removeprefix(skip))

    return read


def _from_base64(text: str) -> str:
    plain = text.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except ValueError:
        return ""


def _proofpoint_v2(_: str, query: Query) -> str:
    """`-` stands for `%` and `_` for `/`."""
    return unquote(query.get("u", [""])[0].replace("-", "%").replace("_", "/"))


#: How many characters `**A`, `**B`, … stand for, from 2.
_RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _proofpoint_v3(url: str, _: Query) -> str:
    """`/v3/__ADDRESS__;CHARACTERS!!…`: each `*` stands for the next of the characters, `**X` for some of them."""
    inner, found, tail = url.partition("/v3/__")[2].partition("__;")
    if not found:
        return ""
    characters = _from_base64(tail.partition("!")[0])
    place = 0

    def fill(mark: re.Match[str]) -> str:
        nonlocal place
        count = 1 if mark[0] == "*" else 2 + _RUNS.find(mark[0][2])
        found = characters[place : place + count]
        place += count
        return found

    address = re.sub(r"\*\*[A-Za-z0-9_-]|\*", fill, unquote(inner))
    return re.sub(r"^(https?:/)(?=[^/])", r"\1/", address, flags=re.IGNORECASE)


def _last_step(url: str, _: Query) -> str:
    """The address is the last step of the path, percent-encoded."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])


def _underscored(url: str, _: Query) -> str:
    """The address stands between `___` and `___`."""
    return url.partition("___")[2].partition("___")[0]


def _after(mark: str) -> Callable[[str, Query], str]:
    """The address follows these letters, as it is or percent-encoded; without a scheme it's https."""

    def read(url: str, _: Query) -> str:
        rest = url.partition(mark)[2]
        if re.match(r"https?%3a", rest, re.IGNORECASE):
            return unquote(rest)
        return rest if "://" in rest[:8] or not rest else f"https://{rest}"

    return read


def _yahoo(url: str, _: Query) -> str:
    """A step of the path, `RU=` and the address percent-encoded."""
    return unquote(url.partition("/RU=")[2].partition("/")[0])


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Whose host and path these are (`*` for any letters), and how the address is read of the whole and its query."""

    host: str
    path: str
    read: Callable[[str, Query], str]


WRAPPERS: tuple[Wrapper, ...] = (
    # Proofpoint URL Defense, help.proofpoint.com "URL Defense decoder" (urldecoder.py).
    Wrapper("urldefense.proofpoint.com", "/v1/*", _parameter("u")),
    Wrapper("urldefense.proofpoint.com", "/v2/*", _proofpoint_v2),
    Wrapper("urldefense.com", "/v2/*", _proofpoint_v2),
    Wrapper("urldefense.proofpoint.com", "/v3/*", _proofpoint_v3),
    Wrapper("urldefense.com", "/v3/*", _proofpoint_v3),
    Wrapper("urldefense.us", "/v3/*", _proofpoint_v3),
    # Safe Links in Microsoft Defender for Office 365, in all its clouds, and in Teams (learn.microsoft.com).
    Wrapper("*safelinks.protection.outlook.*", "*", _parameter("url")),
    Wrapper("*safelinks.protection.partner.outlook.*", "*", _parameter("url")),
    Wrapper("*safelinks.protection.office365.*", "*", _parameter("url")),
    Wrapper("*safelinks.office.net", "*", _parameter("url")),
    Wrapper("statics.teams.cdn.*", "*safelinks*", _parameter("url")),
    Wrapper("statics.teams.microsoft.com", "*safelinks*", _parameter("url")),
    # Google: results, Docs, Gmail, Alerts, AMP viewer, Groups.
    Wrapper("www.google.*", "/url", _parameter("q", "url")),
    Wrapper("google.*", "/url", _parameter("q", "url")),
    Wrapper("www.google.*", "/amp/s/*", _after("/amp/s/")),
    Wrapper("www.google.*", "/imgres", _parameter("imgrefurl")),
    Wrapper("notifications.google.com", "/g/*", _parameter("url", "q")),
    # Meta's link shim (facebook.com/help "link shim").
    Wrapper("l*.facebook.com", "/l.php", _parameter("u")),
    Wrapper("*.facebook.com", "/l.php", _parameter("u")),
    Wrapper("*.facebook.com", "/flx/warn*", _parameter("u")),
    Wrapper("l.messenger.com", "*", _parameter("u")),
    Wrapper("l.instagram.com", "*", _parameter("u")),
    Wrapper("l.threads.*", "*", _parameter("u")),
    Wrapper("l.wl.co", "/l", _parameter("u")),
    # LinkedIn's redirects and warning page.
    Wrapper("*.linkedin.com", "/redir/*", _parameter("url")),
    Wrapper("*.linkedin.com", "/safety/go*", _parameter("url")),
    Wrapper("*.linkedin.com", "/slink*", _parameter("url")),
    # Other sites through which links leave.
    Wrapper("*.youtube.com", "/redirect", _parameter("q")),
    Wrapper("out.reddit.com", "*", _parameter("url")),
    Wrapper("slack-redir.net", "/link", _parameter("url")),
    Wrapper("vk.com", "/away.php", _parameter("to")),
    Wrapper("t.umblr.com", "/redirect", _parameter("z")),
    Wrapper("steamcommunity.com", "/linkfilter*", _parameter("u", "url")),
    Wrapper("duckduckgo.com", "/l", _parameter("uddg")),
    Wrapper("www.bing.com", "/ck/a", _base64("u", skip="a1")),
    Wrapper("r.search.yahoo.com", "*/RU=*", _yahoo),
    Wrapper("deref-*", "*dereferrer*", _parameter("redirectUrl")),
    Wrapper("href.li", "*", _after("?")),
    # Barracuda Link Protection (campus.barracuda.com).
    Wrapper("linkprotect.cudasvc.com", "/url", _parameter("a")),
    # Cisco Secure Email, "outbreak filters": /1TOKEN/ADDRESS.
    Wrapper("secure-web.cisco.com", "/*/http*", _last_step),
    # Sophos Email, time-of-click protection (docs.sophos.com).
    Wrapper("*.protection.sophos.com", "*", _base64("u")),
    # Trend Micro, time-of-click protection.
    Wrapper("*.trendmicro.com", "/wis/clicktime/*", _parameter("url")),
    # FireEye, now Trellix, Email Security.
    Wrapper("protect*.fireeye.com", "*", _parameter("u")),
    Wrapper("protect*.trellix.com", "*", _parameter("u")),
    # Symantec Email Security.cloud, Click-time Protection.
    Wrapper("clicktime.symantec.com", "*", _parameter("u")),
    Wrapper("clicktime.cloud.postoffice.net", "*", _parameter("u")),
    # Check Point Harmony (Avanan): /v2/___ADDRESS___.TOKEN.
    Wrapper("protect.checkpoint.com", "/v2/*", _underscored),
    Wrapper("url.avanan.click", "/v2/*", _underscored),
    # Mimecast where the address is written out; AppRiver, EdgePilot, Libraesva, TitanHQ.
    Wrapper("protect*.mimecast.com", "*", _parameter("url", "u")),
    Wrapper("*.mimecastprotect.com", "*", _parameter("url", "u")),
    Wrapper("link.edgepilot.com", "*", _parameter("u")),
    Wrapper("urlsand.esvalabs.com", "*", _parameter("u")),
    Wrapper("linklock.titanhq.com", "*", _parameter("url")),
)


def unwrapped(url: str) -> str:
    """What a wrapper holds in the place of an address, as yet unjudged; empty for what is no wrapper."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        path = parts.path.rstrip("/") or "/"
        query: dict[str, list[str]] | None = None
        for wrapper in WRAPPERS:
            if not (fnmatchcase(host, wrapper.host) and fnmatchcase(path, wrapper.path.rstrip("/") or "/")):
                continue
            if query is None:
                fields = parse_qs(parts.query, max_num_fields=200)
                query = {**{name.lower(): value for name, value in fields.items()}, **fields}
            if inner := wrapper.read(url, query):
                return inner
    except (ValueError, UnicodeError):
        return ""
    return ""
