"""Makes the tiny random checkpoints in test/golden and the forward references of their networks.

    python training/golden/tiny.py [tiny-sd] [tiny-sd2] [tiny-toy]

tiny-sd   the shape of SD 1.x: fp32, quick_gelu, convolutional proj_in, AutoencoderKL
tiny-sd2  the shape of SD 2.x: fp16, sharded UNet, OpenCLIP text encoder, linear proj_in, head counts per block,
          upcast_attention, v-prediction; VAE in bf16
tiny-toy  the shape of Toybox: fp16, pooled prompt in the time embedding, AutoencoderTiny, zero-terminal-SNR DDIM
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import cut
from store import GOLDEN, provenance, save_tensors
from tokenizer import SPECIAL, write_tokenizer
from weights import assert_conditioned, fill, normal, relative, uniform

SEED = 1
# What a mistake must cost before a gate of 4e-6 rms can be trusted to see it.
VISIBLE = 1.2e-5


@dataclass
class Recipe:
    text: dict
    unet: dict
    vae: dict
    scheduler: dict
    vae_class: type = AutoencoderKL
    dtype: torch.dtype = torch.float32
    vae_dtype: torch.dtype = torch.float32
    shards: bool = False
    output_gain: float = 0.7


UNET_SD = dict(
    sample_size=16,
    in_channels=4,
    out_channels=4,
    down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    # 32 + 16 channels in 4 groups of 12: one group straddles the border between h and skip.
    block_out_channels=(16, 32, 32),
    norm_num_groups=4,
    layers_per_block=2,
    cross_attention_dim=32,
    attention_head_dim=4,
)
TEXT = dict(hidden_size=32, intermediate_size=64, num_attention_heads=4, num_hidden_layers=3, projection_dim=24)
VAE_KL = dict(
    in_channels=3,
    out_channels=3,
    latent_channels=4,
    down_block_types=("DownEncoderBlock2D",) * 3,
    up_block_types=("UpDecoderBlock2D",) * 3,
    block_out_channels=(8, 16, 16),
    layers_per_block=1,
    norm_num_groups=4,
    sample_size=64,
    scaling_factor=0.18215,
)
BETAS = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")

RECIPES = {
    "tiny-sd": Recipe(
        # eos_token_id 2 is what SD 1.x checkpoints carry: pooling then takes the largest id.
        text=dict(TEXT, hidden_act="quick_gelu", eos_token_id=2),
        unet=UNET_SD,
        vae=VAE_KL,
        scheduler=dict(
            _class_name="DDIMScheduler", **BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1,
            timestep_spacing="leading", prediction_type="epsilon",
        ),
    ),
    "tiny-sd2": Recipe(
        text=dict(TEXT, hidden_act="gelu"),
        unet=dict(
            UNET_SD, layers_per_block=1, attention_head_dim=(2, 4, 8), use_linear_projection=True, upcast_attention=True,
        ),
        vae=dict(VAE_KL, block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2,
                 up_block_types=("UpDecoderBlock2D",) * 2, sample_size=32),
        scheduler=dict(
            _class_name="DDIMScheduler", **BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1,
            timestep_spacing="leading", prediction_type="v_prediction",
        ),
        dtype=torch.float16,
        vae_dtype=torch.bfloat16,
        shards=True,
    ),
    "tiny-toy": Recipe(
        text=dict(TEXT, hidden_act="quick_gelu", num_hidden_layers=2),
        unet=dict(
            UNET_SD, sample_size=8, in_channels=8, out_channels=8, layers_per_block=1, attention_head_dim=2,
            addition_embed_type="text", addition_embed_type_num_heads=4,
        ),
        vae_class=AutoencoderTiny,
        vae=dict(
            in_channels=3, out_channels=3, latent_channels=8, encoder_block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8), num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(1, 1, 1, 1),
        ),
        scheduler=dict(
            _class_name="DDIMScheduler", **BETAS, clip_sample=False, set_alpha_to_one=True, steps_offset=0,
            timestep_spacing="trailing", prediction_type="v_prediction", rescale_betas_zero_snr=True,
        ),
        dtype=torch.float16,
        vae_dtype=torch.float16,
    ),
}


def save_component(model, folder, dtype: torch.dtype, shard: bool = False) -> None:
    """The class's own writer, so that names and configs are those of a real repository."""
    stored = copy.deepcopy(model).to(dtype)
    stored.save_pretrained(folder, **({"max_shard_size": "160KB"} if shard else {}))
    config = folder / "config.json"
    values = json.loads(config.read_text())
    # transformers writes the type it saved in; diffusers writes where it was loaded from.
    values.pop("_name_or_path", None)
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


def text_references(text: CLIPTextModel, positions: int) -> dict[str, torch.Tensor]:
    vocabulary = text.config.vocab_size
    start, end = vocabulary - 2, vocabulary - 1
    rows = []
    for row, words in enumerate((1, 9, positions - 2)):
        ids = ((uniform("ids", (positions,), row).numpy() / 3.47 + 0.5) * (vocabulary - 2)).astype(int).tolist()
        rows.append(([start, *ids[:words]] + [end] * positions)[:positions])
        rows[-1][-1] = end
    input_ids = torch.tensor(rows)
    output = text(input_ids)
    return {"input_ids": input_ids, "last_hidden_state": output.last_hidden_state, "pooler_output": output.pooler_output}


def unet_references(unet: UNet2DConditionModel, text_length: int) -> dict[str, torch.Tensor]:
    channels, size, width = unet.config.in_channels, unet.config.sample_size, unet.config.cross_attention_dim
    references = {}
    for suffix, shape in (("", (2, channels, size, size)), ("_odd", (1, channels, size - 3, size + 2))):
        sample = normal(f"sample{suffix}", shape, SEED)
        # A nearly constant row: group variances there are small enough for eps to matter.
        sample[-1] *= 0.01
        states = normal(f"states{suffix}", (shape[0], text_length, width), SEED)
        timestep, timesteps = 481, (481, 461, 1)
        features = cut.encode(unet, sample, timestep, states)
        whole = unet(sample, timestep, states).sample
        assert torch.equal(whole, cut.decode(unet, features, timestep, states)), "the cut changes the result"
        references |= {
            f"sample{suffix}": sample,
            f"encoder_hidden_states{suffix}": states,
            f"timestep{suffix}": torch.tensor([timestep]),
            f"timesteps{suffix}": torch.tensor(timesteps),
            f"output.sample{suffix}": whole,
            f"output.decoded{suffix}": torch.stack([cut.decode(unet, features, t, states) for t in timesteps]),
            f"output.mid_block_res_sample{suffix}": features.mid_block_res_sample,
        }
        references |= {f"output.down_block_res_samples.{i}{suffix}": skip
                       for i, skip in enumerate(features.down_block_res_samples)}
    return references


def assert_mistakes_visible(unet: UNet2DConditionModel, references: dict[str, torch.Tensor]) -> None:
    """The smallest real mistakes (eps of the norms) must move these very outputs by more than the gate."""

    def run(changed) -> torch.Tensor:
        return changed(references["sample"], 481, references["encoder_hidden_states"]).sample

    def with_eps(matches, eps: float):
        changed = copy.deepcopy(unet)
        for name, module in changed.named_modules():
            if matches(name, module):
                module.eps = eps
        return changed

    group, layer = torch.nn.GroupNorm, torch.nn.LayerNorm
    mistakes = {
        "resnet norm eps 1e-6": with_eps(lambda n, m: isinstance(m, group) and "resnets" in n, 1e-6),
        "transformer norm eps 1e-5": with_eps(lambda n, m: isinstance(m, group) and "attentions" in n, 1e-5),
        "LayerNorm eps 1e-6": with_eps(lambda n, m: isinstance(m, layer), 1e-6),
    }
    for name, changed in mistakes.items():
        _, rms = relative(run(changed), references["output.sample"])
        print(f"  {name}: rms {rms:.1e} of std")
        assert rms > VISIBLE, f"{name} would go unnoticed"


def make(name: str) -> None:
    recipe = RECIPES[name]
    folder = GOLDEN / name
    for component in ("text_encoder", "tokenizer", "unet", "vae", "scheduler"):
        shutil.rmtree(folder / component, ignore_errors=True)
    made_by = provenance("tiny.py", SEED)
    positions = 16 if name == "tiny-toy" else 77
    pad_token = "!" if name == "tiny-sd2" else SPECIAL["eos_token"]
    vocabulary = write_tokenizer(folder / "tokenizer", pad_token, positions)
    ids = dict(vocab_size=vocabulary, bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1)

    text = CLIPTextModel(CLIPTextConfig(**(ids | dict(max_position_embeddings=positions) | recipe.text)))
    fill(text, SEED, recipe.dtype)
    save_component(text, folder / "text_encoder", recipe.dtype)
    save_tensors(folder / "reference" / "text_encoder.safetensors", text_references(text, positions), made_by)

    unet = UNet2DConditionModel(**recipe.unet)
    fill(unet, SEED, recipe.dtype, recipe.output_gain)
    references = unet_references(unet, positions)
    save_component(unet, folder / "unet", recipe.dtype, recipe.shards)
    # The nearly constant last row is left out: there the norms divide by next to nothing, as they should.
    states = references["encoder_hidden_states"][:-1]
    ordinary = references["sample"][:-1]
    assert_conditioned(f"{name} unet", unet, lambda m, x: m(x, 481, states.to(x.dtype)).sample, ordinary)
    assert_mistakes_visible(unet, references)
    save_tensors(folder / "reference" / "unet.safetensors", references, made_by)

    vae = recipe.vae_class(**recipe.vae)
    fill(vae, SEED, recipe.vae_dtype)
    save_component(vae, folder / "vae", recipe.vae_dtype)
    latents = normal("latents", (2, vae.config.latent_channels, 6, 4), SEED)
    assert_conditioned(f"{name} vae.decoder", vae, lambda m, x: m.decode(x).sample, latents, (1, 15))
    scale = 2 ** (len(getattr(vae.config, "block_out_channels", vae.config.get("decoder_block_out_channels"))) - 1)
    pictures = uniform("pictures", (2, 3, 6 * scale, 4 * scale), SEED) / 1.7321
    if recipe.vae_class is AutoencoderKL:
        encoded = {"moments": vae.quant_conv(vae.encoder(pictures))}
    else:
        encoded = {"latents": vae.encode(pictures).latents}
    save_tensors(
        folder / "reference" / "vae.safetensors",
        {"decoder.sample": latents, "decoder.output.sample": vae.decode(latents).sample, "encoder.sample": pictures}
        | {f"encoder.output.{key}": value for key, value in encoded.items()},
        made_by,
    )

    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(recipe.scheduler, indent=2) + "\n")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": made_by["diffusers"],
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", recipe.vae_class.__name__],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or RECIPES:
        make(chosen)
