"""Trains the text encoder and the UNet together on cached latents.

    python -m training.toybox.text2image --work DIR --steps 12000

Resumes by itself from DIR/text2image.pt.  Everything random in step n follows from (seed, n), so a resumed run is the
uninterrupted one.  --steps may be changed on resume: the learning rate falls to zero over the last part of the run.
Where DIR/loose.npy exists (control_data.py), some pictures without a caption and some with little noise are scenes from
it: the network then goes on with a thing off the middle where it is given one (image to image, ControlNet).  Metrics go
to DIR/text2image.jsonl.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import numpy as np
import torch

from . import descent
from .captions import plain_caption, random_caption
from .catalogue import Kind, kinds
from .descent import Descent, Run, attend_simply
from .diffusion import (
    clean_from_velocity,
    draw_times,
    loss_weight,
    posterior_mean,
    signal_and_noise,
    velocity,
)
from .networks import CELLS, CHANNELS, text_encoder, unet
from .pca import PatchPCA
from .tokenizer import Tokenizer
from .warm import begin_denoiser

DECAY_SHARE = 0.4  # of the run, at its end
LOOSE_SHARE = 0.5  # of the pictures without a caption
LATE = 400  # below this time x_t shows where a thing is,
LATE_SHARE = 0.25  # and so many of the pictures with one are loose, too


def networks(tokenizer: Tokenizer) -> torch.nn.ModuleDict:
    """{"text", "unet"}, untrained."""
    return torch.nn.ModuleDict({"text": text_encoder(tokenizer), "unet": unet()})


class Trainer(Descent):
    """The text encoder and the UNet."""

    def __init__(self, latents: torch.Tensor, which: list[Kind], run: Run, pca: PatchPCA | None = None,
                 loose: torch.Tensor | None = None):  # fmt: skip
        """latents [kinds, per_kind, 32, 8, 8]; loose: the same of scenes whose thing stands anywhere. With `pca` an
        error counts as much as it shows in pixels (half-way: to the power of one instead of two)."""
        torch.manual_seed(run.seed)
        self.latents, self.kinds, self.pca, self.loose = latents, which, pca, loose
        self.tokenizer = Tokenizer()
        adam = partial(torch.optim.AdamW, betas=(0.9, 0.99), weight_decay=0.01)
        super().__init__(networks(self.tokenizer), run, adam, ema=0.9985, warmup=100)
        attend_simply(self.net["unet"], run)
        self.a, self.b = signal_and_noise(run.device)
        shown = torch.ones(CHANNELS) if pca is None else pca.importance()
        self.shown = shown.repeat_interleave(CELLS * CELLS).to(run.device)

    def begin_from(self, folder: Path) -> None:
        assert self.pca is not None
        begin_denoiser(self.net, folder, self.pca, self.tokenizer)

    def fall(self, way: float) -> float:
        return min(1.0, (1 - way) / DECAY_SHARE)

    def draw(self) -> tuple[torch.Tensor, ...]:
        """One batch: token ids [B, L], clean and candidate latents [B, D] and [B, K, D], whether the caption is whole
        [B], times [B], noise [B, D]."""
        rng = random.Random(f"{self.run.seed}/{self.done}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        picked = rng.sample(range(len(self.kinds)), min(self.run.batch, len(self.kinds)))
        captions = [random_caption(self.kinds[i], rng) for i in picked]
        ids = torch.tensor([self.tokenizer.encode(text) for text, _ in captions])
        whole = torch.tensor([is_whole for _, is_whole in captions])
        candidates = self.latents[torch.tensor(picked)].flatten(2)
        one = torch.randint(candidates.shape[1], (len(picked),), generator=generator)
        clean = candidates[torch.arange(len(picked)), one]
        times = draw_times(len(picked), generator)
        noise = torch.randn(clean.shape, generator=generator)
        if self.loose is not None:
            for i, (text, _) in enumerate(captions):
                share = LOOSE_SHARE if not text else LATE_SHARE if times[i] < LATE else 0
                if rng.random() < share:
                    clean[i] = self.loose[picked[i], rng.randrange(self.loose.shape[1])].flatten()
                    whole[i] = False
        return tuple(x.to(self.run.device) for x in (ids, clean, candidates, whole, times, noise))

    def predict(self, ids: torch.Tensor, noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """v [B, D] for x_t [B, D]."""
        with self.arithmetic():
            text = self.net["text"](input_ids=ids).last_hidden_state
            picture = noisy.view(-1, CHANNELS, CELLS, CELLS)
            return self.net["unet"](picture, times, encoder_hidden_states=text).sample.flatten(1).float()

    def loss(self) -> torch.Tensor:
        ids, clean, candidates, whole, times, noise = self.draw()
        a, b = self.a[times], self.b[times]
        noisy = a[:, None] * clean + b[:, None] * noise
        mean = posterior_mean(noisy, candidates, a, b)
        target = velocity(noisy, torch.where(whole[:, None], mean, clean), a, b)
        error = ((self.predict(ids, noisy, times) - target).square() * self.shown).mean(1)
        return (error * loss_weight(a, b)).mean()

    def x0_errors(self, times: tuple[int, ...] = (999, 700, 500, 300, 100), count: int = 96) -> dict[str, float]:
        """Mean squared error of x_0 on scenes drawn once: true and shuffled captions. Call it inside `averaged`."""
        rng, generator = random.Random(1), torch.Generator().manual_seed(1)
        picked = rng.sample(range(len(self.kinds)), count)
        clean = self.latents[torch.tensor(picked), 0].flatten(1).to(self.run.device)
        noise = torch.randn(clean.shape, generator=generator).to(self.run.device)
        ids = torch.tensor([self.tokenizer.encode(plain_caption(self.kinds[i], n)) for n, i in enumerate(picked)])
        ids = ids.to(self.run.device)
        result = {}
        for t in times:
            at = torch.full((count,), t, device=self.run.device)
            a, b = self.a[at], self.b[at]
            noisy = a[:, None] * clean + b[:, None] * noise
            for name, words in (("true", ids), ("shuffled", ids.roll(1, 0))):
                if name == "shuffled" and t not in times[:1]:
                    continue
                guess = clean_from_velocity(noisy, self.predict(words, noisy, at), a, b)
                result[f"x0_{t}_{name}"] = (guess - clean).square().mean().item()
        return result


def load_average(path: Path) -> torch.nn.ModuleDict:
    """{"text", "unet"} in evaluation mode, with the averaged weights of a checkpoint."""
    return descent.load_average(networks(Tokenizer()), path)


def main() -> None:
    parser = descent.parser(__doc__, steps=12000, rate=1.2e-3)
    parser.add_argument("--test-every", type=int, default=250, help="steps between measurements")
    args = parser.parse_args()
    run = descent.run_of(args, batch=32, cuda_batch=256)
    pca = PatchPCA.load(args.work / "pca.npz")
    latents = torch.from_numpy(np.load(args.work / "latents.npy"))
    scenes = args.work / "loose.npy"
    loose = torch.from_numpy(pca.encode_all(np.load(scenes, mmap_mode="r"))) if scenes.exists() else None
    trainer = Trainer(latents, kinds(), run, pca, loose)
    path = args.work / "text2image.pt"
    descent.resume(trainer, path, args)

    def measure() -> dict[str, float]:
        if trainer.done % args.test_every:
            return {}
        with trainer.averaged():
            return trainer.x0_errors()

    descent.train(trainer, path, args, log_every=50, measure=measure)


if __name__ == "__main__":
    main()
