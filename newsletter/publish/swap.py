"""A new site in the place of the old one: built beside it, swapped in whole.

A build that is killed leaves the old site as it was; what it left behind is cleared by the next one. What
is not ours (a CNAME, say, or a git checkout's own folder) is carried over.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import InputError

#: Lists our own files in a built site, and marks the folder as one that may be replaced.
MANIFEST = ".newsletter-archive"


@dataclass(slots=True)
class Report:
    """How many files were written, left as they were, or taken away."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0


def swap_in(files: Iterable[tuple[str, bytes]], target: Path) -> Report:
    """Put a site of (path, bytes) in the place of `target`; InputError when that can't be done safely."""
    building, old = target.with_name(f".{target.name}.building"), target.with_name(f".{target.name}.old")
    try:
        if not target.exists() and old.exists():
            old.rename(target)  # the last build was killed between its two renames
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        before = _manifest(target)
        building.mkdir(parents=True)
        report = _build(dict(files), building, target, before)
        if target.exists():
            target.rename(old)
        building.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as fault:
        raise InputError(f"the archive can't be written: {fault.strerror}", where=target) from None
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


def _build(files: dict[str, bytes], building: Path, target: Path, before: set[str]) -> Report:
    report = Report(removed=len(before - files.keys()))
    for name, data in files.items():
        path, existing = building / name, target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in before and existing.is_file() and existing.read_bytes() == data:
            _carry(existing, path)
            report.unchanged += 1
        else:
            path.write_bytes(data)
            report.written += 1
    for existing in _strangers(target, before):
        path = building / existing.relative_to(target)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _carry(existing, path)
    (building / MANIFEST).write_text("".join(f"{name}\n" for name in sorted(files)), encoding="utf-8", newline="\n")
    return report


def _strangers(target: Path, before: set[str]) -> Iterator[Path]:
    """What others put into the old site: files, links, and empty folders (a git checkout counts on its own)."""
    for path in target.rglob("*") if target.exists() else ():
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                yield path
        elif path.relative_to(target).as_posix() not in {*before, MANIFEST}:
            yield path


def _carry(existing: Path, path: Path) -> None:
    """The same in the new site: a file is linked where the system can, else copied with its times."""
    if existing.is_symlink():
        path.symlink_to(existing.readlink())
    elif existing.is_dir():
        path.mkdir()
    else:
        try:
            os.link(existing, path)
        except OSError:
            shutil.copy2(existing, path)
