"""AnimateDiff over tiny-sd: a tiny random MotionAdapter in diffusers' UNetMotionModel, one forward, a short run,
and a propagated one.

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
LONG, KEY_STEPS = 12, [0, 1, 3, 7]
HEIGHT, WIDTH = 4, 6
CONFIG = dict(
    block_out_channels=(16, 32, 32), motion_layers_per_block=2, motion_mid_block_layers_per_block=1,
    motion_num_attention_heads=4, motion_norm_num_groups=4, motion_max_seq_length=8, use_motion_mid_block=True,
)
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"
# What AnimateDiff's adapters were trained with, over whatever the model says.
SCHEDULE = dict(beta_schedule="linear", timestep_spacing="linspace", steps_offset=1, clip_sample=False)


@torch.no_grad()
def denoise(
    unet: UNetMotionModel, scheduler: DDIMScheduler, latents: torch.Tensor, text: torch.Tensor, key_steps: list[int],
) -> torch.Tensor:
    """Encoder propagation (Li et al., 2023) without cutting the network: between key steps its conv_in, down and mid
    blocks give what they gave at the last one, and everything after them is computed. text: [2, L, D]"""
    kept: dict[torch.nn.Module, object] = {}
    encoder = [unet.conv_in, *unet.down_blocks, unet.mid_block]
    hears = text.repeat_interleave(FRAMES, dim=0)
    is_key = True

    def remembering(block: torch.nn.Module, own: object) -> object:
        def forward(*args: object, **named: object) -> object:
            if is_key:
                kept[block] = own(*args, **named)
            return kept[block]

        return forward

    for block in encoder:
        block.forward = remembering(block, block.forward)
    try:
        for i, t in enumerate(scheduler.timesteps):
            is_key = i in key_steps
            negative, positive = unet(torch.cat([latents] * 2), t, hears).sample.chunk(2)
            latents = scheduler.step(negative + GUIDANCE * (positive - negative), t, latents).prev_sample
    finally:
        for block in encoder:
            del block.forward
    return latents


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
        text = torch.cat(pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)[::-1])

        def run(steps: int, key_steps: list[int]) -> torch.Tensor:
            pipe.scheduler.set_timesteps(steps)
            start = torch.randn(frames.shape, generator=torch.Generator().manual_seed(SEED))
            return denoise(pipe.unet, pipe.scheduler, start, text, key_steps)

        assert relative(run(STEPS, list(range(STEPS))), frames)[0] < 1e-5, "the loop is not the pipeline's"
        exact, propagated = run(LONG, list(range(LONG))), run(LONG, KEY_STEPS)
        assert relative(propagated, exact)[1] > 0.01, "propagation changes nothing"
    print(f"run: latents std {frames.std():.2f}, propagated apart {(propagated - exact).std():.3f}")
    tensors = {
        "sample": sample[0].transpose(0, 1), "encoder_hidden_states": states,
        "output.sample": output[0].transpose(0, 1), "run": frames[0].transpose(0, 1),
        "propagated": propagated[0].transpose(0, 1),
    }
    names = {name: list(value.shape) for name, value in adapter.named_parameters()}
    reference = folder / "reference"
    save_tensors(reference / "motion.safetensors", tensors, provenance("motion.py", SEED))
    save_json(reference / "motion.json", dict(
        provenance=provenance("motion.py", SEED), seed=SEED, prompt=PROMPT, negativePrompt=NEGATIVE, frames=FRAMES,
        steps=STEPS, guidance=GUIDANCE, timestep=timestep, propagated=dict(steps=LONG, keySteps=KEY_STEPS),
        config=CONFIG, weights=names,
    ))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
