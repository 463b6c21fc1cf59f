"""Names of the tiny checkpoints' tensors in the original single-file layout (CompVis ldm, Stability's OpenCLIP).

Writes test/golden/single-file/names.json and, for the ControlNet, control-names.json: per model, original name -> name in diffusers; for OpenCLIP's stacked
projections a list of the three names. Each table is checked against diffusers' own converters before it is written:
they must turn the original names back into exactly the diffusers names, tensor by tensor.

    python training/golden/single_file.py
"""

import json
import pathlib
import re

import diffusers
import torch
from diffusers import ControlNetModel
from diffusers.loaders.single_file_utils import (
    convert_controlnet_checkpoint,
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from safetensors.torch import load_file

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def unet_name(name, layers, attends_up):
    for new, old in UNET_ENDS.items():
        if name.startswith(new + "."):
            return old + name[len(new):]
    m = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    if m:
        side, block, kind, layer, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
        if side == "down":
            n = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else layer)
            start, place = f"input_blocks.{n}", 1 if kind == "attentions" else 0
            rest = rest.replace("conv.", "op.", 1) if kind == "downsamplers" else rest
        else:
            n = block * (layers + 1) + (layers if kind == "upsamplers" else layer)
            place = {"resnets": 0, "attentions": 1, "upsamplers": 2 if attends_up[block] else 1}[kind]
            start = f"output_blocks.{n}"
    else:
        m = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name)
        kind, rest = m[1], m[3]
        start, place = "middle_block", {("resnets", "0"): 0, ("attentions", "0"): 1, ("resnets", "1"): 2}[(m[1], m[2])]
    if kind == "resnets":
        part, tail = rest.split(".", 1)
        rest = f"{RESNET[part]}.{tail}"
    return f"{start}.{place}.{rest}"


def vae_name(name, levels):
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    name = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets\.", lambda m: f"up.{levels - 1 - int(m[1])}.block.", name)
    name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    for new, old in {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}.items():
        name = name.replace(f"mid_block.attentions.0.{new}", f"mid.attn_1.{old}")
    return name


def open_clip_name(name):
    name = name.removeprefix("text_model.")
    for new, old in {
        "embeddings.token_embedding": "token_embedding",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm": "ln_final",
        "encoder.layers": "transformer.resblocks",
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }.items():
        name = name.replace(new, old)
    return name


def load_folder(folder):
    return {k: v for file in sorted(folder.glob("*.safetensors")) for k, v in load_file(file).items()}


def table(model, open_clip):
    folder = GOLDEN / model
    config = json.loads((folder / "unet/config.json").read_text())
    vae_config = json.loads((folder / "vae/config.json").read_text())
    unet, vae, text = (load_folder(folder / name) for name in ("unet", "vae", "text_encoder"))
    text = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in text.items()}
    attends_up = ["CrossAttn" in kind for kind in config["up_block_types"]]
    names, original = {}, {}

    def put(old, new, tensor):
        names[old] = new
        original[old] = tensor

    for name, tensor in unet.items():
        put("model.diffusion_model." + unet_name(name, config["layers_per_block"], attends_up), name, tensor)
    for name, tensor in vae.items():
        is_projection = "mid_block.attentions" in name and tensor.ndim == 2
        put("first_stage_model." + vae_name(name, len(vae_config["block_out_channels"])), name, tensor[:, :, None, None] if is_projection else tensor)
    if open_clip:
        prefix = "cond_stage_model.model."
        for name, tensor in text.items():
            if "q_proj" in name:
                three = [name.replace("q_proj", f"{x}_proj") for x in "qkv"]
                stem, kind = name.split("self_attn.q_proj.")
                put(f"{prefix}{open_clip_name(stem)}attn.in_proj_{kind}", three, torch.cat([text[x] for x in three]))
            elif "k_proj" not in name and "v_proj" not in name:
                put(prefix + open_clip_name(name), name, tensor)
    else:
        for name, tensor in text.items():
            put("cond_stage_model.transformer." + name, name, tensor)
    check(original, config, vae_config, unet, vae, text, open_clip)
    return names


def check(original, config, vae_config, unet, vae, text, open_clip):
    class Model:
        class config:
            hidden_size = next(v.shape[1] for k, v in text.items() if k.endswith("token_embedding.weight"))

    converted = [
        (convert_ldm_unet_checkpoint(dict(original), config), unet),
        (convert_ldm_vae_checkpoint(dict(original), vae_config), vae),
        (convert_open_clip_checkpoint(Model, original) if open_clip else convert_ldm_clip_checkpoint(original), text),
    ]
    for got, want in converted:
        got = {k: v for k, v in got.items() if not k.endswith("position_ids")}
        want = {k: v for k, v in want.items() if not k.endswith("position_ids")}
        assert got.keys() == want.keys(), sorted(got.keys() ^ want.keys())[:10]
        assert all(torch.equal(got[k].reshape(want[k].shape), want[k]) for k in want)


def control_name(name, layers, hints):
    """`hints`: convolutions of the hint block, the first and the last among them."""
    if name.startswith("controlnet_cond_embedding."):
        part, kind = name.removeprefix("controlnet_cond_embedding.").rsplit(".", 1)
        place = {"conv_in": 0, "conv_out": hints - 1}.get(part)
        return f"input_hint_block.{2 * (place if place is not None else int(part.split('.')[1]) + 1)}.{kind}"
    name = re.sub(r"^controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0", name)
    name = name.replace("controlnet_mid_block", "middle_block_out.0")
    return name if name.startswith(("zero_convs", "middle_block_out")) else unet_name(name, layers, [])


def control_table():
    """Checked on a ControlNet whose hint block is as long as that of every public one: the converter knows no other."""
    config = json.loads((GOLDEN / "tiny-controlnet/config.json").read_text())
    public = ControlNetModel.from_config({**config, "conditioning_embedding_out_channels": [4, 8, 8, 8]})
    layers, state = config["layers_per_block"], public.state_dict()
    original = {control_name(name, layers, 8): value for name, value in state.items()}
    got = convert_controlnet_checkpoint(dict(original), dict(public.config))
    assert got.keys() == state.keys(), sorted(got.keys() ^ state.keys())[:10]
    assert all(torch.equal(got[name], value) for name, value in state.items())
    return {control_name(name, layers, 6): name for name in load_folder(GOLDEN / "tiny-controlnet")}


if __name__ == "__main__":
    out = GOLDEN / "single-file"
    out.mkdir(exist_ok=True)
    provenance = f"training/golden/single_file.py, checked against the converters of diffusers {diffusers.__version__}"
    tables = {"provenance": provenance, "tiny-sd": table("tiny-sd", False), "tiny-sd2": table("tiny-sd2", True)}
    (out / "names.json").write_text(json.dumps(tables, indent=1) + "\n")
    control = {"provenance": provenance, "names": control_table()}
    (out / "control-names.json").write_text(json.dumps(control, separators=(",", ":")) + "\n")
