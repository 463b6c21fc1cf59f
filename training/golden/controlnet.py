"""Makes test/golden/tiny-controlnet: a tiny random ControlNetModel in fp16 and what it computes; and whole runs of
tiny-sd under one and two ControlNets of its own shape, by diffusers' pipeline and by the loop in cut.py.

    python training/golden/controlnet.py

The ControlNets of the runs are not stored: the tests fill them by the same generator (weights.py).
"""

from __future__ import annotations

import shutil

import torch
from diffusers import ControlNetModel, MultiControlNetModel, StableDiffusionControlNetPipeline

import cut
from store import GOLDEN, provenance, save_json, save_tensors
from tiny import save_component
from weights import fill, normal, uniform

SEED = 2
SCALE = 0.7


RUN_SEED = 5
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"
WHOLE = dict(start=0.0, end=1.0)
# Key steps of propagated runs are the plan's 0 1 3 7 and those at which a ControlNet begins or ceases to guide.
RUNS = [
    dict(case="one", steps=4, control=[dict(seed=11, scale=0.7, **WHOLE)]),
    dict(case="two", steps=6, control=[dict(seed=11, scale=0.8, start=0.0, end=0.5), dict(seed=12, scale=0.5, start=0.25, end=1.0)]),
    dict(case="propagated-one", steps=12, keySteps=[0, 1, 3, 7], alpha=0.1, control=[dict(seed=11, scale=0.7, **WHOLE)]),
    dict(
        case="propagated-two", steps=12, keySteps=[0, 1, 3, 6, 7], alpha=0.0,
        control=[dict(seed=11, scale=0.8, start=0.0, end=0.5), dict(seed=12, scale=0.5, start=0.25, end=1.0)],
    ),
    dict(case="guess", steps=4, control=[dict(seed=11, scale=0.7, mode="control", **WHOLE)]),
    dict(
        case="propagated-modes", steps=9, keySteps=[0, 1, 3, 6], alpha=0.0,
        control=[dict(seed=11, scale=0.8, mode="prompt", **WHOLE), dict(seed=12, scale=0.5, mode="control", **WHOLE)],
    ),
]


def control_for(unet, seed: int) -> ControlNetModel:
    model = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 16), load_weights_from_unet=False)
    fill(model, seed)
    return model


def control_picture(seed: int, height: int, width: int) -> torch.Tensor:
    """[1, 3, H, W] in 0 .. 1, of whole 255ths."""
    unit = uniform("control", (1, 3, height, width), seed).double() / 3**0.5 / 2 + 0.5
    return (unit * 256).floor().clamp(0, 255).float() / 255


@torch.no_grad()
def runs() -> None:
    base = StableDiffusionControlNetPipeline.from_pretrained(
        GOLDEN / "tiny-sd", controlnet=ControlNetModel(block_out_channels=(16, 32, 32), down_block_types=("DownBlock2D",) * 3, norm_num_groups=4),
        torch_dtype=torch.float32,
    )
    height, width = 4, 8
    pixels = (height * base.vae_scale_factor, width * base.vae_scale_factor)
    shape = (2, base.unet.config.in_channels, height, width)
    positive, negative = base.encode_prompt([PROMPT] * 2, "cpu", 1, True, negative_prompt=[NEGATIVE] * 2)
    start = normal("latents", shape, RUN_SEED)
    nets = {seed: control_for(base.unet, seed) for seed in (11, 12)}
    tensors = {}
    for options in RUNS:
        traces = [trace_of(base, nets, options, positive, negative, start, pixels, dtype) for dtype in (torch.float32, torch.float64)]
        error = (traces[0].double() - traces[1]).abs().max() / traces[1].std()
        assert error < 1e-5, (options["case"], error)
        tensors[f"{options['case']}.latents"] = traces[0]
        print(f"{options['case']}: fp32 lies {error:.1e} from fp64")
    made_by = provenance("controlnet.py", RUN_SEED)
    reference = GOLDEN / "tiny-sd" / "reference"
    shapes = {name: list(value.shape) for name, value in nets[11].state_dict().items()}
    config = {key: value for key, value in nets[11].config.items() if not key.startswith("_") and value is not None}
    save_tensors(reference / "control.safetensors", tensors, made_by)
    save_json(reference / "control.json", dict(provenance=made_by, cases=RUNS, config=config, shapes=shapes))


def trace_of(base, nets, options, positive, negative, start, pixels, dtype) -> torch.Tensor:
    """Latents after every step [N, B, C, h, w]."""
    guidance, steps = 5.0, options["steps"]
    controls = options["control"]
    pictures = [control_picture(control["seed"], *pixels).to(dtype) for control in controls]
    models = [nets[control["seed"]].to(dtype) for control in controls]
    unet = base.unet.to(dtype)
    text = torch.cat([negative, positive]).to(dtype)
    scheduler = type(base.scheduler).from_config(base.scheduler.config)
    if "keySteps" in options:
        scheduler.set_timesteps(steps)

        def control(rows, index, timestep):
            total = None
            for net, picture, one in zip(models, pictures, controls, strict=True):
                if index / steps < one["start"] or (index + 1) / steps > one["end"]:
                    continue
                down, mid = residuals(net, one, rows, timestep, text, picture)
                total = (down, mid) if total is None else ([a + b for a, b in zip(total[0], down, strict=True)], total[1] + mid)
            return None if total is None else cut.Features(tuple(total[0]), total[1])

        return cut.denoise(unet, scheduler, start.to(dtype), text, guidance, options["keySteps"], options["alpha"], control=control)
    pipe = StableDiffusionControlNetPipeline(
        vae=base.vae, text_encoder=base.text_encoder.to(dtype), tokenizer=base.tokenizer, unet=unet, scheduler=scheduler,
        controlnet=MultiControlNetModel(models) if len(models) > 1 else models[0],
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    seen = []
    many = lambda key: [control[key] for control in controls] if len(controls) > 1 else controls[0][key]
    pipe(
        image=pictures if len(pictures) > 1 else pictures[0],
        prompt_embeds=positive.to(dtype), negative_prompt_embeds=negative.to(dtype), latents=start.to(dtype), output_type="latent",
        num_inference_steps=steps, guidance_scale=guidance, controlnet_conditioning_scale=many("scale"),
        control_guidance_start=many("start"), control_guidance_end=many("end"),
        guess_mode=all(control.get("mode") == "control" for control in controls),
        callback_on_step_end=lambda p, i, t, values: seen.append(values["latents"].clone()) or values,
    )
    return torch.stack(seen)


def residuals(net, one, rows, timestep, text, picture):
    """Both modes that do not balance weigh layers as guess_mode does; `control` speaks to the conditional half alone."""
    mode = one.get("mode", "balanced")
    half = rows.shape[0] // 2 if mode == "control" else 0
    hint = picture.expand(rows.shape[0] - half, -1, -1, -1)
    down, mid = net(
        rows[half:], timestep, text[half:], hint, conditioning_scale=one["scale"], guess_mode=mode != "balanced", return_dict=False
    )
    whole = lambda x: torch.cat([torch.zeros_like(x), x]) if half else x
    return [whole(skip) for skip in down], whole(mid)


def main() -> None:
    folder = GOLDEN / "tiny-controlnet"
    shutil.rmtree(folder, ignore_errors=True)
    model = ControlNetModel(
        in_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        block_out_channels=(8, 16),
        norm_num_groups=4,
        layers_per_block=1,
        cross_attention_dim=12,
        attention_head_dim=2,
        conditioning_embedding_out_channels=(4, 8, 8),
    )
    # Zero convolutions as well: an untrained ControlNet would say nothing.
    fill(model, SEED, torch.float16)
    save_component(model, folder, torch.float16)

    batch, rows, height, width = 1, 2, 6, 8
    sample = normal("sample", (batch, 4, height, width), SEED)
    states = normal("states", (rows, 5, 12), SEED)
    picture = (uniform("picture", (batch, 3, 4 * height, 4 * width), SEED) / 3.47 + 0.5).clamp(0, 1)
    # As the pipeline does with guidance: sample and picture once for each half.
    twice = lambda x: torch.cat([x, x])
    output = model(twice(sample), 481, states, twice(picture), conditioning_scale=SCALE)
    references = {
        "sample": sample,
        "timestep": torch.tensor([481.0]),
        "encoder_hidden_states": states,
        "controlnet_cond": picture,
        "conditioning_scale": torch.tensor([SCALE]),
        "output.mid_block_res_sample": output.mid_block_res_sample,
    }
    references |= {f"output.down_block_res_samples.{i}": skip for i, skip in enumerate(output.down_block_res_samples)}
    save_tensors(folder / "reference" / "controlnet.safetensors", references, provenance("controlnet.py", SEED))


if __name__ == "__main__":
    main()
    runs()
