"""Canonical addresses: no tracking, no click redirects. And whole texts whose addresses are such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import quote, unquote

from newsletter.links.address import Address
from newsletter.links.wrappers import unwrapped

#: A link that was forwarded from mailbox to mailbox is wrapped by each; more layers than this are somebody's joke.
_DEPTH = 32
#: A wrapped address may be longer than one that is kept, but no text is read for ever.
_LONGEST = 100_000
_REMEMBERED = 2_000
#: So deep are addresses looked for in the parameters of others.
_WITHIN = 3
_USER = re.compile(r"(https?://)[^/?#\\]*@", re.IGNORECASE)
_ADDRESS = re.compile(r"https?:[/\\]{2}", re.IGNORECASE)
#: Where an address in running text ends: blanks, quotes, brackets of tags, marks of other scripts, a merge field; and
#: brackets, after which it may go on.
_END = re.compile(r"[\s<>\"\x00-\x20\u3000-\u3003\u3008-\u301f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]|\{\{|[][()]")
_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp));")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_OPEN = {")": "(", "]": "["}
_PAIR = re.compile(r"[?&;#]([\w.%-]{1,100})=[^\s&;<>\"]*")


def is_tracking(name: str, tracking: Iterable[str]) -> bool:
    """Whether a parameter says who clicked or where; `tracking` are names, with `*` for any letters."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in tracking)


def canonical(url: str, tracking: Iterable[str]) -> str:
    """A link without tracking parameters, click redirects, default port, empty query and empty fragment.

    What is no http or https address comes back as it is, stripped of blanks around it; it never raises.
    """
    found = _parted(url.strip(), tuple(tracking))
    return str(found[0]) if found else url.strip()


def _parted(url: str, tracking: tuple[str, ...], within: int = 0) -> tuple[Address, bool] | None:
    # Long ones are rare, and would fill the memory.
    remembered = len(url) < _REMEMBERED
    return (_canonical if remembered else _canonical.__wrapped__)(url, tracking, within)


@lru_cache(maxsize=8_192)
def _canonical(url: str, tracking: tuple[str, ...], within: int) -> tuple[Address, bool] | None:
    """The canonical address, and whether anything was taken out; None for what is no address. `within` counts the
    addresses around it, in whose parameters it stands.
    """
    address, wrapped = _innermost(url)
    if address is None:
        return None
    pairs = _kept_pairs(address.query, tracking)
    query = [_inner_cleaned(pair, tracking, within) for pair in pairs] if within < _WITHIN else pairs
    fragment = _kept_fragment(address.fragment, tracking)
    tracked = query != _pairs(address.query) or len(fragment) != len(address.fragment)
    return replace(address, query="".join(query).lstrip("&;"), fragment=fragment), wrapped or tracked


def _innermost(url: str) -> tuple[Address | None, bool]:
    """The address inside all wrappers, judged, and whether there was one; a wrapper that holds none is left alone."""
    here, found, wrapped = url[:_LONGEST], _judged(url), False
    for _ in range(_DEPTH):
        here = unwrapped(here)
        inner = _judged(here) if here else None
        if not here or (inner is None and not unwrapped(here)):
            break
        found, wrapped = inner or found, wrapped or inner is not None
    return found, wrapped


def _judged(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def _pairs(query: str) -> list[str]:
    """The parameters, each with the mark before it; some servers take `;`, and `&amp;` was escaped once too often."""
    return [pair for pair in re.findall(r"[&;]?[^&;]+", query) if pair.strip("&;") not in ("", "amp")]


def _kept_pairs(query: str, tracking: tuple[str, ...]) -> list[str]:
    return [pair for pair in _pairs(query) if not is_tracking(_name(pair), tracking)]


def _inner_cleaned(pair: str, tracking: tuple[str, ...], within: int) -> str:
    """A parameter whose value is an address, cleaned as an address is."""
    name, mark, value = pair.partition("=")
    if not re.match(r"https?(?::|%3a)", value, re.IGNORECASE):
        return pair
    found = _parted(unquote(value), tracking, within + 1)
    return f"{name}{mark}{quote(str(found[0]), safe='')}" if found and found[1] else pair


def _kept_fragment(fragment: str, tracking: tuple[str, ...]) -> str:
    """A fragment without parameters that some programs put there: `#utm_source=rss`, `#/page?utm_source=rss`."""
    head, mark, tail = fragment.partition("?")
    if mark:
        kept = "".join(_kept_pairs(tail, tracking)).lstrip("&;")
        return _kept_fragment(head, tracking) + (f"?{kept}" if kept else "")
    return "".join(_kept_pairs(head, tracking)).lstrip("&;") if "=" in head else head


def _name(pair: str) -> str:
    return unquote(pair.lstrip("&;").partition("=")[0]).removeprefix("?")


def cleaned_text(text: str, tracking: tuple[str, ...]) -> str:
    """A text, plain or Markdown, whose addresses hold nothing of who clicked and where; otherwise as it was."""
    if ":" not in text and "=" not in text:
        return text
    pieces: list[str] = []
    place = 0
    for start, end in addresses_in(text):
        pieces += [text[place:start], _cleaned_address(text[start:end], tracking)]
        place = end
    pieces.append(text[place:])
    return _without_stray_pairs("".join(pieces), tracking)


def addresses_in(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand in running text, from and to; unjudged."""
    place = 0
    while found := _ADDRESS.search(text, place):
        end = _end(text, found.start())
        place = max(end, found.end())
        if end > found.end():
            yield found.start(), end


def _end(text: str, start: int) -> int:
    """Where an address in a text ends: brackets that are opened within it belong to it (CommonMark, section 6.3)."""
    end = len(text)
    opened: list[str] = []
    for mark in _END.finditer(text, start):
        if mark[0] in "([":
            opened.append(mark[0])
        elif mark[0] not in _OPEN or not opened or opened.pop() != _OPEN[mark[0]]:
            end = mark.start()
            break
    while end > start and text[end - 1] in ".,;:!?'*_~`":
        end -= 1
    return end


def _cleaned_address(written: str, tracking: tuple[str, ...]) -> str:
    plain = _ESCAPE.sub(r"\1", _ENTITY.sub(_character, written))
    found = _parted(plain, tracking)
    if found is None and (named := _USER.match(plain)):  # somebody's name or password before the host
        found = _parted(named[1] + plain[named.end() :], tracking)
        return str(found[0]) if found else written
    if found is None or not found[1]:
        return written
    kept = str(found[0])
    # What would end a link in Markdown, or begin other words.
    risky = r"[][*]" if kept.count("(") == kept.count(")") else r"[][()*]"
    return re.sub(risky, lambda mark: _escaped(mark[0]), kept)


def _escaped(mark: str) -> str:
    """A character percent-encoded (RFC 3986, section 2.1)."""
    return f"%{ord(mark):02X}"


def _character(entity: re.Match[str]) -> str:
    decimal, hexadecimal, _ = entity.groups()
    number = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else ord("&")
    return chr(number) if 0x20 < number < 0xD800 else ""


def _without_stray_pairs(text: str, tracking: tuple[str, ...]) -> str:
    """Parameters that stand apart from their address, after a quote or a bracket, say."""
    return _PAIR.sub(lambda pair: "" if _marked(pair[1], tracking) else pair[0], text)


def _marked(name: str, tracking: tuple[str, ...]) -> bool:
    # A name of a few letters is a word in other places, too.
    return len(name) > 3 and is_tracking(unquote(name), tracking)
