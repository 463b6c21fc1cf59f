"""The reference of the bundled model: what ten exact steps of diffusers' own pipeline end in, and the picture.

    python training/golden/toybox.py

And what the bundled ControlNet says at one step. Belongs to the weights in models/toybox and models/toybox-scribble,
whose sha256 it writes down: run it again whenever they change.
"""

from __future__ import annotations

import hashlib

import torch
from diffusers import ControlNetModel, StableDiffusionPipeline
from safetensors.torch import load_file

from controlnet import control_picture
from store import GOLDEN, ROOT, provenance, save_json, save_tensors
from weights import normal

SEED = 11
PROMPT, NEGATIVE, STEPS, GUIDANCE = "a fox in a meadow", "", 10, 3.0


@torch.no_grad()
def main() -> None:
    model = ROOT / "models" / "toybox"
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    size = pipe.unet.config.sample_size
    latents = normal("toybox", (1, pipe.unet.config.in_channels, size, size), SEED)
    positive, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
    trace = []
    result = pipe(
        prompt_embeds=positive, negative_prompt_embeds=negative, latents=latents.clone(), output_type="pt",
        num_inference_steps=STEPS, guidance_scale=GUIDANCE,
        callback_on_step_end=lambda p, i, t, values: trace.append(values["latents"].clone()) or values,
    )
    assert len(trace) == STEPS and torch.isfinite(trace[-1]).all()
    made_by = provenance("toybox.py", SEED)
    tensors = {
        "latents": latents, "prompt_embeds": positive, "negative_prompt_embeds": negative,
        "exact.latents": trace[-1], "exact.pictures": (result.images * 255).round().to(torch.uint8),
    }
    save_tensors(GOLDEN / "toybox" / "trace.safetensors", tensors, made_by)
    weights = {
        str(path.relative_to(model)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(model.rglob("*.safetensors"))
    }
    run = dict(prompt=PROMPT, negativePrompt=NEGATIVE, steps=STEPS, guidance=GUIDANCE)
    save_json(GOLDEN / "toybox" / "trace.json", dict(provenance=made_by, weights=weights, **run))


@torch.no_grad()
def control() -> None:
    """The mid block's residual at t = 481 for the latents and the prompt of the run, under a picture of noise."""
    folder = ROOT / "models" / "toybox-scribble"
    net = ControlNetModel.from_pretrained(folder, torch_dtype=torch.float32)
    given = load_file(GOLDEN / "toybox" / "trace.safetensors")
    side = given["latents"].shape[-1] * 2 ** (len(net.config.conditioning_embedding_out_channels) - 1)
    picture = control_picture(SEED, side, side)
    mid = net(given["latents"], 481, given["prompt_embeds"], picture, conditioning_scale=0.7).mid_block_res_sample
    made_by = provenance("toybox.py", SEED)
    save_tensors(GOLDEN / "toybox" / "control.safetensors", {"mid_block_res_sample": mid}, made_by)
    weights = hashlib.sha256((folder / "diffusion_pytorch_model.safetensors").read_bytes()).hexdigest()
    save_json(GOLDEN / "toybox" / "control.json", dict(provenance=made_by, weights=weights, seed=SEED, timestep=481, scale=0.7))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
    control()
