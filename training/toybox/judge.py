"""The judge: a small classifier that says which thing, place and time a picture shows.

    python -m training.toybox.judge --work DIR     # writes training/toybox/judge.safetensors and prints its accuracy

It is trained on painted scenes of every kind, those kept out of Toybox's training included, and tested on scenes of
another seed (other backgrounds, other positions).  Half of its pictures are blurred or noisy, as drawn ones may be.
Batch norms are folded into the saved weights, so that it is four convolutions and two linear layers:
`conv.0` ... `conv.3` (stride 2, padding 1, ReLU after each), `features` (ReLU after), `heads` (thing, place, time).
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from .catalogue import ALL_PLACES, ALL_TIMES, THINGS, Kind, kinds
from .data import build

FILE = Path(__file__).with_name("judge.safetensors")
WIDTHS = (3, 32, 64, 96, 96)
FEATURES = 128
HEADS = (len(THINGS), len(ALL_PLACES), len(ALL_TIMES))


class Judge(nn.Module):
    """[B, 3, 128, 128] in [0, 1] -> features [B, 128] and logits [B, things + places + times]."""

    def __init__(self, batch_norm: bool = False) -> None:
        super().__init__()
        pairs = list(zip(WIDTHS, WIDTHS[1:]))
        self.conv = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.norm = nn.ModuleList(nn.BatchNorm2d(b) if batch_norm else nn.Identity() for _, b in pairs)
        self.features = nn.Linear(WIDTHS[-1] * 16, FEATURES)
        self.heads = nn.Linear(FEATURES, sum(HEADS))

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = F.avg_pool2d(pictures, 2) * 2 - 1
        for conv, norm in zip(self.conv, self.norm):
            x = F.relu(norm(conv(x)))
        features = F.relu(self.features(x.flatten(1)))
        return features, self.heads(F.dropout(features, 0.2, self.training))

    def folded(self) -> "Judge":
        """The same function without batch norms."""
        plain = Judge()
        state = {name: value for name, value in self.state_dict().items() if not name.startswith("norm.")}
        for i, norm in enumerate(self.norm):
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            state[f"conv.{i}.weight"] = state[f"conv.{i}.weight"] * gain[:, None, None, None]
            state[f"conv.{i}.bias"] = (state[f"conv.{i}.bias"] - norm.running_mean) * gain + norm.bias
        plain.load_state_dict(state)
        return plain.eval()


def load() -> Judge:
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(FILE).items()})
    return judge.eval()


def to_pictures(scenes: np.ndarray) -> torch.Tensor:
    """uint8 [n, 128, 128, 3] -> float32 [n, 3, 128, 128] in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(scenes.transpose(0, 3, 1, 2))).float() / 255


@torch.no_grad()
def look(judge: Judge, scenes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [n, 128, 128, 3] -> features float64 [n, 128] and answers int [n, 3] (thing, place, time)."""
    features, answers = [], []
    for start in range(0, len(scenes), 64):
        f, logits = judge(to_pictures(scenes[start : start + 64]))
        features.append(f.double().numpy())
        answers.append(torch.stack([head.argmax(1) for head in logits.split(HEADS, 1)], 1).numpy())
    return np.concatenate(features), np.concatenate(answers)


def labels(which: list[Kind]) -> np.ndarray:
    """int64 [n, 3]."""
    return np.array([(kind.thing, kind.place, ALL_TIMES.index(kind.time)) for kind in which])


def spoil(pictures: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Blurs a batch, makes it coarser or noisy, or leaves it."""
    fate = rng.random()
    if fate < 0.25:
        return F.avg_pool2d(pictures, 3, stride=1, padding=1, count_include_pad=False)
    if fate < 0.4:
        coarse = F.avg_pool2d(pictures, 4)
        return F.interpolate(coarse, scale_factor=4, mode="bilinear")
    if fate < 0.5:
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        return pictures + 0.04 * torch.randn(pictures.shape, generator=generator)
    return pictures


def train(work: Path, steps: int, batch: int = 64) -> Judge:
    torch.manual_seed(0)
    seen, unseen = kinds(), kinds(training=False)
    scenes = np.load(work / "scenes.npy", mmap_mode="r")
    extra = build(work, unseen, 0, scenes.shape[1], 1)
    truth = labels(seen + unseen)
    judge = Judge(batch_norm=True).train()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    rng = random.Random(0)
    for step in range(steps):
        picked = [(rng.randrange(len(truth)), rng.randrange(scenes.shape[1])) for _ in range(batch)]
        taken = [scenes[k, i] if k < len(seen) else extra[k - len(seen), i] for k, i in picked]
        _, logits = judge(spoil(to_pictures(np.stack(taken)), rng))
        wanted = torch.from_numpy(truth[[k for k, _ in picked]])
        loss = sum(F.cross_entropy(head, wanted[:, i]) for i, head in enumerate(logits.split(HEADS, 1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)
    return judge.folded()


def accuracy(judge: Judge, work: Path, seed: int = 7, count: int = 600) -> dict[str, float]:
    """Share of right answers on scenes of a seed that is in no training."""
    which = random.Random(seed).sample(kinds() + kinds(training=False), count)
    _, answers = look(judge, build(work, which, seed, 1, 1)[:, 0])
    right = answers == labels(which)
    return {name: float(right[:, i].mean()) for i, name in enumerate(("thing", "place", "time"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    judge = train(args.work, args.steps)
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, FILE)
    print(accuracy(load(), args.work))


if __name__ == "__main__":
    main()
