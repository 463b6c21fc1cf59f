"""Weights of tiny random networks from a small integer generator, and proof that the networks are well conditioned.

A random network with strong gains amplifies fp32 rounding until no comparison means anything; one with weak gains
hides mistakes. `fill` draws every tensor from splitmix64 (keyed by tensor name, so order does not matter) and
`assert_conditioned` measures what parity needs: a Lipschitz constant about 2 and fp32 next to fp64.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable

import numpy as np
import torch

MASK = (1 << 64) - 1


def splitmix64(seed: int, count: int) -> np.ndarray:
    """`count` 64-bit integers of the splitmix64 sequence that starts at `seed`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed & MASK) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Uniform in (-sqrt(3), sqrt(3)): mean 0, std 1. A different stream for every (name, seed)."""
    count = int(np.prod(shape)) if len(shape) > 0 else 1
    bits = splitmix64(zlib.crc32(name.encode()) + (seed << 32), count) >> np.uint64(40)
    unit = (bits.astype(np.float64) + 0.5) / 2**24
    return torch.from_numpy(((unit * 2 - 1) * np.sqrt(3)).reshape(shape)).float()


def normal(name: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Standard normal by Box-Muller over two `uniform` streams; the noise of every reference."""
    to_unit = lambda part: (uniform(f"{name}.{part}", shape, seed).double() / np.sqrt(3) + 1) / 2
    radius = torch.sqrt(-2 * torch.log(to_unit("radius")))
    return (radius * torch.cos(2 * np.pi * to_unit("angle"))).float()


# Last layers of residual branches: damped, so that depth does not multiply the Lipschitz constant.
RESIDUAL = ("conv2.weight", "to_out.0.weight", "ff.net.2.weight", "proj_out.weight", "out_proj.weight", "fc2.weight")


def fill(module: torch.nn.Module, seed: int, dtype: torch.dtype = torch.float32, output_gain: float = 1.0) -> None:
    """Gives every parameter a value that matters: norms away from 1, biases away from 0, nothing symmetric.

    Values are rounded to `dtype`, the type they will be stored in, and kept in fp32. `output_gain` scales conv_out.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = uniform(name, tuple(parameter.shape), seed)
            if parameter.ndim == 1 and name.endswith("weight"):
                values = 1 + 0.2 * values
            elif parameter.ndim == 1:
                values = 0.02 * values
            elif "embedding.weight" in name:
                values = 0.5 * values
            else:
                gain = 0.5 if name.endswith(RESIDUAL) else output_gain if name.endswith("conv_out.weight") else 1.0
                # A small input of the transformer's LayerNorms: their eps must matter.
                gain = 0.3 if name.endswith("proj_in.weight") else gain
                values = gain * values / np.sqrt(parameter[0].numel())
            parameter.copy_(values.to(dtype).float())
    module.eval().requires_grad_(False)


def relative(actual: torch.Tensor, expected: torch.Tensor) -> tuple[float, float]:
    """(max, rms) of the difference, each divided by the std of what was expected."""
    difference = actual.double() - expected.double()
    scale = expected.double().std()
    return (difference.abs().max() / scale).item(), (difference.square().mean().sqrt() / scale).item()


def lipschitz(function: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor, iterations: int = 40) -> float:
    """Largest singular value of the Jacobian at a point, by power iteration in fp64."""
    at = at.double()
    v = normal("power", tuple(at.shape), 1).double()
    sigma = 0.0
    for _ in range(iterations):
        v = v / v.norm()
        # Central difference: the fused attention has no forward-mode derivative.
        step = 1e-5
        jv = (function(at + step * v) - function(at - step * v)) / (2 * step)
        sigma = jv.norm().item()
        _, pull = torch.func.vjp(function, at)
        (v,) = pull(jv)
    return sigma


def assert_conditioned(
    name: str,
    module: torch.nn.Module,
    function: Callable[[torch.nn.Module, torch.Tensor], torch.Tensor],
    at: torch.Tensor,
    bounds: tuple[float, float] = (1.2, 2.6),
) -> None:
    """Prints and asserts the Lipschitz constant and the distance of fp32 from fp64."""
    double = copy.deepcopy(module).double()
    constant = lipschitz(lambda x: function(double, x), at)
    largest, rms = relative(function(module, at), function(double, at.double()))
    std = function(module, at).std().item()
    print(f"{name}: Lipschitz {constant:.2f}, std {std:.2f}, fp32 against fp64 max {largest:.1e} rms {rms:.1e} of std")
    assert bounds[0] <= constant <= bounds[1], f"{name}: Lipschitz constant {constant} outside {bounds}"
    assert largest <= 1e-5, f"{name}: fp32 differs from fp64 by {largest} of the std"
