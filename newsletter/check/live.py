"""Whether links answer: the one check that asks the network, and only when it's wanted.

It's polite: one request at a time to a host, a pause between two, HEAD before GET, no body read, and what
answered well isn't asked again for a day. Addresses that aren't public are never asked, neither at first nor
behind a redirect. Of a policy's own text the page is read, for whether it's about that bill at all.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

from newsletter.check.asked import GONE, NUMBER_NOT_ON_PAGE, UNSURE
from newsletter.check.links import links_of
from newsletter.check.rules import Subject
from newsletter.errors import InputError
from newsletter.fetch import fetch, guarded_session, is_private, redirect_target, told
from newsletter.links import host_of
from newsletter.model import Finding, PolicyEntry, Severity

_TIMEOUT = (5.0, 15.0)
_HOPS = 5
_HOSTS_AT_ONCE = 8
_REMEMBERED = dt.timedelta(days=1)
_READABLE = {"text/html", "application/xhtml+xml", "text/plain"}
#: What the letters of a bill's number stand for, where a page may spell them out.
_SPELLED = {
    "hb": ("House Bill",),
    "sb": ("Senate Bill",),
    "hr": ("House Resolution", "House Bill"),
    "ab": ("Assembly Bill",),
    "cb": ("Council Bill",),
    "lb": ("Legislative Bill",),
    "ld": ("Legislative Document",),
    "hf": ("House File",),
    "sf": ("Senate File",),
    "cf": ("Council File",),
    "prop": ("Proposition",),
    "res": ("Resolution",),
    "ord": ("Ordinance",),
    "int": ("Introduction", "Int"),
}
_PAUSE = 1.0
_GONE = {404, 410}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one link: nothing is wrong when `fault` is empty; `gone` when nobody should click it."""

    fault: str = ""
    gone: bool = False


@dataclass(slots=True)
class Memory:
    """What answered well, and when, in a JSON file; forgotten after a day."""

    path: Path
    now: dt.datetime

    def knows(self, key: str) -> bool:
        """Whether it answered well within the last day."""
        try:
            return self.now - dt.datetime.fromisoformat(self._read()[key]) < _REMEMBERED
        except (KeyError, ValueError, TypeError):
            return False

    def add(self, keys: Iterable[str]) -> None:
        """Remember what answered well just now, and forget what is older than a day."""
        kept = {key: at for key, at in self._read().items() if self.knows(key)}
        kept |= dict.fromkeys(keys, self.now.isoformat())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        partial.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(self.path)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def check_live(
    subject: Subject,
    *,
    sleep: Callable[[float], None],
    private_hosts: Collection[str] = (),
    memory: Memory | None = None,
) -> list[Finding]:
    """A finding for each link of the issue that doesn't answer as it should, and for each policy whose page
    doesn't name its bill. `sleep` waits some seconds; what `memory` knows isn't asked.
    """
    places: dict[str, list[tuple[str, str]]] = {}
    for where, words, url in links_of(subject):
        if host_of(url) and url.lower().startswith(("http://", "https://")):
            places.setdefault(url.partition("#")[0], []).append((where, words))
    asked = [url for url in places if not (memory and memory.knows(url))]
    answers = ask(asked, sleep=sleep, private_hosts=private_hosts)
    if memory:
        memory.add(url for url, answer in answers.items() if not answer.fault)
    found = [
        Finding(
            rule=GONE if answer.gone else UNSURE,
            severity=Severity.ERROR if answer.gone else Severity.WARNING,
            where=where,
            message=f'the link "{words}" {answer.fault}: {url[:120]}',
        )
        for url, answer in answers.items()
        if answer.fault
        for where, words in dict.fromkeys(places[url])
    ]
    dead = {url for url, answer in answers.items() if answer.fault}
    return found + _unnamed_bills(subject, dead, private_hosts, memory)


def _unnamed_bills(
    subject: Subject, dead: Collection[str], private_hosts: Collection[str], memory: Memory | None
) -> list[Finding]:
    """Policies whose linked page doesn't name their bill. What can't be read as text isn't judged."""
    found, named = [], []
    for entry in subject.issue.entries:
        if not isinstance(entry, PolicyEntry) or not entry.policy.number or not entry.policy.url:
            continue
        url, number = entry.policy.url.partition("#")[0], entry.policy.number
        key = f"{number} on {url}"
        if url in dead or (memory and memory.knows(key)):
            continue
        try:
            page = fetch(url, private_hosts=private_hosts)
        except InputError:
            continue  # the link itself was judged above
        if page.type not in _READABLE or names_bill(page.body.decode("utf-8", "replace"), number):
            named.append(key)
            continue
        found.append(
            Finding(
                rule=NUMBER_NOT_ON_PAGE,
                severity=Severity.WARNING,
                where=subject.at(entry.line),
                message=f'the page that "{entry.policy.slug}" links to doesn\'t name {number}: {url[:120]}',
            )
        )
    if memory:
        memory.add(named)
    return found


def names_bill(text: str, number: str) -> bool:
    """Whether a page names a bill, however it's written: `H.B. 1234`, `HB1234`, `House Bill 1234` for HB 1234.

    Letters may be spelled out where they're usual ones, digits have to stand as they are; leading zeros don't count.
    """
    letters = re.sub(r"[^a-z]", "", number.lower())
    digits = [piece.lstrip("0") or "0" for piece in re.findall(r"\d+", number)]
    if not digits:
        return letters in re.sub(r"[^a-z]", "", text.lower())
    # Bounded, since a page may hold a million blanks.
    between = r"[\s.\u00a0:#-]{0,9}(?:no|number|num)?[\s.\u00a0:#-]{0,9}"
    tail = r"[\s\u00a0./-]{0,9}".join(rf"0{{0,9}}{piece}" for piece in digits) + r"(?!\d)"
    spelled = [r"[\s.\u00a0]{0,9}".join(letters), *map(re.escape, _SPELLED.get(letters, ()))]
    heads = "|".join(rf"(?<![a-z]){head}{between}" for head in spelled) if letters else r"(?<!\d)"
    return re.search(rf"(?:{heads}){tail}", text, re.IGNORECASE) is not None


def ask(
    urls: Iterable[str], *, sleep: Callable[[float], None], private_hosts: Collection[str] = ()
) -> dict[str, Answer]:
    """The answer of each address, hosts side by side, the addresses of one host one after the other."""
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(host_of(url), []).append(url)

    def of_host(addresses: list[str]) -> list[tuple[str, Answer]]:
        found = []
        with guarded_session(private_hosts) as session:
            for number, address in enumerate(addresses):
                if number:
                    sleep(_PAUSE)
                found.append((address, _ask(session, address)))
        return found

    with ThreadPoolExecutor(_HOSTS_AT_ONCE) as pool:
        return {url: answer for answers in pool.map(of_host, hosts.values()) for url, answer in answers}


def _ask(session: requests.Session, url: str) -> Answer:
    """Follow a link to its end, asking with HEAD and, where that's refused, with GET."""
    here = url
    try:
        for _ in range(_HOPS + 1):
            status, target = _status(session, "HEAD", here)
            if status >= 400:  # many servers don't take HEAD, or not from programs; GET tells more
                status, target = _status(session, "GET", here)
            if not target:
                return _judged(status)
            here = target
    except requests.exceptions.SSLError as fault:
        return Answer(told(fault))
    except requests.Timeout:
        return Answer("gave no answer in time")
    except requests.ConnectionError as fault:
        return Answer("leads to an address that isn't public" if is_private(fault) else "can't be reached", gone=True)
    except (requests.RequestException, ValueError) as fault:
        return Answer(told(fault))
    return Answer(f"redirects more than {_HOPS} times")


def _status(session: requests.Session, method: str, url: str) -> tuple[int, str]:
    """The status, and where it redirects to; the body is never read."""
    with session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, stream=True) as response:
        return response.status_code, redirect_target(url, response.headers) if response.is_redirect else ""


def _judged(status: int) -> Answer:
    if status in _GONE:
        return Answer(f"is gone ({status})", gone=True)
    return Answer(f"answered {status}") if status >= 400 else Answer()
