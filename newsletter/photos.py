"""Pictures: kept in the workspace's `media/` folder under the hash of their content.

What is kept says nothing of where and with what it was taken, and is no larger than mail can use.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from newsletter.errors import InputError
from newsletter.model import Photo

FOLDER = "media"
#: Pixels: twice the 600 that a message is wide, for fine screens.
MAX_WIDTH = 1200
_QUALITY = 85
#: What a file tells besides its pixels, by the names that Pillow gives; XMP and comments hold places and names.
_TELLING = {"exif", "xmp", "comment", "xml:com.adobe.xmp", "photoshop", "author", "description", "location"}
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
    """Put a picture into `media/` under its public name, fit for mail; the same picture is kept once."""
    read_photo(path, workspace)
    return keep_photo_data(path.read_bytes(), workspace, alt=alt, credit=credit, named=path.name)


def keep_photo_data(data: bytes, workspace: Path, *, alt: str = "", credit: str = "", named: str) -> Photo:
    """Put the bytes of a picture into `media/`, fit for mail; InputError when they're none."""
    from PIL import Image, UnidentifiedImageError

    try:
        fit = fit_for_mail(data)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError):
        raise InputError(f"{named} is not a readable picture") from None
    folder = workspace / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial") as file:
        file.write(fit)
        file.flush()
        photo = read_photo(Path(file.name), workspace, alt=alt, credit=credit, named=named)
        target = folder / photo.name
        if not target.exists():
            os.link(file.name, target)
            target.chmod(0o644)
    return replace(photo, file=f"{FOLDER}/{photo.name}")


def fit_for_mail(data: bytes) -> bytes:
    """The picture, at most MAX_WIDTH pixels wide, upright, and without metadata but its colour profile.

    Bytes that are fit already come back as they are; moving pictures are left alone.
    """
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if getattr(image, "n_frames", 1) > 1:
            return data
        told = bool(image.getexif()) or _TELLING & set(map(str.lower, map(str, image.info)))
        if image.width <= MAX_WIDTH and not told:
            return data
        kind, profile = image.format, image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
    if upright.width > MAX_WIDTH:
        height = max(1, round(upright.height * MAX_WIDTH / upright.width))
        if upright.mode == "P":
            upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
        upright = upright.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)
    # What isn't in `info` isn't written.
    upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
    out = io.BytesIO()
    options = {"quality": _QUALITY, "optimize": True} if kind in ("JPEG", "WEBP") else {"optimize": True}
    upright.save(out, kind, **options, **({"icc_profile": profile} if profile else {}))
    return out.getvalue()


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
