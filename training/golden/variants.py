"""Makes test/golden/unet-variants: UNets that use what SD checkpoints beyond the common ones have in their configs.

    python training/golden/variants.py
"""

from __future__ import annotations

import shutil

import torch
from diffusers import UNet2DConditionModel

from store import GOLDEN, provenance, save_tensors
from tiny import save_component
from weights import fill, normal

SEED = 3
ROWS, SIZE, TOKENS, WIDTH = 2, 6, 5, 12

BASE = dict(
    sample_size=SIZE,
    in_channels=4,
    out_channels=4,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(8, 12),
    norm_num_groups=4,
    layers_per_block=1,
    cross_attention_dim=WIDTH,
    attention_head_dim=2,
)

# name: (config, further inputs)
VARIANTS = {
    # The x4 upscaler: low-resolution channels, a noise level, levels that read the text alone.
    "upscaler": (
        dict(in_channels=7, num_class_embeds=10, only_cross_attention=(True, False), use_linear_projection=True),
        {"class_labels": torch.tensor([3, 7])},
    ),
    "inpainting": (dict(in_channels=9), {}),
    # SDXL's embeddings of pooled text and picture sizes.
    "text-time": (
        dict(
            addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8,
            transformer_layers_per_block=(1, 2),
        ),
        {"text_embeds": normal("text_embeds", (ROWS, 20), SEED), "time_ids": normal("time_ids", (ROWS, 6), SEED) * 300},
    ),
    "scale-shift": (
        dict(
            resnet_time_scale_shift="scale_shift", time_embedding_act_fn="silu", encoder_hid_dim=10,
            mid_block_scale_factor=1.41, act_fn="gelu",
        ),
        {},
    ),
    "class-timestep": (
        dict(class_embed_type="timestep", timestep_post_act="silu", flip_sin_to_cos=False, freq_shift=1,
             center_input_sample=True),
        {"class_labels": torch.tensor([3.0, 700.0])},
    ),
    "class-projection": (
        dict(class_embed_type="projection", projection_class_embeddings_input_dim=6, downsample_padding=0,
             layers_per_block=(1, 2)),
        {"class_labels": normal("class_labels", (ROWS, 6), SEED)},
    ),
    "class-simple-projection": (
        dict(class_embed_type="simple_projection", projection_class_embeddings_input_dim=6, time_embedding_dim=40,
             conv_in_kernel=5, conv_out_kernel=1),
        {"class_labels": normal("class_labels", (ROWS, 6), SEED)},
    ),
    "class-identity": (
        dict(class_embed_type="identity", only_cross_attention=True, mid_block_only_cross_attention=False),
        {"class_labels": normal("class_labels", (ROWS, 32), SEED)},
    ),
}


def make(name: str) -> None:
    folder = GOLDEN / "unet-variants" / name
    shutil.rmtree(folder, ignore_errors=True)
    config, further = VARIANTS[name]
    unet = UNet2DConditionModel(**(BASE | config))
    fill(unet, SEED, torch.float16)
    save_component(unet, folder, torch.float16)
    sample = normal("sample", (ROWS, unet.config.in_channels, SIZE, SIZE), SEED)
    states = normal("states", (ROWS, TOKENS, unet.config.encoder_hid_dim or WIDTH), SEED)
    added = {key: value for key, value in further.items() if key != "class_labels"}
    output = unet(sample, 333, states, class_labels=further.get("class_labels"), added_cond_kwargs=added or None)
    save_tensors(
        folder / "reference" / "unet.safetensors",
        {"sample": sample, "timestep": torch.tensor([333.0]), "encoder_hidden_states": states, "output.sample": output.sample}
        | further,
        provenance("variants.py", SEED),
    )
    (folder / "diffusion_pytorch_model.safetensors").chmod(0o644)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for chosen in VARIANTS:
        make(chosen)
