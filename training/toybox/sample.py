"""Draws a grid from an exported folder with diffusers' own pipeline: one row for each prompt, one column for each seed.

    python -m training.toybox.sample --model models/toybox --out grid.png --seeds 4 --guidance 2 PROMPT ...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

from .export import SUGGESTED


def load(folder: Path, device: str | None = None) -> StableDiffusionPipeline:
    """The exported pipeline in single precision."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def draw(pipe: StableDiffusionPipeline, prompts: list[str], seeds: int, steps: int, guidance: float) -> Image.Image:
    """A labelled grid of 128 x 128 pictures."""
    grid = Image.new("RGB", (seeds * 128, len(prompts) * 142), "white")
    pen = ImageDraw.Draw(grid)
    for row, prompt in enumerate(prompts):
        noise = [torch.Generator("cpu").manual_seed(seed) for seed in range(seeds)]
        made = pipe(
            [prompt] * seeds, num_inference_steps=steps, guidance_scale=guidance, generator=noise
        ).images
        pen.text((2, row * 142), prompt, "black")
        for column, picture in enumerate(made):
            grid.paste(picture, (column * 128, row * 142 + 14))
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompts", nargs="*", default=list(SUGGESTED))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--out", type=Path, default=Path("grid.png"))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=2.0)
    args = parser.parse_args()
    draw(load(args.model), args.prompts, args.seeds, args.steps, args.guidance).save(args.out)


if __name__ == "__main__":
    main()
