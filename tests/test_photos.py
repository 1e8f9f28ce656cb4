"""Pictures as they leave the house: upright, in sRGB, no wider than mail can use, and nothing but the picture."""

from __future__ import annotations

import io
import struct
import unicodedata
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from newsletter.errors import InputError
from newsletter.photos import MAX_WIDTH, find_photo, fit, freeze_photos, keep_photo, keep_photo_data, read_photo

GPS, ORIENTATION, MAKER = 0x8825, 0x0112, 0x010F
SECRET = b"Secret Camera"


def picture(size: tuple[int, int] = (400, 300), kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "#335577" if mode == "RGB" else 0).save(out, kind, **options)
    return out.getvalue()


def moving(kind: str, **options: object) -> bytes:
    frames = [Image.new("RGB", (300, 20), color) for color in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=[100, 200, 300], **options)
    return out.getvalue()


def telling(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[MAKER] = SECRET.decode()
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS)[2] = (29.0, 39.0, 6.0)
    return exif


def png_texts() -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", SECRET.decode())
    notes.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>")
    return notes


def png_of(width: int, height: int) -> bytes:
    """The header of a PNG that claims to be as large, with hardly any data."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        picture(exif=telling(), comment=SECRET),
        picture() + SECRET,
        picture(kind="PNG", pnginfo=png_texts()),
        picture(kind="PNG", exif=telling()),
        picture(kind="PNG") + SECRET,
        picture(kind="WEBP", exif=telling()),
        picture(kind="WEBP", xmp=SECRET),
        picture(kind="JPEG", xmp=SECRET),
        picture(kind="GIF", comment=SECRET),
        moving("GIF", comment=SECRET),
        moving("GIF") + SECRET,
        moving("WEBP", exif=telling()),
        moving("PNG", pnginfo=png_texts()),
        # JPEG's APP13 (Photoshop), a second APP1 (extended XMP), and a segment that nobody knows.
        picture()[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(SECRET)) + SECRET + picture()[2:],
        picture()[:2] + b"\xff\xeb" + struct.pack(">H", 2 + len(SECRET)) + SECRET + picture()[2:],
    ],
)
def test_nothing_leaves_but_the_picture(data: bytes) -> None:
    assert SECRET in data
    kept = fit(data, "it").data
    assert SECRET not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()
        assert not {"xmp", "comment", "icc_profile"} & set(image.info)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (picture(), "JPEG"),
        (picture(kind="PNG"), "PNG"),
        (picture(kind="PNG", mode="RGBA"), "PNG"),
        (picture(kind="PNG", mode="I;16"), "PNG"),
        (picture(kind="WEBP"), "JPEG"),
        (picture(kind="WEBP", mode="RGBA"), "PNG"),
        (picture(kind="AVIF"), "JPEG"),
        (picture(kind="GIF", mode="P"), "PNG"),
        (picture(kind="JPEG", mode="CMYK"), "JPEG"),
        (picture(kind="MPO"), "JPEG"),
        (moving("GIF"), "GIF"),
        (moving("WEBP"), "GIF"),
        (moving("PNG"), "GIF"),
    ],
)
def test_mail_gets_what_every_program_shows(data: bytes, wanted: str) -> None:
    made = fit(data, "it")
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.format == made.format == wanted
        assert image.size == (made.width, made.height)
        assert getattr(image, "n_frames", 1) == (3 if wanted == "GIF" else 1)


def test_what_moves_keeps_its_frames_and_their_times() -> None:
    with Image.open(io.BytesIO(fit(moving("WEBP", loop=0), "it").data)) as image:
        times, colors = [], []
        for number in range(3):
            image.seek(number)
            times.append(image.info["duration"])
            color = image.convert("RGB").getpixel((5, 5))
            assert isinstance(color, tuple)
            colors.append(color.index(max(color)))
    assert times == [100, 200, 300]
    assert colors == [0, 1, 2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_taken_sideways_stands_upright(orientation: int) -> None:
    made = fit(picture((400, 300), exif=telling(orientation)), "it")
    assert (made.width, made.height) == ((400, 300) if orientation < 5 else (300, 400))


def test_the_colours_of_a_profile_become_those_of_every_screen() -> None:
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    broken = picture(icc_profile=b"no profile at all")
    assert fit(broken, "it").format == "JPEG"
    assert fit(picture(icc_profile=wide.tobytes()), "it").format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("PNG", "L"), ("JPEG", "L")]
)
def test_a_large_picture_is_made_as_wide_as_mail_can_use(kind: str, mode: str) -> None:
    made = fit(picture((3000, 1500), kind, mode), "it")
    assert (made.width, made.height) == (MAX_WIDTH, 600)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_holds_nothing_else_keeps_its_bytes(kind: str) -> None:
    data = fit(picture(kind=kind), "it").data
    assert fit(data, "it").data == data


def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    first = keep_photo(tmp_path / "a.jpg", tmp_path, alt="A wall")
    second = keep_photo_data(picture(), tmp_path, alt="A wall", named="a download")
    assert first == second
    assert [path.name for path in (tmp_path / "media").iterdir()] == [first.name]


def test_what_is_kept_of_a_picture_beside_an_issue_is_what_was_measured(tmp_path: Path) -> None:
    (tmp_path / "phone.jpg").write_bytes(picture((1600, 1200), exif=telling(6)))
    photo = read_photo(tmp_path / "phone.jpg", tmp_path)
    freeze_photos([photo], tmp_path)
    kept = (tmp_path / "media" / photo.name).read_bytes()
    assert SECRET not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (photo.width, photo.height) == (1200, 1600)


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", picture()[:200], b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"P6 1 1 255 abc"]
)
def test_what_is_no_picture_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the photo is not a readable picture"):
        keep_photo_data(data, tmp_path, named="the photo")
    assert not list(tmp_path.glob("media/*"))


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PPM", "ICO", "TGA", "PDF", "EPS"])
def test_only_a_few_kinds_are_ever_opened_whatever_the_name_says(kind: str, tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(picture(kind=kind))
    with pytest.raises(InputError, match=r"picture\.jpg is not a readable picture"):
        read_photo(tmp_path / "picture.jpg", tmp_path)


@pytest.mark.parametrize("size", [(50_000, 50_000), (1_000_000, 50), (8_000, 6_000)])
def test_pixels_are_counted_before_any_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"it has (too many|[\d,]+) pixels"):
        fit(png_of(*size), "it")


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("Screenshot 2022.png", "Screenshot 2022.png"),
        ("Screenshot%202022.png", "Screenshot 2022.png"),
        ("Screenshot%202022.png", "Screenshot%202022.png"),
        ("%C3%91and%C3%BA.png", "Ñandú.png"),
        (unicodedata.normalize("NFD", "Ñandú.png"), "Ñandú.png"),
        ("Ñandú.png", unicodedata.normalize("NFD", "Ñandú.png")),
        ("photo (1).png", "photo (1).png"),
        ("100%.png", "100%.png"),
    ],
)
def test_a_file_is_found_however_its_name_is_written(asked: str, there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_bytes(b"x")
    assert find_photo(asked, tmp_path).name == there


@pytest.mark.parametrize("name", ["", "none.png", "x" * 5000, "a\0b.png", "../.."])
def test_a_name_that_no_file_has_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        find_photo(name, tmp_path)
    assert len(str(refused.value)) < 250
