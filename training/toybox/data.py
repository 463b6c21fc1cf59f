"""Composes the training scenes and keeps them as one array.

    python -m training.toybox.data --work DIR            # writes DIR/scenes.npy
    python -m training.toybox.data --work DIR --sheet    # also DIR/sheet.png, a contact sheet

scenes.npy is uint8 [kinds, per_kind, 128, 128, 3], in the order of catalogue.kinds(); a scene depends only on the seed,
its kind and its number.
"""

from __future__ import annotations

import argparse
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from .catalogue import ALL_PLACES, THINGS, Kind, kinds
from .painter import SIZE, paint
from .sprites import fetch, sprite

BACKGROUNDS = 24  # variants painted for each (place, time)
FLOATING = {"sky", "space", "underwater", "starry night"}  # places where the shadow on the ground is left out


def backdrops(place: int, time: str, seed: int, count: int = BACKGROUNDS) -> list[np.ndarray]:
    """The variants of one place at one time, each uint8 [128, 128, 3]."""
    name = ALL_PLACES[place].name
    return [paint(name, time, random.Random(f"{seed}/{name}/{time}/{i}")) for i in range(count)]


def compose(kind: Kind, background: np.ndarray, work: Path, rng: random.Random) -> np.ndarray:
    """Pastes the thing, 76 to 88 pixels along its longer side, near the centre: uint8 [128, 128, 3]."""
    scene = Image.fromarray(background)
    picture = sprite(work, kind.thing_name)
    scale = rng.uniform(76, 88) / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    centre = SIZE / 2 + rng.uniform(-4, 4)
    foot = 110 + rng.uniform(-3, 3)
    if ALL_PLACES[kind.place].name in FLOATING:
        foot -= 6
    left, top = round(centre - picture.width / 2), round(foot - picture.height)
    shadow = Image.new("L", (SIZE, SIZE), 0)
    if ALL_PLACES[kind.place].name not in FLOATING:
        half = picture.width * 0.42
        disc = Image.new("L", (round(2 * half), 10), 110)
        mask = Image.new("L", disc.size, 0)
        mask.paste(disc, (0, 0), Image.radial_gradient("L").resize(disc.size).point(lambda v: 255 if v < 128 else 0))
        shadow.paste(mask, (round(centre - half), round(foot - 6)))
        shadow = shadow.filter(ImageFilter.GaussianBlur(2.5))
    scene.paste((0, 0, 0), (0, 0), shadow)
    scene.paste(picture, (left, top), picture)
    return np.asarray(scene)


def scenes_of_place(
    group: list[tuple[int, Kind]], work: Path, seed: int, per_kind: int
) -> list[tuple[int, np.ndarray]]:
    """All scenes of the kinds in `group`, which share place and time: (index, uint8 [per_kind, 128, 128, 3])."""
    behind = backdrops(group[0][1].place, group[0][1].time, seed)
    result = []
    for index, kind in group:
        rng = random.Random(f"{seed}/{kind}")
        order = rng.sample(range(len(behind)), len(behind))
        scenes = [compose(kind, behind[order[i % len(order)]], work, rng) for i in range(per_kind)]
        result.append((index, np.stack(scenes)))
    return result


def build(work: Path, which: list[Kind], seed: int, per_kind: int, workers: int) -> np.ndarray:
    """uint8 [len(which), per_kind, 128, 128, 3]."""
    groups: dict[tuple[int, str], list[tuple[int, Kind]]] = {}
    for index, kind in enumerate(which):
        groups.setdefault((kind.place, kind.time), []).append((index, kind))
    out = np.empty((len(which), per_kind, SIZE, SIZE, 3), np.uint8)
    job = partial(scenes_of_place, work=work, seed=seed, per_kind=per_kind)
    with ProcessPoolExecutor(workers) as pool:
        for part in pool.map(job, groups.values()):
            for index, scenes in part:
                out[index] = scenes
    return out


def contact_sheet(work: Path, seed: int) -> Image.Image:
    """One row for each place and time, twelve things a row."""
    rows = [(p, time) for p, place in enumerate(ALL_PLACES) for time in place.times]
    sheet = Image.new("RGB", (12 * SIZE, len(rows) * SIZE))
    for y, (place, time) in enumerate(rows):
        behind = backdrops(place, time, seed, 12)
        for x in range(12):
            kind = Kind((x + 12 * (y % 2)) % len(THINGS), place, time)
            scene = compose(kind, behind[x], work, random.Random(f"{seed}/{kind}"))
            sheet.paste(Image.fromarray(scene), (x * SIZE, y * SIZE))
    return sheet


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes beside the target first and renames: a killed run leaves no half file."""
    partial_path = path.with_suffix(".partial.npy")
    np.save(partial_path, array)
    partial_path.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-kind", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sheet", action="store_true", help="only write the contact sheet")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    fetch(args.work)
    if args.sheet:
        contact_sheet(args.work, args.seed).save(args.work / "sheet.png")
        return
    scenes = build(args.work, kinds(), args.seed, args.per_kind, args.workers)
    save_array(args.work / "scenes.npy", scenes)
    print(f"{scenes.shape[0]} kinds x {scenes.shape[1]} scenes")


if __name__ == "__main__":
    main()
