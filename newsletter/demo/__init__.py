"""Workspaces to begin with: an empty one, and the sample that walks the whole path.

The sample's items, policies and issues are written for it; it mails nobody, since its provider is a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from newsletter.collect import transfer
from newsletter.demo.people import people_csv
from newsletter.errors import InputError, NewsletterError
from newsletter.resources import EXAMPLE_CONFIG, SAMPLE_ISSUES
from newsletter.send import Clock
from newsletter.workspace import Workspace

_HERE = Path(__file__).parent
_MARK = ".newsletter-sample"
_IGNORED = (
    "newsletter.db*\n*.db\n*.db-*\n*.partial\nsecret.key\n.secret.key*\noutbox/\nrehearsal/\nunrecorded-*/\n"
    "archive*/\n.archive*/\npreview/\n*.rejects.*\n*.csv\n.cache/\ncourtesy/\n"
)


def begin(folder: Path) -> None:
    """Make an empty workspace in a folder that has none yet."""
    if (folder / "config.toml").exists():
        raise InputError("there is a workspace already", where=folder / "config.toml", hint="choose another folder")
    for inside in (folder / "issues", folder / "media"):
        inside.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(EXAMPLE_CONFIG, folder / "config.toml")
    shutil.copyfile(_HERE / "media" / "partner-logo.png", folder / "media" / "partner-logo.png")
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")


def build(folder: Path, clock: Clock, say: Callable[[str], None]) -> None:
    """Build the sample from the beginning. A folder that isn't a sample is never touched."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise InputError("this folder is not a sample workspace", where=folder, hint="name an empty or new folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("A sample workspace; `newsletter demo` deletes and rebuilds it.\n", encoding="utf-8")
    begin(folder)
    shutil.copytree(SAMPLE_ISSUES, folder / "issues", dirs_exist_ok=True)
    space = Workspace.open((folder / "config.toml").resolve(), clock)
    try:
        _collect(space, say)
        _gather_people(space, say)
        for name in sorted(space.issue_names(), key=lambda name: (name.rsplit("-", 2)[1:], name)):
            _send(space, name, say)
        report = space.publish()
        say(f"Published  {report.written} files into {folder / 'archive'}")
    finally:
        space.close()


def _collect(space: Workspace, say: Callable[[str], None]) -> None:
    for what in ("items", "policies"):
        with space.store.write() as session:
            path = _HERE / f"{what}.toml"
            report = transfer.import_file(session, path, what, workspace=space.folder, now=space.clock.now())
        if report.rejected:
            row, reason = report.rejected[0]
            raise NewsletterError(reason, where=f"{path.name}:{row.line}")
        say(f"Collected  {report.added} {what}")


def _gather_people(space: Workspace, say: Callable[[str], None]) -> None:
    export = space.folder / "subscribers.csv"
    export.write_text(people_csv(), encoding="utf-8")
    report = space.import_people(export)
    say(f"Imported   {report.imported} synthetic subscribers")


def _send(space: Workspace, name: str, say: Callable[[str], None]) -> None:
    snapshot, _ = space.approve(name, by="the sample")
    publication = space.config.publication(snapshot.issue.publication)
    service = space.campaigns()
    plan = service.plan(publication, snapshot, segment="", provider=publication.provider)
    counts = service.run(service.start(snapshot, plan, publication))
    say(f"Submitted  {sum(counts.values())} messages of {name} into outbox/{name}")
