"""Trains text encoder, UNet and ControlNet at once, from an exported Toybox and its ControlNet.

    python -m training.toybox.together --work DIR --steps 3000

What a frozen UNet has never drawn, a ControlNet cannot make it draw well: Toybox has its things in one place, and off it
they came out in blotches.  Here every step takes a batch of pictures (text2image.py) and one of drawings (control.py), and
the UNet learns from both: ControlNet's `sd_locked = False`.

Begins with the toybox and toybox-scribble in --init, resumes by itself from DIR/together.pt, and writes both models into
--out at the end of the run, or at once with --export.  Metrics go to DIR/together.jsonl.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from . import autoencoder, control, descent, export
from .catalogue import kinds
from .control import ControlTrainer
from .descent import Descent, Run
from .pca import PatchPCA
from .text2image import Trainer


class Together(Descent):
    def __init__(self, pictures: Trainer, drawings: ControlTrainer, run: Run):
        """The two trainers keep their data and their losses; drawings are made for the UNet of pictures, as it changes."""
        self.pictures, self.drawings = pictures, drawings
        drawings.text, drawings.unet = pictures.net["text"], pictures.net["unet"]
        adam = partial(torch.optim.AdamW, betas=(0.9, 0.99), weight_decay=0.01)
        nets = torch.nn.ModuleDict({**pictures.net, "control": drawings.net})
        super().__init__(nets, run, adam, ema=0.9985, warmup=100)

    def begin_from(self, folder: Path) -> None:
        self.pictures.begin_from(folder / "toybox")
        self.drawings.begin_from(folder / "toybox-scribble")

    def fall(self, way: float) -> float:
        return 1 - way

    def loss(self) -> torch.Tensor:
        self.pictures.done = self.drawings.done = self.done
        return self.pictures.loss() + self.drawings.loss()

    def export(self, work: Path, out: Path) -> None:
        """Writes both models, averaged and in half precision, into the folder."""
        vae = autoencoder.load_average(work / "decoder.pt", PatchPCA.load(work / "pca.npz"))
        with self.averaged():
            nets = copy.deepcopy(self.net)
        export.write(nets, vae, out / "toybox")
        control.write(nets["control"], out / "toybox-scribble")


def main() -> None:
    parser = descent.parser(__doc__, steps=3000, rate=6e-4, seed=1, init=Path("models"))
    parser.add_argument("--out", type=Path, default=Path("models"))
    parser.add_argument("--export", action="store_true", help="only write the checkpoint's weights to --out")
    parser.add_argument("--test-every", type=int, default=200, help="steps between measurements")
    args = parser.parse_args()
    run = descent.run_of(args, batch=48, cuda_batch=192)
    run_drawings = replace(run, batch=run.batch // 2)  # each costs three times as much as a picture
    pca = PatchPCA.load(args.work / "pca.npz")
    latents = torch.from_numpy(np.load(args.work / "latents.npy"))
    loose = torch.from_numpy(pca.encode_all(np.load(args.work / "loose.npy", mmap_mode="r")))
    pictures = Trainer(latents, kinds(), run, pca, loose)
    drawings = ControlTrainer(args.init / "toybox", loose, np.load(args.work / "drawings.npy"), pca, run_drawings)
    trainer = Together(pictures, drawings, run)
    path = args.work / "together.pt"
    descent.resume(trainer, path, args)

    def measure() -> dict[str, float]:
        if trainer.done % args.test_every:
            return {}
        with trainer.averaged():
            return pictures.x0_errors()

    if not args.export:
        descent.train(trainer, path, args, log_every=25, measure=measure)
    if trainer.done >= run.steps or args.export:
        trainer.export(args.work, args.out)


if __name__ == "__main__":
    main()
