"""Composes the training scenes and keeps them as one array.

    python -m training.toybox.data --work DIR            # writes DIR/scenes.npy
    python -m training.toybox.data --work DIR --sheet    # also DIR/sheet.png, a contact sheet

scenes.npy is uint8 [kinds, per_kind, 128, 128, 3], in the order of catalogue.kinds(); a scene depends only on the seed,
its kind and its number.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pose:
    """How a thing stands in a scene, in pixels."""

    side: float  # its longer side
    centre: float  # from the left
    foot: float  # from the top
    mirrored: bool = False

    @staticmethod
    def standing(rng: random.Random) -> "Pose":
        """Nearly always the same: what Toybox learns.

        A cell of the latents is 16 pixels, so that every shift is another picture to it: where a thing may stand 4
        pixels to either side, that alone is three fifths of the variance within a caption.
        """
        return Pose(rng.uniform(81, 83), SIZE / 2 + rng.uniform(-1.5, 1.5), 110 + rng.uniform(-1, 1))

    @staticmethod
    def anywhere(rng: random.Random) -> "Pose":
        """56 to 96 pixels large, anywhere in the scene, also mirrored: what only a drawing can ask for."""
        side = rng.uniform(56, 96)
        room = (SIZE - side) / 2 + 6
        return Pose(side, SIZE / 2 + rng.uniform(-room, room), rng.uniform(side + 6, 122), rng.random() < 0.5)


def compose(kind: Kind, background: np.ndarray, work: Path, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """The scene, uint8 [128, 128, 3], and where the thing covers it, uint8 [128, 128]."""
    scene = Image.fromarray(background)
    picture = sprite(work, kind.thing_name)
    if pose.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = pose.side / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    floating = ALL_PLACES[kind.place].name in FLOATING
    centre, foot = pose.centre, pose.foot - (6 if floating else 0)
    left, top = round(centre - picture.width / 2), round(foot - picture.height)
    shadow = Image.new("L", (SIZE, SIZE), 0)
    if not floating:
        half = picture.width * 0.42
        disc = Image.new("L", (round(2 * half), 10), 110)
        mask = Image.new("L", disc.size, 0)
        mask.paste(disc, (0, 0), Image.radial_gradient("L").resize(disc.size).point(lambda v: 255 if v < 128 else 0))
        shadow.paste(mask, (round(centre - half), round(foot - 6)))
        shadow = shadow.filter(ImageFilter.GaussianBlur(2.5))
    scene.paste((0, 0, 0), (0, 0), shadow)
    scene.paste(picture, (left, top), picture)
    covered = Image.new("L", (SIZE, SIZE), 0)
    covered.paste(picture.getchannel("A"), (left, top))
    return np.asarray(scene), np.asarray(covered)


def scenes_of_place(
    group: list[tuple[int, Kind]], work: Path, seed: int, per_kind: int, pose: Callable[[random.Random], Pose]
) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """All scenes of the kinds in `group`, which share place and time: (index, scenes, covered), as `build_covered`."""
    behind = backdrops(group[0][1].place, group[0][1].time, seed)
    result = []
    for index, kind in group:
        rng = random.Random(f"{seed}/{kind}")
        order = rng.sample(range(len(behind)), len(behind))
        made = [compose(kind, behind[order[i % len(order)]], work, pose(rng)) for i in range(per_kind)]
        scenes, covered = (np.stack(part) for part in zip(*made))
        result.append((index, scenes, covered))
    return result


def build_covered(
    work: Path, which: list[Kind], seed: int, per_kind: int, workers: int,
    pose: Callable[[random.Random], Pose] = Pose.standing,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """uint8 [len(which), per_kind, 128, 128, 3], and what the things cover in them, [len(which), per_kind, 128, 128]."""
    groups: dict[tuple[int, str], list[tuple[int, Kind]]] = {}
    for index, kind in enumerate(which):
        groups.setdefault((kind.place, kind.time), []).append((index, kind))
    out = np.empty((len(which), per_kind, SIZE, SIZE, 3), np.uint8)
    out_covered = np.empty(out.shape[:-1], np.uint8)
    job = partial(scenes_of_place, work=work, seed=seed, per_kind=per_kind, pose=pose)
    with ProcessPoolExecutor(workers) as pool:
        for part in pool.map(job, groups.values()):
            for index, scenes, covered in part:
                out[index], out_covered[index] = scenes, covered
    return out, out_covered


def build(work: Path, which: list[Kind], seed: int, per_kind: int, workers: int) -> np.ndarray:
    """Scenes as Toybox learns them: uint8 [len(which), per_kind, 128, 128, 3]."""
    return build_covered(work, which, seed, per_kind, workers)[0]


def contact_sheet(work: Path, seed: int) -> Image.Image:
    """One row for each place and time, twelve things a row."""
    rows = [(p, time) for p, place in enumerate(ALL_PLACES) for time in place.times]
    sheet = Image.new("RGB", (12 * SIZE, len(rows) * SIZE))
    for y, (place, time) in enumerate(rows):
        behind = backdrops(place, time, seed, 12)
        for x in range(12):
            kind = Kind((x + 12 * (y % 4)) % len(THINGS), place, time)
            scene, _ = compose(kind, behind[x], work, Pose.standing(random.Random(f"{seed}/{kind}")))
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
