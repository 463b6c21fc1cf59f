"""Trains the LoRA that comes with Toybox: it draws everything as a cyanotype.

    python -m training.toybox.lora --work DIR --sheet docs/pictures/toybox-cyanotype.webp

Four minutes on one core. Scenes are turned into prints in Prussian blue, encoded as the model's autoencoder does, and the
UNet learns to draw them from the captions of the scenes; only the LoRA is trained. Names as sd-scripts has them.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

from .captions import random_caption
from .catalogue import kinds
from .diffusion import draw_times, loss_weight, signal_and_noise, velocity
from .export import SUGGESTED
from .networks import CELLS
from .pca import PatchPCA
from .sample import load
from .tokenizer import Tokenizer

RANK = 4
# Darkest and lightest tone, RGB from 0 to 1: Prussian blue and paper.
DARK, LIGHT = np.array([0.02, 0.10, 0.27]), np.array([0.94, 0.95, 0.90])
BEND = np.array([1.9, 1.25, 0.75])  # exponents of the light: the tones between are blue, too
LUMINANCE = np.array([0.299, 0.587, 0.114])


class LowRank(torch.nn.Module):
    """A layer and what is added to it: up(down(x)), zero at first."""

    def __init__(self, layer: torch.nn.Linear | torch.nn.Conv2d):
        super().__init__()
        self.layer = layer
        if isinstance(layer, torch.nn.Linear):
            self.down = torch.nn.Linear(layer.in_features, RANK, bias=False)
            self.up = torch.nn.Linear(RANK, layer.out_features, bias=False)
        else:
            self.down = torch.nn.Conv2d(
                layer.in_channels, RANK, layer.kernel_size, layer.stride, layer.padding, bias=False
            )
            self.up = torch.nn.Conv2d(RANK, layer.out_channels, 1, bias=False)
        torch.nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.up(self.down(x))


def adapt(unet: UNet2DConditionModel) -> dict[str, LowRank]:
    """Freezes the network and puts a low-rank branch beside its attention, feed-forward and convolution layers."""
    unet.requires_grad_(False)
    added = {}
    for name, layer in list(unet.named_modules()):
        inside = any(part in name for part in ("attentions.", "resnets.", "conv_out"))
        if not inside or "time_emb" in name or not isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            continue
        parent, _, own = name.rpartition(".")
        added[name] = LowRank(layer)
        setattr(unet.get_submodule(parent), own, added[name])
    return added


def cyanotype(scenes: np.ndarray) -> np.ndarray:
    """uint8 [B, h, w, 3], as prints."""
    light = (scenes @ LUMINANCE / 255)[..., None]
    return np.round(255 * (DARK + light**BEND * (LIGHT - DARK))).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--out", type=Path, default=Path("models/loras/cyanotype.safetensors"))
    parser.add_argument("--sheet", type=Path, help="write pictures without it above those with it")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    pipe = load(args.model, "cpu")
    rows = [draw(pipe)] if args.sheet else []
    scenes = np.load(args.work / "scenes.npy", mmap_mode="r")
    which, tokenizer, pca = kinds(), Tokenizer(), PatchPCA.load(args.work / "pca.npz")
    added = adapt(pipe.unet)
    weights = [p for each in added.values() for part in (each.down, each.up) for p in part.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01)
    a, b = signal_and_noise()
    shown = pca.importance().repeat_interleave(CELLS * CELLS)
    print(f"{len(added)} layers, {sum(p.numel() for p in weights)} numbers")
    started, losses = time.process_time(), []
    for step in range(args.steps):
        rng = random.Random(f"{args.seed}/{step}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        picked = rng.sample(range(len(which)), args.batch)
        ids = torch.tensor([tokenizer.encode(random_caption(which[i], rng)[0]) for i in picked])
        pictures = np.stack([scenes[i, rng.randrange(scenes.shape[1])] for i in picked])
        clean = torch.from_numpy(pca.encode(cyanotype(pictures)))
        with torch.no_grad():
            text = pipe.text_encoder(input_ids=ids).last_hidden_state
        times = draw_times(args.batch, generator)
        noise = torch.randn(clean.shape, generator=generator)
        at, bt = a[times], b[times]
        noisy = at[:, None, None, None] * clean + bt[:, None, None, None] * noise
        made = pipe.unet(noisy, times, encoder_hidden_states=text).sample
        target = velocity(noisy.flatten(1), clean.flatten(1), at, bt)
        error = ((made.flatten(1) - target).square() * shown).mean(1)
        loss = (error * loss_weight(at, bt)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        left = (args.steps - step) / (0.5 * args.steps)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / 20, left)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 20 == 0:
            print(f"step {step + 1}: loss {sum(losses[-20:]) / 20:.4f}, {time.process_time() - started:.0f} CPU s", flush=True)
    save(args, added)
    if args.sheet:
        rows.append(draw(pipe))
        Image.fromarray(np.concatenate(rows)).save(args.sheet, quality=82, method=6)


def draw(pipe: StableDiffusionPipeline) -> np.ndarray:
    """The first suggestions side by side, each from its own seed: uint8 [128, 8 x 128, 3]."""
    noise = [torch.Generator().manual_seed(seed) for seed in range(8)]
    made = pipe(list(SUGGESTED[:8]), num_inference_steps=25, guidance_scale=2.0, generator=noise).images
    return np.concatenate([np.asarray(picture) for picture in made], axis=1)


def save(args: argparse.Namespace, added: dict[str, LowRank]) -> None:
    """In half precision, with what AUTOMATIC1111 and others read about a LoRA."""
    tensors = {}
    for name, branch in added.items():
        flat = f"lora_unet_{name.replace('.', '_')}"
        tensors[f"{flat}.lora_down.weight"] = branch.down.weight.detach().half().contiguous()
        tensors[f"{flat}.lora_up.weight"] = branch.up.weight.detach().half().contiguous()
        tensors[f"{flat}.alpha"] = torch.tensor(float(RANK)).half()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    metadata = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(RANK),
        "ss_network_alpha": str(RANK),
        "ss_base_model_version": "toybox",
        "ss_output_name": "cyanotype",
        "ss_steps": str(args.steps),
        "ss_seed": str(args.seed),
        "ss_network_args": json.dumps({"conv_dim": RANK, "conv_alpha": RANK}),
        "modelspec.title": "Cyanotype",
        "modelspec.architecture": "toybox/lora",
        "modelspec.description": "Draws everything as a cyanotype: one blue ink on paper.",
        "modelspec.license": "MIT",
    }
    save_file(tensors, args.out, metadata=metadata)
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
