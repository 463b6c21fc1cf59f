"""Paints the backgrounds: every place of the catalogue at its times of day, as RGB pictures of 128 x 128 pixels.

Pictures are drawn at twice the size and halved, which smooths the edges.  Coordinates below are fractions of the side:
(0, 0) is the upper left corner, the ground begins at about y = 0.6.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .catalogue import COLOURS, DAY, NIGHT, SUNSET

SIZE = 128
DRAWN = 2 * SIZE

Colour = tuple[float, float, float]

SKIES: dict[str, tuple[Colour, Colour]] = {  # zenith, horizon
    DAY: ((92, 164, 236), (206, 234, 252)),
    SUNSET: ((112, 72, 150), (255, 170, 96)),
    NIGHT: ((12, 16, 48), (44, 56, 108)),
}
LIGHT: dict[str, Colour] = {DAY: (1.0, 1.0, 1.0), SUNSET: (0.98, 0.72, 0.62), NIGHT: (0.30, 0.36, 0.58)}


def lit(colour: Colour, time: str, amount: float = 1.0) -> tuple[int, int, int]:
    """A surface colour as it looks at that time of day."""
    return tuple(int(max(0, min(255, c * (1 - amount + amount * l)))) for c, l in zip(colour, LIGHT[time]))


def vertical(top: Colour, bottom: Colour) -> Image.Image:
    """A vertical gradient over the whole picture."""
    ramp = np.linspace(0, 1, DRAWN)[:, None, None]
    rows = np.asarray(top, float) * (1 - ramp) + np.asarray(bottom, float) * ramp
    return Image.fromarray(np.broadcast_to(rows, (DRAWN, DRAWN, 3)).clip(0, 255).astype(np.uint8).copy())


class Canvas:
    """A picture in the making, with the few strokes that the places are made of."""

    def __init__(self, top: Colour, bottom: Colour, rng: random.Random):
        self.image = vertical(top, bottom)
        self.rng = rng

    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image, "RGBA")

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour) -> None:
        self._draw().ellipse([(x - rx) * DRAWN, (y - ry) * DRAWN, (x + rx) * DRAWN, (y + ry) * DRAWN], fill=colour)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour) -> None:
        self._draw().rectangle([x0 * DRAWN, y0 * DRAWN, x1 * DRAWN, y1 * DRAWN], fill=colour)

    def polygon(self, points: list[tuple[float, float]], colour) -> None:
        self._draw().polygon([(x * DRAWN, y * DRAWN) for x, y in points], fill=colour)

    def line(self, points: list[tuple[float, float]], colour, width: float = 0.01) -> None:
        self._draw().line([(x * DRAWN, y * DRAWN) for x, y in points], fill=colour, width=max(1, int(width * DRAWN)))

    def ground(self, y: float, swing: float, near: Colour, far: Colour, waves: float = 1.0) -> None:
        """Fills everything below a gentle wave at height y, from `far` at its top to `near` at the bottom."""
        phase, tilt = self.rng.uniform(0, 2 * math.pi), self.rng.uniform(-0.5, 0.5) * swing
        xs = np.linspace(0, 1, DRAWN)
        edge = y + swing * np.sin(2 * math.pi * waves * xs + phase) + tilt * (xs - 0.5)
        ys = np.linspace(0, 1, DRAWN)[:, None]
        ramp = ((ys - y) / (1 - y)).clip(0, 1)[..., None]
        fill = np.asarray(far, float) * (1 - ramp) + np.asarray(near, float) * ramp
        cover = ((ys - edge[None]) * DRAWN + 0.5).clip(0, 1)[..., None]
        mixed = np.asarray(self.image, float) * (1 - cover) + fill * cover
        self.image = Image.fromarray(mixed.clip(0, 255).astype(np.uint8))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Adds soft light around a point."""
        ys, xs = np.mgrid[0:DRAWN, 0:DRAWN] / DRAWN
        fall = strength * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / radius**2)[..., None]
        mixed = np.asarray(self.image, float) * (1 - fall) + np.asarray(colour, float) * fall
        self.image = Image.fromarray(mixed.clip(0, 255).astype(np.uint8))

    def cloud(self, x: float, y: float, size: float, colour) -> None:
        for dx, dy, r in ((-0.9, 0.12, 0.55), (-0.3, -0.15, 0.75), (0.4, -0.05, 0.65), (1.0, 0.15, 0.45)):
            self.ellipse(x + dx * size, y + dy * size, r * size, 0.62 * r * size, colour)

    def stars(self, count: int, below: float = 0.6) -> None:
        for _ in range(count):
            r = self.rng.choice((0.003, 0.004, 0.007))
            self.ellipse(self.rng.random(), self.rng.uniform(0, below), r, r, (255, 250, 225, 235))

    def moon(self, x: float, y: float, r: float, behind: Colour) -> None:
        """A crescent: a disc, and a disc of the sky's colour over part of it."""
        self.glow(x, y, 2.6 * r, (200, 210, 250), 0.35)
        self.ellipse(x, y, r, r, (250, 244, 214, 255))
        self.ellipse(x + 0.45 * r, y - 0.2 * r, 0.86 * r, 0.86 * r, tuple(int(c) for c in behind) + (255,))

    def done(self, blur: float = 0.0) -> np.ndarray:
        """uint8 [128, 128, 3]."""
        image = self.image.filter(ImageFilter.GaussianBlur(blur)) if blur else self.image
        return np.asarray(image.resize((SIZE, SIZE), Image.BOX))


def outdoors(time: str, rng: random.Random, clouds: bool = True) -> Canvas:
    """A sky with what belongs to the time: sun and clouds, a low sun, or moon and stars."""
    zenith, horizon = SKIES[time]
    low = tuple(h + 0.55 * (h - z) for z, h in zip(zenith, horizon))  # the gradient reaches the horizon at 0.65
    canvas = Canvas(zenith, low, rng)
    side = rng.choice((0.18, 0.82)) + rng.uniform(-0.04, 0.04)
    if time == DAY:
        canvas.ellipse(side, rng.uniform(0.12, 0.17), 0.075, 0.075, (255, 236, 140, 255))
        if clouds:
            canvas.cloud(1 - side + rng.uniform(-0.06, 0.06), rng.uniform(0.13, 0.2), 0.1, (255, 255, 255, 215))
    elif time == SUNSET:
        height = rng.uniform(0.44, 0.5)
        canvas.glow(side, height, 0.35, (255, 214, 130), 0.7)
        canvas.ellipse(side, height, 0.1, 0.1, (255, 226, 150, 255))
    else:
        canvas.stars(28, 0.55)
        height = rng.uniform(0.13, 0.18)
        canvas.moon(side, height, 0.07, tuple(z + height * (l - z) for z, l in zip(zenith, low)))
    return canvas


def meadow(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng)
    c.ground(0.56, 0.03, lit((120, 190, 110), time), lit((150, 206, 128), time))
    c.ground(0.66, 0.02, lit((74, 154, 62), time), lit((126, 200, 84), time))
    for _ in range(26):
        x, y = rng.random(), rng.uniform(0.74, 0.98)
        c.ellipse(x, y, 0.012, 0.012, lit(rng.choice(((255, 240, 120), (255, 255, 255), (250, 130, 160))), time))
    return c.done()


def beach(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng)
    c.ground(0.5, 0.0, lit((64, 176, 204), time), lit((40, 128, 196), time))
    c.ground(0.655, 0.012, lit((235, 245, 245), time), lit((235, 245, 245), time), 1.5)
    c.ground(0.675, 0.012, lit((226, 186, 122), time), lit((248, 222, 164), time), 1.5)
    return c.done()


def snow(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    c.ground(0.56, 0.04, lit((206, 222, 240), time, 0.85), lit((216, 230, 246), time, 0.85))
    c.ground(0.66, 0.02, lit((226, 236, 248), time, 0.85), lit((246, 250, 255), time, 0.85))
    for _ in range(46):
        r = rng.choice((0.006, 0.009))
        c.ellipse(rng.random(), rng.random(), r, r, (255, 255, 255, 220))
    return c.done()


def desert(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    c.ground(0.54, 0.05, lit((214, 142, 76), time), lit((232, 168, 92), time), 0.8)
    c.ground(0.64, 0.05, lit((224, 156, 84), time), lit((242, 190, 112), time), 0.9)
    c.ground(0.78, 0.03, lit((206, 136, 70), time), lit((234, 172, 96), time), 0.7)
    return c.done()


def forest(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    c.ground(0.5, 0.015, lit((46, 108, 72), time), lit((46, 108, 72), time))
    for base, shade, height in ((0.62, (52, 116, 74), 0.42), (0.7, (34, 92, 56), 0.52)):
        for i in range(7):
            x = (i + 0.5 + rng.uniform(-0.2, 0.2)) / 7
            top, w = base - height * rng.uniform(0.85, 1.05), 0.085
            c.rectangle(x - 0.012, base - 0.06, x + 0.012, base + 0.03, lit((100, 70, 46), time))
            for k in range(3):
                y0 = top + k * height * 0.24
                span = w * (0.62 + 0.22 * k)
                c.polygon([(x, y0), (x - span, y0 + height * 0.36), (x + span, y0 + height * 0.36)], lit(shade, time))
    c.ground(0.7, 0.012, lit((62, 104, 48), time), lit((84, 132, 62), time))
    return c.done()


def city(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    window = (255, 226, 130, 255) if time != DAY else (214, 236, 248, 255)
    for i in range(6):
        x0 = i / 6
        top = (0.3, 0.2, 0.4, 0.36, 0.18, 0.28)[i] + rng.uniform(-0.05, 0.05)
        body = rng.choice(((150, 150, 168), (176, 146, 138), (132, 150, 170)))
        c.rectangle(x0 + 0.004, top, x0 + 0.158, 0.78, lit(body, time))
        for row in range(int((0.74 - top) / 0.075)):
            for column in range(3):
                if time == DAY or rng.random() < 0.7:
                    x, y = x0 + 0.03 + column * 0.045, top + 0.035 + row * 0.075
                    c.rectangle(x, y, x + 0.022, y + 0.035, window)
    c.ground(0.74, 0.0, lit((196, 192, 188), time), lit((196, 192, 188), time))
    c.ground(0.79, 0.0, lit((84, 86, 96), time), lit((104, 106, 116), time))
    for i in range(4):
        c.rectangle(i / 4 + 0.05, 0.955, i / 4 + 0.18, 0.97, lit((240, 236, 220), time))
    return c.done()


def sea(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng)
    c.ground(0.52, 0.0, lit((18, 84, 158), time), lit((60, 150, 214), time))
    for i in range(5):
        y = 0.6 + 0.09 * i
        c.line(
            [(x / 40, y + 0.012 * math.sin(x / 40 * 18 + 1.9 * i + rng.uniform(0, 0.4))) for x in range(41)],
            lit((190, 226, 246), time) + (150,),
            0.012,
        )
    return c.done()


def mountains(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    for x, top, half in ((0.16, 0.24, 0.34), (0.84, 0.2, 0.36), (0.5, 0.12, 0.4)):
        x, top = x + rng.uniform(-0.03, 0.03), top + rng.uniform(-0.02, 0.02)
        foot = 0.72
        c.polygon([(x, top), (x - half, foot), (x + half, foot)], lit((112, 122, 148), time))
        c.polygon([(x, top), (x + 0.06, foot), (x + half, foot)], lit((90, 98, 126), time))
        cap = 0.3
        y = top + cap * (foot - top)
        c.polygon([(x, top), (x - half * cap, y), (x - 0.03, y - 0.04), (x + 0.03, y + 0.02), (x + half * cap, y)],
                  lit((246, 250, 255), time, 0.8))  # fmt: skip
    c.ground(0.69, 0.015, lit((92, 148, 92), time), lit((124, 176, 112), time))
    return c.done()


def sky(time: str, rng: random.Random) -> np.ndarray:
    c = outdoors(time, rng, clouds=False)
    white = lit((255, 255, 255), time, 0.9) + (235,)
    for x, y, size in ((0.1, 0.84, 0.17), (0.5, 0.93, 0.2), (0.9, 0.82, 0.18), (0.12, 0.42, 0.08), (0.9, 0.5, 0.09)):
        c.cloud(x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.02, 0.02), size, white)
    return c.done(1.0)


def space(time: str, rng: random.Random) -> np.ndarray:
    c = Canvas((10, 8, 28), (30, 16, 58), rng)
    c.glow(rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.7), 0.4, (110, 50, 140), 0.5)
    c.stars(60, 1.0)
    x, y = rng.choice((0.14, 0.86)), rng.uniform(0.14, 0.2)
    colour = rng.choice(((240, 170, 90), (120, 190, 230)))
    c.ellipse(x, y, 0.1, 0.1, colour)
    c.ellipse(x, y, 0.18, 0.03, (240, 226, 190, 190))
    c.ellipse(x - 0.01, y - 0.02, 0.085, 0.07, colour)
    c.ellipse(1 - x, rng.uniform(0.78, 0.84), 0.06, 0.06, (150, 150, 160))
    return c.done()


def room(time: str, rng: random.Random) -> np.ndarray:
    c = Canvas((238, 218, 186), (228, 200, 162), rng)
    x = rng.uniform(0.07, 0.1)
    c.rectangle(x, 0.1, x + 0.24, 0.42, (250, 250, 246, 255))
    c.rectangle(x + 0.02, 0.12, x + 0.22, 0.4, (140, 200, 240, 255))
    c.rectangle(x + 0.112, 0.12, x + 0.128, 0.4, (250, 250, 246, 255))
    x = rng.uniform(0.7, 0.73)
    c.rectangle(x, 0.14, x + 0.2, 0.36, (130, 84, 56, 255))
    c.rectangle(x + 0.02, 0.16, x + 0.18, 0.34, (222, 120, 110, 255))
    c.ground(0.7, 0.0, (150, 98, 60), (182, 126, 80))
    c.rectangle(0, 0.69, 1, 0.71, (246, 238, 224, 255))
    c.ellipse(0.5, 0.88, 0.42, 0.09, (196, 82, 84, 255))
    c.ellipse(0.5, 0.88, 0.36, 0.07, (222, 130, 112, 255))
    return c.done()


def underwater(time: str, rng: random.Random) -> np.ndarray:
    c = Canvas((70, 190, 220), (8, 66, 130), rng)
    for i in range(3):
        x = 0.15 + 0.32 * i + rng.uniform(-0.05, 0.05)
        c.polygon([(x, 0), (x + 0.1, 0), (x - 0.02, 0.8), (x - 0.2, 0.8)], (200, 245, 250, 36))
    c.ground(0.83, 0.02, (186, 166, 120), (150, 150, 126))
    for x in (0.06, 0.13, 0.88, 0.95):
        x, height = x + rng.uniform(-0.02, 0.02), rng.uniform(0.25, 0.42)
        sway = rng.uniform(0, 6)
        c.line([(x + 0.02 * math.sin(sway + k), 0.9 - height * k / 8) for k in range(9)], (36, 140, 84, 255), 0.028)
    for _ in range(12):
        r = rng.choice((0.01, 0.016))
        c.ellipse(rng.random(), rng.uniform(0.05, 0.75), r, r, (210, 244, 252, 150))
    return c.done()


def starry_night(time: str, rng: random.Random) -> np.ndarray:
    c = Canvas((8, 10, 44), (62, 60, 140), rng)
    c.glow(0.5, 0.35, 0.4, (70, 80, 170), 0.5)
    c.stars(110, 0.78)
    for _ in range(8):
        x, y = rng.random(), rng.uniform(0.04, 0.6)
        for dx, dy in ((0.022, 0.004), (0.004, 0.022)):
            c.ellipse(x, y, dx, dy, (255, 246, 200, 255))
    c.ground(0.74, 0.03, (14, 16, 38), (26, 28, 62))
    return c.done()


PAINTERS: dict[str, Callable[[str, random.Random], np.ndarray]] = {
    "meadow": meadow,
    "beach": beach,
    "snow": snow,
    "desert": desert,
    "forest": forest,
    "city": city,
    "sea": sea,
    "mountains": mountains,
    "sky": sky,
    "space": space,
    "room": room,
    "underwater": underwater,
    "starry night": starry_night,
}


def plain_colour(colour: str, rng: random.Random) -> np.ndarray:
    """A studio backdrop: the colour, slightly lighter behind the thing."""
    base = tuple(c + rng.uniform(-5, 5) for c in COLOURS[colour])
    c = Canvas(base, tuple(0.93 * v for v in base), rng)
    c.glow(0.5, 0.45, 0.5, tuple(v + 0.3 * (255 - v) for v in base), 0.35)
    return c.done()


def paint(place: str, time: str, rng: random.Random) -> np.ndarray:
    """uint8 [128, 128, 3]: the named place of the catalogue at that time."""
    if place.startswith("plain "):
        return plain_colour(place.removeprefix("plain "), rng)
    return PAINTERS[place](time, rng)
