"""How fast a campaign goes out."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Result, in_turn
from newsletter.demo import build
from newsletter.model import DeliveryState
from newsletter.workspace import Workspace, system_clock

_PEOPLE = 3_000
_WANTED = 0.2


def files() -> Result:
    """Messages a second through the ledger into a folder; the floor writes the same bytes with no ledger at all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "desk"
        build(folder, system_clock(), lambda _: None)
        _crowd(folder)
        space = Workspace.open(folder / "config.toml", system_clock())
        runs = iter(range(100))
        message = next((folder / "outbox" / "workers-rights-2022-10").glob("*.eml")).read_bytes()

        def product() -> None:
            _send(space, next(runs))

        def floor() -> None:
            target = Path(name) / f"floor{next(runs)}"
            target.mkdir()
            for number in range(_PEOPLE):
                partial = target / f"{number}.partial"
                partial.write_bytes(message)
                partial.rename(target / f"{number}.eml")
            shutil.rmtree(target)

        value, bare = in_turn(product, floor, runs=3)
        space.close()
    ratio = bare / value
    return Result(
        name="files",
        value=_PEOPLE / value,
        unit="msg/s",
        floor=_PEOPLE / bare,
        ratio=ratio,
        want=f"at least {_WANTED:g} of the floor",
        ok=ratio >= _WANTED,
    )


def _crowd(folder: Path) -> None:
    """So many people more on one list that nobody has mailed yet."""
    export = folder / "crowd.csv"
    export.write_text(
        "Email,First Name,Lists\n" + "".join(f"crowd{n}@example.org,N{n},Federal Advocacy\n" for n in range(_PEOPLE)),
        encoding="utf-8",
    )
    space = Workspace.open(folder / "config.toml", system_clock())
    space.import_people(export)
    space.close()


def _send(space: Workspace, run: int) -> None:
    """One campaign of a fresh copy of the sample issue to the crowd."""
    name = f"round-up-{run}"
    source = space.issues / "workers-rights-2022-10"
    (space.issues / name).mkdir()
    text = (source / "issue.md").read_text(encoding="utf-8")
    text = re.sub(r"\[\[([\w-]+)(?: \| \w+)?\]\]", r"[[\1 | update]]", text)  # every run tells the same again
    (space.issues / name / "issue.md").write_text(text, encoding="utf-8")
    snapshot, _ = space.approve(name, by="benchmark")
    publication = replace(space.config.publication("workers-rights"), list="federal-advocacy")
    mailing = space.campaigns()
    plan = mailing.plan(publication, snapshot, segment="", provider="files")
    counts = mailing.run(mailing.start(snapshot, plan, publication))
    assert counts[DeliveryState.SUBMITTED] >= _PEOPLE
    shutil.rmtree(space.folder / "outbox" / name)
