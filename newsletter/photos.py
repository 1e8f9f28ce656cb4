"""Pictures, by the one way in that there is for all of them.

What a file is, its bytes say, not its name; what it holds is counted before it's decoded. What comes out is upright, in
sRGB, no wider than mail can use, JPEG or PNG (GIF where it moves), and nothing but the picture: it's encoded anew
unless it holds nothing else already. It's kept in the workspace's `media/` folder under the hash of its content.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.errors import InputError, nearest
from newsletter.model import Photo

if TYPE_CHECKING:
    from PIL import Image

FOLDER = "media"
#: Pixels: twice the 600 that a message is wide, for fine screens.
MAX_WIDTH = 1200
#: What is opened at all, by the names that Pillow gives; AVIF only where its Pillow reads it.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
#: The endings of files that may be pictures.
ENDINGS = frozenset({"jpg", "jpeg", "png", "gif", "webp", "avif"})
_MAX_BYTES = 60_000_000
#: Pixels: a JPEG is decoded at a fraction of its size, anything else whole, at four bytes each.
_MAX_PIXELS = {"JPEG": 85_000_000, "MPO": 85_000_000}
_MAX_OTHER_PIXELS = 40_000_000
#: Of what moves: frames, and pixels of all frames together.
_MAX_FRAMES, _MAX_MOVING_PIXELS = 400, 200_000_000
_QUALITY = 85
_SUFFIX = {"JPEG": "jpg", "PNG": "png", "GIF": "gif"}


@dataclass(frozen=True, slots=True)
class Fit:
    """A picture as it may leave the house."""

    data: bytes
    format: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """Its public name: the hash of its content."""
        return f"{hashlib.sha256(self.data).hexdigest()[:20]}.{_SUFFIX[self.format]}"


@contextmanager
def opened(data: bytes, named: str) -> Iterator[Image.Image]:
    """A picture with its header read and judged, but not one pixel decoded; InputError for what is no picture, of a
    kind that isn't opened, or larger than anybody needs.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # counted below
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"{named} has too many pixels", hint=f"make it {MAX_WIDTH} pixels wide") from None
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        raise InputError(f"{named} is not a readable picture", hint="use JPEG, PNG, GIF or WebP") from None
    with image:
        kind, pixels = image.format or "", image.width * image.height
        most = _MAX_PIXELS.get(kind, _MAX_OTHER_PIXELS)
        if pixels > most:
            hint = f"{most // 1_000_000} million are the most; make it {MAX_WIDTH} pixels wide"
            raise InputError(f"{named} has {pixels:,} pixels", hint=hint)
        try:
            yield image
        except (OSError, Image.DecompressionBombError, SyntaxError, ValueError, EOFError, MemoryError):
            raise InputError(f"{named} is not a readable picture", hint="use JPEG, PNG, GIF or WebP") from None


@lru_cache(maxsize=64)
def fit(data: bytes, named: str) -> Fit:
    """The picture made fit for mail; InputError, which calls it `named`, when that can't be."""
    with opened(data, named) as image:
        if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
            return _moving(image, named)
        kind = "PNG" if image.format in ("PNG", "GIF") else "JPEG"
        if image.format == kind and image.width <= MAX_WIDTH and _holds_nothing_else(data, kind):
            image.load()
            return Fit(data, kind, image.width, image.height)
        image.draft("RGB", (MAX_WIDTH, 1))
        pixels = _narrowed(_in_srgb(_upright(image)))
        if pixels.mode in ("RGBA", "LA", "PA") and pixels.getchannel("A").getextrema() == (255, 255):
            pixels = pixels.convert("RGB")
        kind = "PNG" if kind == "PNG" or pixels.mode == "RGBA" else "JPEG"
        out = io.BytesIO()
        pixels.info = {}  # what isn't in `info` isn't written
        pixels.save(out, kind, optimize=True, **({"quality": _QUALITY} if kind == "JPEG" else {}))
    return Fit(out.getvalue(), kind, pixels.width, pixels.height)


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except (KeyError, TypeError, AttributeError, ZeroDivisionError):  # metadata that makes no sense turns nothing
        image.load()
        return image.copy()


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture as RGB or RGBA in the colours of sRGB, by its own profile where it has one."""
    from PIL import ImageCms

    clear = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "RGBA" if image.mode == "RGBA" else "RGB"
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
            image = converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that can't be read says nothing
    wanted = "RGBA" if clear else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _narrowed(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.width <= MAX_WIDTH:
        return image
    height = max(1, round(image.height * MAX_WIDTH / image.width))
    return image.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _moving(image: Image.Image, named: str) -> Fit:
    """A picture that moves, as a GIF of the same frames, which mail programs show or show the first frame of."""
    count = int(getattr(image, "n_frames", 1))
    if count > _MAX_FRAMES or count * image.width * image.height > _MAX_MOVING_PIXELS:
        raise InputError(
            f"{named} has {count} frames of {image.width} × {image.height}", hint="make it shorter or smaller"
        )
    frames, durations = [], []
    for number in range(count):
        image.seek(number)
        image.load()
        frames.append(_narrowed(image.convert("RGBA")))
        durations.append(int(image.info.get("duration", 0) or 100))
    for frame in frames:
        frame.info = {}
    out = io.BytesIO()
    loop = image.info.get("loop")
    options = {} if loop is None else {"loop": int(loop)}
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=durations, disposal=2, comment=b"", **options
    )
    return Fit(out.getvalue(), "GIF", frames[0].width, frames[0].height)


def _holds_nothing_else(data: bytes, kind: str) -> bool:
    """Whether a JPEG or PNG holds what shows the picture and nothing else: no metadata, nothing after its end."""
    return _bare_jpeg(data) if kind == "JPEG" else _bare_png(data)


def _bare_png(data: bytes) -> bool:
    at = 8
    while at + 8 <= len(data):
        length, chunk = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if chunk not in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            return False
        at += 12 + length
        if chunk == b"IEND":
            return at == len(data)
    return False


def _bare_jpeg(data: bytes) -> bool:
    """By its markers (ITU T.81, B.1.1.3): tables, frame and scans, and a JFIF header without a thumbnail."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xD9:
            return at + 2 == len(data)
        is_table = marker in (0xDB, 0xC4, 0xDD, 0xDA) or (0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC))
        is_plain_jfif = marker == 0xE0 and length == 16 and data[at + 4 : at + 9] == b"JFIF\0"
        if not (is_table or is_plain_jfif):
            return False
        at += 2 + length
        if marker == 0xDA:  # then the scan's own bytes, up to the next marker
            while at + 1 < len(data) and (data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7):
                following = data.find(b"\xff", at + 1)
                at = following if following >= 0 else len(data)
    return at + 2 == len(data) and data[at : at + 2] == b"\xff\xd9"


def find_photo(name: str, *folders: Path) -> Path:
    """The file of that name in the first folder that has it, percent-encoded or not, however its accents are composed;
    InputError with the nearest name where there's none.
    """
    try:
        for folder in folders if name else ():
            for written in dict.fromkeys((name, unquote(name))):
                for path in (folder / unicodedata.normalize(form, written) for form in ("NFC", "NFD")):
                    if path.is_file():
                        return path
        there = [p.name for f in folders for p in f.glob("*.*") if p.suffix.lower().lstrip(".") in ENDINGS]
    except (OSError, ValueError):
        raise InputError(f"{name[:40]}… is no file's name") from None
    shown = unquote(name)[:80]
    raise InputError(f"no picture {shown}", hint=nearest(shown, there) or "put the file beside issue.md")


def read_photo(path: Path, workspace: Path, *, alt: str = "", credit: str = "", named: str = "") -> Photo:
    """A picture where it lies, as it will be shown; InputError when it's none. `named` is how messages call it."""
    data = _bytes_of(path, named or path.name)
    made = _located(data, path, named or path.name)
    resolved, root = path.resolve(), workspace.resolve()
    return Photo(
        name=made.name,
        file=resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(resolved),
        width=made.width,
        height=made.height,
        alt=" ".join(alt.split()),
        credit=" ".join(credit.split()),
    )


def _located(data: bytes, path: Path, named: str) -> Fit:
    try:
        return fit(data, named)
    except InputError as fault:
        raise InputError(fault.what, where=path, hint=fault.hint) from None


def _bytes_of(path: Path, named: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{named} has over {_MAX_BYTES // 1_000_000} MB", where=path, hint="make it smaller")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no picture {named}", where=path) from None
    except (OSError, ValueError):
        raise InputError(f"{named} is not a readable picture", where=path) from None


def keep_photo(path: Path, workspace: Path, *, alt: str = "", credit: str = "") -> Photo:
    """Put a picture into `media/` under its public name, fit for mail; the same picture is kept once."""
    data = _bytes_of(path, path.name)
    _located(data, path, path.name)
    return keep_photo_data(data, workspace, alt=alt, credit=credit, named=path.name)


def keep_photo_data(data: bytes, workspace: Path, *, alt: str = "", credit: str = "", named: str) -> Photo:
    """Put the bytes of a picture into `media/`, fit for mail; InputError when they're none."""
    made = fit(data, named)
    _put(workspace / FOLDER / made.name, made.data)
    return Photo(
        name=made.name,
        file=f"{FOLDER}/{made.name}",
        width=made.width,
        height=made.height,
        alt=alt,
        credit=credit,
    )


def photo_bytes(photo: Photo, workspace: Path) -> bytes:
    """What is shown of a picture: as it was kept, else its file made fit; InputError where there's neither."""
    kept = workspace / FOLDER / photo.name
    if kept.is_file():
        return kept.read_bytes()
    return _located(_bytes_of(workspace / photo.file, photo.file), workspace / photo.file, photo.file).data


def freeze_photos(photos: Iterable[Photo], workspace: Path) -> None:
    """Keep pictures in `media/` under their public names, so that what was approved keeps its pictures."""
    for photo in photos:
        target = workspace / FOLDER / photo.name
        if target.exists():
            continue
        try:
            _put(target, photo_bytes(photo, workspace))
        except OSError as fault:
            raise InputError(f"can't keep the picture: {fault.strerror}", where=target) from None


def _put(target: Path, data: bytes) -> None:
    """Put a file where there's none yet, whole or not at all."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".partial") as file:
        file.write(data)
        file.flush()
        try:
            os.link(file.name, target)
        except FileExistsError:
            return
        target.chmod(0o644)
