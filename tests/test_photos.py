"""Pictures as they are kept: fit for mail, and silent about where they were taken."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from newsletter.errors import InputError
from newsletter.photos import MAX_WIDTH, fit_for_mail, keep_photo, keep_photo_data

GPS, ORIENTATION, MAKER = 0x8825, 0x0112, 0x010F


def picture(size: tuple[int, int] = (400, 300), kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "#335577" if mode == "RGB" else 0).save(out, kind, **options)
    return out.getvalue()


def telling(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[MAKER] = "Secret Camera"
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS)[2] = (29.0, 39.0, 6.0)
    return exif


def test_where_and_with_what_it_was_taken_is_not_kept() -> None:
    data = picture(exif=telling(), comment=b"taken at home")
    assert b"Secret Camera" in data
    kept = fit_for_mail(data)
    assert b"Secret Camera" not in kept
    assert b"taken at home" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()


def test_the_texts_of_a_png_are_not_kept() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Somebody Private")
    data = picture(kind="PNG", pnginfo=notes)
    assert b"Somebody Private" in data
    assert b"Somebody Private" not in fit_for_mail(data)


def test_a_picture_taken_sideways_stands_upright() -> None:
    with Image.open(io.BytesIO(fit_for_mail(picture((400, 300), exif=telling(orientation=6))))) as image:
        assert image.size == (300, 400)


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("PNG", "L")]
)
def test_a_large_picture_is_made_as_wide_as_mail_can_use(kind: str, mode: str) -> None:
    with Image.open(io.BytesIO(fit_for_mail(picture((3000, 1500), kind, mode)))) as image:
        assert image.size == (MAX_WIDTH, 600)
        assert image.format == kind


def test_a_picture_that_is_fit_keeps_its_bytes() -> None:
    data = picture()
    assert fit_for_mail(data) == data


def test_a_moving_picture_is_left_alone() -> None:
    frames = [Image.new("RGB", (2000, 10), color) for color in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert fit_for_mail(out.getvalue()) == out.getvalue()


def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    first = keep_photo(tmp_path / "a.jpg", tmp_path, alt="A wall")
    second = keep_photo_data(picture(), tmp_path, alt="A wall", named="a download")
    assert first == second
    assert [path.name for path in (tmp_path / "media").iterdir()] == [first.name]


@pytest.mark.parametrize("data", [b"", b"<svg/>", picture()[:200], b"GIF89a"])
def test_what_is_no_picture_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the photo is not a readable picture"):
        keep_photo_data(data, tmp_path, named="the photo")
    assert not list(tmp_path.glob("media/*"))
