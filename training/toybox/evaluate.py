"""Scores an exported folder: does the picture show what the prompt says?

    python -m training.toybox.evaluate --work DIR --model models/toybox --guidance 2 --steps 25 --pairs 240

A drawn latent is compared with painted scenes.  The *thing* is right if the nearest scene of the prompted place and
time holds the prompted thing; the *place* is right if the nearest scene with the prompted thing is at that place and
time.  Chance is 1/24 and about 1/43.  Pairs kept out of training are scored apart.  `distance` is the mean squared
difference to the nearest scene of the prompted kind; among painted scenes themselves it is `painted`.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch

from .captions import plain_caption
from .catalogue import THINGS, Kind, kinds
from .data import build
from .pca import PatchPCA
from .sample import load


def reference(work: Path) -> tuple[list[Kind], np.ndarray]:
    """All kinds, seen and unseen, and latents float32 [kinds, 24, 1024] of painted scenes."""
    seen, unseen = kinds(), kinds(training=False)
    latents = np.load(work / "latents.npy")
    cached = work / "unseen.npy"
    if not cached.exists():
        scenes = build(work, unseen, 0, latents.shape[1], 1)
        pca = PatchPCA.load(work / "pca.npz")
        np.save(cached, np.stack([pca.encode(kind) for kind in scenes]))
    both = np.concatenate([latents, np.load(cached)])
    return seen + unseen, both.reshape(*both.shape[:2], -1)


def nearest(z: np.ndarray, scenes: np.ndarray) -> float:
    return float(((scenes - z) ** 2).mean(-1).min())


def score(pipe, work: Path, picked: list[Kind], guidance: float, steps: int) -> dict:
    """Draws one picture for each kind (seed: its number) and compares."""
    all_kinds, latents = reference(work)
    index = {kind: i for i, kind in enumerate(all_kinds)}
    right_thing, right_place, distances, painted = [], [], [], []
    wrong: dict[str, int] = {}
    for start in range(0, len(picked), 16):
        part = picked[start : start + 16]
        noise = [torch.Generator("cpu").manual_seed(start + i) for i in range(len(part))]
        texts = [plain_caption(kind, n) for n, kind in enumerate(part)]
        made = pipe(texts, num_inference_steps=steps, guidance_scale=guidance, generator=noise, output_type="latent")
        for kind, z in zip(part, made.images.flatten(1).numpy()):
            here = [k for k in all_kinds if (k.place, k.time) == (kind.place, kind.time)]
            same = [k for k in all_kinds if k.thing == kind.thing]
            thing = min(here, key=lambda k: nearest(z, latents[index[k]]))
            place = min(same, key=lambda k: nearest(z, latents[index[k]]))
            right_thing.append(thing == kind)
            right_place.append(place == kind)
            if thing != kind:
                mistake = f"{kind.thing_name} as {thing.thing_name}"
                wrong[mistake] = wrong.get(mistake, 0) + 1
            distances.append(nearest(z, latents[index[kind]]))
            painted.append(nearest(latents[index[kind]][0], latents[index[kind]][1:]))
    return {
        "drawn": len(picked),
        "thing": float(np.mean(right_thing)),
        "place": float(np.mean(right_place)),
        "distance": float(np.mean(distances)),
        "painted": float(np.mean(painted)),
        "mistaken": wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--pairs", type=int, default=10 * len(THINGS))
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    pipe = load(args.model)
    for name, which in (("seen", kinds()), ("unseen", kinds(training=False))):
        picked = random.Random(0).sample(which, min(args.pairs, len(which)))
        print(json.dumps({"pairs": name, **score(pipe, args.work, picked, args.guidance, args.steps)}), flush=True)


if __name__ == "__main__":
    main()
