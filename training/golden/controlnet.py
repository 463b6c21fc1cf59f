"""Makes test/golden/tiny-controlnet: a tiny random ControlNetModel in fp16 and what it computes.

    python training/golden/controlnet.py
"""

from __future__ import annotations

import shutil

import torch
from diffusers import ControlNetModel

from store import GOLDEN, provenance, save_tensors
from tiny import save_component
from weights import fill, normal, uniform

SEED = 2
SCALE = 0.7


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
