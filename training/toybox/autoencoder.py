"""Trains the decoder of the autoencoder; the encoder is the PCA of pca.py and stays as it is.

    python -m training.toybox.autoencoder --work DIR --steps 4000

Where DIR/loose.npy exists (control_data.py), a part of the pictures comes from it: things that stand off the middle.
Independent of the denoiser: it can be run again at any time to sharpen the pictures (DIR/decoder.pt is continued).
Metrics go to DIR/decoder.jsonl; PSNR is measured on (thing, place) pairs that are in no training scene.
"""

from __future__ import annotations

import argparse
import math
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch.nn import functional as F

from . import state
from .catalogue import kinds
from .data import build
from .networks import CELL, CELLS, autoencoder
from .pca import PatchPCA, write_encoder
from .warm import SHIFT, TENT, begin_decoder

EMA = 0.995
NOISE = 0.03  # added to the latents (rms 1), as what the denoiser makes is never exact
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


class DecoderTrainer:
    def __init__(self, scenes: list[np.ndarray], pca: PatchPCA, batch: int, rate: float, steps: int, seed: int,
                 device: str):  # fmt: skip
        """scenes: one or two of uint8 [kinds, n, 128, 128, 3]; of two, the second has a share of LOOSE_SHARE."""
        torch.manual_seed(seed)
        self.scenes, self.pca = scenes, pca
        self.batch, self.rate, self.steps, self.seed, self.device = batch, rate, steps, seed, device
        self.vae = autoencoder()
        write_encoder(self.vae, pca)
        rng = random.Random(seed)
        some = np.stack([self.scene(rng, 0) for _ in range(48)])
        latents = torch.from_numpy(pca.encode(some)) / self.vae.config.scaling_factor
        start_as_interpolation(self.vae, latents, to_pictures(some))
        self.vae.to(device)
        self.weights = list(self.vae.decoder.parameters())
        self.average = [p.detach().clone() for p in self.weights]
        self.optimizer = torch.optim.Adam(self.weights, lr=rate, fused=True)
        self.done, self.begun = 0, 0  # steps done, and the step at which the present schedule began

    def begin_from(self, folder: Path, pca: PatchPCA) -> None:
        """Starts with the decoder of an exported folder."""
        begin_decoder(self.vae.decoder, folder, pca)
        self.average = [p.detach().clone() for p in self.weights]

    def learning_rate(self) -> float:
        way = (self.done - self.begun) / max(1, self.steps - self.begun)
        return self.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, way))) * min(1.0, (self.done - self.begun + 1) / 50)

    def scene(self, rng: random.Random, source: int) -> np.ndarray:
        """One of the scenes, uint8 [128, 128, 3]."""
        kinds_there, each = self.scenes[source].shape[:2]
        return self.scenes[source][rng.randrange(kinds_there), rng.randrange(each)]

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [B, 32, 4, 4] in the decoder's scale, with noise, and pictures [B, 3, 64, 64] in [0, 1]."""
        rng = random.Random(f"{self.seed}/{self.done}")
        crops = []
        for _ in range(self.batch):
            scene = self.scene(rng, int(len(self.scenes) > 1 and rng.random() < LOOSE_SHARE))
            y, x = CELL * rng.randint(0, CELLS - CROP), CELL * rng.randint(0, CELLS - CROP)
            crops.append(scene[y : y + CELL * CROP, x : x + CELL * CROP])
        pictures = np.stack(crops)
        z = torch.from_numpy(self.pca.encode(pictures))
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(rng.getrandbits(62)))
        z = (z + NOISE * noise) / self.vae.config.scaling_factor
        return z.to(self.device), (to_pictures(pictures).to(self.device) + 1) / 2

    def step(self) -> torch.Tensor:
        z, true = self.draw()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            made = (self.vae.decode(z).sample.float() + 1) / 2
        loss = picture_loss(made, true)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.step()
        self.done += 1
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - min(EMA, (1 + self.done) / (10 + self.done)))
        return loss.detach()

    def swap(self) -> None:
        for weight, average in zip(self.weights, self.average):
            weight.data, average.data = average.data, weight.data

    @torch.no_grad()
    def psnr(self, test: np.ndarray) -> float:
        """dB over uint8 [n, 128, 128, 3], encoder and averaged decoder together."""
        self.swap()
        made, true = [], to_pictures(test)
        for part in true.split(16):
            made.append(self.vae.decode(self.vae.encode(part.to(self.device)).latents).sample.cpu().clamp(-1, 1))
        self.swap()
        return -10 * math.log10(((torch.cat(made) - true) / 2).square().mean().item())

    def state(self) -> dict:
        return {
            "step": self.done,
            "begun": self.begun,
            "decoder": self.vae.decoder.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, saved: dict) -> None:
        self.done, self.begun = saved["step"], saved["begun"]
        self.vae.decoder.load_state_dict(saved["decoder"])
        for mine, theirs in zip(self.average, saved["average"]):
            mine.copy_(theirs)
        self.optimizer.load_state_dict(saved["optimizer"])


def load_average(path: Path, pca: PatchPCA) -> AutoencoderTiny:
    """The autoencoder with the averaged decoder of a checkpoint, in evaluation mode."""
    vae = autoencoder()
    write_encoder(vae, pca)
    for parameter, average in zip(vae.decoder.parameters(), state.load(path)["average"]):
        parameter.data.copy_(average)
    return vae.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--init", type=Path, help="an exported folder to begin with where there is no checkpoint")
    parser.add_argument("--restart-schedule", action="store_true", help="begin a new cosine from here to --steps")
    parser.add_argument("--batch", type=int, default=0, help="default: 8, or 64 on CUDA")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=float, default=120, help="seconds between checkpoints")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scenes = np.load(args.work / "scenes.npy", mmap_mode="r")
    loose = args.work / "loose.npy"
    sources = [scenes, np.load(loose, mmap_mode="r")] if loose.exists() else [scenes]
    batch = args.batch or (64 if device == "cuda" else 8)
    pca = PatchPCA.load(args.work / "pca.npz")
    trainer = DecoderTrainer(sources, pca, batch, args.rate, args.steps, args.seed, device)
    path, journal = args.work / "decoder.pt", args.work / "decoder.jsonl"
    if path.exists():
        trainer.restore(state.load(path, device))
        if args.restart_schedule:
            trainer.begun = trainer.done
    elif args.init:
        trainer.begin_from(args.init, pca)
    unseen = kinds(training=False)
    test = build(args.work, random.Random(2).sample(unseen, 48), 1, 1, 1)[:, 0]
    state.log(journal, step=trainer.done, psnr=trainer.psnr(test))
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))

    losses: list[torch.Tensor] = []
    saved_at, wall, cpu = time.monotonic(), time.monotonic(), time.process_time()
    while trainer.done < trainer.steps and not stop:
        losses.append(trainer.step())
        if trainer.done % 250 == 0 or trainer.done == trainer.steps:
            now, now_cpu = time.monotonic(), time.process_time()
            state.log(
                journal,
                step=trainer.done,
                loss=torch.stack(losses).mean().item(),
                rate=trainer.learning_rate(),
                per_second=len(losses) * batch / (now - wall),
                per_cpu_second=len(losses) * batch / (now_cpu - cpu),
                psnr=trainer.psnr(test),
            )
            losses, wall, cpu = [], time.monotonic(), time.process_time()
        if time.monotonic() - saved_at > args.save_every:
            state.save(path, trainer.state())
            saved_at = time.monotonic()
    state.save(path, trainer.state())


if __name__ == "__main__":
    main()
