"""Trains the scribble ControlNet of an exported Toybox, whose UNet and text encoder stay as they are.

    python -m training.toybox.control --work DIR --base models/toybox --out models/toybox-scribble --steps 600

Reads DIR/loose.npy and DIR/drawings.npy (control_data.py).  Resumes from DIR/control.pt by itself; --init continues from
an exported ControlNet instead, for example when the UNet below it was trained on.  Writes --out at the end of the run, or
at once with --export.  Metrics go to DIR/control.jsonl.
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
from diffusers import ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel

from . import state
from .captions import random_caption
from .catalogue import kinds
from .control_data import unpack
from .diffusion import draw_times, loss_weight, signal_and_noise, velocity
from .networks import CELLS, CHANNELS
from .pca import PatchPCA
from .tokenizer import Tokenizer

HINT_WIDTHS = (8, 16, 32, 64, 96)  # four halvings: 128 pixels to 8 cells
EMA = 0.99
WARMUP = 30  # steps


def controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A copy of the UNet's encoder, without effect at first (Zhang et al., ICCV 2023)."""
    c = unet.config
    control = ControlNetModel(
        in_channels=c.in_channels,
        down_block_types=c.down_block_types,
        block_out_channels=c.block_out_channels,
        layers_per_block=c.layers_per_block,
        cross_attention_dim=c.cross_attention_dim,
        attention_head_dim=c.attention_head_dim,
        norm_num_groups=c.norm_num_groups,
        addition_embed_type=c.addition_embed_type,
        addition_embed_type_num_heads=c.addition_embed_type_num_heads,
        conditioning_embedding_out_channels=HINT_WIDTHS,
    )
    shared = {name: value for name, value in unet.state_dict().items() if name in control.state_dict()}
    control.load_state_dict(shared, strict=False)
    return control


class ControlTrainer:
    def __init__(self, base: Path, latents: torch.Tensor, drawings: np.ndarray, batch: int, rate: float, steps: int,
                 seed: int, device: str):  # fmt: skip
        torch.manual_seed(seed)
        self.latents, self.drawings, self.kinds = latents, drawings, kinds()  # [kinds, n, 32, 8, 8], [kinds, n, 2, 2048]
        self.batch, self.rate, self.steps, self.seed, self.device = batch, rate, steps, seed, device
        self.tokenizer = Tokenizer()
        load = {"torch_dtype": torch.float32, "local_files_only": True}
        self.text = CLIPTextModel.from_pretrained(base / "text_encoder", **load).to(device)
        self.unet = UNet2DConditionModel.from_pretrained(base / "unet", **load).to(device)
        self.text.requires_grad_(False)
        self.unet.requires_grad_(False)
        self.control = controlnet(self.unet).to(device).train()
        self.weights = list(self.control.parameters())
        self.average = [p.detach().clone() for p in self.weights]
        self.optimizer = torch.optim.AdamW(self.weights, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.done = 0
        self.a, self.b = signal_and_noise(device)

    def begin_from(self, folder: Path) -> None:
        """Goes on from an exported ControlNet."""
        self.control.load_state_dict(ControlNetModel.from_pretrained(folder, torch_dtype=torch.float32).state_dict())
        self.average = [p.detach().clone() for p in self.weights]

    def learning_rate(self) -> float:
        way = min(1.0, self.done / self.steps)
        return self.rate * min(1.0, (self.done + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * way))

    def draw(self) -> tuple[torch.Tensor, ...]:
        """Token ids [B, L], clean latents [B, D], drawings [B, 3, 128, 128], times [B], noise [B, D]."""
        rng = random.Random(f"control/{self.seed}/{self.done}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        picked = [(rng.randrange(len(self.kinds)), rng.randrange(self.latents.shape[1])) for _ in range(self.batch)]
        ids = torch.tensor([self.tokenizer.encode(random_caption(self.kinds[k], rng)[0]) for k, _ in picked])
        clean = torch.stack([self.latents[k, i] for k, i in picked]).flatten(1)
        lines = unpack(np.stack([self.drawings[k, i, int(rng.random() < 0.6)] for k, i in picked]))  # 60 % scribbles
        hint = torch.from_numpy(lines)[:, None].expand(-1, 3, -1, -1)
        noise = torch.randn(clean.shape, generator=generator)
        return tuple(x.to(self.device) for x in (ids, clean, hint, draw_times(self.batch, generator), noise))

    def step(self) -> torch.Tensor:
        ids, clean, hint, times, noise = self.draw()
        a, b = self.a[times], self.b[times]
        noisy = a[:, None] * clean + b[:, None] * noise
        picture = noisy.view(-1, CHANNELS, CELLS, CELLS)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            with torch.no_grad():
                text = self.text(input_ids=ids).last_hidden_state
            down, mid = self.control(picture, times, text, controlnet_cond=hint, return_dict=False)
            made = self.unet(
                picture, times, text, down_block_additional_residuals=down, mid_block_additional_residual=mid
            ).sample
        # A drawing tells one scene from the others of its caption: the target is the scene itself.
        error = (made.flatten(1).float() - velocity(noisy, clean, a, b)).square().mean(1)
        loss = (error * loss_weight(a, b)).mean()
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

    def state(self) -> dict:
        return {
            "step": self.done,
            "control": self.control.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, saved: dict) -> None:
        self.done = saved["step"]
        self.control.load_state_dict(saved["control"])
        for mine, theirs in zip(self.average, saved["average"]):
            mine.copy_(theirs)
        self.optimizer.load_state_dict(saved["optimizer"])

    def export(self, out: Path) -> None:
        """Writes config.json and the averaged weights in half precision."""
        result = controlnet(self.unet)
        for parameter, average in zip(result.parameters(), self.average):
            parameter.data.copy_(average)
        result.to(torch.float16).save_pretrained(out)
        for file in out.glob("*.safetensors"):
            file.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--base", type=Path, default=Path("models/toybox"))
    parser.add_argument("--out", type=Path, default=Path("models/toybox-scribble"))
    parser.add_argument("--init", type=Path, help="an exported ControlNet to begin with where there is no checkpoint")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=0, help="default: 32, or 128 on CUDA")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=float, default=120, help="seconds between checkpoints")
    parser.add_argument("--export", action="store_true", help="only write the checkpoint's weights to --out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pca = PatchPCA.load(args.work / "pca.npz")
    scenes = np.load(args.work / "loose.npy", mmap_mode="r")
    latents = torch.from_numpy(np.stack([pca.encode(np.asarray(kind)) for kind in scenes]))
    drawings = np.load(args.work / "drawings.npy")
    batch = args.batch or (128 if device == "cuda" else 32)
    trainer = ControlTrainer(args.base, latents, drawings, batch, args.rate, args.steps, args.seed, device)
    path, journal = args.work / "control.pt", args.work / "control.jsonl"
    if path.exists():
        trainer.restore(state.load(path, device))
    elif args.init:
        trainer.begin_from(args.init)
    if args.export:
        trainer.export(args.out)
        return
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))

    losses: list[torch.Tensor] = []
    saved_at, cpu = time.monotonic(), time.process_time()
    while trainer.done < trainer.steps and not stop:
        losses.append(trainer.step())
        if trainer.done % 25 == 0 or trainer.done == trainer.steps:
            now = time.process_time()
            state.log(
                journal,
                step=trainer.done,
                loss=torch.stack(losses).mean().item(),
                rate=trainer.learning_rate(),
                per_cpu_second=len(losses) * batch / (now - cpu),
            )
            losses, cpu = [], now
        if time.monotonic() - saved_at > args.save_every:
            state.save(path, trainer.state())
            saved_at = time.monotonic()
    state.save(path, trainer.state())
    trainer.export(args.out)


if __name__ == "__main__":
    main()
