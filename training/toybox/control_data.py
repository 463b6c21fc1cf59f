"""Scenes whose thing stands anywhere, and drawings of them: what the ControlNet learns from.

    python -m training.toybox.control_data --work DIR     # writes DIR/loose.npy and DIR/drawings.npy

loose.npy is uint8 [kinds, per_kind, 128, 128, 3] like scenes.npy; drawings.npy uint8 [kinds, per_kind, 2, 2048] holds
the edges and a scribble of each, eight pixels in a byte.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np

from .catalogue import Kind, kinds
from .data import Pose, build_covered, save_array
from .drawings import canny, scribble
from .painter import SIZE


def draw_all(scenes: np.ndarray, covered: np.ndarray, seed: int) -> np.ndarray:
    """Packed drawings [kinds, per_kind, 2, 2048] of uint8 [kinds, per_kind, 128, 128, 3]."""
    out = np.empty((*scenes.shape[:2], 2, SIZE * SIZE // 8), np.uint8)
    for index in np.ndindex(*scenes.shape[:2]):
        rng = random.Random(f"{seed}/{index}")
        lines = canny(scenes[index], rng), scribble(scenes[index], covered[index], rng)
        out[index] = np.packbits(np.stack(lines).reshape(2, -1), axis=1)
    return out


def unpack(packed: np.ndarray) -> np.ndarray:
    """uint8 [..., 2048] -> float32 [..., 128, 128], 0 or 1."""
    return np.unpackbits(packed, axis=-1).reshape(*packed.shape[:-1], SIZE, SIZE).astype(np.float32)


def make(work: Path, which: list[Kind], seed: int, per_kind: int, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Scenes [kinds, per_kind, 128, 128, 3] and their packed drawings."""
    scenes, covered = build_covered(work, which, seed, per_kind, workers, Pose.anywhere)
    return scenes, draw_all(scenes, covered, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-kind", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    scenes, drawings = make(args.work, kinds(), args.seed, args.per_kind, args.workers)
    save_array(args.work / "loose.npy", scenes)
    save_array(args.work / "drawings.npy", drawings)
    print(f"{scenes.shape[0]} kinds x {scenes.shape[1]} scenes")


if __name__ == "__main__":
    main()
