"""Text2Video-Zero over tiny-sd: diffusers' own pipeline, and encoder propagation with its cross-frame attention.

    python training/golden/video.py

The propagated run is written from the paper (Khachatryan et al., 2023, arXiv 2303.13439, and Li et al., 2023, arXiv
2312.09608): at every step, key or not, all frames attend to frame 0 of that same step.
"""

from __future__ import annotations

import torch
from diffusers import TextToVideoZeroPipeline
from diffusers.pipelines.deprecated.text_to_video_synthesis import pipeline_text_to_video_zero as zero

import cut
from store import GOLDEN, provenance, save_json, save_tensors
from weights import normal

SEED = 7
# t0 and t1 as the pipeline counts them, from the end: here steps 3 and 1, the same part of a run as 44 and 47 of 50.
FRAMES, STEPS, T0, T1, GUIDANCE = 3, 25, 21, 23, 5.0
KEY_STEPS = [0, 1, 4, 9]
MOTION = (-70.0, 100.0)
HEIGHT, WIDTH = 6, 10
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"


@torch.no_grad()
def main() -> None:
    folder = GOLDEN / "tiny-sd"
    pipe = TextToVideoZeroPipeline.from_pretrained(
        folder, torch_dtype=torch.float32, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    scale = pipe.vae_scale_factor
    start = normal("latents", (1, 4, HEIGHT, WIDTH), SEED)
    seen: list[torch.Tensor] = []
    exact = pipe(
        prompt=PROMPT, negative_prompt=NEGATIVE, video_length=FRAMES, height=HEIGHT * scale, width=WIDTH * scale,
        num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=start.clone(), output_type="latent",
        generator=torch.Generator().manual_seed(SEED), motion_field_strength_x=MOTION[0],
        motion_field_strength_y=MOTION[1], t0=T0, t1=T1, callback=lambda i, t, latents: seen.append(latents.clone()),
    ).images
    before, between = STEPS - T1 - 1, T1 - T0
    first_at_t1, first_at_t0 = seen[before - 1], seen[before + between - 1]
    steps = seen[before + between :]
    assert torch.equal(steps[-1], exact) and len(steps) == T1 + 1 and steps[0].shape[0] == FRAMES

    positive, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
    text = torch.cat([negative, positive])
    generator = torch.Generator().manual_seed(SEED)
    scheduler = pipe.scheduler
    scheduler.set_timesteps(STEPS)
    times = scheduler.timesteps
    moved = zero.create_motion_field_and_warp_latents(*MOTION, list(range(1, FRAMES)), first_at_t0.repeat(FRAMES - 1, 1, 1, 1))
    noised = pipe.forward_loop(moved, times[-T0 - 1].item(), times[-T1 - 1].item(), generator)
    latents = torch.cat([first_at_t1, noised])
    scheduler.timesteps = times[-T1 - 1 :]
    own = pipe.unet.attn_processors
    pipe.unet.set_attn_processor(zero.CrossFrameAttnProcessor2_0(batch_size=2))
    per_frame = text[:, None].repeat(1, FRAMES, 1, 1).flatten(0, 1)
    again = cut.denoise(pipe.unet, scheduler, latents, per_frame, GUIDANCE, list(range(T1 + 1)))
    assert (again[-1] - exact).abs().max() < 1e-5, "the two halves of the UNet do not make the pipeline's run"
    propagated = cut.denoise(pipe.unet, scheduler, latents, per_frame, GUIDANCE, KEY_STEPS)
    pipe.unet.set_attn_processor(own)
    print(f"exact std {exact.std():.2f}, frames apart {(exact[1] - exact[0]).std():.2f}, "
          f"propagated apart {(propagated[-1] - exact).std():.3f}")

    reference = folder / "reference"
    tensors = {
        "latents": start, "prompt_embeds": positive, "negative_prompt_embeds": negative,
        "first_at_t1": first_at_t1, "first_at_t0": first_at_t0, "warped": moved, "noised": noised, "exact": exact,
        "propagated": propagated[-1],
        # One trace in the middle: final latents of an untrained model are dominated by x_T.
        "exact_step_4": steps[4], "propagated_step_8": propagated[8],
    }
    save_tensors(reference / "video.safetensors", tensors, provenance("video.py", SEED))
    save_json(reference / "video.json", dict(
        provenance=provenance("video.py", SEED), prompt=PROMPT, negativePrompt=NEGATIVE, frames=FRAMES, steps=STEPS,
        t0=T0, t1=T1, guidance=GUIDANCE, keySteps=KEY_STEPS, motion=dict(x=MOTION[0], y=MOTION[1]), seed=SEED,
    ))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
