"""Pictures: kept in the workspace's `media/` folder under the hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from newsletter.errors import InputError
from newsletter.model import Photo

FOLDER = "media"
_ENDINGS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}


def read_photo(path: Path, workspace: Path, *, alt: str = "", credit: str = "", named: str = "") -> Photo:
    """Measure a picture where it lies; InputError when it's none. `named` is how messages call it."""
    from PIL import Image, UnidentifiedImageError

    try:
        data = path.read_bytes()
        with Image.open(path) as image:
            kind, (width, height) = image.format or "", image.size
    except FileNotFoundError:
        raise InputError(f"no picture {named or path.name}", where=path) from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        raise InputError(f"{named or path.name} is not a readable picture", where=path) from None
    if kind not in _ENDINGS:
        raise InputError(f"{named or path.name} is a {kind} file", where=path, hint="use JPEG, PNG, GIF or WebP")
    resolved, root = path.resolve(), workspace.resolve()
    return Photo(
        name=f"{hashlib.sha256(data).hexdigest()[:20]}.{_ENDINGS[kind]}",
        file=resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(resolved),
        width=width,
        height=height,
        alt=alt,
        credit=credit,
    )


def keep_photo(path: Path, workspace: Path, *, alt: str = "", credit: str = "") -> Photo:
    """Copy a picture into `media/` under its public name; the same picture is kept once."""
    photo = read_photo(path, workspace, alt=alt, credit=credit)
    freeze_photos([photo], workspace)
    return replace(photo, file=f"{FOLDER}/{photo.name}")


def freeze_photos(photos: Iterable[Photo], workspace: Path) -> None:
    """Copy pictures into `media/` under their public names, so that what was approved keeps its pictures."""
    for photo in photos:
        target = workspace / FOLDER / photo.name
        if target.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".partial")
            partial.write_bytes((workspace / photo.file).read_bytes())
            partial.replace(target)
        except OSError as fault:
            raise InputError(f"can't keep the picture: {fault.strerror}", where=target) from None
