"""AnimateDiff over tiny-sd: a tiny random MotionAdapter in diffusers' UNetMotionModel, one forward and a short run.

    python training/golden/motion.py

The adapter's weights are not stored: test/support/seeded-weights.ts draws the same ones from the names.
"""

from __future__ import annotations

import torch
from diffusers import AnimateDiffPipeline, MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.schedulers import DDIMScheduler

from store import GOLDEN, provenance, save_json, save_tensors
from weights import assert_conditioned, fill, normal, relative

SEED = 9
FRAMES, STEPS, GUIDANCE = 3, 4, 5.0
HEIGHT, WIDTH = 4, 6
CONFIG = dict(
    block_out_channels=(16, 32, 32), motion_layers_per_block=2, motion_mid_block_layers_per_block=1,
    motion_num_attention_heads=4, motion_norm_num_groups=4, motion_max_seq_length=8, use_motion_mid_block=True,
)
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"
# What AnimateDiff's adapters were trained with, over whatever the model says.
SCHEDULE = dict(beta_schedule="linear", timestep_spacing="linspace", steps_offset=1, clip_sample=False)


def main() -> None:
    folder = GOLDEN / "tiny-sd"
    adapter = MotionAdapter(**CONFIG)
    fill(adapter, SEED)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    whole = UNetMotionModel.from_unet2d(unet, adapter)
    whole.eval().requires_grad_(False)
    sample = normal("sample", (1, 4, FRAMES, HEIGHT, WIDTH), SEED)
    states = normal("states", (1, 5, 32), SEED)
    timestep = 481
    forward = lambda net, x: net(x, timestep, states.expand(FRAMES, -1, -1).to(x.dtype)).sample
    assert_conditioned("motion", whole, forward, sample, bounds=(1.2, 4.0))
    with torch.no_grad():
        output = forward(whole, sample)
        still = unet(sample[0].transpose(0, 1), timestep, states.expand(FRAMES, -1, -1)).sample
        # [B, C, F, h, w] there, frames as rows here.
        assert relative(output[0].transpose(0, 1), still)[1] > 0.05, "the adapter changes nothing"

        pipe = AnimateDiffPipeline.from_pretrained(folder, motion_adapter=adapter, feature_extractor=None, image_encoder=None)
        pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, **SCHEDULE)
        pipe.set_progress_bar_config(disable=True)
        frames = pipe(
            prompt=PROMPT, negative_prompt=NEGATIVE, num_frames=FRAMES, height=HEIGHT * pipe.vae_scale_factor,
            width=WIDTH * pipe.vae_scale_factor, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
            generator=torch.Generator().manual_seed(SEED), output_type="latent",
        ).frames
    print(f"run: latents std {frames.std():.2f}")
    tensors = {
        "sample": sample[0].transpose(0, 1), "encoder_hidden_states": states,
        "output.sample": output[0].transpose(0, 1), "run": frames[0].transpose(0, 1),
    }
    names = {name: list(value.shape) for name, value in adapter.named_parameters()}
    reference = folder / "reference"
    save_tensors(reference / "motion.safetensors", tensors, provenance("motion.py", SEED))
    save_json(reference / "motion.json", dict(
        provenance=provenance("motion.py", SEED), seed=SEED, prompt=PROMPT, negativePrompt=NEGATIVE, frames=FRAMES,
        steps=STEPS, guidance=GUIDANCE, timestep=timestep, config=CONFIG, weights=names,
    ))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
