"""The encoder: a PCA of 16 x 16 patches, and how it is written into AutoencoderTiny's convolutions exactly.

    python -m training.toybox.pca --work DIR --init models/toybox     # keeps the encoder of an exported folder
    python -m training.toybox.pca --work DIR                          # a new one, for which a decoder must be trained

Reads DIR/scenes.npy, writes DIR/pca.npz and DIR/latents.npy.

A patch is 16 x 16 x 3 values in [0, 1], flattened in the order (row, column, colour).
latents.npy is float32 [kinds, per_kind, 32, 8, 8] in the denoiser's scale (overall rms 1).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

from .data import save_array
from .networks import CELL, CHANNELS

POWER = 0.35  # latent channel std = (PCA std) ** POWER: nearly raw scales would let colour drown the rest


@dataclass(frozen=True)
class PatchPCA:
    """z = filters @ patch + bias."""

    filters: np.ndarray  # [32, 768], rows orthogonal
    bias: np.ndarray  # [32]

    @staticmethod
    def load(path: Path) -> "PatchPCA":
        return PatchPCA(**np.load(path))

    def save(self, path: Path) -> None:
        np.savez(path, filters=self.filters, bias=self.bias)

    @staticmethod
    @torch.no_grad()
    def of(folder: Path) -> "PatchPCA":
        """What is written into an exported encoder: its answers to single bright values, and to none."""
        vae = AutoencoderTiny.from_pretrained(folder / "vae", torch_dtype=torch.float32, local_files_only=True)
        values = CELL * CELL * 3
        flat = torch.cat([torch.zeros(1, values), torch.eye(values)]).view(-1, CELL, CELL, 3).permute(0, 3, 1, 2)
        z = (vae.encode(flat * 2 - 1).latents.flatten(1) * vae.config.scaling_factor).double().numpy()
        return PatchPCA((z[1:] - z[0]).T, z[0])

    def encode(self, scenes: np.ndarray) -> np.ndarray:
        """uint8 [n, 128, 128, 3] -> float32 [n, 32, 8, 8]."""
        z = patches(scenes) @ self.filters.T.astype(np.float32) + self.bias.astype(np.float32)
        return np.ascontiguousarray(z.transpose(0, 3, 1, 2))

    def encode_all(self, scenes: np.ndarray) -> np.ndarray:
        """uint8 [kinds, n, 128, 128, 3] -> float32 [kinds, n, 32, 8, 8]."""
        return np.stack([self.encode(np.asarray(kind)) for kind in scenes])

    def importance(self) -> torch.Tensor:
        """float32 [32], mean 1: by how much a pixel changes with each channel."""
        shown = 1 / np.sqrt(np.square(self.filters).sum(1))
        return torch.from_numpy(shown / shown.mean()).float()


def patches(scenes: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, 3] -> float32 [n, H / 16, W / 16, 768] in [0, 1]."""
    n, height, width, _ = scenes.shape
    cut = scenes.reshape(n, height // CELL, CELL, width // CELL, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    return cut.reshape(n, height // CELL, width // CELL, CELL * CELL * 3).astype(np.float32) / 255


def fit(scenes: np.ndarray) -> PatchPCA:
    """PCA over the patches of uint8 [n, 128, 128, 3]."""
    flat = patches(scenes).reshape(-1, CELL * CELL * 3)
    mean = flat.mean(0, dtype=np.float64)
    centred = flat - mean.astype(np.float32)
    values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
    std = np.sqrt(values[::-1][:CHANNELS])
    basis = vectors[:, ::-1][:, :CHANNELS]  # [768, 32]
    gain = std**POWER
    gain = gain / np.sqrt((gain**2).mean()) / std  # z std = POWER-law, rms 1
    filters = (basis * gain).T
    for count in sorted({16, 24, 28, CHANNELS}):
        print(f"{count} channels: linear bound {-10 * np.log10(values[::-1][count:].sum() / flat.shape[1]):.2f} dB")
    print(f"z std {np.round(gain * std, 2)}")
    return PatchPCA(filters, -filters @ mean)


@torch.no_grad()
def write_encoder(vae: AutoencoderTiny, pca: PatchPCA) -> None:
    """Sets the encoder so that vae.encode(x).latents * scaling_factor is the PCA of x in [-1, 1].

    Stride-2 convolutions with padding 1 read the 2 x 2 block of an output at taps 1 and 2.  Two of them collect the
    48 values of a 4 x 4 block unchanged; the third projects an 8 x 8 block on the quarters of all 32 filters (128
    channels); the fourth adds up the four quarters; the last convolution adds the bias.
    """
    first, two, four, eight, sixteen, last = (m for m in vae.encoder.layers if isinstance(m, torch.nn.Conv2d))
    for conv in (first, two, four, eight, sixteen, last):
        conv.weight.zero_()
        if conv.bias is not None:
            conv.bias.zero_()
    for colour in range(3):
        first.weight[colour, colour, 1, 1] = 1
    for y in range(2):
        for x in range(2):
            for colour in range(3):
                two.weight[(y * 2 + x) * 3 + colour, colour, 1 + y, 1 + x] = 1
            for inner in range(12):
                four.weight[(y * 2 + x) * 12 + inner, inner, 1 + y, 1 + x] = 1
    filters = torch.from_numpy(np.ascontiguousarray(pca.filters)).float().view(CHANNELS, CELL, CELL, 3)
    for k in range(CHANNELS):
        for qy in range(2):
            for qx in range(2):
                quarter = filters[k, 8 * qy : 8 * qy + 8, 8 * qx : 8 * qx + 8]
                channel = (qy * 2 + qx) * CHANNELS + k
                for by in range(2):
                    for bx in range(2):
                        block = quarter[4 * by : 4 * by + 4, 4 * bx : 4 * bx + 4]
                        # [4, 4, 3] -> the order made above: (y4, x4, y2, x2, colour)
                        order = block.reshape(2, 2, 2, 2, 3).permute(0, 2, 1, 3, 4).reshape(48)
                        eight.weight[channel, :48, 1 + by, 1 + bx] = order
                sixteen.weight[k, (qy * 2 + qx) * CHANNELS + k, 1 + qy, 1 + qx] = 1
        last.weight[k, k, 1, 1] = 1 / vae.config.scaling_factor
        last.bias[k] = float(pca.bias[k]) / vae.config.scaling_factor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--init", type=Path, help="an exported folder whose encoder is kept")
    args = parser.parse_args()
    scenes = np.load(args.work / "scenes.npy", mmap_mode="r")
    if args.init:
        pca = PatchPCA.of(args.init)
    else:
        some = np.random.default_rng(0).choice(scenes.shape[0] * scenes.shape[1], 3000, replace=False)
        pca = fit(np.stack([scenes[i // scenes.shape[1], i % scenes.shape[1]] for i in sorted(some)]))
    pca.save(args.work / "pca.npz")
    latents = pca.encode_all(scenes)
    save_array(args.work / "latents.npy", latents)
    within = latents.var(1).mean()
    print(f"latents {latents.shape}: total variance {latents.var():.3f}, within a kind {within:.3f}")


if __name__ == "__main__":
    main()
