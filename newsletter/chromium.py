"""Chromium, where there is one: pages as PDF and as pictures. Nothing is loaded from the network."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
#: No look-ups of any name: what isn't in the page isn't shown.
_ALONE = ("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--disable-component-update")
_SECONDS = 90
#: Pixels: the tallest page that is pictured whole.
_TALLEST = 16_000


def find() -> str:
    """The program's path; InputError when there's none."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise InputError(
        "this needs Chromium, which isn't installed", hint="install chromium, or leave the pictures and PDF"
    )


def print_pdf(html: str, target: Path) -> None:
    """Print a page to a PDF file."""
    target.write_bytes(_made(html, "page.pdf", "--print-to-pdf={}", "--no-pdf-header-footer"))


def picture(html: str, *, width: int) -> bytes:
    """A page as a PNG picture of some pixels' width and its full height."""
    from PIL import Image, ImageChops

    shot = _made(html, "page.png", "--screenshot={}", f"--window-size={width},{_TALLEST}", "--hide-scrollbars")
    with Image.open(io.BytesIO(shot)) as opened:
        image = opened.convert("RGB")
    ground = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    bottom = min(image.height, (box[3] if box else 1) + 16)
    return png(image.crop((0, 0, width, bottom)))


def png(image: Image.Image) -> bytes:
    """A picture's bytes as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _made(html: str, name: str, *options: str) -> bytes:
    """The bytes of the file that Chromium makes of a page; `{}` in an option is where it puts it."""
    # Without a user of its own, as in a container, Chromium can't build its sandbox. The page has no script.
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        page = folder / "page.html"
        page.write_text(html, encoding="utf-8")
        command = [find(), "--headless", "--disable-gpu", *_ALONE, *alone, f"--user-data-dir={folder / 'profile'}"]
        command += [option.format(folder / name) for option in options]
        try:
            subprocess.run([*command, page.as_uri()], capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
            return (folder / name).read_bytes()
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise InputError(f"Chromium made nothing of the page: {type(fault).__name__}") from None
