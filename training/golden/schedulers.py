"""Full loops of diffusers' schedulers over a closed-form network, with the latents after every step.

    python training/golden/schedulers.py

The network is `prediction = x / (1 + |x|) * (0.4 + t / 1500)`: bounded, not linear, and cheap to write anywhere.
Stochastic schedulers are given stored noise, one tensor per step.
"""

from __future__ import annotations

import contextlib
from unittest import mock

import diffusers
import torch

from store import GOLDEN, provenance, save_json, save_tensors
from weights import normal

SEED = 3
SHAPE = (2, 2, 3, 4)
SD = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
SD1 = SD | dict(clip_sample=False, set_alpha_to_one=False, steps_offset=1, skip_prk_steps=True)
ZERO_SNR = SD | dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")
KARRAS = dict(use_karras_sigmas=True)

DPM, UNIPC = "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"
SDE = dict(algorithm_type="sde-dpmsolver++")
EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"

# (case, class, config, steps, first step, extra arguments of step)
CASES = [
    ("ddim", "DDIMScheduler", SD1, 10, 0, {}),
    ("ddim-defaults", "DDIMScheduler", {}, 10, 0, {}),
    ("ddim-zero-snr", "DDIMScheduler", ZERO_SNR | dict(clip_sample=False), 10, 0, {}),
    ("ddim-linspace", "DDIMScheduler", SD1 | dict(timestep_spacing="linspace", set_alpha_to_one=True), 7, 0, {}),
    ("ddim-trailing-7", "DDIMScheduler", SD1 | dict(timestep_spacing="trailing"), 7, 0, {}),
    ("ddim-eta", "DDIMScheduler", SD1, 10, 0, dict(eta=0.7)),
    ("ddim-eta-clipped", "DDIMScheduler", SD | dict(clip_sample_range=0.8), 10, 0, dict(eta=1.0)),
    ("ddim-sample", "DDIMScheduler", SD1 | dict(prediction_type="sample"), 10, 0, {}),
    ("ddim-threshold", "DDIMScheduler", SD1 | dict(thresholding=True, sample_max_value=1.5, dynamic_thresholding_ratio=0.8), 10, 0, {}),
    ("ddim-cosine", "DDIMScheduler", dict(beta_schedule="squaredcos_cap_v2", clip_sample=False), 10, 0, {}),
    ("ddim-from-4", "DDIMScheduler", SD1, 10, 4, {}),
    ("pndm", "PNDMScheduler", SD1, 10, 0, {}),
    ("pndm-v", "PNDMScheduler", SD1 | dict(prediction_type="v_prediction", set_alpha_to_one=True), 7, 0, {}),
    ("pndm-linspace", "PNDMScheduler", SD1 | dict(timestep_spacing="linspace"), 10, 0, {}),
    ("pndm-trailing", "PNDMScheduler", SD1 | dict(timestep_spacing="trailing"), 10, 0, {}),
    ("pndm-3", "PNDMScheduler", SD1, 3, 0, {}),
    ("pndm-from-4", "PNDMScheduler", SD1, 10, 4, {}),
    ("euler", EULER, SD1, 10, 0, {}),
    ("euler-leading", EULER, SD1 | dict(timestep_spacing="leading"), 10, 0, {}),
    ("euler-trailing-v", EULER, SD | dict(timestep_spacing="trailing", prediction_type="v_prediction"), 10, 0, {}),
    ("euler-zero-snr", EULER, ZERO_SNR, 10, 0, {}),
    ("euler-karras", EULER, SD1 | KARRAS, 10, 0, {}),
    ("euler-sigma-min", EULER, SD1 | dict(final_sigmas_type="sigma_min"), 10, 0, {}),
    ("euler-from-4", EULER, SD1, 10, 4, {}),
    ("euler-a", ANCESTRAL, SD1, 10, 0, {}),
    ("euler-a-v-leading", ANCESTRAL, SD1 | dict(prediction_type="v_prediction", timestep_spacing="leading"), 7, 0, {}),
    ("euler-a-zero-snr", ANCESTRAL, ZERO_SNR, 10, 0, {}),
    ("euler-a-from-4", ANCESTRAL, SD1, 10, 4, {}),
    ("dpmpp-2m", DPM, SD1, 10, 0, {}),
    ("dpmpp-2m-20", DPM, SD1, 20, 0, {}),
    ("dpmpp-2m-leading-v", DPM, SD1 | dict(timestep_spacing="leading", prediction_type="v_prediction"), 10, 0, {}),
    ("dpmpp-2m-trailing", DPM, SD1 | dict(timestep_spacing="trailing"), 10, 0, {}),
    ("dpmpp-2m-karras", DPM, SD1 | KARRAS, 10, 0, {}),
    ("dpmpp-2m-heun", DPM, SD1 | dict(solver_type="heun"), 10, 0, {}),
    ("dpmpp-2m-euler-at-final", DPM, SD1 | dict(euler_at_final=True, lower_order_final=False, final_sigmas_type="sigma_min"), 10, 0, {}),
    ("dpmpp-1", DPM, SD1 | dict(solver_order=1), 10, 0, {}),
    ("dpmpp-3m", DPM, SD1 | dict(solver_order=3), 10, 0, {}),
    ("dpmpp-2m-zero-snr", DPM, ZERO_SNR, 10, 0, {}),
    ("dpmpp-2m-threshold", DPM, SD1 | dict(thresholding=True, dynamic_thresholding_ratio=0.8, sample_max_value=1.5), 10, 0, {}),
    ("dpmpp-2m-from-4", DPM, SD1, 10, 4, {}),
    ("dpmpp-2m-sde", DPM, SD1 | SDE, 10, 0, {}),
    ("dpmpp-2m-sde-karras-heun", DPM, SD1 | SDE | KARRAS | dict(solver_type="heun"), 10, 0, {}),
    ("dpmpp-2m-sde-from-4", DPM, SD1 | SDE, 10, 4, {}),
    ("unipc", UNIPC, SD1, 10, 0, {}),
    ("unipc-3-bh1", UNIPC, SD1 | dict(solver_order=3, solver_type="bh1", final_sigmas_type="sigma_min"), 10, 0, {}),
    ("unipc-leading-v", UNIPC, SD1 | dict(timestep_spacing="leading", prediction_type="v_prediction"), 10, 0, {}),
    ("unipc-karras", UNIPC, SD1 | KARRAS, 10, 0, {}),
    ("unipc-no-corrector", UNIPC, SD1 | dict(disable_corrector=[0, 1, 5], timestep_spacing="trailing"), 10, 0, {}),
    ("unipc-noise", UNIPC, SD1 | dict(predict_x0=False, final_sigmas_type="sigma_min"), 10, 0, {}),
    ("unipc-zero-snr", UNIPC, ZERO_SNR, 10, 0, {}),
    ("unipc-from-4", UNIPC, SD1, 10, 4, {}),
    ("lcm", "LCMScheduler", SD1, 4, 0, {}),
    ("lcm-defaults-8", "LCMScheduler", {}, 8, 0, {}),
    ("lcm-v", "LCMScheduler", SD1 | dict(prediction_type="v_prediction", original_inference_steps=100), 6, 0, {}),
    ("ddpm", "DDPMScheduler", SD1, 10, 0, {}),
    ("ddpm-defaults", "DDPMScheduler", {}, 10, 0, {}),
    ("ddpm-large-trailing", "DDPMScheduler", SD1 | dict(variance_type="fixed_large", timestep_spacing="trailing"), 7, 0, {}),
    ("ddpm-small-log-v", "DDPMScheduler", SD1 | dict(variance_type="fixed_small_log", prediction_type="v_prediction"), 10, 0, {}),
    ("ddpm-zero-snr", "DDPMScheduler", ZERO_SNR | dict(clip_sample=False), 10, 0, {}),
    ("ddpm-from-4", "DDPMScheduler", SD1, 10, 4, {}),
]


def network(x: torch.Tensor, t: float) -> torch.Tensor:
    return x / (1 + x.abs()) * (0.4 + t / 1500)


@contextlib.contextmanager
def stored_noise(modules: list, tensors: list[torch.Tensor]):
    """Every scheduler module draws through its own name `randn_tensor`; here it gets the stored tensors in turn."""
    queue = iter(tensors)
    with contextlib.ExitStack() as stack:
        for module in modules:
            if hasattr(module, "randn_tensor"):
                stack.enter_context(mock.patch.object(module, "randn_tensor", lambda *a, **k: next(queue).clone()))
        yield queue


def run(case: str, name: str, config: dict, steps: int, first: int, options: dict):
    import importlib

    cls = getattr(diffusers, name)
    scheduler = cls.from_config(config)
    scheduler.set_timesteps(steps)
    order_of_first = first * scheduler.order
    if first > 0 and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(order_of_first)
    timesteps = scheduler.timesteps[order_of_first:]
    noise = [normal(f"noise.{case}.{i}", SHAPE, SEED) for i in range(len(timesteps))]
    start = normal("start", SHAPE, SEED)
    if first == 0:
        latents = start * scheduler.init_noise_sigma
    else:
        latents = scheduler.add_noise(0.5 * start, normal("added", SHAPE, SEED), timesteps[:1])
    initial = latents
    trace, scaled = [], []
    used = []
    with stored_noise([importlib.import_module(cls.__module__)], noise) as queue:
        for timestep in timesteps:
            model_input = scheduler.scale_model_input(latents, timestep)
            scaled.append(model_input)
            before = queue.__length_hint__()
            latents = scheduler.step(network(model_input, float(timestep)), timestep, latents, **options).prev_sample
            used.append(before - queue.__length_hint__())
            trace.append(latents)
    assert all(torch.isfinite(x).all() for x in trace), case
    tensors = {f"{case}.initial": initial, f"{case}.latents": torch.stack(trace)}
    if not torch.equal(scaled[0], initial):
        tensors[f"{case}.inputs"] = torch.stack(scaled)
    if any(used):
        assert max(used) == 1
        tensors[f"{case}.noise"] = torch.stack(noise)
    record = dict(
        case=case, scheduler=name, config=config, steps=steps, first=first, options=options,
        timesteps=[float(t) for t in timesteps], initNoiseSigma=float(scheduler.init_noise_sigma), draws=used,
    )
    return record, tensors


def tables() -> dict[str, list[float]]:
    """alphas_cumprod at a few places, in full float32."""
    picks = [0, 1, 2, 10, 500, 998, 999]
    configs = {"scaled_linear": SD, "linear": {}, "squaredcos_cap_v2": dict(beta_schedule="squaredcos_cap_v2"),
               "zero_snr": SD | dict(rescale_betas_zero_snr=True)}
    return {name: [float(diffusers.DDIMScheduler(**config).alphas_cumprod[i]) for i in picks] for name, config in configs.items()}


if __name__ == "__main__":
    records, tensors = [], {"start": normal("start", SHAPE, SEED), "added": normal("added", SHAPE, SEED)}
    for case in CASES:
        record, traced = run(*case)
        records.append(record)
        tensors |= traced
    made_by = provenance("schedulers.py", SEED)
    save_tensors(GOLDEN / "schedulers" / "traces.safetensors", tensors, made_by)
    save_json(GOLDEN / "schedulers" / "cases.json", dict(provenance=made_by, alphasCumprod=tables(), cases=records))
