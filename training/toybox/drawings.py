"""Line drawings of scenes: edges as Canny finds them, and scribbles as a hand might draw them.  White (255) on black."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageFilter

from .painter import SIZE

LOW, HIGH = 100, 200  # the thresholds that ControlNets for Canny edges use


def edges(picture: np.ndarray, low: float = LOW, high: float = HIGH, blur: float = 0.0) -> np.ndarray:
    """Canny (IEEE PAMI 1986) with OpenCV's scale of thresholds: uint8 [H, W, 3] -> bool [H, W]."""
    grey = Image.fromarray(picture).convert("L")
    if blur:
        grey = grey.filter(ImageFilter.GaussianBlur(blur))
    g = np.pad(np.asarray(grey, np.float32), 1, mode="edge")
    smooth_y = g[:-2] + 2 * g[1:-1] + g[2:]
    smooth_x = g[:, :-2] + 2 * g[:, 1:-1] + g[:, 2:]
    dx, dy = smooth_y[:, 2:] - smooth_y[:, :-2], smooth_x[2:] - smooth_x[:-2]
    strength = np.abs(dx) + np.abs(dy)
    padded = np.pad(strength, 1)
    height, width = strength.shape

    def at(y: int, x: int) -> np.ndarray:
        return padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]

    slope = np.abs(dy) / (np.abs(dx) + 1e-6)
    level, steep, same_sign = slope < 0.4142, slope > 2.4142, dx * dy > 0
    before = np.where(level, at(0, -1), np.where(steep, at(-1, 0), np.where(same_sign, at(-1, -1), at(-1, 1))))
    after = np.where(level, at(0, 1), np.where(steep, at(1, 0), np.where(same_sign, at(1, 1), at(1, -1))))
    crest = (strength > before) & (strength >= after)
    weak, strong = crest & (strength > low), crest & (strength > high)
    while True:
        grown = widen(strong, 1) & weak
        if (grown == strong).all():
            return strong
        strong = grown


def widen(lines: np.ndarray, by: int) -> np.ndarray:
    """Dilates bool [H, W] by a square of side 2 by + 1."""
    wide = lines.copy()
    for _ in range(by):
        across = wide.copy()
        across[:, 1:] |= wide[:, :-1]
        across[:, :-1] |= wide[:, 1:]
        wide = across.copy()
        wide[1:] |= across[:-1]
        wide[:-1] |= across[1:]
    return wide


def canny(scene: np.ndarray, rng: random.Random) -> np.ndarray:
    """Edges of the whole scene with thresholds around the usual ones: bool [128, 128]."""
    scale = rng.uniform(0.6, 1.3)
    return edges(scene, LOW * scale, HIGH * scale)


def wobble(lines: np.ndarray, rng: random.Random) -> np.ndarray:
    """Moves lines as an unsteady hand would, by up to about three pixels, smoothly."""
    cells = rng.choice((3, 5, 8))
    noise = np.random.default_rng(rng.getrandbits(62))
    shifts = []
    for axis in range(2):
        coarse = Image.fromarray(noise.normal(0, rng.uniform(0.4, 1.4), (cells, cells)).astype(np.float32))
        fine = np.asarray(coarse.resize((SIZE, SIZE), Image.BICUBIC))
        grid = np.arange(SIZE)[:, None] if axis == 0 else np.arange(SIZE)[None]
        shifts.append(np.clip(np.rint(grid + fine), 0, SIZE - 1).astype(int))
    # A line one pixel wide would break where the shift changes; it is drawn two wide.
    return widen(lines, 1)[shifts[0], shifts[1]]


def outline(covered: np.ndarray) -> np.ndarray:
    """The contour of what is more than half covered, uint8 [H, W] -> bool [H, W], one pixel wide, inside."""
    inside = covered > 127
    return inside & widen(~inside, 1)


def scribble(scene: np.ndarray, covered: np.ndarray, rng: random.Random) -> np.ndarray:
    """The thing's outline, most of its inner lines, sometimes the background's; unsteady, thick, with gaps."""
    inside = widen(covered > 127, 1)
    found = edges(scene, 90, 180, blur=rng.uniform(1, 1.8))
    lines = outline(covered)
    if rng.random() < 0.8:
        lines |= found & inside
    if rng.random() < 0.35:
        lines |= found & ~inside
    lines = wobble(lines, rng)
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        y, x, side = rng.randrange(SIZE), rng.randrange(SIZE), rng.randint(6, 18)
        lines[y : y + side, x : x + side] = False
    return widen(lines, 1) if rng.random() < 0.5 else lines
