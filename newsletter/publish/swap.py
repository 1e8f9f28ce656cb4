"""A new site in the place of the old one: built beside it, exchanged with it whole.

A build that is killed leaves the old site as it was. What is built in, the spare folder, has the same files as the
site by hard links, so that a build costs what it changes; whatever state it's found in, the next build sets it right.
What is not ours (a CNAME, say, or a git checkout's own folder) is carried over.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.errors import InputError
from newsletter.publish.destinations.files import rank
from newsletter.publish.ids import PublicId

#: Lists our own files in a built site, and marks the folder as one that may be replaced.
MANIFEST = ".newsletter-archive"
#: The spare folder of a site that can't be exchanged whole, within it, and a file in it on its way out.
_SPARE, _NEXT = ".newsletter-spare", ".next"
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


@dataclass(slots=True)
class Report:
    """How many files were written, left as they were, or taken away; which issues wait for their day; and the ids to
    keep, by key.
    """

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    waiting: tuple[str, ...] = ()
    ids: dict[str, PublicId] = field(default_factory=dict)


@dataclass(slots=True)
class Building:
    """A site in the making, in the folder `new`, to stand at `target`, where our `before` files are now."""

    target: Path
    before: frozenset[str] = frozenset()
    folders: set[str] = field(default_factory=set)
    #: The spare folder, in which the new site is built.
    new: Path = field(init=False)
    #: Where the old site waits between two renames, where the system can't exchange folders.
    aside: Path = field(init=False)

    def __post_init__(self) -> None:
        self.new = self.target.with_name(f".{self.target.name}.spare")
        self.aside = self.target.with_name(f".{self.target.name}.old")
        if self.in_place:
            self.new = self.target / _SPARE

    @property
    def in_place(self) -> bool:
        """Whether the folder itself can't be exchanged: it's mounted, or its parent can't be written to."""
        return self.target.is_dir() and (os.path.ismount(self.target) or not os.access(self.target.parent, os.W_OK))

    def keep(self, name: str) -> None:
        """Have the old site's file in the new one."""
        self._link(self.target, self.new, name)

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
        self._clear(self.new, name)
        (self.new / name).write_bytes(data)
        return True

    def finish(self, names: Iterable[str], written: Iterable[str]) -> int:
        """Exchange the old site for the new one, whose files are `names`, of them `written` other ones than before;
        gives how many of the old are gone.
        """
        ours = set(names)
        strangers = {name for name in _walk(self.target) if name not in self.before and name != MANIFEST} - ours
        for name in strangers:
            self.keep(name)
        listed = "".join(f"{name}\n" for name in sorted(ours))
        (self.new / MANIFEST).unlink(missing_ok=True)
        (self.new / MANIFEST).write_text(listed, encoding="utf-8", newline="\n")
        _prune(self.new, ours | strangers | {MANIFEST})
        if self.in_place:
            self._move_in(ours, listed)
        elif not self.target.exists():
            self.new.rename(self.target)
        elif not _exchange(self.new, self.target):
            self.target.rename(self.aside)
            self.new.rename(self.target)
            self.aside.rename(self.new)
        self._spare({*written, MANIFEST})
        if gone := self.before - ours:
            _prune(self.new, ours | strangers | {MANIFEST})
        return len(gone)

    def _move_in(self, ours: set[str], listed: str) -> None:
        """Put the new site's files in the place of the old ones, each whole, in an order in which nothing leads to what
        isn't there; then take away the old ones. What is killed in between is finished by the next build.
        """
        both = "".join(f"{name}\n" for name in sorted(ours | self.before))
        self._replace(MANIFEST, both)
        self.folders.clear()
        for name in sorted(ours, key=lambda name: (rank(name, new=name not in self.before), name)):
            if not _same(self.new / name, self.target / name):
                self._clear(self.target, name)
                (self.new / _NEXT).unlink(missing_ok=True)
                _carry(str(self.new / name), str(self.new / _NEXT))
                (self.new / _NEXT).replace(self.target / name)
        for name in self.before - ours:
            (self.target / name).unlink(missing_ok=True)
            for folder in list((self.target / name).parents)[: name.count("/")]:
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
        self._replace(MANIFEST, listed)

    def _replace(self, name: str, text: str) -> None:
        (self.new / _NEXT).write_text(text, encoding="utf-8", newline="\n")
        (self.new / _NEXT).replace(self.target / name)

    def _spare(self, names: Iterable[str]) -> None:
        """Have files of the site in the spare folder, too: there the next build begins."""
        self.new.mkdir(exist_ok=True)
        self.folders.clear()
        for name in names:
            self._link(self.target, self.new, name)

    def _clear(self, folder: Path, name: str) -> None:
        """Make room for a file."""
        parent = name.rpartition("/")[0]
        if parent not in self.folders:
            try:
                (folder / parent).mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):  # a file, where a folder is to be
                for above in (folder / parent, *(folder / parent).parents):
                    if above.is_file() or above.is_symlink():
                        above.unlink()
                (folder / parent).mkdir(parents=True, exist_ok=True)
            self.folders.add(parent)
        try:
            os.unlink(f"{folder}/{name}")  # noqa: PTH108 (thousands of them)
        except FileNotFoundError:
            pass
        except OSError:  # a folder, where a file is to be
            shutil.rmtree(folder / name)

    def _link(self, source: Path, goal: Path, name: str) -> None:
        """Have the same file, link or empty folder in `goal` as in `source`."""
        existing, path = os.path.join(source, name), os.path.join(goal, name)  # noqa: PTH118 (thousands of them)
        here = os.lstat(existing)
        try:
            there = os.lstat(path)
            if (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev):
                return
        except OSError:
            pass
        self._clear(goal, name)
        _carry(existing, path)


def followed(target: Path) -> Path:
    """The folder itself, where there's a link to it: what it leads to is what is served."""
    try:
        return target.resolve()
    except (OSError, RuntimeError):
        raise InputError("is a link that leads to itself", where=target, hint="give another folder: --to") from None


def begin(target: Path) -> Building:
    """Begin a new site for `target`; InputError when its folder is somebody else's."""
    building = Building(target)
    if not target.exists() and building.aside.exists():
        building.aside.rename(target)  # the last build was killed between its two renames
    shutil.rmtree(building.aside, ignore_errors=True)
    building.before = frozenset(_manifest(target))
    if building.new.is_symlink() or building.new.is_file():
        building.new.unlink()
    building.new.mkdir(parents=True, exist_ok=True)
    return building


def swap_in(files: Iterable[tuple[str, bytes]], target: Path) -> Report:
    """Put a site of (path, bytes) in the place of `target`; InputError when that can't be done safely."""
    building, report, names, written = begin(target), Report(), set(), set()
    for name, data in files:
        names.add(name)
        if building.put(name, data):
            written.add(name)
    report.written, report.unchanged = len(written), len(names - written)
    report.removed = building.finish(names, written)
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
    if any(path.name not in (_SPARE, "lost+found") for path in target.iterdir()):
        raise InputError("this folder is not an archive of ours", where=target, hint="give an empty or new one: --to")
    return set()


def _walk(top: Path) -> Iterator[str]:
    """The paths of all files, links and empty folders in a folder."""
    waiting = [""] if top.exists() else []
    within = top.name == _SPARE
    while waiting:
        folder = waiting.pop()
        empty = True
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                empty = False
                if not within and not folder and entry.name in (_SPARE, "lost+found"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{folder}{entry.name}/")
                else:
                    yield f"{folder}{entry.name}"
        if empty and folder:
            yield folder.rstrip("/")


def _prune(top: Path, wanted: Container[str]) -> None:
    """Take away what isn't wanted, and the folders that are empty then."""
    for name in list(_walk(top)):
        if name in wanted:
            continue
        path = top / name
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        folder = path.parent
        while folder != top and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, by links."""
    try:
        return one.samefile(other)
    except OSError:
        return False


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
