"""Files that only their owner may read: keys, people, wishes to leave.

They appear under their name when they are whole and on the disk, so that no crash and no full disk leaves half of one.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write a file, in the place of one that is there; OSError where that isn't possible, with nothing changed."""
    partial = _written(path, data)
    try:
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def create(path: Path, data: bytes) -> bool:
    """Write a file where there's none; False where another process was first, whose file stays as it is."""
    partial = _written(path, data)
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _settle(path.parent)
    return True


def touch(path: Path) -> None:
    """Make an empty file where there's none, for a program that fills it; OSError where that isn't possible."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def tighten(path: Path) -> None:
    """Take from everybody but the owner's group what they may do with a file; nothing where it isn't ours to change."""
    with suppress(OSError):
        mode = path.stat().st_mode & 0o777
        if mode & 0o007:
            path.chmod(mode & 0o770)


def _written(path: Path, data: bytes) -> Path:
    """The data in a new file beside `path`, on the disk."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _settle(folder: Path) -> None:
    """Bring a folder's new names to the disk, where the system can (POSIX can, Windows needs no such thing)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
