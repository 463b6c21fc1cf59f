"""How well pictures follow a drawing: with the ControlNet, and without it from the same prompt and seed.

    python -m training.toybox.control_measure --work DIR --card --sheet docs/pictures/toybox-scribble.webp

48 fresh scenes, one for each thing, half of them pairs kept out of training, standing anywhere and at any size; for each
its edges and its scribble are the drawing.  Agreement, both between 0 and 1, drawing against the edges (Canny) of the picture:

* `correlation` of the two line maps after a Gaussian blur of 1.5 pixels;
* `f1`: harmonic mean of the share of drawn lines that have an edge within two pixels and of edges that have a line.

A scribble leaves the background out, so its edges are compared inside the frame of the drawing only.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image, ImageFilter

from .captions import plain_caption
from .catalogue import THINGS, Kind, kinds
from .control_data import make, unpack
from .drawings import edges, widen
from .measure import put_into_card
from .sample import load

SEED = 303


def subjects() -> list[Kind]:
    """One kind of each thing, in turn seen in training and kept out of it."""
    rng = random.Random(SEED)
    both = {seen: kinds(seen) for seen in (True, False)}
    return [rng.choice([k for k in both[i % 2 == 0] if k.thing == i]) for i in range(len(THINGS))]


def thinned(drawing: np.ndarray) -> np.ndarray:
    """A thick stroke counts by its middle: erodes bool [H, W] while anything of it is left nearby."""
    while True:
        core = ~widen(~drawing, 1)
        kept = core | (drawing & ~widen(core, 1))
        if (kept == drawing).all():
            return drawing
        drawing = kept


def agreement(drawing: np.ndarray, picture: np.ndarray, framed: bool) -> dict[str, float]:
    """bool [128, 128] and uint8 [128, 128, 3]."""
    lines, found = thinned(drawing), edges(picture, 60, 120, blur=0.7)
    if framed:
        ys, xs = np.nonzero(drawing)
        window = np.s_[max(0, ys.min() - 4) : ys.max() + 5, max(0, xs.min() - 4) : xs.max() + 5]
        lines, found = lines[window], found[window]
    recall = (lines & widen(found, 2)).sum() / max(1, lines.sum())
    precision = (found & widen(lines, 2)).sum() / max(1, found.sum())
    soft = [
        np.asarray(Image.fromarray(np.uint8(255 * m)).filter(ImageFilter.GaussianBlur(1.5)), np.float64).ravel()
        for m in (lines, found)
    ]
    correlation = float(np.corrcoef(*soft)[0, 1]) if min(s.std() for s in soft) > 0 else 0.0
    return {"correlation": correlation, "f1": float(2 * recall * precision / max(1e-9, recall + precision))}


def draw(pipe, which: list[Kind], steps: int, guidance: float, hints: np.ndarray | None, scale: float) -> np.ndarray:
    """uint8 [n, 128, 128, 3]; hints float32 [n, 128, 128] or None; the seed is the number."""
    made = []
    for start in range(0, len(which), 8):
        part = which[start : start + 8]
        noise = [torch.Generator("cpu").manual_seed(start + i) for i in range(len(part))]
        extra = {}
        if hints is not None:
            picture = torch.from_numpy(hints[start : start + 8])[:, None].expand(-1, 3, -1, -1)
            extra = {"image": picture, "controlnet_conditioning_scale": scale}
        texts = [plain_caption(kind) for kind in part]
        out = pipe(texts, num_inference_steps=steps, guidance_scale=guidance, generator=noise, **extra).images
        made += [np.asarray(image) for image in out]
    return np.stack(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--base", type=Path, default=Path("models/toybox"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox-scribble"))
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--card", action="store_true", help="put the table into the model's README.md")
    parser.add_argument("--sheet", type=Path, help="write scribble, guided and unguided picture of the first 24")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    which = subjects()
    _, packed = make(args.work, which, SEED, 1, 1)
    drawings = unpack(packed[:, 0])  # [n, 2, 128, 128]
    plain = load(args.base, "cpu")
    control = ControlNetModel.from_pretrained(args.model, torch_dtype=torch.float32, local_files_only=True)
    guided = StableDiffusionControlNetPipeline(
        **plain.components, controlnet=control, requires_safety_checker=False
    )
    guided.set_progress_bar_config(disable=True)
    free = draw(plain, which, args.steps, args.guidance, None, 0)
    lines = ["| drawing | | with it | without | ratio |", "|---|---|---|---|---|"]
    for form, name in ((0, "edges"), (1, "scribble")):
        made = draw(guided, which, args.steps, args.guidance, drawings[:, form], args.scale)
        scores = [
            [agreement(drawing > 0.5, picture, form == 1) for drawing, picture in zip(drawings[:, form], pictures)]
            for pictures in (made, free)
        ]
        for key in ("correlation", "f1"):
            with_it, without = (float(np.mean([one[key] for one in part])) for part in scores)
            lines.append(f"| {name} | {key} | {with_it:.3f} | {without:.3f} | {with_it / without:.2f} |")
    text = "\n".join(lines)
    print(text)
    print(json.dumps({"subjects": len(which)}))
    if args.card:
        command = f"python -m training.toybox.control_measure --steps {args.steps} --guidance {args.guidance:g}"
        put_into_card(args.model / "README.md", f"`{command}`\n\n{text}")
    if args.sheet:
        sheet = Image.new("RGB", (12 * 132, 6 * 132), "white")
        for i in range(24):
            hint = np.repeat(np.uint8(255 * drawings[i, 1])[..., None], 3, 2)
            for row, picture in enumerate((hint, made[i], free[i])):
                sheet.paste(Image.fromarray(picture), (i % 12 * 132 + 2, (i // 12 * 3 + row) * 132 + 2))
        sheet.save(args.sheet, quality=82, method=6)


if __name__ == "__main__":
    main()
