"""Whether there is such a place: counties, cities and towns of the United States, as the post knows them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from newsletter.model import Place
from newsletter.places import state_name

#: Of 100, how alike a name has to be to be offered instead.
_ALIKE = 80
_AROUND = re.compile(r"^(the )?(city|town|village|county|city and county|borough|township) of ", re.IGNORECASE)
_SHORT = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}


def doubts(places: Iterable[Place]) -> list[str]:
    """A sentence for each place that isn't known, with the nearest that is. A state alone is never in doubt."""
    return [said for place in places if place.locality and (said := _doubt(place))]


def _doubt(place: Place) -> str:
    names = _known().get(place.state, {})
    wanted = _bare(place.locality)
    if not names or wanted in names or wanted.removesuffix(" county") in names:
        return ""
    from rapidfuzz import process

    near = process.extractOne(wanted, names.keys(), score_cutoff=_ALIKE)
    hint = f"; did you mean {names[near[0]]}?" if near else ""
    return f'no "{place.locality}" is known in {state_name(place.state)}{hint}'


@cache
def _known() -> dict[str, dict[str, str]]:
    """By state, the names of its counties, cities and towns: bare, and as they're written."""
    import zipcodes

    known: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in zipcodes.list_all():  # type: ignore[no-untyped-call]
        for name in (entry["county"], entry["city"], *entry["acceptable_cities"]):
            if name:
                known[entry["state"]].setdefault(_bare(name), name)
    return dict(known)


def _bare(name: str) -> str:
    """A name without case, accents, dots, and what towns put around theirs."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z ]+", " ", plain.replace("'", "")).split()
    return _AROUND.sub("", " ".join(_SHORT.get(word, word) for word in words))
