"""A new site in the place of the old one: built beside it, exchanged with it whole.

A build that is killed leaves the old site as it was; what it left behind is cleared by the next one. What is not ours
(a CNAME, say, or a git checkout's own folder) is carried over.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.errors import InputError

#: Lists our own files in a built site, and marks the folder as one that may be replaced.
MANIFEST = ".newsletter-archive"
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


@dataclass(slots=True)
class Report:
    """How many files were written, left as they were, or taken away."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Building:
    """A site in the making, in the folder `new`; `old` is the one that stands, with our `before` files in it."""

    target: Path
    before: frozenset[str]
    folders: set[str] = field(default_factory=set, compare=False)

    @property
    def new(self) -> Path:
        """The folder that the new site is built in."""
        return self.target.with_name(f".{self.target.name}.building")

    @property
    def aside(self) -> Path:
        """Where the old site waits between two renames, where the system can't exchange folders."""
        return self.target.with_name(f".{self.target.name}.old")

    def keep(self, name: str) -> None:
        """Have the old site's file in the new one."""
        self._folder(name)
        _carry(os.path.join(self.target, name), os.path.join(self.new, name))  # noqa: PTH118 (thousands of them)

    def put(self, name: str, data: bytes) -> bool:
        """Have a file in the new site; False when the old one has it with the same bytes, and it's kept."""
        if name in self.before:
            try:
                same = (self.target / name).read_bytes() == data
            except OSError:
                same = False
            if same:
                self.keep(name)
                return False
        self._folder(name)
        (self.new / name).write_bytes(data)
        return True

    def finish(self, names: Iterable[str]) -> int:
        """Exchange the old site for the new one, whose files are `names`; gives how many of the old are gone."""
        ours = set(names)
        for name in _strangers(self.target, self.before):
            if not os.path.lexists(self.new / name):
                self._folder(name)
                _carry(str(self.target / name), str(self.new / name))
        listed = "".join(f"{name}\n" for name in sorted(ours))
        (self.new / MANIFEST).write_text(listed, encoding="utf-8", newline="\n")
        if not self.target.exists():
            self.new.rename(self.target)
        elif not _exchange(self.new, self.target):
            self.target.rename(self.aside)
            self.new.rename(self.target)
        shutil.rmtree(self.new, ignore_errors=True)
        shutil.rmtree(self.aside, ignore_errors=True)
        return len(self.before - ours)

    def _folder(self, name: str) -> None:
        folder = name.rpartition("/")[0]
        if folder not in self.folders:
            (self.new / folder).mkdir(parents=True, exist_ok=True)
            self.folders.add(folder)


def begin(target: Path) -> Building:
    """Begin a new site for `target`; InputError when its folder is somebody else's."""
    building = Building(target, frozenset())
    if not target.exists() and building.aside.exists():
        building.aside.rename(target)  # the last build was killed between its two renames
    shutil.rmtree(building.new, ignore_errors=True)
    shutil.rmtree(building.aside, ignore_errors=True)
    building = Building(target, frozenset(_manifest(target)))
    building.new.mkdir(parents=True)
    return building


def swap_in(files: Iterable[tuple[str, bytes]], target: Path) -> Report:
    """Put a site of (path, bytes) in the place of `target`; InputError when that can't be done safely."""
    building, report, names = begin(target), Report(), set()
    for name, data in files:
        names.add(name)
        if building.put(name, data):
            report.written += 1
        else:
            report.unchanged += 1
    report.removed = building.finish(names)
    return report


def _manifest(target: Path) -> set[str]:
    """The files that the last build wrote; a folder with other people's files is never taken over."""
    if not target.exists():
        return set()
    if not target.is_dir():
        raise InputError("there is a file where the archive should be", where=target, hint="give another folder: --to")
    listed = target / MANIFEST
    if listed.exists():
        return set(listed.read_text(encoding="utf-8").splitlines())
    if any(target.iterdir()):
        raise InputError("this folder is not an archive of ours", where=target, hint="give an empty or new one: --to")
    return set()


def _strangers(target: Path, before: frozenset[str]) -> Iterator[str]:
    """What others put into the old site: files, links, and empty folders (a git checkout counts on its own)."""
    waiting = [""] if target.exists() else []
    while waiting:
        folder = waiting.pop()
        empty = True
        with os.scandir(target / folder) as entries:
            for entry in entries:
                empty = False
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif name not in before and name != MANIFEST:
                    yield name
        if empty and folder:
            yield folder.rstrip("/")


def _carry(existing: str, path: str) -> None:
    """The same in the new site: a file is linked where the system can, else copied with its times."""
    try:
        os.link(existing, path, follow_symlinks=False)
    except OSError:
        if Path(existing).is_symlink():
            Path(path).symlink_to(Path(existing).readlink())
        elif Path(existing).is_dir():
            Path(path).mkdir()
        else:
            shutil.copy2(existing, path)


def _exchange(new: Path, target: Path) -> bool:
    """Exchange two folders in one step: renameat2(2) on Linux, renamex_np(2) on macOS; False where there's neither."""
    a, b = os.fsencode(new), os.fsencode(target)
    try:
        system = ctypes.CDLL(None)
        if hasattr(system, "renameat2"):
            return bool(system.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE) == 0)
        return hasattr(system, "renamex_np") and bool(system.renamex_np(a, b, _RENAME_SWAP) == 0)
    except (OSError, TypeError):  # Windows has no such library
        return False
