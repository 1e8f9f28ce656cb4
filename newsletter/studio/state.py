"""What the studio shows: composed, rendered and checked once for each state of the files, kept until one changes."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from newsletter import collect
from newsletter.collect import inbox
from newsletter.compose import editing, front_matter, rearrange
from newsletter.compose.editing import Words
from newsletter.errors import InputError, NotFound, nearest
from newsletter.model import Finding, Issue, Item, Photo, Policy, Reach, Rendered, Snapshot, Story
from newsletter.photos import photo_bytes
from newsletter.resources import TEMPLATES
from newsletter.send import Clock
from newsletter.workspace import Workspace

T = TypeVar("T")
#: Seconds between two looks at the files while a page waits for a change.
_LOOK = 0.03
#: So many entries are offered; any other can be named all the same.
_OFFERS = 300
#: The pictures of the issue that templates are tried on; they show what they are.
_SPECIMENS = {"specimen.jpg", "logo.png"}


@dataclass(slots=True)
class _Written:
    """What the studio wrote into an issue.md: what stood there before, and the digest of what stands there since."""

    before: bytes
    after: str


@dataclass
class Studio:
    """The state behind the pages; safe to use from several threads."""

    path: Path
    clock: Clock
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _kept: dict[Any, Any] = field(default_factory=dict)
    _stamp: str = ""
    _space: Workspace | None = None
    _settings: str = ""
    _photos: dict[str, Photo] = field(default_factory=dict)
    _links: dict[str, list[Finding]] = field(default_factory=dict)
    _undo: dict[str, list[_Written]] = field(default_factory=dict)

    @property
    def space(self) -> Workspace:
        """The workspace as config.toml says now; ConfigError while it's broken."""
        with self._lock:
            stamp = _mark(self.path)
            if self._space is None or stamp != self._settings:
                if self._space is not None:
                    self._space.close()
                self._space = None
                self._space = Workspace.open(self.path, self.clock)
                self._settings = stamp
            return self._space

    def stamp(self) -> str:
        """A mark that changes when a file that is shown from does: settings, issues, templates, the SQLite store."""
        space = self._space
        database = [space.store.name] if space and space.store.is_sqlite else []
        files = [*_files(self.path), *map(Path, database), *(Path(f"{name}-wal") for name in database)]
        return hashlib.sha256("\n".join(map(_mark, files)).encode()).hexdigest()[:16]

    def wait(self, seen: str, seconds: float) -> str:
        """The stamp, as soon as it isn't `seen` any more, or after some seconds."""
        for _ in range(int(seconds / _LOOK)):
            stamp = self.stamp()
            if stamp != seen or self._stopped.is_set():
                return stamp
            self.clock.sleep(_LOOK)
        return self.stamp()

    def stop(self) -> None:
        """Let those who wait for a change go."""
        self._stopped.set()

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each state of the files."""
        with self._lock:
            stamp = self.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._kept.clear()
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found

    def issue(self, slug: str) -> Issue:
        """The composed issue; IssueError with every problem in its file."""
        return self._once(("issue", slug), lambda: self._composed(slug))

    def _composed(self, slug: str) -> Issue:
        issue = self.space.compose(slug)
        self._photos.update(issue.photos)
        return issue

    def mail(self, slug: str, variant: str) -> Rendered:
        """One variant of the issue as mail."""
        return self._once(("mail", slug, variant), lambda: self.space.render_variant(self.issue(slug), variant))

    def reach(self, slug: str) -> Reach:
        """Who would get which variant."""
        return self._once(("reach", slug), lambda: self.space.reach(self.issue(slug)))

    def findings(self, slug: str) -> list[Finding]:
        """What the check says of the default variant, and what the links said when they were last asked."""
        made = self._once(("findings", slug), lambda: self.space.check(self.issue(slug), (self.mail(slug, "default"),)))
        return [*made, *self._links.get(slug, [])]

    def ask_links(self, slug: str) -> None:
        """Ask the issue's links over the network."""
        self._links[slug] = self.space.check_links(self.issue(slug), afresh=self.asked(slug))

    def asked(self, slug: str) -> bool:
        """Whether the links were asked since the studio was started."""
        return slug in self._links

    def page(self, slug: str) -> dict[str, bytes]:
        """The issue's archive page and its style sheet, by their paths in the archive."""
        from newsletter.publish.site import page_of

        def make() -> dict[str, bytes]:
            issue = self.issue(slug)
            now = self.clock.now()
            draft = Snapshot(
                issue=issue, variants=(self.mail(slug, "default"),), digest="", approved_by="", approved_at=now
            )
            return page_of(draft, self.space.config, self.space.template_folders("archive"))

        return self._once(("page", slug), make)

    def specimens(self, template: str) -> dict[str, Rendered]:
        """A template's mail with every kind of block, by publication."""
        return self._once(("specimens", template), lambda: self.space.render_specimens(template))

    def photo(self, name: str) -> tuple[bytes, str]:
        """A picture that was shown, by its public name, and its media type."""
        if name in _SPECIMENS:
            return (TEMPLATES / "studio" / "specimen.svg").read_bytes(), "image/svg+xml"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        frozen = self.path.parent / "media" / Path(name).name
        if frozen.is_file():
            return frozen.read_bytes(), kind
        with self._lock:
            photo = self._photos.get(name)
        try:
            if photo:
                return photo_bytes(photo, self.path.parent), kind
        except InputError:
            pass
        raise NotFound(f"no picture {name}")

    def digest(self, slug: str) -> str:
        """The digest of an issue's file as it lies there."""
        return hashlib.sha256(self.space.issue_path(slug).read_bytes()).hexdigest()

    def movable(self, slug: str) -> dict[int, tuple[bool, bool]]:
        """Which parts can move up or down, by line."""
        return rearrange.movable(_text(self.space.issue_path(slug).read_bytes()))

    def words(self, slug: str) -> dict[int, Words]:
        """The words of every part as they're written, by line."""
        return self._once(("words", slug), lambda: editing.words(_text(self.space.issue_path(slug).read_bytes())))

    def fields(self, slug: str) -> dict[str, str]:
        """What can be changed of an issue's front matter, as it's written."""
        path = self.space.issue_path(slug)
        matter = front_matter(path, f"issues/{slug}/issue.md")
        return {key: str(getattr(matter, key)) for key in editing.FIELDS}

    def offers(self, slug: str) -> dict[str, str]:
        """What could be put into an issue, by slug: what waits in the inbox, then what is stored and isn't in it."""
        return self._once(("offers", slug), lambda: self._offered(self.issue(slug)))

    def _offered(self, issue: Issue) -> dict[str, str]:
        used = {entry.item.slug if isinstance(entry, Story) else entry.policy.slug for entry in issue.entries}
        with self.space.store.read() as session:
            waiting = {slug: f"{title} (inbox)" for slug, title in inbox.titles(session).items()}
            stored = collect.library(session).values()
        newest = sorted((one for one in stored if isinstance(one, Item)), key=lambda one: one.date, reverse=True)
        policies = [one for one in stored if isinstance(one, Policy)]
        every: list[Item | Policy] = [*newest, *policies]
        titles = {one.slug: one.title for one in every if one.slug not in used}
        return dict(list({**waiting, **titles}.items())[:_OFFERS])

    def keep(self, slug: str) -> None:
        """Take an item out of the inbox, if it's there; NotFound for what isn't stored, InputError for what lacks
        something.
        """
        with self.space.store.write() as session:
            if slug in inbox.titles(session):
                inbox.keep(session, slug, self.space.clock.now())
            elif slug not in collect.library(session):
                raise NotFound(f'nothing stored is called "{slug}"', hint=nearest(slug, collect.library(session)))

    def rewrite(self, slug: str, seen: str, change: Callable[[str], str]) -> None:
        """Change an issue's file, if it still is what the page showed; InputError otherwise."""
        with self._lock:
            path = self.space.issue_path(slug)
            before = path.read_bytes()
            if hashlib.sha256(before).hexdigest() != seen:
                raise InputError("the file has changed meanwhile; nothing was written", where=path.name)
            after = change(_text(before)).encode("utf-8")
            _write(path, after)
            self._undo.setdefault(slug, []).append(_Written(before, hashlib.sha256(after).hexdigest()))

    def can_undo(self, slug: str) -> bool:
        """Whether the file is still what the studio wrote last."""
        steps = self._undo.get(slug, [])
        return bool(steps) and steps[-1].after == self.digest(slug)

    def undo(self, slug: str) -> None:
        """Put back what stood in the file before the studio's last change; InputError when others changed it since."""
        with self._lock:
            if not self.can_undo(slug):
                raise InputError("there is nothing to take back", where="issue.md")
            _write(self.space.issue_path(slug), self._undo[slug].pop().before)


def _mark(path: Path) -> str:
    """What tells that a file has changed; nothing for one that isn't there or is empty, as logs at rest are."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{path} {stat.st_mtime_ns} {stat.st_size}" if stat.st_size else ""


def _files(config: Path) -> Iterator[Path]:
    """Every file, but the store, that what is shown depends on."""
    folder = config.parent
    yield config
    yield from _under(folder / "issues")
    for templates in (folder / "templates", TEMPLATES):
        for kind in ("email", "archive"):
            yield from _under(templates / kind)


def _under(folder: Path) -> Iterable[Path]:
    for top, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(top, name) for name in sorted(names) if not name.startswith(".") and not name.endswith("~"))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InputError("not UTF-8", where="issue.md", hint=f"byte {fault.start} is wrong") from None


def _write(path: Path, data: bytes) -> None:
    """Put a file in the place of another, whole or not at all, with its permissions."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    partial.chmod(path.stat().st_mode)
    partial.replace(path)
