"""The noise process and what the denoiser is asked for."""

from __future__ import annotations

import torch

from .networks import scheduler


def signal_and_noise(device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """a, b: float32 [1000], x_t = a[t] x_0 + b[t] noise; a[999] = 0."""
    kept = scheduler().alphas_cumprod.double().clamp(0, 1)
    return kept.sqrt().float().to(device), (1 - kept).sqrt().float().to(device)


def draw_times(count: int, generator: torch.Generator) -> torch.Tensor:
    """int64 [count]: t = 1000 u^0.7 with u stratified over the batch; more of the noisy steps, where text decides."""
    u = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (1000 * u**0.7).long().clamp(max=999)


def posterior_mean(noisy: torch.Tensor, candidates: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The mean of x_0 given x_t when x_0 is one of the candidates, all equally likely (Xu et al., ICLR 2023).

    noisy [B, D], candidates [B, K, D], a and b [B] -> [B, D].
    """
    # |x_t - a x_j|^2 without a [B, K, D] temporary; the |x_t|^2 part cancels in the softmax.
    cross = torch.bmm(candidates, noisy.unsqueeze(2)).squeeze(2)
    square = candidates.square().sum(2)
    distance = a[:, None] ** 2 * square - 2 * a[:, None] * cross
    weights = torch.softmax(-distance / (2 * b[:, None] ** 2), dim=1)
    return torch.bmm(weights.unsqueeze(1), candidates).squeeze(1)


def velocity(noisy: torch.Tensor, clean: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """v = a noise - b x_0 with the noise that x_t and x_0 imply; all [B, D] with a and b [B]."""
    return (a[:, None] * noisy - clean) / b[:, None]


def clean_from_velocity(noisy: torch.Tensor, v: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """x_0 = a x_t - b v."""
    return a[:, None] * noisy - b[:, None] * v


def loss_weight(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """min(snr + 1, 5) / (snr + 1) on the squared error of v: min-SNR weighting (Hang et al., ICCV 2023). [B]"""
    inverse = b**2  # 1 / (snr + 1), as a^2 + b^2 = 1
    return torch.minimum(torch.ones_like(inverse), 5 * inverse)
