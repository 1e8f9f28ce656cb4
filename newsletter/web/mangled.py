"""Links as mail programs, gateways and scanners leave them: with something behind the token, in capital letters,
encoded twice, inside another address.

A token says itself whether it's ours. So wherever one is found in a request's address, and however that came to be,
the request is served as if it had come by the address that was mailed.
"""

from __future__ import annotations

import html
import quopri
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.tokens import Purpose, Signer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: The pages that a token of each purpose opens, the first unless the address names another, and what may stand behind.
_PAGES = {
    Purpose.UNSUBSCRIBE: ("u", "p"),
    Purpose.CONFIRM: ("confirm",),
    Purpose.DATA: ("data",),
    Purpose.FORGET: ("forget",),
    Purpose.MOVE: ("address",),
}
_ACTS = {"u": ("undo", "again"), "p": ("data", "forget", "address"), "confirm": ("again",)}
_AS_MAILED = re.compile(
    r"/(?:u|p|confirm|data|forget|address)/([A-Za-z0-9_-]+)(?:/(?:undo|again|data|forget|address))?"
)
#: Shorter than the shortest token of any release, in either alphabet.
_SHORTEST = 28
_RUN = re.compile(rf"[A-Za-z0-9_-]{{{_SHORTEST},600}}")
_LONGEST, _MOST, _SIGNS = 4_000, 40, 12


class Unmangled:
    """The service behind a look at each address that isn't as it was mailed."""

    def __init__(self, app: WSGIApplication, signer: Callable[[], Signer]) -> None:
        self._app, self._signer = app, signer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        path = environ.get("PATH_INFO", "")
        known = _AS_MAILED.fullmatch(path)
        asked = f"{path}?{environ.get('QUERY_STRING', '')}"
        if len(asked) > _SHORTEST and not (known and self._signer().read(known[1])):
            environ["PATH_INFO"] = mended(asked, self._signer()) or path
        return self._app(environ, start_response)


def mended(asked: str, signer: Signer) -> str | None:
    """The path of the page that a request's address was meant for; None where no token is found for certain."""
    for text in _readings(asked[:_LONGEST]):
        for run in dict.fromkeys(_runs(text)):
            if found := signer.read(run):
                return _path(found[0], run, text)
    return None


def _path(purpose: Purpose, token: str, text: str) -> str:
    before, _, behind = text.partition(token)
    words = re.findall(r"[a-z]+", before.lower())
    page = next((word for word in reversed(words) if word in _PAGES[purpose]), _PAGES[purpose][0])
    act = re.match(r"[^/?]*/(\w+)/?(?:\?|$)", behind)
    return f"/{page}/{token}" + (f"/{act[1]}" if act and act[1] in _ACTS.get(page, ()) else "")


def _runs(text: str) -> Iterator[str]:
    """What may be a token: runs of its alphabets, and the parts of them between signs that aren't only in tokens."""
    for run in _RUN.findall(text)[:_MOST]:
        signs = [at for at, sign in enumerate(run) if sign in "_-"][:_SIGNS]
        for begin in (0, *(at + 1 for at in signs)):
            yield from (run[begin:end] for end in (len(run), *signs) if end - begin >= _SHORTEST)


def _readings(asked: str) -> Iterator[str]:
    """An address as it stands, and as it is without each way in which addresses are encoded in mail."""
    plain = asked
    for _ in range(3):
        yield plain
        plain = unquote(plain, errors="ignore")
    plain = html.unescape(plain)
    yield plain
    yield quopri.decodestring(plain.encode("ascii", "ignore")).decode("ascii", "ignore")
    # A line that was broken within the token, with the sign of it or without; letters that nobody sees.
    whole = re.sub(r"[\s=<>]+|[^\x00-\x7f]+", "", plain)
    yield whole
    # Proofpoint writes "-2D" and "_" for signs of ours.
    yield re.sub(r"-([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), plain.replace("_", "/"))
