"""The keys that sign readers' links, one a line: the first signs, and all of them verify.

The last one, the oldest, is also the key of the hashes by which suppressed addresses are known, and has to stay.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from newsletter import private
from newsletter.errors import ConfigError

VARIABLE = "NEWSLETTER_SECRET"
#: In bytes; as long as the hash that the keys are used with (RFC 2104, section 3).
SHORTEST = 32
_LOST = "restore it from your backup; if nothing was sent or suppressed yet, delete it, and a new one is made"
#: For so many seconds the file isn't looked at again.
_FRESH = 1.0


class Keyring:
    """The keys of a workspace, from $NEWSLETTER_SECRET or the secret file; a change of the file is seen while a program
    runs, unless it's for what couldn't be used. As long as nothing changes it gives the same tuple.
    """

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path, self._environment = path, environment
        self._keys: tuple[bytes, ...] = ()
        self._stamp: tuple[int, int, int] | None = None
        self._looked = 0.0

    def __call__(self) -> tuple[bytes, ...]:
        """The keys, the current one first; ConfigError where there's none, or one that is too short."""
        if self._keys and time.monotonic() - self._looked < _FRESH:
            return self._keys
        self._looked = time.monotonic()
        if given := self._environment.get(VARIABLE):
            self._keys = self._keys or parse(given, f"${VARIABLE}")
        elif not self._keys or self._file_stamp() != self._stamp:
            stamp = self._file_stamp()
            try:
                self._keys = read(self.path) if stamp or not self._keys else self._keys
            except ConfigError:
                if not self._keys:
                    raise
            self._stamp = stamp or self._file_stamp()
        return self._keys

    @property
    def is_missing(self) -> bool:
        """Whether there is no key yet; calling the keyring makes one."""
        return not (self._keys or self._environment.get(VARIABLE) or self.path.exists())

    @property
    def where(self) -> str:
        """Where the keys come from, for messages."""
        return f"${VARIABLE}" if self._environment.get(VARIABLE) else str(self.path)

    def _file_stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read(path: Path) -> tuple[bytes, ...]:
    """The keys of a secret file, which is made at first use."""
    if path.is_dir():
        raise ConfigError("the secret file is a folder", where=path, hint='name a file as "secret_file" in config.toml')
    try:
        if not path.exists():
            private.create(path, _line())
        private.tighten(path)
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise ConfigError("not a file of keys: it holds more than plain letters", where=path, hint=_LOST) from None
    except OSError as fault:
        raise ConfigError(f"can't read the secret file: {fault.strerror}", where=path) from None
    return parse(text, path)


def parse(text: str, where: str | Path) -> tuple[bytes, ...]:
    """Keys with line ends or blanks between."""
    keys = tuple(word.encode() for word in text.split())
    if not keys:
        raise ConfigError("it holds no key", where=where, hint=_LOST)
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST:
            what = f"key {number} has {len(key)} bytes, and {SHORTEST} are needed"
            raise ConfigError(what, where=where, hint=_LOST if isinstance(where, Path) else "set a longer one")
    return keys


def rotate(path: Path, environment: Mapping[str, str]) -> int:
    """Put a new key before those there are; how many there are now. ConfigError where they aren't in the file."""
    if environment.get(VARIABLE):
        hint = "put the new one before the old one there, with a blank between"
        raise ConfigError("the keys come from the environment", where=f"${VARIABLE}", hint=hint)
    keys = read(path)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
            keys = read(path)
            private.write(path, _line() + b"\n".join(keys) + b"\n")
    except OSError as fault:
        raise ConfigError(f"can't write the secret file: {fault.strerror}", where=path) from None
    return len(keys) + 1


def _line() -> bytes:
    return secrets.token_urlsafe(32).encode() + b"\n"
