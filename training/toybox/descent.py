"""What every training shares: the optimizer step with its moving average, checkpoints, and the loop around them."""

from __future__ import annotations

import argparse
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from . import state


@dataclass(frozen=True)
class Run:
    """How a training is run; `rate` is the highest learning rate, `half` means bfloat16 arithmetic."""

    batch: int
    rate: float
    steps: int
    seed: int = 0
    device: str = "cpu"
    half: bool = False


class Descent(ABC):
    """A network, the moving average of its weights, and the optimizer.

    What is random in step n follows from (seed, n) alone, so that a restored training is the uninterrupted one.
    """

    def __init__(self, net: torch.nn.Module, run: Run, optimizer: Callable[..., torch.optim.Optimizer],
                 ema: float, warmup: int):  # fmt: skip
        """`ema`: of the moving average, reached slowly; `warmup`: steps until the full learning rate."""
        self.net, self.run, self.ema, self.warmup = net.to(run.device).train(), run, ema, warmup
        self.weights = [p for p in net.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.weights]
        self.optimizer = optimizer(self.weights, lr=run.rate, fused=True)
        self.done = self.begun = 0  # steps done, and the step at which the present schedule began

    @abstractmethod
    def loss(self) -> torch.Tensor:
        """Of step `done`."""

    @abstractmethod
    def begin_from(self, folder: Path) -> None:
        """Fills the network from an exported folder."""

    @abstractmethod
    def fall(self, way: float) -> float:
        """The learning rate's share of the highest, at a share of the run; 0 at 1."""

    def begin(self, folder: Path) -> None:
        """Starts with the weights of an exported folder."""
        self.begin_from(folder)
        self.average = [p.detach().clone() for p in self.weights]

    def learning_rate(self) -> float:
        done, steps = self.done - self.begun, max(1, self.run.steps - self.begun)
        return self.run.rate * min(1.0, (done + 1) / self.warmup) * self.fall(min(1.0, done / steps))

    def arithmetic(self) -> torch.autocast:
        return torch.autocast(self.run.device, torch.bfloat16, enabled=self.run.half)

    def step(self) -> torch.Tensor:
        """One optimizer step; its loss, still on the device."""
        loss = self.loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.step()
        self.done += 1
        keep = min(self.ema, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - keep)
        return loss.detach()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network has the averaged weights, and is in evaluation mode, inside."""
        self._swap()
        self.net.eval()
        with torch.no_grad():
            yield
        self.net.train()
        self._swap()

    def _swap(self) -> None:
        for weight, average in zip(self.weights, self.average):
            weight.data, average.data = average.data, weight.data

    def state(self) -> dict:
        return {
            "step": self.done,
            "begun": self.begun,
            "net": self.net.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, saved: dict) -> None:
        self.done, self.begun = saved["step"], saved["begun"]
        self.net.load_state_dict(saved["net"])
        for mine, theirs in zip(self.average, saved["average"]):
            mine.copy_(theirs)
        self.optimizer.load_state_dict(saved["optimizer"])


def attend_simply(net: UNet2DConditionModel | ControlNetModel, run: Run) -> None:
    """PyTorch's fused attention takes ten times as long backwards in bfloat16 on a CPU: a third of a step."""
    if run.half and run.device == "cpu":
        net.set_attn_processor(AttnProcessor())


def load_average(net: torch.nn.Module, path: Path) -> torch.nn.Module:
    """The network with the averaged weights of a checkpoint, in evaluation mode."""
    saved = state.load(path)
    net.load_state_dict(saved["net"])
    for parameter, average in zip((p for p in net.parameters() if p.requires_grad), saved["average"]):
        parameter.data.copy_(average)
    return net.eval()


def parser(description: str | None, **defaults: float) -> argparse.ArgumentParser:
    """With the arguments of every training."""
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--work", type=Path, default=Path("training/.cache"))
    result.add_argument("--init", type=Path, help="an exported folder to begin with where there is no checkpoint")
    result.add_argument("--steps", type=int)
    result.add_argument("--batch", type=int, help="default: larger on CUDA")
    result.add_argument("--rate", type=float)
    result.add_argument("--restart-schedule", action="store_true", help="a new schedule from here to --steps")
    result.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic on a CPU, too (CUDA: always)")
    result.add_argument("--seed", type=int, default=0)
    result.add_argument("--threads", type=int, default=2)
    result.add_argument("--save-every", type=float, default=120, help="seconds between checkpoints")
    result.set_defaults(**defaults)
    return result


def run_of(args: argparse.Namespace, batch: int, cuda_batch: int) -> Run:
    torch.set_num_threads(args.threads)
    run = Run(args.batch or batch, args.rate, args.steps, args.seed, half=args.bf16)
    if torch.cuda.is_available():
        return replace(run, batch=args.batch or cuda_batch, device="cuda", half=True)
    return run


def resume(trainer: Descent, path: Path, args: argparse.Namespace) -> None:
    """Goes on from the checkpoint, or begins with --init where there is none."""
    if path.exists():
        trainer.restore(state.load(path, trainer.run.device))
        if args.restart_schedule:
            trainer.begun = trainer.done
    elif args.init:
        trainer.begin(args.init)


def train(trainer: Descent, path: Path, args: argparse.Namespace, log_every: int,
          measure: Callable[[], dict[str, float]] = dict) -> None:  # fmt: skip
    """Steps to the last one, or until told to stop (SIGTERM, SIGINT); path: the checkpoint, metrics beside it (.jsonl)."""
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))
    losses: list[torch.Tensor] = []
    saved_at, wall, cpu = time.monotonic(), time.monotonic(), time.process_time()
    while trainer.done < trainer.run.steps and not stop:
        losses.append(trainer.step())
        if trainer.done % log_every == 0 or trainer.done == trainer.run.steps:
            samples = len(losses) * trainer.run.batch
            state.log(
                path.with_suffix(".jsonl"),
                step=trainer.done,
                loss=torch.stack(losses).mean().item(),
                rate=trainer.learning_rate(),
                per_second=samples / (time.monotonic() - wall),
                per_cpu_second=samples / (time.process_time() - cpu),
                **measure(),
            )
            losses, wall, cpu = [], time.monotonic(), time.process_time()
        if time.monotonic() - saved_at > args.save_every:
            state.save(path, trainer.state())
            saved_at = time.monotonic()
    state.save(path, trainer.state())
