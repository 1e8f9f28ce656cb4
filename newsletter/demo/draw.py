"""Draws the sample's pictures: `python -m newsletter.demo.draw FOLDER`. The same bytes every time.

Flat illustrations of few colours, drawn twice as large and scaled down, so that edges are soft.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, SCALE = 1200, 675, 2
Color = str
Point = tuple[float, float]


def mix(a: Color, b: Color, share: float) -> Color:
    """The colour that lies `share` of the way from `a` to `b`."""
    pairs = zip(bytes.fromhex(a[1:]), bytes.fromhex(b[1:]), strict=True)
    return "#" + bytes(round(x + (y - x) * share) for x, y in pairs).hex()


class Canvas:
    """A picture in the making; coordinates are those of the finished 1200 × 675."""

    def __init__(self, top: Color, bottom: Color, seed: int) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), top)
        self.chance = random.Random(seed)  # noqa: S311 (the same picture every time)
        self.pen = ImageDraw.Draw(self.image)
        for y in range(HEIGHT * SCALE):
            self.pen.line([(0, y), (WIDTH * SCALE, y)], fill=mix(top, bottom, y / (HEIGHT * SCALE)))

    def box(self, x: float, y: float, width: float, height: float, color: Color, *, round_: float = 0) -> None:
        """A rectangle from its top left corner."""
        corners = [x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + height) * SCALE - 1]
        self.pen.rounded_rectangle(corners, round_ * SCALE, fill=color)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """A circle around a point."""
        self.pen.ellipse(
            [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE], fill=color
        )

    def shape(self, points: Sequence[Point], color: Color) -> None:
        """A polygon."""
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=color)

    def stroke(self, points: Sequence[Point], color: Color, width: float) -> None:
        """A line with round joints and ends."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.pen.line(scaled, fill=color, width=round(width * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, color)

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float) -> None:
        """A soft light."""
        light = Image.new("L", self.image.size, 0)
        corners = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        ImageDraw.Draw(light).ellipse(corners, fill=round(255 * strength))
        light = light.filter(ImageFilter.GaussianBlur(radius * SCALE / 2.2))
        self.image.paste(Image.new("RGB", self.image.size, color), mask=light)

    def hills(self, base: float, rise: float, color: Color, phase: float) -> None:
        """A rolling horizon down to the lower edge."""
        crest = [
            (x, base - rise * (math.sin(x / 190 + phase) + 0.5 * math.sin(x / 83 + 2 * phase)))
            for x in range(0, WIDTH + 9, 8)
        ]
        self.shape([(0, HEIGHT), *crest, (WIDTH, HEIGHT)], color)

    def skyline(self, base: float, low: float, high: float, color: Color, windows: Color = "") -> None:
        """A row of houses that stand on `base`, some windows lit."""
        x = -20.0
        while x < WIDTH:
            width, height = self.chance.randint(52, 118), self.chance.uniform(low, high)
            self.box(x, base - height, width, HEIGHT - base + height, color)
            if self.chance.random() < 0.3:
                self.box(x + width * 0.3, base - height - 26, width * 0.16, 28, color)
            for row in range(int(height // 34)) if windows else ():
                for column in range(int(width // 26)):
                    if self.chance.random() < 0.42:
                        self.box(x + 10 + column * 25, base - height + 16 + row * 33, 11, 16, windows, round_=1)
            x += width + self.chance.choice((0, 0, 6, 18))

    def person(self, x: float, y: float, size: float, coat: Color, skin: Color, *, arm: float | None = None) -> None:
        """Somebody from the waist up, `y` at the shoulders; `arm` raises a hand by that much."""
        if arm is not None:
            self.stroke([(x + size * 0.42, y + size * 0.35), (x + size * 0.62, y - size * arm)], coat, size * 0.2)
            self.disc(x + size * 0.62, y - size * arm, size * 0.13, skin)
        self.box(x - size * 0.5, y, size, size * 1.6, coat, round_=size * 0.42)
        self.box(x - size * 0.11, y - size * 0.14, size * 0.22, size * 0.3, skin)
        self.disc(x, y - size * 0.34, size * 0.3, skin)
        self.pen.pieslice(
            [(x - size * 0.33) * SCALE, (y - size * 0.7) * SCALE, (x + size * 0.33) * SCALE, (y - size * 0.04) * SCALE],
            180,
            360,
            fill=mix(coat, "#1b1b24", 0.75),
        )

    def finished(self) -> Image.Image:
        """The picture in its own size."""
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


SKINS = ("#7a4a32", "#c58a63", "#e8b98f", "#5b3524", "#d9a071", "#f0c9a4")


def hero() -> Canvas:
    """A city at dusk, a river, and a bus on a bridge."""
    c = Canvas("#1d2b53", "#f08a5d", 1)
    c.glow(880, 380, 260, "#ffd9a0", 0.9)
    c.disc(880, 372, 64, "#ffe9c4")
    c.skyline(440, 120, 250, "#4a3f6b")
    c.skyline(470, 60, 190, "#2e2a52", "#ffcf87")
    c.box(0, 470, WIDTH, 205, "#23305c")
    for n in range(34):
        y = 486 + n * 5.5
        c.box(
            880 - 70 - n * 3 + c.chance.uniform(-30, 30),
            y,
            c.chance.uniform(40, 150),
            2.4,
            mix("#f2a56b", "#23305c", n / 40),
            round_=1,
        )
    for x in range(-60, 1300, 220):
        c.box(x + 94, 540, 32, 140, "#151d3d")
        c.stroke([(x, 560), (x + 110, 500), (x + 220, 560)], "#151d3d", 9)
    c.box(0, 548, WIDTH, 20, "#151d3d")
    _bus(c, 300, 470, "#f6c453", "#2b2f55")
    return c


def _bus(c: Canvas, x: float, y: float, body: Color, dark: Color) -> None:
    c.box(x, y, 230, 66, body, round_=12)
    c.box(x, y + 40, 230, 9, mix(body, "#ffffff", 0.5))
    for n in range(5):
        c.box(x + 14 + n * 41, y + 10, 32, 23, dark, round_=4)
    for wheel in (x + 50, x + 180):
        c.disc(wheel, y + 66, 15, dark)
        c.disc(wheel, y + 66, 6, mix(dark, "#ffffff", 0.6))
    c.glow(x + 236, y + 50, 34, "#fff3cf", 0.8)


def station() -> Canvas:
    """A bus stops at a station; people wait with bags."""
    c = Canvas("#0f3d4c", "#f4d9a8", 2)
    c.skyline(470, 110, 260, "#2a6070")
    c.box(0, 470, WIDTH, 205, "#0c2c38")
    c.box(0, 560, WIDTH, 115, "#123a48")
    c.box(90, 190, 1020, 26, "#0a242e", round_=6)
    for x in (140, 600, 1040):
        c.box(x, 210, 16, 350, "#0a242e")
    for x in (300, 520, 760, 960):
        c.glow(x, 300, 120, "#ffe2a3", 0.45)
        c.box(x - 26, 214, 52, 8, "#fff1cc", round_=4)
    c.box(330, 350, 560, 176, "#e8873a", round_=26)
    c.box(330, 446, 560, 18, "#fbe3bd")
    for n in range(6):
        c.box(356 + n * 84, 378, 66, 52, "#153a49", round_=8)
    c.box(826, 378, 46, 140, "#153a49", round_=8)
    for wheel in (440, 770):
        c.disc(wheel, 526, 36, "#0a1d25")
        c.disc(wheel, 526, 15, "#9fb6bb")
    for x, size, coat in ((960, 62, "#c8453b"), (1040, 50, "#f2b441"), (210, 64, "#3f88a8"), (130, 48, "#e9e2d0")):
        c.person(x, 470, size, coat, c.chance.choice(SKINS))
        c.box(x + size * 0.55, 540, size * 0.55, size * 0.6, mix(coat, "#0a1d25", 0.4), round_=6)
    return c


def courthouse() -> Canvas:
    """Tall columns in evening light."""
    c = Canvas("#3a2c5f", "#f7b27a", 3)
    c.glow(220, 560, 300, "#ffdfae", 0.8)
    c.hills(560, 20, "#5b3f6e", 0.4)
    stone, shade = "#f4e6d2", "#cdb399"
    c.shape([(250, 268), (600, 120), (950, 268)], stone)
    c.shape([(330, 256), (600, 146), (870, 256)], shade)
    c.disc(600, 212, 27, stone)
    c.box(240, 268, 720, 38, stone)
    c.box(240, 298, 720, 10, shade)
    c.box(290, 308, 620, 240, "#6d4f66")
    c.box(548, 360, 104, 190, "#38284f", round_=6)
    for n in range(6):
        x = 286 + n * 114.5
        c.box(x, 318, 56, 226, stone)
        c.box(x + 38, 318, 18, 226, shade)
        c.box(x - 8, 306, 72, 14, stone, round_=3)
        c.box(x - 8, 540, 72, 14, stone, round_=3)
    for n in range(6):
        c.box(226 - n * 26, 552 + n * 21, 748 + n * 52, 22, mix(stone, shade, n / 6))
    for x, coat in ((470, "#8a2f4a"), (520, "#2f5b8a"), (700, "#2c6e5a"), (748, "#b5672c")):
        c.person(x, 560, 34, coat, c.chance.choice(SKINS))
    return c


def council() -> Canvas:
    """A council chamber: a curved dais and raised hands."""
    c = Canvas("#123047", "#2b5d73", 4)
    for n in range(9):
        c.box(40 + n * 128, 0, 60, 330, mix("#1b4560", "#2b5d73", 0.4 + 0.06 * n))
    c.disc(600, 150, 84, "#e3b04b")
    c.disc(600, 150, 70, "#1b4560")
    c.shape(
        [
            (
                600 + 56 * math.sin(a * math.tau / 10) * (1 if a % 2 else 0.42),
                150 - 56 * math.cos(a * math.tau / 10) * (1 if a % 2 else 0.42),
            )
            for a in range(10)
        ],
        "#e3b04b",
    )
    coats = ("#c8553d", "#588b8b", "#f28f3b", "#8d6a9f", "#e8d9b5", "#3d7ea6", "#a33b4a")
    for n, coat in enumerate(coats):
        angle = (n - 3) / 3
        c.person(
            600 + angle * 430,
            352 + 46 * abs(angle),
            74,
            coat,
            SKINS[n % len(SKINS)],
            arm=0.85 if n in (0, 2, 3, 5, 6) else None,
        )
    desk = [(x, 430 + 60 * ((x - 600) / 600) ** 2) for x in range(60, 1141, 12)]
    c.shape([*desk, (1140, 640), (60, 640)], "#7a4b2a")
    c.stroke(desk, "#a56b3f", 18)
    for n in range(7):
        c.box(600 + (n - 3) / 3 * 430 - 42, 474 + 46 * abs((n - 3) / 3), 84, 26, "#f3e3c3", round_=4)
    c.box(0, 610, WIDTH, 65, "#0d2434")
    return c


def convening() -> Canvas:
    """A large hall, a lit stage, a crowd seen from behind."""
    c = Canvas("#1a1438", "#452a63", 5)
    for x, color in ((260, "#ff8fa3"), (600, "#ffd27d"), (940, "#8fd3ff")):
        c.shape([(x - 26, 0), (x + 26, 0), (x + 190, 380), (x - 190, 380)], mix("#2c1f4f", color, 0.16))
        c.glow(x, 330, 150, color, 0.28)
    c.box(180, 120, 840, 230, "#2b2150", round_=14)
    c.box(200, 138, 800, 194, "#f6efe0", round_=8)
    peaks = [
        (200, 332),
        (300, 250),
        (380, 292),
        (500, 196),
        (610, 286),
        (720, 222),
        (840, 300),
        (920, 262),
        (1000, 332),
    ]
    c.shape(peaks, "#3f6c8f")
    c.shape([(200, 332), (340, 290), (560, 318), (780, 288), (1000, 332)], "#274b69")
    c.disc(860, 190, 30, "#f2a541")
    c.box(120, 370, 960, 26, "#120d29", round_=4)
    for at, coat in ((430, "#e4572e"), (520, "#17bebb"), (640, "#ffc914"), (740, "#76b041")):
        c.person(at, 316, 40, coat, c.chance.choice(SKINS))
    for row in range(4):
        size = 46 + row * 22
        for n in range(24 - row * 4):
            across = (n + 0.5 * (row % 2)) * size * 1.12 + c.chance.uniform(-8, 8)
            tone = mix(c.chance.choice(("#4a3a78", "#5d3f73", "#3a4a7d", "#6a4468")), "#0d0921", row / 4.6)
            c.disc(across, 440 + row * 62, size * 0.3, mix(tone, "#0d0921", 0.35))
            c.box(across - size * 0.48, 440 + row * 62 + size * 0.26, size * 0.96, 240, tone, round_=size * 0.4)
    return c


def courier() -> Canvas:
    """A courier on a bicycle between city blocks."""
    c = Canvas("#fde7c7", "#f6b48f", 6)
    c.disc(980, 150, 74, "#fff6e5")
    c.skyline(520, 150, 330, "#e2917a")
    c.skyline(545, 60, 210, "#b8606a", "#f9d5a7")
    c.box(0, 545, WIDTH, 130, "#4b3350")
    for x in range(40, 1200, 150):
        c.box(x, 606, 84, 9, "#8a6a84", round_=4)
    ink = "#241a33"
    for x in (470, 720):
        c.disc(x, 520, 76, ink)
        c.disc(x, 520, 66, "#d98379")
        c.disc(x, 520, 9, ink)
        for n in range(6):
            a = n * math.pi / 6
            c.stroke(
                [(x - 66 * math.cos(a), 520 - 66 * math.sin(a)), (x + 66 * math.cos(a), 520 + 66 * math.sin(a))],
                ink,
                1.6,
            )
    c.stroke([(470, 520), (545, 400), (680, 400), (590, 520), (470, 520)], "#1f7a8c", 11)
    c.stroke([(545, 400), (590, 520)], "#1f7a8c", 11)
    c.stroke([(720, 520), (672, 372), (712, 358)], ink, 10)
    c.box(510, 384, 66, 14, ink, round_=7)
    c.stroke([(548, 376), (640, 440), (592, 522)], "#2e4374", 32)
    c.box(580, 520, 58, 18, ink, round_=8)
    c.shape([(530, 384), (575, 252), (640, 260), (596, 392)], "#f25f5c")
    c.stroke([(612, 276), (660, 338), (706, 356)], "#f25f5c", 26)
    c.disc(708, 356, 14, SKINS[1])
    c.disc(640, 214, 36, SKINS[1])
    c.pen.pieslice([598 * SCALE, 168 * SCALE, 684 * SCALE, 250 * SCALE], 175, 362, fill="#247ba0")
    c.box(452, 246, 116, 118, "#ffe066", round_=12)
    c.box(452, 292, 116, 12, "#e0b100")
    return c


def skyline() -> Canvas:
    """Green roofs under a morning sky."""
    c = Canvas("#8fd0e8", "#fdf3d8", 7)
    c.glow(260, 230, 200, "#fffbe6", 0.9)
    c.disc(260, 220, 58, "#fff4bf")
    c.hills(470, 44, "#a9d6b5", 0.2)
    c.skyline(520, 120, 290, "#7fb2c4")
    x = 20.0
    while x < WIDTH:
        width, height = c.chance.randint(90, 150), c.chance.uniform(110, 230)
        wall = c.chance.choice(("#f4f1e8", "#e6c9a8", "#d98f6b", "#5f8fa3"))
        c.box(x, 560 - height, width, height + 60, wall)
        for row in range(int(height // 44)):
            for column in range(int(width // 38)):
                c.box(x + 14 + column * 36, 560 - height + 26 + row * 42, 18, 24, mix(wall, "#1f3a4d", 0.55), round_=2)
        for n in range(int(width // 16)):
            c.disc(
                x + 10 + n * 16,
                558 - height,
                c.chance.uniform(11, 19),
                c.chance.choice(("#3f8f5f", "#5aa86e", "#2f7551")),
            )
        x += width + c.chance.choice((4, 14, 30))
    c.box(0, 590, WIDTH, 85, "#2f5d50")
    for n in range(44):
        c.disc(
            n * 28 + c.chance.uniform(-6, 6),
            592,
            c.chance.uniform(16, 30),
            c.chance.choice(("#3f8f5f", "#2f7551", "#67b27a")),
        )
    return c


def tools() -> Canvas:
    """Workers with tools before a bright wall."""
    c = Canvas("#ffd166", "#f79256", 8)
    for n in range(14):
        a = n * math.tau / 28 + math.pi
        c.shape(
            [
                (600, 640),
                (600 + 1100 * math.cos(a), 640 + 1100 * math.sin(a)),
                (600 + 1100 * math.cos(a + 0.11), 640 + 1100 * math.sin(a + 0.11)),
            ],
            mix("#ffd166", "#fff1c9", 0.5),
        )
    people = (
        (210, 128, "#1d4e89"),
        (430, 140, "#7dcfb6"),
        (660, 148, "#00798c"),
        (890, 134, "#d1495b"),
        (1080, 118, "#30638e"),
    )
    for n, (x, size, coat) in enumerate(people):
        c.person(x, 380 - (n % 2) * 20, size, coat, SKINS[(n * 2 + 1) % len(SKINS)], arm=0.75)
        hand = (x + size * 0.62, 380 - (n % 2) * 20 - size * 0.75)
        _tool(c, n, hand)
        if n in (0, 3):
            top = 380 - (n % 2) * 20 - size * 0.72
            c.pen.pieslice(
                [(x - size * 0.37) * SCALE, top * SCALE, (x + size * 0.37) * SCALE, (top + size * 0.66) * SCALE],
                180,
                360,
                fill="#f4d35e",
            )
            c.box(x - size * 0.44, top + size * 0.3, size * 0.88, size * 0.07, "#f4d35e", round_=4)
    c.box(0, 590, WIDTH, 85, "#3b1f2b")
    return c


def _tool(c: Canvas, kind: int, hand: Point) -> None:
    x, y = hand
    if kind in (0, 3):  # a wrench
        c.stroke([(x, y + 20), (x + 8, y - 70)], "#4a4e69", 13)
        c.disc(x + 9, y - 84, 24, "#4a4e69")
        c.shape([(x - 3, y - 112), (x + 21, y - 112), (x + 16, y - 84), (x + 2, y - 84)], "#ffdf8f")
    elif kind == 2:  # a banner
        c.stroke([(x, y + 30), (x, y - 150)], "#5f3b2b", 9)
        c.shape([(x, y - 150), (x + 150, y - 138), (x + 122, y - 104), (x + 150, y - 66), (x, y - 76)], "#d1495b")
    else:  # a ladle or a broom
        c.stroke([(x, y + 40), (x + 6, y - 90)], "#5f3b2b", 10)
        c.shape([(x - 22, y - 88), (x + 34, y - 88), (x + 44, y - 136), (x - 32, y - 136)], "#edae49")


def responders() -> Canvas:
    """Two responders talk with a neighbour on a porch."""
    c = Canvas("#bfe3e0", "#f7ead0", 9)
    c.hills(440, 30, "#9ccbb0", 1.1)
    c.box(620, 150, 580, 420, "#e07a5f")
    c.shape([(570, 170), (900, 20), (1260, 170)], "#3d405b")
    for y in range(180, 560, 34):
        c.box(620, y, 580, 3, mix("#e07a5f", "#3d405b", 0.2))
    c.box(920, 260, 130, 280, "#3d405b", round_=6)
    c.disc(1030, 404, 8, "#f2cc8f")
    c.box(690, 260, 160, 150, "#f4f1de", round_=4)
    c.box(702, 272, 136, 126, "#81b29a")
    c.box(767, 272, 6, 126, "#f4f1de")
    c.box(560, 540, 640, 34, "#8f5b43")
    c.box(500, 574, 700, 40, "#774a36")
    c.box(0, 600, WIDTH, 75, "#5e8c6a")
    c.person(870, 376, 96, "#f2cc8f", SKINS[3])
    for x, skin in ((330, SKINS[1]), (470, SKINS[5])):
        c.person(x, 372, 104, "#2a6f97", skin)
        c.box(x - 30, 440, 60, 20, "#f4f1de", round_=4)
        c.box(x - 50, 530, 100, 90, "#1b4965")
    c.box(236, 500, 74, 62, "#d62839", round_=8)
    c.box(266, 512, 14, 38, "#ffffff")
    c.box(254, 524, 38, 14, "#ffffff")
    return c


def school() -> Canvas:
    """A school and children at its gate."""
    c = Canvas("#9ad1f0", "#fef6dc", 10)
    c.disc(1030, 130, 60, "#fff3b0")
    for x, y in ((180, 120), (520, 80), (830, 150)):
        for dx, r in ((0, 34), (38, 46), (84, 36), (44, 30)):
            c.disc(x + dx, y + (10 if r < 35 else 0), r, "#ffffff")
    c.hills(470, 26, "#b7dd9a", 0.8)
    c.box(200, 260, 800, 280, "#c8553d")
    c.box(200, 260, 800, 16, "#8f3a2a")
    c.shape([(470, 262), (600, 150), (730, 262)], "#8f3a2a")
    c.box(500, 250, 200, 290, "#d96f57")
    c.disc(600, 252, 34, "#fef6dc")
    c.stroke([(600, 252), (600, 230)], "#3d405b", 5)
    c.stroke([(600, 252), (616, 260)], "#3d405b", 5)
    c.box(556, 420, 88, 120, "#3d405b", round_=6)
    for row in range(2):
        for column in (230, 320, 410, 730, 820, 910):
            c.box(column, 300 + row * 112, 60, 76, "#fef6dc", round_=3)
            c.box(column + 6, 306 + row * 112, 48, 64, "#7fb7d6", round_=2)
    c.box(0, 540, WIDTH, 135, "#7fb069")
    c.shape([(540, 540), (660, 540), (780, 675), (420, 675)], "#ead9b7")
    for n, coat in enumerate(("#3d5a80", "#ee6c4d", "#ffd166", "#7b2d8e", "#2a9d8f", "#d62839")):
        x = 220 + n * 150
        c.person(x, 560 - (n % 3) * 10, 44, coat, SKINS[n], arm=0.6 if n % 2 else None)
        c.box(x - 18, 578 - (n % 3) * 10, 36, 40, mix(coat, "#ffffff", 0.35), round_=8)
    return c


def partner_logo() -> Image.Image:
    """A plain wordmark: a mark of three bars and a dot beside two lines of block letters."""
    from PIL import ImageFont

    image = Image.new("RGB", (1200, 320), "#ffffff")
    pen = ImageDraw.Draw(image)
    for n, height in enumerate((90, 140, 190)):
        pen.rounded_rectangle([40 + n * 62, 256 - height, 84 + n * 62, 256], 10, fill="#5b1a10")
    pen.ellipse([226, 60, 274, 108], fill="#d98f2b")
    font = ImageFont.load_default(size=76)
    pen.text((310, 66), "EXAMPLE UNIVERSITY", font=font, fill="#2b1712")
    pen.text((310, 164), "Labor Program", font=font, fill="#5b1a10")
    return image.resize((600, 160), Image.Resampling.LANCZOS)


PICTURES: dict[str, Callable[[], Canvas]] = {
    picture.__name__: picture
    for picture in (station, courthouse, council, convening, courier, skyline, tools, responders, school)
}


def draw(media: Path, lead: Path) -> None:
    """Draw all pictures: the items' into `media`, the lead picture of the sample issue to `lead`."""
    for name, picture in PICTURES.items():
        picture().finished().save(media / f"{name}.jpg", quality=82, optimize=True, progressive=True)
    hero().finished().save(lead, quality=84, optimize=True, progressive=True)
    partner_logo().save(media / "partner-logo.png", optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
