"""How much of a picture is left when it is drawn anew (image to image) from its own caption.

    python -m training.toybox.redraw_measure --work DIR --model models/toybox --sheet sheet.png

The scenes are those of control_measure.py: one for each thing, which stands anywhere and at any size, half of them pairs
kept out of training.  Printed is the mean PSNR to the scene for some strengths, and for the autoencoder alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from .autoencoder import to_pictures
from .captions import plain_caption
from .control_data import make
from .control_measure import SEED, subjects
from .sample import load

STRENGTHS = (0.2, 0.4, 0.6)


def psnr(made: np.ndarray, scenes: np.ndarray) -> float:
    """dB, mean over uint8 [n, 128, 128, 3]."""
    error = np.square(made.astype(float) - scenes).mean((1, 2, 3))
    return float((10 * np.log10(255**2 / error)).mean())


@torch.no_grad()
def coded(pipe: StableDiffusionPipeline, scenes: np.ndarray) -> np.ndarray:
    """The scenes through the autoencoder, uint8 [n, 128, 128, 3]."""
    out = pipe.vae.decode(pipe.vae.encode(to_pictures(scenes)).latents).sample
    return (out * 127.5 + 127.5).clamp(0, 255).round().byte().permute(0, 2, 3, 1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--sheet", type=Path, help="write the first 12: scenes, autoencoder, one row for each strength")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    which = subjects()
    scenes = make(args.work, which, SEED, 1, 1)[0][:, 0]
    plain = load(args.model, "cpu")
    pipe = StableDiffusionImg2ImgPipeline(**plain.components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    rows = [scenes, coded(plain, scenes)]
    print(f"autoencoder alone: {psnr(rows[1], scenes):.1f} dB")
    for strength in STRENGTHS:
        made = pipe(
            [plain_caption(kind) for kind in which],
            image=[Image.fromarray(scene) for scene in scenes],
            strength=strength,
            num_inference_steps=args.steps,
            guidance_scale=args.guidance,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in range(len(which))],
        ).images
        rows.append(np.stack([np.asarray(picture) for picture in made]))
        print(f"strength {strength}: {psnr(rows[-1], scenes):.1f} dB", flush=True)
    if args.sheet:
        Image.fromarray(np.concatenate([np.concatenate(row[:12], 1) for row in rows])).save(args.sheet)


if __name__ == "__main__":
    main()
