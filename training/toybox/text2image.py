"""Trains the text encoder and the UNet together on cached latents.

    python -m training.toybox.text2image --work DIR --steps 12000

Resumes by itself from DIR/text2image.pt.  Everything random in step n follows from (seed, n), so a resumed run is the
uninterrupted one.  --steps may be changed on resume: the learning rate falls to zero over the last part of the run.
Metrics go to DIR/text2image.jsonl.  On CUDA the batch is larger and the arithmetic bf16.
"""

from __future__ import annotations

import argparse
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch

from . import state
from .captions import plain_caption, random_caption
from .catalogue import Kind, kinds
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
WARMUP = 100  # steps
EMA = 0.9985


class Trainer:
    """Weights, their moving average, optimizer and step; `step()` does one."""

    def __init__(self, latents: torch.Tensor, which: list[Kind], batch: int, rate: float, steps: int, seed: int,
                 device: str):  # fmt: skip
        torch.manual_seed(seed)
        self.latents, self.kinds = latents, which  # [kinds, per_kind, 32, 8, 8]
        self.batch, self.rate, self.steps, self.seed, self.device = batch, rate, steps, seed, device
        self.tokenizer = Tokenizer()
        self.nets = torch.nn.ModuleDict({"text": text_encoder(self.tokenizer), "unet": unet()}).to(device).train()
        self.weights = [p for p in self.nets.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.weights]
        self.optimizer = torch.optim.AdamW(self.weights, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.done = 0
        self.a, self.b = signal_and_noise(device)

    def begin_from(self, folder: Path, pca: PatchPCA) -> None:
        """Starts with the weights of an exported folder."""
        begin_denoiser(self.nets, folder, pca, self.tokenizer)
        self.average = [p.detach().clone() for p in self.weights]

    def learning_rate(self) -> float:
        left = (self.steps - self.done) / (DECAY_SHARE * self.steps)
        return self.rate * min(1.0, (self.done + 1) / WARMUP, max(left, 0.0))

    def draw(self) -> tuple[torch.Tensor, ...]:
        """One batch: token ids [B, L], clean and candidate latents [B, D] and [B, K, D], whether the caption is whole
        [B], times [B], noise [B, D]."""
        rng = random.Random(f"{self.seed}/{self.done}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        picked = rng.sample(range(len(self.kinds)), min(self.batch, len(self.kinds)))
        captions = [random_caption(self.kinds[i], rng) for i in picked]
        ids = torch.tensor([self.tokenizer.encode(text) for text, _ in captions])
        whole = torch.tensor([is_whole for _, is_whole in captions])
        candidates = self.latents[torch.tensor(picked)].flatten(2)
        one = torch.randint(candidates.shape[1], (len(picked),), generator=generator)
        clean = candidates[torch.arange(len(picked)), one]
        times = draw_times(len(picked), generator)
        noise = torch.randn(clean.shape, generator=generator)
        return tuple(x.to(self.device) for x in (ids, clean, candidates, whole, times, noise))

    def predict(self, ids: torch.Tensor, noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """v [B, D] for x_t [B, D]."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            text = self.nets["text"](input_ids=ids).last_hidden_state
            picture = noisy.view(-1, CHANNELS, CELLS, CELLS)
            return self.nets["unet"](picture, times, encoder_hidden_states=text).sample.flatten(1).float()

    def step(self) -> torch.Tensor:
        """One optimizer step; the weighted loss, still on the device."""
        ids, clean, candidates, whole, times, noise = self.draw()
        a, b = self.a[times], self.b[times]
        noisy = a[:, None] * clean + b[:, None] * noise
        mean = posterior_mean(noisy, candidates, a, b)
        target = velocity(noisy, torch.where(whole[:, None], mean, clean), a, b)
        error = (self.predict(ids, noisy, times) - target).square().mean(1)
        loss = (error * loss_weight(a, b)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.step()
        self.done += 1
        keep = min(EMA, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - keep)
        return loss.detach()

    def swap(self) -> None:
        """Exchanges the weights with their moving average."""
        for weight, average in zip(self.weights, self.average):
            weight.data, average.data = average.data, weight.data

    @torch.no_grad()
    def x0_errors(self, times: tuple[int, ...] = (999, 700, 500, 300), count: int = 96) -> dict[str, float]:
        """Mean squared error of x_0, with the averaged weights, on scenes drawn once: true and shuffled captions."""
        rng, generator = random.Random(1), torch.Generator().manual_seed(1)
        picked = rng.sample(range(len(self.kinds)), count)
        clean = self.latents[torch.tensor(picked), 0].flatten(1).to(self.device)
        noise = torch.randn(clean.shape, generator=generator).to(self.device)
        ids = torch.tensor([self.tokenizer.encode(plain_caption(self.kinds[i], n)) for n, i in enumerate(picked)])
        ids = ids.to(self.device)
        self.swap()
        self.nets.eval()
        result = {}
        for t in times:
            at = torch.full((count,), t, device=self.device)
            a, b = self.a[at], self.b[at]
            noisy = a[:, None] * clean + b[:, None] * noise
            for name, words in (("true", ids), ("shuffled", ids.roll(1, 0))):
                if name == "shuffled" and t not in times[:1]:
                    continue
                guess = clean_from_velocity(noisy, self.predict(words, noisy, at), a, b)
                result[f"x0_{t}_{name}"] = (guess - clean).square().mean().item()
        self.nets.train()
        self.swap()
        return result

    def state(self) -> dict:
        return {
            "step": self.done,
            "nets": self.nets.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, saved: dict) -> None:
        self.done = saved["step"]
        self.nets.load_state_dict(saved["nets"])
        for mine, theirs in zip(self.average, saved["average"]):
            mine.copy_(theirs)
        self.optimizer.load_state_dict(saved["optimizer"])


def load_average(path: Path) -> torch.nn.ModuleDict:
    """{"text", "unet"} in evaluation mode, with the averaged weights of a checkpoint."""
    saved = state.load(path)
    nets = torch.nn.ModuleDict({"text": text_encoder(Tokenizer()), "unet": unet()})
    nets.load_state_dict(saved["nets"])
    for parameter, average in zip((p for p in nets.parameters() if p.requires_grad), saved["average"]):
        parameter.data.copy_(average)
    return nets.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=0, help="default: 32, or 256 on CUDA")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--init", type=Path, help="an exported folder to begin with where there is no checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=float, default=150, help="seconds between checkpoints")
    parser.add_argument("--test-every", type=int, default=250, help="steps between measurements")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    latents = torch.from_numpy(np.load(args.work / "latents.npy"))
    batch = args.batch or (256 if device == "cuda" else 32)
    trainer = Trainer(latents, kinds(), batch, args.rate, args.steps, args.seed, device)
    path, journal = args.work / "text2image.pt", args.work / "text2image.jsonl"
    if path.exists():
        trainer.restore(state.load(path, device))
    elif args.init:
        trainer.begin_from(args.init, PatchPCA.load(args.work / "pca.npz"))
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))

    losses: list[torch.Tensor] = []
    saved_at, wall, cpu = time.monotonic(), time.monotonic(), time.process_time()
    while trainer.done < trainer.steps and not stop:
        losses.append(trainer.step())
        if trainer.done % 50 == 0 or trainer.done == trainer.steps:
            now, now_cpu = time.monotonic(), time.process_time()
            samples = len(losses) * batch
            measured = trainer.x0_errors() if trainer.done % args.test_every == 0 else {}
            state.log(
                journal,
                step=trainer.done,
                samples=trainer.done * batch,
                loss=torch.stack(losses).mean().item(),
                rate=trainer.learning_rate(),
                per_second=samples / (now - wall),
                per_cpu_second=samples / (now_cpu - cpu),
                **measured,
            )
            losses, wall, cpu = [], time.monotonic(), time.process_time()
        if time.monotonic() - saved_at > args.save_every:
            state.save(path, trainer.state())
            saved_at = time.monotonic()
    state.save(path, trainer.state())


if __name__ == "__main__":
    main()
