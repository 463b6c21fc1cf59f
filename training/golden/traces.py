"""Whole runs of the tiny checkpoints: diffusers' own pipeline, and encoder propagation by the loop in cut.py.

    python training/golden/traces.py
"""

from __future__ import annotations

import importlib

import diffusers
import torch
from diffusers import StableDiffusionPipeline

import cut
from schedulers import stored_noise
from store import GOLDEN, provenance, save_json, save_tensors
from weights import normal

SEED = 5
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"
EXACT, SPARSE = "exact", [0, 1, 3, 7]
PROPAGATION = [
    dict(case=f"propagated-{guidance}-{alpha}", steps=12, guidance=guidance, keySteps=SPARSE, alpha=alpha)
    for guidance in (5.0, 1.0) for alpha in (0.1, 0.0)
]
# scheduler: class only, as `encore generate --scheduler`; None is the checkpoint's own.
RUNS = {
    "tiny-sd": [
        dict(case="exact", steps=10, guidance=7.5),
        dict(case="exact-unguided", steps=10, guidance=1.0),
        *PROPAGATION,
        dict(case="propagated-euler", steps=12, guidance=5.0, keySteps=SPARSE, alpha=0.1, scheduler="EulerDiscreteScheduler"),
        dict(case="propagated-dpmpp-2m", steps=12, guidance=5.0, keySteps=SPARSE, alpha=0.1, scheduler="DPMSolverMultistepScheduler"),
        *(
            dict(case=f"exact-{name}", steps=10, guidance=5.0, scheduler=cls)
            for name, cls in {
                "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler", "euler-a": "EulerAncestralDiscreteScheduler",
                "dpmpp-2m": "DPMSolverMultistepScheduler", "unipc": "UniPCMultistepScheduler", "lcm": "LCMScheduler",
                "ddpm": "DDPMScheduler",
            }.items()
        ),
    ],
    "tiny-sd2": [dict(case="exact", steps=10, guidance=5.0), PROPAGATION[0]],
    "tiny-toy": [dict(case="exact", steps=10, guidance=5.0), PROPAGATION[0], PROPAGATION[3]],
}


@torch.no_grad()
def make(name: str) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(GOLDEN / name, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    own = pipe.scheduler
    # Height and width differ, so that exchanging them shows.
    shape = (2, pipe.unet.config.in_channels, 4, 8)
    positive, negative = pipe.encode_prompt([PROMPT] * 2, "cpu", 1, True, negative_prompt=[NEGATIVE] * 2)
    start = normal("latents", shape, SEED)
    tensors = {"latents": start, "prompt_embeds": positive, "negative_prompt_embeds": negative}
    records = []
    for options in RUNS[name]:
        case, steps, guidance = options["case"], options["steps"], options["guidance"]
        cls = getattr(diffusers, options.get("scheduler") or type(own).__name__)
        # From the file, not from the loaded object, whose defaults were filled in by another class.
        config = cls.load_config(GOLDEN / name / "scheduler")
        config.pop("_class_name")
        # Only PNDM reads it: the multistep method alone, as every Stable Diffusion is configured.
        scheduler = pipe.scheduler = cls.from_config(config, **(dict(skip_prk_steps=True) if "PNDM" in cls.__name__ else {}))
        scheduler.set_timesteps(steps)
        noise = [normal(f"noise.{case}.{i}", shape, SEED) for i in range(len(scheduler.timesteps))]
        initial = start * scheduler.init_noise_sigma
        with stored_noise([importlib.import_module(cls.__module__)], noise) as queue:
            if "keySteps" in options:
                text = torch.cat([negative, positive]) if guidance > 1 else positive
                trace = cut.denoise(pipe.unet, scheduler, initial, text, guidance, options["keySteps"], options["alpha"])
            else:
                seen = []
                result = pipe(
                    prompt_embeds=positive, negative_prompt_embeds=negative, latents=start.clone(), output_type="pt",
                    num_inference_steps=steps, guidance_scale=guidance,
                    callback_on_step_end=lambda p, i, t, values: seen.append(values["latents"].clone()) or values,
                )
                trace = torch.stack(seen)
                if case == "exact":
                    tensors["exact.pictures"] = (result.images * 255).round().to(torch.uint8)
            if queue.__length_hint__() < len(noise):
                tensors[f"{case}.noise"] = torch.stack(noise)
        assert torch.isfinite(trace).all(), case
        tensors[f"{case}.latents"] = trace
        records.append(options | dict(scheduler=cls.__name__))
        print(f"{name} {case}: latents std {trace[-1].std():.2f}")
    made_by = provenance("traces.py", SEED)
    reference = GOLDEN / name / "reference"
    save_tensors(reference / "traces.safetensors", tensors, made_by)
    save_json(reference / "traces.json", dict(provenance=made_by, prompt=PROMPT, negativePrompt=NEGATIVE, cases=records))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in RUNS:
        make(name)
