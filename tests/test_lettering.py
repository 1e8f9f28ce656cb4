"""The letters of share cards: whose there are, which are missing, and from which side they're written."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from newsletter.config import Brand
from newsletter.lettering import drawable, missing
from newsletter.publish.pictures import card


@pytest.mark.parametrize(
    "title",
    [
        "José Núñez wins in Doña Ana – 9–4",
        "Tiếng Việt có dấu: Ườ ữ ặ",
        "Города победили в суде",
        "Οι πόλεις στο δικαστήριο",
        "מהערים: ניצחון בבית המשפט",
        "المدن تفوز في المحكمة",
        "Łódź, Çeşme, Ærø, Þingvellir – “quotes” … €5 №1",
    ],
)
def test_the_letters_that_people_write_are_there(title: str) -> None:
    assert missing(title) == ""


def test_letters_that_are_missing_are_told_once_and_emoji_are_left_out() -> None:
    assert missing("法案 法 ✊ 🎉 ñ") == "法案"
    assert drawable("📬 One\n two 👩‍👧") == "One two"


def ink(title: str) -> tuple[int, int, int, int]:
    """Where the words of a card stand."""
    picture = Image.open(io.BytesIO(card(title, "Name", "Day", Brand(), None))).convert("L").crop((0, 120, 1200, 520))
    box = picture.point(lambda value: 255 if value > 128 else 0).getbbox()
    assert box
    return box


def test_a_title_from_right_to_left_stands_on_the_right() -> None:
    left, right = ink("Word"), ink("שלום")
    assert left[0] < 80
    assert right[2] > 600
    assert right[0] > 300


def test_every_title_stays_on_its_card() -> None:
    for title in ("Word " * 60, "מילה " * 60):
        assert ink(title)[2] <= 660
