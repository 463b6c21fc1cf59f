"""Image to image, inpainting and the second, larger pass on tiny-sd: diffusers' pipelines, and propagation by the loop in cut.py.

    python training/golden/modes.py
"""

from __future__ import annotations

import copy

import diffusers
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel,
)

import cut
from store import GOLDEN, provenance, save_json, save_tensors
from weights import uniform

SEED = 9
PROMPT, NEGATIVE = "a castle under water, oil painting", "blurry"
STEPS, GUIDANCE = 20, 5.0
HEIGHT, WIDTH = 24, 32
SPARSE, ALPHA, TAU = [0, 1, 3, 7], 0.1, 0.5
CASES = [
    dict(case="image-to-image", task="image-to-image", strength=0.7),
    dict(case="image-to-image-whole", task="image-to-image", strength=1.0),
    dict(case="image-to-image-euler", task="image-to-image", strength=0.5, scheduler="EulerDiscreteScheduler"),
    dict(case="image-to-image-unipc", task="image-to-image", strength=0.5, scheduler="UniPCMultistepScheduler"),
    dict(case="image-to-image-propagated", task="image-to-image", strength=0.7, keySteps=SPARSE),
    dict(case="inpaint", task="inpaint", strength=0.7),
    dict(case="inpaint-whole-euler", task="inpaint", strength=1.0, scheduler="EulerDiscreteScheduler"),
    dict(case="inpaint-dpmpp-2m", task="inpaint", strength=0.6, scheduler="DPMSolverMultistepScheduler"),
    dict(case="inpaint-propagated", task="inpaint", strength=0.7, keySteps=SPARSE),
    dict(case="inpaint-9", task="inpaint", strength=1.0, channels=9),
    dict(case="inpaint-9-part", task="inpaint", strength=0.7, channels=9),
    dict(case="inpaint-9-propagated", task="inpaint", strength=1.0, channels=9, keySteps=SPARSE),
]


def propagated(pipe, case, image, mask, generator) -> torch.Tensor:
    """The loop of cut.py for a run that starts later, keeps what is not masked, or reads more channels."""
    scheduler, vae, unet = pipe.scheduler, pipe.vae, pipe.unet
    scheduler.set_timesteps(STEPS)
    skipped = STEPS - int(STEPS * case["strength"])
    timesteps = scheduler.timesteps[skipped:]
    positive, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
    text = torch.cat([negative, positive])
    encode = lambda pixels: vae.config.scaling_factor * vae.encode(pixels).latent_dist.sample(generator)
    whole_9 = unet.config.in_channels == 9 and skipped == 0
    original = None if whole_9 else encode(image)
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    noise = torch.randn((1, 4, HEIGHT // scale, WIDTH // scale), generator=generator)
    pure = case["task"] == "inpaint" and skipped == 0
    x = noise * scheduler.init_noise_sigma if pure else scheduler.add_noise(original, noise, timesteps[:1])
    cells = mask[:, :, ::scale, ::scale]
    extra = torch.cat([cells, encode(image * (mask < 0.5))], 1) if unet.config.in_channels == 9 else None
    initial, features = x.clone(), None
    for index, t in enumerate(timesteps):
        if index in case["keySteps"]:
            sample = scheduler.scale_model_input(x, t)
            rows = sample if extra is None else torch.cat([sample, extra], 1)
            features = cut.encode(unet, torch.cat([rows, rows]), t, text)
        without, with_text = cut.decode(unet, features, t, text).chunk(2)
        x = scheduler.step(without + GUIDANCE * (with_text - without), t, x)[0]
        if float(t) / scheduler.config.num_train_timesteps < TAU:
            x = x + ALPHA * initial
        if case["task"] == "inpaint" and extra is None:
            last = index == len(timesteps) - 1
            kept = original if last else scheduler.add_noise(original, noise, timesteps[index + 1 : index + 2])
            x = (1 - cells) * kept + cells * x
    return x


@torch.no_grad()
def main() -> None:
    folder = GOLDEN / "tiny-sd"
    base = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    own = base.scheduler
    # A second UNet that reads 9 channels: the first convolution is new, the rest is tiny-sd's.
    wide = UNet2DConditionModel.from_config({**base.unet.config, "in_channels": 9})
    weight = uniform("conv_in", (16, 9, 3, 3), SEED) / 9
    wide.load_state_dict({**base.unet.state_dict(), "conv_in.weight": weight})
    wide.eval().requires_grad_(False)

    pixels = ((uniform("picture", (1, 3, HEIGHT, WIDTH), SEED) / 3.47 + 0.5).clamp(0, 1) * 255).round()
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    # One corner lies on the grid of latents, the other does not.
    mask[:, :, 4:18, 8:23] = 1
    tensors = {
        "image": pixels.to(torch.uint8), "mask": (mask * 255).to(torch.uint8), "conv_in.weight": weight,
    }
    image = pixels / 255
    classes = {"image-to-image": StableDiffusionImg2ImgPipeline, "inpaint": StableDiffusionInpaintPipeline}

    def scheduler_of(case):
        cls = getattr(diffusers, case.get("scheduler") or type(own).__name__)
        config = cls.load_config(folder / "scheduler")
        config.pop("_class_name")
        return cls.from_config(config)

    def pipeline(case):
        parts = dict(base.components, scheduler=scheduler_of(case), unet=wide if case.get("channels") == 9 else base.unet)
        pipe = classes[case["task"]](**parts, requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    words = dict(prompt=PROMPT, negative_prompt=NEGATIVE, guidance_scale=GUIDANCE, output_type="latent")
    for case in CASES:
        pipe = pipeline(case)
        generator = torch.Generator().manual_seed(SEED)
        if "keySteps" in case:
            latents = propagated(pipe, case, 2 * image - 1, mask, generator)
        else:
            masked = dict(mask_image=mask, height=HEIGHT, width=WIDTH) if case["task"] == "inpaint" else {}
            arguments = dict(image=image, strength=case["strength"], num_inference_steps=STEPS, generator=generator)
            latents = pipe(**words, **arguments, **masked).images
        assert torch.isfinite(latents).all(), case
        tensors[f"{case['case']}.latents"] = latents
        print(case["case"], f"std {latents.std():.3f}")

    # As large as the command line draws: picture and mask repeated three times down and twice across.
    for case in (CASES[0], next(case for case in CASES if case["case"] == "inpaint")):
        tiled = lambda x: x.repeat(1, 1, 3, 2)
        masked = dict(mask_image=tiled(mask), height=3 * HEIGHT, width=2 * WIDTH) if case["task"] == "inpaint" else {}
        tensors[f"{case['case']}-tiled.latents"] = pipeline(case)(
            **words, image=tiled(image), strength=case["strength"], num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(SEED), **masked,
        ).images

    # High-res fix by latents: text to image, twice the size by bilinear interpolation, image to image.
    generator = torch.Generator().manual_seed(SEED)
    base.scheduler = copy.deepcopy(own)
    base.set_progress_bar_config(disable=True)
    small = base(**words, num_inference_steps=STEPS, generator=generator, height=HEIGHT, width=WIDTH).images
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    second = pipeline(dict(task="image-to-image"))
    # Four channels are taken for latents.
    tensors["upscale.latents"] = second(
        **words, image=large, strength=0.5, num_inference_steps=STEPS, generator=generator
    ).images

    made_by = provenance("modes.py", SEED)
    save_tensors(folder / "reference" / "modes.safetensors", tensors, made_by)
    save_json(
        folder / "reference" / "modes.json",
        dict(provenance=made_by, prompt=PROMPT, negativePrompt=NEGATIVE, steps=STEPS, guidance=GUIDANCE, seed=SEED,
             alpha=ALPHA, width=WIDTH, height=HEIGHT, cases=CASES),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
