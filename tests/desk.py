"""A small workspace for tests, made with the product's own parts."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from newsletter.audience import importing
from newsletter.collect import transfer
from newsletter.demo import begin
from newsletter.send import Clock
from newsletter.store import Store, open_store
from newsletter.workspace import Workspace

NOW = dt.datetime(2022, 10, 12, 15, 0, tzinfo=dt.UTC)

ITEMS = """
[[items]]
slug = "hb1-hearing"
kind = "post"
title = "Eight cities have their day in court"
url = "https://example.org/hb1"
date = 2022-10-03
summary = "For the first time, a judge heard the cities that challenge HB 1."
photo = "photo.png"
photo_alt = "The steps of a courthouse"
photo_credit = "Illustration: sample"
topics = ["protest"]
places = ["Gainesville, FL", "FL"]

[[items]]
slug = "organizer-job"
kind = "job"
title = "We are hiring a membership organizer"
url = "https://example.org/jobs/organizer"
date = 2022-10-01
summary = "Work with members in states without staff."
closes = 2022-11-15

[[items]]
slug = "denver-convening"
kind = "event"
title = "National convening"
url = "https://example.org/convening"
date = 2022-09-20
starts = 2022-11-02
summary = "Three days with local officials from all over the country."
places = ["Denver, CO"]
"""

POLICIES = """
[[policies]]
slug = "sf-public-health-leave"
title = "Public Health Emergency Leave"
place = "San Francisco, CA"
level = "city"
number = "Prop G"
url = "https://example.org/sf/prop-g"
summary = "Paid leave for workers at large employers in a public health emergency."
topics = ["leave"]

[[policies.history]]
status = "passed"
date = 2022-06-07

[[policies.history]]
status = "in effect"
date = 2022-10-01
"""

ISSUE = """+++
publication = "network-download"
title = "The Network Download: HB 1 in court and more | Oct 2022"
date = 2022-10-12
subject = "📬 Network Download | HB 1 in court | October 2022"
preheader = "Hello {{ first_name | friend }}: eight cities are heard, and Denver is next"
teaser = "Eight cities are heard in court, and the convening in Denver is next."
+++

Hi {{ first_name | friend }},

This month **eight cities** were heard. [The whole story](https://example.org/story) is below.

## ⚖️ In the courts

[[hb1-hearing]] Heard at last
> {{ first_name | Friend }}, your neighbours in {{ locality | your town }} were in the room.

## 🏛️ Policy wins

[[sf-public-health-leave]]

## 📅 Coming up

- [[denver-convening]]
- [[organizer-job]]
"""

PEOPLE = """Email,First Name,State,City,Lists,Status
ana@example.org,Ana,FL,Gainesville,Network Download,subscribed
ben@example.org,,FL,,Network Download,subscribed
chi@example.org,Chi,TX,Austin,Network Download; Workers' Rights Round Up,subscribed
dee@example.org,Dee,NY,,Network Download,unsubscribed
eli@example.org,Eli,NY,,Network Download,pending
fay@example.org,Fay,CO,Denver,Network Download,complained
"""


class StillTime:
    """Time that stands still until it's moved; what would have been waited for is in `waits`, in seconds."""

    def __init__(self, at: dt.datetime = NOW) -> None:
        self.at = at
        self.waits: list[float] = []
        self.clock = Clock(now=lambda: self.at, sleep=self._sleep, jitter=lambda seconds: seconds)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += dt.timedelta(seconds=seconds)


@cache
def migrated() -> bytes:
    """An empty database with the newest schema, made once for all tests of a process."""
    with tempfile.TemporaryDirectory() as folder:
        open_store("sqlite:///newsletter.db", Path(folder)).close()
        return (Path(folder) / "newsletter.db").read_bytes()


@dataclass(frozen=True)
class Desk:
    """A workspace and ways to use it as a person would."""

    space: Workspace

    @classmethod
    def make(cls, folder: Path, clock: Clock, *, store: Store | None = None) -> Desk:
        """Make the workspace with its items, policies, issue and people, on SQLite or in the store that's given."""
        begin(folder)
        (folder / "items.toml").write_text(ITEMS, encoding="utf-8")
        (folder / "policies.toml").write_text(POLICIES, encoding="utf-8")
        Image.new("RGB", (1200, 675), "#335577").save(folder / "photo.png")
        (folder / "newsletter.db").write_bytes(migrated())
        space = Workspace.open((folder / "config.toml").resolve(), clock)
        if store:
            space.__dict__["store"] = store  # in the place of the one that config.toml names
        desk = cls(space)
        with space.store.write() as session:
            transfer.import_file(session, folder / "items.toml", "items", workspace=folder, now=NOW)
            transfer.import_file(session, folder / "policies.toml", "policies", workspace=folder, now=NOW)
        desk.write_issue("network-download-2022-10", ISSUE)
        desk.import_people(PEOPLE)
        return desk

    @property
    def folder(self) -> Path:
        """The workspace's folder."""
        return self.space.folder

    def write_issue(self, name: str, text: str) -> Path:
        """Write an issue's file."""
        path = self.space.issues / name / "issue.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def import_people(self, text: str | bytes, name: str = "people.csv", *lists: str) -> importing.Report:
        """Import people from the text of a CSV file."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.space.import_people(path, lists=lists)

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in this workspace, as a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "newsletter", *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONUTF8": "1", **environment},
        )
