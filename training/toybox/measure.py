"""Scores an exported folder on 60 fixed prompts, half of them pairs of thing and place that were kept out of training.

    python -m training.toybox.measure --work DIR --model models/toybox --card --sheet docs/pictures/toybox-prompts.webp

Eight pictures are drawn for each prompt (seeds 0 to 7).  The judge (judge.py) says which thing, place and time they show,
and the Frechet distance compares its features of the drawn pictures with those of fresh scenes of the same kinds; the
distance between two sets of fresh scenes is printed beside it.  Nothing is chosen by hand: the prompts follow from the
list of things that the model says it knows (prompts.json), and the sheet shows the first picture of each.
--things 24 asks only for the first 24, so that an older Toybox can be compared.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from .captions import plain_caption
from .catalogue import PLACES, THINGS, Kind, kinds
from .data import build
from .judge import accuracy, labels, load as load_judge, look
from .sample import load as load_pipeline

PROMPTS, SEEDS = 60, 8
MARKS = ("<!-- measure -->", "<!-- end -->")


@dataclass(frozen=True)
class Prompt:
    kind: Kind
    text: str
    seen: bool


def fixed_prompts(things: int) -> list[Prompt]:
    """30 trained and 30 untrained kinds; every thing comes up before one comes up again, plain colours one time in four."""
    result = []
    for seen in (True, False):
        rng = random.Random(f"sixty prompts/{seen}")
        order = rng.sample(range(things), things)
        for i in range(PROMPTS // 2):
            plain = i % 4 == 3
            mine = [k for k in kinds(seen) if k.thing == order[i % things] and (k.place >= len(PLACES)) == plain]
            kind = rng.choice(mine)
            result.append(Prompt(kind, plain_caption(kind), seen))
    return result


def draw(model: Path, prompts: list[Prompt], steps: int, guidance: float) -> np.ndarray:
    """uint8 [prompts, SEEDS, 128, 128, 3]."""
    pipe = load_pipeline(model)
    rows = []
    for prompt in prompts:
        noise = [torch.Generator("cpu").manual_seed(seed) for seed in range(SEEDS)]
        made = pipe([prompt.text] * SEEDS, num_inference_steps=steps, guidance_scale=guidance, generator=noise)
        rows.append(np.stack([np.asarray(picture) for picture in made.images]))
    return np.stack(rows)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance between two sets of features [n, D], each seen as one normal distribution."""
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    # The trace of the root of a product of two positive matrices: its eigenvalues are real and not negative.
    values = np.linalg.eigvals(covariances[0] @ covariances[1])
    root = np.sqrt(np.clip(values.real, 0, None)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1]) - 2 * root)


def score(drawn: np.ndarray, prompts: list[Prompt], work: Path) -> dict[str, dict[str, float]]:
    """For "trained", "untrained" and "all": shares of right answers and the two Frechet distances."""
    judge = load_judge()
    features, answers = look(judge, drawn.reshape(-1, *drawn.shape[2:]))
    which = [prompt.kind for prompt in prompts]
    right = answers == labels(which).repeat(SEEDS, 0)
    fresh = [look(judge, build(work, which, seed, SEEDS, 1).reshape(-1, 128, 128, 3))[0] for seed in (101, 102)]
    seen = np.array([prompt.seen for prompt in prompts]).repeat(SEEDS)
    result = {}
    for name, rows in (("trained", seen), ("untrained", ~seen), ("all", np.ones_like(seen))):
        result[name] = {
            "thing": float(right[rows, 0].mean()),
            "place": float(right[rows, 1].mean()),
            "light": float(right[rows, 2].mean()),
            "all three": float(right[rows].all(1).mean()),
            "distance": frechet(features[rows], fresh[0][rows]),
            "painted": frechet(fresh[1][rows], fresh[0][rows]),
        }
    by_thing = right[:, 0].reshape(len(prompts), SEEDS).mean(1)
    worst = sorted(zip(by_thing, (prompt.text for prompt in prompts)))[:6]
    result["worst"] = {text: round(float(share), 3) for share, text in worst if share < 1}
    return result


def table(scores: dict[str, dict[str, float]], accuracies: dict[str, float]) -> str:
    """Markdown."""
    lines = [
        "| 8 pictures for each of | thing right | place right | light right | all three | Frechet distance (of painted scenes) |",
        "|---|---|---|---|---|---|",
    ]
    for name, what in (("trained", "30 trained pairs"), ("untrained", "30 pairs never trained"), ("all", "all 60")):
        s = scores[name]
        shares = " | ".join(f"{100 * s[key]:.1f} %" for key in ("thing", "place", "light", "all three"))
        lines.append(f"| {what} | {shares} | {s['distance']:.1f} ({s['painted']:.1f}) |")
    own = ", ".join(f"{name} {100 * value:.1f} %" for name, value in accuracies.items())
    lines += ["", f"The judge itself is right on fresh painted scenes in: {own}."]
    return "\n".join(lines)


def sheet(drawn: np.ndarray, prompts: list[Prompt]) -> Image.Image:
    """The first picture of every prompt, ten in a row, its prompt below in three short lines."""
    picture = Image.new("RGB", (10 * 136, 6 * 172), "white")
    pen = ImageDraw.Draw(picture)
    for i, prompt in enumerate(prompts):
        left, top = i % 10 * 136 + 4, i // 10 * 172 + 4
        picture.paste(Image.fromarray(drawn[i, 0]), (left, top))
        words, lines = prompt.text.split(), [""]
        for word in words:
            if len(lines[-1]) + len(word) > 20:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        pen.text((left, top + 129), "\n".join(lines), "black" if prompt.seen else "firebrick", spacing=1)
    return picture


def put_into_card(card: Path, text: str) -> None:
    """Replaces what stands between the two marks of the model card."""
    begin, end = MARKS
    before, rest = card.read_text().split(begin)
    after = re.split(re.escape(end), rest, maxsplit=1)[1]
    card.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--things", type=int, default=0, help="ask for the first ones only; default: all the model knows")
    parser.add_argument("--card", action="store_true", help="put the table into the model's README.md")
    parser.add_argument("--sheet", type=Path, help="write the first picture of every prompt")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    known = json.loads((args.model / "prompts.json").read_text())["things"]
    count = args.things or len(known)
    if known[:count] != list(THINGS)[:count]:
        parser.error(f"{args.model} knows other things than catalogue.py: {known[:count]}")
    prompts = fixed_prompts(count)
    drawn = draw(args.model, prompts, args.steps, args.guidance)
    scores = score(drawn, prompts, args.work)
    text = table(scores, accuracy(load_judge(), args.work))
    print(text, "\n\nleast sure:", json.dumps(scores["worst"]))
    if args.card:
        command = f"python -m training.toybox.measure --steps {args.steps} --guidance {args.guidance:g}"
        put_into_card(args.model / "README.md", f"`{command}`\n\n{text}")
    if args.sheet:
        sheet(drawn, prompts).save(args.sheet, quality=82, method=6)


if __name__ == "__main__":
    main()
