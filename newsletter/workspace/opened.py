"""An opened workspace: its settings, its store, its folders and its clock."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from newsletter import config, tokens
from newsletter.config import Config
from newsletter.config.secrets import Keyring
from newsletter.errors import InputError, NewsletterError, NotFound, nearest
from newsletter.resources import TEMPLATES
from newsletter.send import Clock
from newsletter.send.service import CampaignService
from newsletter.store import Store, open_store
from newsletter.workspace.key_check import require_keys_of

if TYPE_CHECKING:
    from newsletter.compose import FrontMatter


@dataclass(frozen=True)
class Opened:
    """What all parts of the workspace share; `clock` is the only source of time."""

    config: Config
    clock: Clock
    environment: dict[str, str] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open the workspace of a config file."""
        return cls(config.load(path), clock)

    @property
    def folder(self) -> Path:
        """The folder of config.toml."""
        return self.config.folder

    @property
    def issues(self) -> Path:
        """The folder that holds a folder for each issue."""
        return self.folder / "issues"

    @cached_property
    def store(self) -> Store:
        """The database, opened at first use."""
        return open_store(self.config.database, self.folder)

    @cached_property
    def keyring(self) -> Keyring:
        """The keys that sign readers' links; ConfigError where they aren't those that the database was written with."""
        keyring = self.config.keyring(self.environment)
        require_keys_of(self.store, keyring)
        return keyring

    @cached_property
    def signer(self) -> tokens.Signer:
        """Signs and checks readers' links."""
        return tokens.Signer.following(self.keyring)

    def close(self) -> None:
        """Give back what is open."""
        if "store" in self.__dict__:
            self.store.close()

    def today(self) -> dt.date:
        """The day it is in the workspace's timezone."""
        return self.clock.now().astimezone(self.config.timezone).date()

    def clock_time(self, at: dt.datetime) -> str:
        """A time as the workspace's clock shows it."""
        return f"{at.astimezone(self.config.timezone):%A, %Y-%m-%d %H:%M %Z}"

    def template_folders(self, kind: str) -> tuple[Path, ...]:
        """Where templates of a kind (`email`, `archive`) are looked for: the workspace's own first."""
        return self.folder / "templates" / kind, TEMPLATES / kind

    def issue_names(self) -> list[str]:
        """The issues there are, by the names of their folders."""
        return sorted(path.parent.name for path in self.issues.glob("*/issue.md") if path.is_file())

    def issue_path(self, name: str) -> Path:
        """The issue.md of an issue, named by its folder or by a path to either; NotFound with the nearest."""
        given = Path(name)
        for path in (self.issues / name / "issue.md", given / "issue.md", given):
            if path.is_file() and path.name == "issue.md":
                return path.resolve() if path.is_absolute() else self.folder / path
        there = self.issues / name / "issue.md"
        if there.exists() or there.is_symlink():
            what = "is a folder" if there.is_dir() else "leads nowhere"
            raise InputError(f"{what}, and no file", where=f"{self.issues.name}/{name}/issue.md", hint="move it away")
        known = self.issue_names()
        hint = nearest(given.name, known) or (f"known: {', '.join(known)}" if known else "newsletter draft PUBLICATION")
        raise NotFound(f'no issue "{name}"', where=self.issues.name, hint=hint)

    def front_matters(self) -> dict[str, FrontMatter]:
        """What stands at the head of every issue; files that can't be read are left to `compose` to explain."""
        from newsletter.compose import front_matter

        found = {}
        for name in self.issue_names():
            try:
                found[name] = front_matter(self.issues / name / "issue.md", f"issues/{name}/issue.md")
            except NewsletterError:
                continue
        return found

    def previous_issue(self, publication: str, day: dt.date) -> dt.date | None:
        """The date of a publication's last issue before `day`."""
        found = self.last_issue(publication, day)
        return found[1] if found else None

    def last_issue(
        self, publication: str, day: dt.date, among: Collection[str] | None = None
    ) -> tuple[str, dt.date] | None:
        """A publication's last issue before `day`, of all or `among` some: its name and its date."""
        issues = [
            (matter.date, name)
            for name, matter in self.front_matters().items()
            if matter.publication == publication and matter.date < day and not matter.corrects
            if among is None or name in among
        ]
        return max(issues)[::-1] if issues else None

    def unsubscribe_url(self, subscriber: int, list_slug: str) -> str:
        """A reader's own address for leaving a list."""
        return self.unsubscribe_urls(list_slug)(subscriber)

    def unsubscribe_urls(self, list_slug: str) -> Callable[[int], str]:
        """What makes readers' own addresses for leaving a list, a million in a row if need be."""
        start = f"{self.config.service.url.rstrip('/')}/u/"
        token = self.signer.signing(tokens.Purpose.UNSUBSCRIBE, list_slug)
        return lambda subscriber: start + token(subscriber)

    def service_url(self, path: str, purpose: tokens.Purpose, subscriber: int, about: str) -> str:
        """A reader's own address for something else than leaving; `about` is as `newsletter.tokens.Claim.list`."""
        token = self.signer.sign(purpose, tokens.Claim(subscriber=subscriber, list=about))
        return f"{self.config.service.url.rstrip('/')}/{path}/{token}"

    def page_url(self, path: str) -> str:
        """The public address of a page of the archive."""
        return f"{self.config.archive.url.rstrip('/')}/{path}/"

    @cached_property
    def address_hash(self) -> tokens.AddressHash:
        """The keyed hash of addresses."""
        return tokens.AddressHash(*self.keyring())

    @property
    def marks(self) -> tokens.Marks:
        """What travels with each message."""
        return tokens.Marks.following(self.keyring)

    def campaigns(self) -> CampaignService:
        """All that sending needs."""
        return CampaignService(
            store=self.store,
            config=self.config,
            clock=self.clock,
            unsubscribe_urls=self.unsubscribe_urls,
            marks=self.marks,
            hash_address=self.address_hash,
        )


def system_clock() -> Clock:
    """The real time."""
    import time

    spread = secrets.SystemRandom()
    return Clock(
        now=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep, jitter=lambda seconds: spread.uniform(0, seconds)
    )
