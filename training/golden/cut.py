"""diffusers' UNet2DConditionModel cut before its first up block, and encoder propagation over the two halves.

Written from the paper (Li et al., NeurIPS 2024, arXiv 2312.09608, sections 3.2 and 3.3) and independent of the
TypeScript that is tested against it: a serial loop, one step after the other, that calls diffusers' own blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass
class Features:
    down_block_res_samples: tuple[torch.Tensor, ...]
    mid_block_res_sample: torch.Tensor


def time_embedding(unet, rows: int, timestep, text: torch.Tensor) -> torch.Tensor:
    """The complete embedding of one step: sinusoid, MLP, and what the config adds to it."""
    device_sample = torch.zeros(rows, 1, dtype=text.dtype)
    emb = unet.time_embedding(unet.get_time_embed(sample=device_sample, timestep=timestep))
    added = unet.get_aug_embed(emb=emb, encoder_hidden_states=text, added_cond_kwargs={})
    emb = emb if added is None else emb + added
    return emb if unet.time_embed_act is None else unet.time_embed_act(emb)


def encode(unet, sample: torch.Tensor, timestep, text: torch.Tensor, residuals: Features | None = None) -> Features:
    """`residuals`: what ControlNets add to every skip and to the mid block's output."""
    emb = time_embedding(unet, sample.shape[0], timestep, text)
    hidden = unet.conv_in(sample)
    skips = (hidden,)
    for block in unet.down_blocks:
        if getattr(block, "has_cross_attention", False):
            hidden, added = block(hidden_states=hidden, temb=emb, encoder_hidden_states=text)
        else:
            hidden, added = block(hidden_states=hidden, temb=emb)
        skips += added
    mid = unet.mid_block(hidden, emb, encoder_hidden_states=text)
    if residuals is not None:
        skips = tuple(a + b for a, b in zip(skips, residuals.down_block_res_samples, strict=True))
        mid = mid + residuals.mid_block_res_sample
    return Features(skips, mid)


def decode(unet, features: Features, timestep, text: torch.Tensor) -> torch.Tensor:
    hidden = features.mid_block_res_sample
    skips = list(features.down_block_res_samples)
    emb = time_embedding(unet, hidden.shape[0], timestep, text)
    odd = any(side % 2**unet.num_upsamplers for side in skips[0].shape[-2:])
    for index, block in enumerate(unet.up_blocks):
        taken = tuple(skips[-len(block.resnets) :])
        del skips[-len(block.resnets) :]
        last = index == len(unet.up_blocks) - 1
        size = skips[-1].shape[2:] if odd and not last else None
        arguments = dict(hidden_states=hidden, temb=emb, res_hidden_states_tuple=taken, upsample_size=size)
        if getattr(block, "has_cross_attention", False):
            arguments["encoder_hidden_states"] = text
        hidden = block(**arguments)
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))


def prior_scale(scheduler, index: int) -> float:
    """Where samples are x_0 + sigma eps their scale grows with sigma, and that of the prior has to follow."""
    if scheduler.init_noise_sigma == 1:
        return 1.0
    return float((1 + scheduler.sigmas[index + 1] ** 2) ** 0.5 / scheduler.init_noise_sigma)


def denoise(unet, scheduler, latents, text, guidance, key_steps, alpha=0.0, tau=0.5, step_options=None, control=None) -> torch.Tensor:
    """Serial encoder propagation; the latents after every step [N, B, C, h, w].

    text: [2B, L, D] (unconditional first) when guidance > 1, otherwise [B, L, D].
    At a key step the encoder reads the current latents; at the others its features are reused and only the decoder
    runs, with the time embedding of its own step. `control(rows, index, timestep)` gives the residuals of ControlNets
    (or None); it is asked at key steps only. Every step with t / T_train < tau adds alpha * x_T (times
    `prior_scale`).
    """
    initial = latents.clone()
    trace = []
    features = None
    for index, timestep in enumerate(scheduler.timesteps):
        if index in key_steps:
            scaled = scheduler.scale_model_input(latents, timestep)
            rows = torch.cat([scaled, scaled]) if guidance > 1 else scaled
            features = encode(unet, rows, timestep, text, control and control(rows, index, timestep))
        elif hasattr(scheduler, "is_scale_input_called"):
            scheduler.scale_model_input(latents, timestep)
        prediction = decode(unet, features, timestep, text)
        if guidance > 1:
            unconditional, conditional = prediction.chunk(2)
            prediction = unconditional + guidance * (conditional - unconditional)
        latents = scheduler.step(prediction, timestep, latents, **(step_options(index) if step_options else {}))[0]
        if float(timestep) / scheduler.config.num_train_timesteps < tau:
            latents = latents + alpha * prior_scale(scheduler, index) * initial
        trace.append(latents)
    return torch.stack(trace)
