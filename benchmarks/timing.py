"""Whether the time of an answer tells if an address is known."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.measure import Result
from newsletter.demo import begin
from newsletter.demo.people import people_csv
from newsletter.web import create_app
from newsletter.workspace import Workspace, system_clock

_TRIES = 1_000
_PEOPLE = 3_000
#: Three standard deviations of the measure between two equal crowds of a thousand, at the better side of 0.5.
_LIMIT = 0.5 + 3 * ((2 * _TRIES + 1) / (12 * _TRIES * _TRIES)) ** 0.5


def timing() -> Result:
    """Ask to join, and for the link to the preferences, a thousand times each with a known and an unknown address, in
    random order. The measure is how often the one takes longer than the other, of all pairs: 0.5 where nothing can be
    told. The floor is the same measure between known addresses and known addresses.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin(folder)
        config = folder / "config.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("10 per minute; 60 per hour", "1000000 per minute"), encoding="utf-8")
        (folder / "people.csv").write_text(people_csv(_PEOPLE), encoding="utf-8")
        space = Workspace.open(config, system_clock())
        space.import_people(folder / "people.csv")
        client = create_app(space).test_client()
        pages = {"/subscribe": {"list": "network-download"}, "/preferences": {}}
        told = {page: _told_apart(client, page, form) for page, form in pages.items()}
        space.close()
    worst = max(apart for apart, _ in told.values())
    return Result(
        name="timing",
        value=worst,
        unit="of pairs",
        floor=max(same for _, same in told.values()),
        ratio=worst / 0.5,
        want=f"at most {_LIMIT:.3f} over {_TRIES:,} tries",
        ok=worst <= _LIMIT,
        beside=", ".join(f"{page} {apart:.3f}" for page, (apart, _) in told.items()),
    )


def _told_apart(client: FlaskClient, page: str, form: dict[str, str]) -> tuple[float, float]:
    chance = random.Random(1)
    known = [line.partition(",")[0] for line in people_csv(_PEOPLE).splitlines()[1:]]
    # As long as those that are known, in the same domains, and each asked once.
    unknown = [f"nobody{address[6:]}" for address in known[:_TRIES]]
    tries = [("known", address) for address in known[_TRIES : 2 * _TRIES]]
    tries += [("same", address) for address in known[2 * _TRIES : 3 * _TRIES]]
    tries += [("unknown", address) for address in unknown]
    chance.shuffle(tries)
    for _, address in tries[:50]:
        client.post(page, data={**form, "email": f"warm-{address}"})
    took: dict[str, list[float]] = {"known": [], "same": [], "unknown": []}
    for kind, address in tries:
        began = time.perf_counter()
        answer = client.post(page, data={**form, "email": address})
        took[kind].append(time.perf_counter() - began)
        assert answer.status_code == 200
    return _apart(took["known"], took["unknown"]), _apart(took["known"], took["same"])


def _apart(ones: list[float], others: list[float]) -> float:
    """The share of pairs in which the crowd that's slower more often is slower: Mann and Whitney's U, from 0.5 to 1."""
    ranked = sorted([(took, 1) for took in ones] + [(took, 0) for took in others])
    ranks = sum(place for place, (_, mine) in enumerate(ranked, 1) if mine)
    share = (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))
    return max(share, 1 - share)
