"""Trains the scribble ControlNet of an exported Toybox, whose UNet and text encoder stay as they are.

    python -m training.toybox.control --work DIR --base models/toybox --out models/toybox-scribble --steps 600

Reads DIR/loose.npy and DIR/drawings.npy (control_data.py).  Resumes from DIR/control.pt by itself; --init continues from
an exported ControlNet instead, for example when the UNet below it was trained on.  Writes --out at the end of the run, or
at once with --export.  Metrics go to DIR/control.jsonl.
"""

from __future__ import annotations

import copy
import math
import random
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel

from . import descent
from .captions import random_caption
from .catalogue import kinds
from .control_data import unpack
from .descent import Descent, Run, attend_simply
from .diffusion import draw_times, loss_weight, signal_and_noise, velocity
from .networks import CELLS, CHANNELS
from .pca import PatchPCA
from .tokenizer import Tokenizer

HINT_WIDTHS = (8, 16, 32, 64, 96)  # four halvings: 128 pixels to 8 cells


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


class ControlTrainer(Descent):
    def __init__(self, base: Path, latents: torch.Tensor, drawings: np.ndarray, pca: PatchPCA, run: Run):
        """latents [kinds, n, 32, 8, 8]; drawings, packed, uint8 [kinds, n, 2, 2048]."""
        torch.manual_seed(run.seed)
        self.latents, self.drawings, self.kinds = latents, drawings, kinds()
        self.tokenizer = Tokenizer()
        load = {"torch_dtype": torch.float32, "local_files_only": True}
        self.text = CLIPTextModel.from_pretrained(base / "text_encoder", **load).to(run.device)
        self.unet = UNet2DConditionModel.from_pretrained(base / "unet", **load).to(run.device)
        self.text.requires_grad_(False)
        self.unet.requires_grad_(False)
        adam = partial(torch.optim.AdamW, betas=(0.9, 0.99), weight_decay=0.01)
        super().__init__(controlnet(self.unet), run, adam, ema=0.99, warmup=30)
        attend_simply(self.net, run)
        attend_simply(self.unet, run)
        self.a, self.b = signal_and_noise(run.device)
        self.shown = pca.importance().repeat_interleave(CELLS * CELLS).to(run.device)

    def begin_from(self, folder: Path) -> None:
        self.net.load_state_dict(ControlNetModel.from_pretrained(folder, torch_dtype=torch.float32).state_dict())

    def fall(self, way: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * way))

    def draw(self) -> tuple[torch.Tensor, ...]:
        """Token ids [B, L], clean latents [B, D], drawings [B, 3, 128, 128], times [B], noise [B, D]."""
        rng = random.Random(f"control/{self.run.seed}/{self.done}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        picked = [(rng.randrange(len(self.latents)), rng.randrange(self.latents.shape[1])) for _ in range(self.run.batch)]
        ids = torch.tensor([self.tokenizer.encode(random_caption(self.kinds[k], rng)[0]) for k, _ in picked])
        clean = torch.stack([self.latents[k, i] for k, i in picked]).flatten(1)
        lines = unpack(np.stack([self.drawings[k, i, int(rng.random() < 0.6)] for k, i in picked]))  # 60 % scribbles
        hint = torch.from_numpy(lines)[:, None].expand(-1, 3, -1, -1)
        noise = torch.randn(clean.shape, generator=generator)
        return tuple(x.to(self.run.device) for x in (ids, clean, hint, draw_times(self.run.batch, generator), noise))

    def loss(self) -> torch.Tensor:
        ids, clean, hint, times, noise = self.draw()
        a, b = self.a[times], self.b[times]
        noisy = a[:, None] * clean + b[:, None] * noise
        picture = noisy.view(-1, CHANNELS, CELLS, CELLS)
        with self.arithmetic():
            with torch.no_grad():
                text = self.text(input_ids=ids).last_hidden_state
            down, mid = self.net(picture, times, text, controlnet_cond=hint, return_dict=False)
            made = self.unet(
                picture, times, text, down_block_additional_residuals=down, mid_block_additional_residual=mid
            ).sample
        # A drawing tells one scene from the others of its caption: the target is the scene itself.
        error = ((made.flatten(1).float() - velocity(noisy, clean, a, b)).square() * self.shown).mean(1)
        return (error * loss_weight(a, b)).mean()


def write(control: ControlNetModel, out: Path) -> None:
    """Writes config.json and the weights in half precision, which they have afterwards."""
    control.to(torch.float16).save_pretrained(out)
    for file in out.glob("*.safetensors"):
        file.chmod(0o644)


def main() -> None:
    parser = descent.parser(__doc__, steps=600, rate=8e-4)
    parser.add_argument("--base", type=Path, default=Path("models/toybox"))
    parser.add_argument("--out", type=Path, default=Path("models/toybox-scribble"))
    parser.add_argument("--export", action="store_true", help="only write the checkpoint's weights to --out")
    args = parser.parse_args()
    run = descent.run_of(args, batch=32, cuda_batch=128)
    pca = PatchPCA.load(args.work / "pca.npz")
    latents = torch.from_numpy(pca.encode_all(np.load(args.work / "loose.npy", mmap_mode="r")))
    drawings = np.load(args.work / "drawings.npy")
    trainer = ControlTrainer(args.base, latents, drawings, pca, run)
    path = args.work / "control.pt"
    descent.resume(trainer, path, args)
    if not args.export:
        descent.train(trainer, path, args, log_every=25)
    if trainer.done >= run.steps or args.export:
        with trainer.averaged():
            write(copy.deepcopy(trainer.net), args.out)


if __name__ == "__main__":
    main()
