"""Fifty renders in an order shuffled by the seed that is given; prints one digest of what each kind gave."""

from __future__ import annotations

import hashlib
import random
import sys
from dataclasses import replace

from newsletter.compose.variants import pick
from newsletter.model import Variant
from newsletter.render import render
from newsletter.render.specimen import specimen
from tests.samples import FOLDERS, sample_config, sample_issue, sample_round_up


def main() -> None:
    """Render, and refuse to print when the same render gave two different mails."""
    config = sample_config()
    specimens = []
    for template in ("network-download", "workers-rights", "state-download", "press-bulletin"):
        publication = replace(config.publications["network-download"], template=template)
        tried = replace(config, publications={**config.publications, "network-download": publication})
        specimens.append((template, specimen(publication), tried))
    kinds = [("issue", sample_issue(), config), ("round up", sample_round_up(), config), *specimens]
    work = [(name, state, issue, settings) for name, issue, settings in kinds for state in ("", "TX", "FL")]
    shuffled = (work * 3)[:50]
    random.Random(sys.argv[1]).shuffle(shuffled)
    found: dict[str, set[str]] = {}
    for name, state, issue, settings in shuffled:
        variant = Variant(name=state.lower() or "default", state=state)
        mail = render(pick(issue, variant), settings, folders=FOLDERS, variant=variant.name)
        digest = hashlib.sha256(repr((mail.subject, mail.preheader, mail.html, mail.text)).encode()).hexdigest()
        found.setdefault(f"{name} {state}", set()).add(digest)
    if all(len(digests) == 1 for digests in found.values()):
        print(hashlib.sha256(repr(sorted((name, *digests) for name, digests in found.items())).encode()).hexdigest())


if __name__ == "__main__":
    main()
