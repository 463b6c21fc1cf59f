"""Trains the decoder of the autoencoder; the encoder is the PCA of pca.py and stays as it is.

    python -m training.toybox.autoencoder --work DIR --steps 4000

Where DIR/loose.npy exists (control_data.py), a part of the pictures comes from it: things that stand off the middle.
Independent of the denoiser: it can be run again at any time to sharpen the pictures (DIR/decoder.pt is continued).
Metrics go to DIR/decoder.jsonl; PSNR is measured on (thing, place) pairs that are in no training scene.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch.nn import functional as F

from . import descent, state
from .catalogue import kinds
from .data import build
from .descent import Descent, Run
from .networks import CELL, CELLS, autoencoder
from .pca import PatchPCA, write_encoder
from .warm import SHIFT, TENT, begin_decoder

NOISE = 0.12  # added to the latents (rms 1), at most: what the denoiser makes is never exact
LOOSE_SHARE = 0.2  # of the pictures are scenes of control_data.py, where these exist
CROP = 4  # cells: crops of 64 x 64 pixels


def to_pictures(scenes: np.ndarray) -> torch.Tensor:
    """uint8 [n, H, W, 3] -> float32 [n, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(scenes.transpose(0, 3, 1, 2))).float() / 127.5 - 1


@torch.no_grad()
def start_as_interpolation(vae: AutoencoderTiny, latents: torch.Tensor, pictures: torch.Tensor) -> None:
    """Before training the decoder interpolates the latents bilinearly and reads the colours off by least squares.

    latents [n, 32, 8, 8] in the decoder's scale, pictures [n, 3, 128, 128] in [-1, 1].  The first convolution passes
    each latent channel plus SHIFT, because a ReLU follows; residual blocks begin as the identity.
    """
    layers = vae.decoder.layers
    first, *middle, last = (m for m in layers if isinstance(m, torch.nn.Conv2d))
    first.weight.zero_()
    first.bias.fill_(SHIFT)
    for k in range(first.in_channels):
        first.weight[k, k, 1, 1] = 1
    for conv in middle:  # behind a nearest upsampling by two
        conv.weight.zero_()
        for k in range(conv.in_channels):
            conv.weight[k, k] = torch.outer(TENT, TENT)
    for block in layers:
        if hasattr(block, "fuse"):
            torch.nn.init.zeros_(block.conv[4].weight)
            torch.nn.init.zeros_(block.conv[4].bias)
    features = 3 * torch.tanh(latents / 3)
    for layer in list(layers)[:-1]:
        features = layer(features)
    columns = F.unfold(features, 3, padding=1).transpose(1, 2).flatten(0, 1)  # [n H W, 9 C]
    some = torch.randperm(len(columns), generator=torch.Generator().manual_seed(0))[:60000]
    x = torch.cat([columns[some], torch.ones(len(some), 1)], 1).double()
    y = ((pictures + 1) / 2).permute(0, 2, 3, 1).flatten(0, 2)[some].double()
    solution = torch.linalg.solve(x.T @ x + 1e-3 * len(some) * torch.eye(x.shape[1]).double() * 1e-2, x.T @ y).float()
    last.weight.copy_(solution[:-1].T.reshape(last.weight.shape))
    last.bias.copy_(solution[-1])


def picture_loss(made: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """L1 + 0.5 RMSE + 0.6 L1 of gradients at two scales, on [B, 3, H, W] in [0, 1]."""
    difference = made - true
    loss = difference.abs().mean() + 0.5 * (difference.square().mean((1, 2, 3)) + 1e-8).sqrt().mean()
    for scale in (1, 2):
        d = F.avg_pool2d(difference, scale) if scale > 1 else difference
        loss = loss + 0.3 * (d.diff(dim=2).abs().mean() + d.diff(dim=3).abs().mean())
    return loss


class DecoderTrainer(Descent):
    """The decoder; the encoder is written once and stays."""

    def __init__(self, scenes: list[np.ndarray], pca: PatchPCA, run: Run):
        """scenes: one or two of uint8 [kinds, n, 128, 128, 3]; of two, the second has a share of LOOSE_SHARE."""
        torch.manual_seed(run.seed)
        self.scenes, self.pca = scenes, pca
        self.vae = autoencoder()
        write_encoder(self.vae, pca)
        rng = random.Random(run.seed)
        some = np.stack([self.scene(rng, 0) for _ in range(48)])
        latents = torch.from_numpy(pca.encode(some)) / self.vae.config.scaling_factor
        start_as_interpolation(self.vae, latents, to_pictures(some))
        self.vae.to(run.device)
        super().__init__(self.vae.decoder, run, torch.optim.Adam, ema=0.995, warmup=50)

    def begin_from(self, folder: Path) -> None:
        begin_decoder(self.vae.decoder, folder, self.pca)

    def fall(self, way: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * way))

    def scene(self, rng: random.Random, source: int) -> np.ndarray:
        """One of the scenes, uint8 [128, 128, 3]."""
        kinds_there, each = self.scenes[source].shape[:2]
        return self.scenes[source][rng.randrange(kinds_there), rng.randrange(each)]

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [B, 32, 4, 4] in the decoder's scale, with noise, and pictures [B, 3, 64, 64] in [0, 1]."""
        rng = random.Random(f"{self.run.seed}/{self.done}")
        crops = []
        for _ in range(self.run.batch):
            scene = self.scene(rng, int(len(self.scenes) > 1 and rng.random() < LOOSE_SHARE))
            y, x = CELL * rng.randint(0, CELLS - CROP), CELL * rng.randint(0, CELLS - CROP)
            crops.append(scene[y : y + CELL * CROP, x : x + CELL * CROP])
        pictures = np.stack(crops)
        z = torch.from_numpy(self.pca.encode(pictures))
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(rng.getrandbits(62)))
        level = NOISE * torch.tensor([rng.random() for _ in range(self.run.batch)]).view(-1, 1, 1, 1)
        z = (z + level * noise) / self.vae.config.scaling_factor
        return z.to(self.run.device), (to_pictures(pictures).to(self.run.device) + 1) / 2

    def loss(self) -> torch.Tensor:
        z, true = self.draw()
        with self.arithmetic():
            made = (self.vae.decode(z).sample.float() + 1) / 2
        return picture_loss(made, true)

    def psnr(self, test: np.ndarray) -> float:
        """dB over uint8 [n, 128, 128, 3], encoder and averaged decoder together."""
        made, true = [], to_pictures(test)
        with self.averaged():
            for part in true.split(16):
                made.append(self.vae.decode(self.vae.encode(part.to(self.run.device)).latents).sample.cpu().clamp(-1, 1))
        return -10 * math.log10(((torch.cat(made) - true) / 2).square().mean().item())


def load_average(path: Path, pca: PatchPCA) -> AutoencoderTiny:
    """The autoencoder with the averaged decoder of a checkpoint, in evaluation mode."""
    vae = autoencoder()
    write_encoder(vae, pca)
    descent.load_average(vae.decoder, path)
    return vae.eval()


def main() -> None:
    args = descent.parser(__doc__, steps=4000, rate=8e-4).parse_args()
    run = descent.run_of(args, batch=8, cuda_batch=64)
    scenes = np.load(args.work / "scenes.npy", mmap_mode="r")
    loose = args.work / "loose.npy"
    sources = [scenes, np.load(loose, mmap_mode="r")] if loose.exists() else [scenes]
    trainer = DecoderTrainer(sources, PatchPCA.load(args.work / "pca.npz"), run)
    path = args.work / "decoder.pt"
    descent.resume(trainer, path, args)
    unseen = kinds(training=False)
    test = build(args.work, random.Random(2).sample(unseen, 48), 1, 1, 1)[:, 0]

    def measure() -> dict[str, float]:
        return {"psnr": trainer.psnr(test)}

    state.log(path.with_suffix(".jsonl"), step=trainer.done, **measure())
    descent.train(trainer, path, args, log_every=250, measure=measure)


if __name__ == "__main__":
    main()
