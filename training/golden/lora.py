"""LoRA files of every dialect for tiny-sd and what diffusers, peft and LyCORIS draw with them; textual inversion.

    python training/golden/lora.py

kohya, both spellings of diffusers, PEFT and DoRA go through `load_lora_weights`, applied beside the weights and fused into
them, which must agree. LoHa, LoKr, Tucker cores and full differences are computed by LyCORIS' own functions.
"""

from __future__ import annotations

import json

import torch
from diffusers import StableDiffusionPipeline
from lycoris.functional import loha, lokr
from lycoris.functional.general import rebuild_tucker, weight_decompose

import cut
from store import GOLDEN, provenance, save_json, save_tensors
from weights import normal, relative, uniform

SEED = 9
RANK = 2
STEPS, GUIDANCE, SHAPE = 6, 5.0, (1, 4, 4, 8)
PROMPT, NEGATIVE = "a Fox in a meadow, riding a horse!", "blurry"
EMBEDDED = "a fox in night-sky, (<toy-cat>:1.0) and a Night-Sky"

ATTENTION = [
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v",
    "up_blocks.2.attentions.1.transformer_blocks.0.attn1.to_out.0",
]
# A convolution over (h, skip), an upsampler's, a strided one, 1x1, and linear layers outside attention.
OTHER = [
    "up_blocks.1.resnets.0.conv1", "up_blocks.0.upsamplers.0.conv", "down_blocks.0.downsamplers.0.conv",
    "mid_block.attentions.0.proj_in", "mid_block.attentions.0.transformer_blocks.0.ff.net.2", "up_blocks.1.resnets.0.time_emb_proj",
]
TEXT_ATTENTION = ["encoder.layers.0.self_attn.q_proj", "encoder.layers.1.self_attn.out_proj"]
TEXT_OTHER = ["encoder.layers.2.mlp.fc1"]


def pipeline() -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(GOLDEN / "tiny-sd", torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


PIPE = pipeline()
TEXT = getattr(PIPE.text_encoder, "text_model", PIPE.text_encoder)


def values(name: str, shape: tuple[int, ...], gain: float) -> torch.Tensor:
    return (gain * uniform(name, shape, SEED)).half()


def factors(network, path: str, tag: str) -> tuple[torch.Tensor, torch.Tensor]:
    """down [r, in, ...] and up [out, r, ...], their product about as large as the weight itself."""
    weight = network.get_submodule(path).weight
    fan = weight[0].numel()
    down = values(f"{tag}.{path}.down", (RANK, *weight.shape[1:]), 1.0)
    up = values(f"{tag}.{path}.up", (weight.shape[0], RANK, *[1] * (weight.ndim - 2)), 0.6 / (RANK * fan) ** 0.5)
    return down, up


def kohya(tag: str, unet: list[str], text: list[str], alphas: dict[str, float]) -> dict[str, torch.Tensor]:
    state = {}
    for prefix, network, paths in (("lora_unet_", PIPE.unet, unet), ("lora_te_text_model_", TEXT, text)):
        for path in paths:
            down, up = factors(network, path, tag)
            flat = prefix + path.replace(".", "_")
            state |= {f"{flat}.lora_down.weight": down, f"{flat}.lora_up.weight": up}
            # diffusers gives attention, the text encoder and layers without an alpha the most frequent one: here that is theirs.
            state[f"{flat}.alpha"] = torch.tensor(alphas.get(path, 1.0))
    return state


def diffusers_old(tag: str, unet: list[str], text: list[str]) -> dict[str, torch.Tensor]:
    state = {}
    for path in unet:
        down, up = factors(PIPE.unet, path, tag)
        block, _, layer = path.removesuffix(".0").rpartition(".")
        state |= {f"unet.{block}.processor.{layer}_lora.{part}.weight": x for part, x in (("down", down), ("up", up))}
    for path in text:
        down, up = factors(TEXT, path, tag)
        block, _, layer = path.rpartition(".")
        old = {"q_proj": "to_q", "out_proj": "to_out"}[layer]
        state |= {f"text_encoder.text_model.{block}.{old}_lora.{part}.weight": x for part, x in (("down", down), ("up", up))}
    return state


def diffusers_new(tag: str, unet: list[str], text: list[str]) -> dict[str, torch.Tensor]:
    state = {}
    for path in unet:
        down, up = factors(PIPE.unet, path, tag)
        state |= {f"unet.{path}.lora.down.weight": down, f"unet.{path}.lora.up.weight": up}
    for path in text:
        down, up = factors(TEXT, path, tag)
        name = f"text_encoder.text_model.{path}.lora_linear_layer"
        state |= {f"{name}.down.weight": down, f"{name}.up.weight": up}
    return state


def peft(tag: str, unet: list[str], text: list[str]) -> dict[str, torch.Tensor]:
    state = {}
    for prefix, network, paths in (("unet.", PIPE.unet, unet), ("text_encoder.text_model.", TEXT, text)):
        for path in paths:
            down, up = factors(network, path, tag)
            state |= {f"{prefix}{path}.lora_A.weight": down, f"{prefix}{path}.lora_B.weight": up}
    return state


def with_magnitudes(state: dict[str, torch.Tensor], unet: list[str], name) -> dict[str, torch.Tensor]:
    for path in unet:
        weight = PIPE.unet.get_submodule(path).weight
        norm = weight.flatten(1).norm(dim=1)
        wanted = norm * (1 + 0.3 * uniform(f"{path}.magnitude", tuple(norm.shape), SEED))
        key, shape = name(path, weight)
        state[key] = wanted.reshape(shape).half()
    return state


def lycoris() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """One layer of each kind, and the weights that LyCORIS makes of them."""
    state, merged, biases = {}, {}, {}

    def layer(path: str, **parts) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        flat = "lora_unet_" + path.replace(".", "_")
        made = {part: value if torch.is_tensor(value) else values(f"lycoris.{path}.{part}", *value) for part, value in parts.items()}
        state.update({f"{flat}.{part}": value for part, value in made.items()})
        return PIPE.unet.get_submodule(path).weight.detach(), {part: value.float() for part, value in made.items()}

    alpha = lambda: torch.tensor(1.0)  # rank 2: scale 1/2
    path = OTHER[0]  # Tucker LoCon [32, 64, 3, 3]
    w, p = layer(path, **{"lora_down.weight": ((RANK, 64, 1, 1), 1.0), "lora_up.weight": ((32, RANK, 1, 1), 0.05), "lora_mid.weight": ((RANK, RANK, 3, 3), 0.5), "alpha": alpha()})
    merged[path] = w + 0.5 * rebuild_tucker(p["lora_mid.weight"], p["lora_up.weight"][:, :, 0, 0].T, p["lora_down.weight"][:, :, 0, 0])
    path = OTHER[1]  # LoHa of a convolution, Tucker
    w, p = layer(path, hada_t1=((RANK, RANK, 3, 3), 0.3), hada_w1_a=((RANK, 32), 0.3), hada_w1_b=((RANK, 32), 1.0), hada_t2=((RANK, RANK, 3, 3), 0.3), hada_w2_a=((RANK, 32), 0.3), hada_w2_b=((RANK, 32), 1.0), alpha=alpha())
    merged[path] = w + loha.diff_weight(p["hada_w1_b"], p["hada_w1_a"], p["hada_w2_b"], p["hada_w2_a"], p["hada_t1"], p["hada_t2"], gamma=torch.tensor(0.5))
    path = OTHER[2]  # LoHa of a convolution, flattened
    w, p = layer(path, hada_w1_a=((16, RANK), 0.2), hada_w1_b=((RANK, 16 * 9), 1.0), hada_w2_a=((16, RANK), 0.1), hada_w2_b=((RANK, 16 * 9), 1.0))
    merged[path] = w + loha.diff_weight(p["hada_w1_b"], p["hada_w1_a"], p["hada_w2_b"], p["hada_w2_a"], None, None, gamma=torch.tensor(1.0)).reshape(w.shape)
    path = ATTENTION[1]  # LoKr, both halves products: blocks of 4 x 8
    w, p = layer(path, lokr_w1_a=((4, RANK), 0.5), lokr_w1_b=((RANK, 8), 0.5), lokr_w2_a=((8, RANK), 0.3), lokr_w2_b=((RANK, 4), 0.5), alpha=alpha())
    merged[path] = w + lokr.kron_weight(None, p["lokr_w1_a"], p["lokr_w1_b"], None, p["lokr_w2_a"], p["lokr_w2_b"], None, scale=0.5)
    path = ATTENTION[2]  # LoKr, both whole: its alpha says nothing
    w, p = layer(path, lokr_w1=((8, 4), 0.4), lokr_w2=((4, 8), 0.3), alpha=alpha())
    merged[path] = w + lokr.kron_weight(p["lokr_w1"], None, None, p["lokr_w2"], None, None, None, scale=1.0)
    path = "up_blocks.1.resnets.1.conv2"  # LoKr of a convolution, Tucker
    w, p = layer(path, lokr_w1=((4, 4), 0.5), lokr_t2=((RANK, RANK, 3, 3), 0.5), lokr_w2_a=((RANK, 8), 0.3), lokr_w2_b=((RANK, 8), 0.5), alpha=alpha())
    merged[path] = w + lokr.kron_weight(p["lokr_w1"], None, None, None, p["lokr_w2_a"], p["lokr_w2_b"], p["lokr_t2"], scale=0.5)
    path = OTHER[4]  # DoRA along inputs, as LyCORIS' first files have it
    w, p = layer(path, **{"lora_down.weight": ((RANK, 128), 1.0), "lora_up.weight": ((32, RANK), 0.05), "dora_scale": (0.9 * PIPE.unet.get_submodule(path).weight.norm(dim=0, keepdim=True)).half()})
    v = w + p["lora_up.weight"] @ p["lora_down.weight"]
    merged[path] = weight_decompose(v, p["dora_scale"], 1, False)
    path = ATTENTION[0]  # DoRA along outputs
    w, p = layer(path, **{"lora_down.weight": ((RANK, 16), 1.0), "lora_up.weight": ((16, RANK), 0.1), "dora_scale": (1.1 * PIPE.unet.get_submodule(path).weight.norm(dim=1, keepdim=True)).half(), "alpha": alpha()})
    merged[path] = weight_decompose(w + 0.5 * p["lora_up.weight"] @ p["lora_down.weight"], p["dora_scale"], 1, True)
    path = OTHER[3]  # the whole difference, of the bias too
    w, p = layer(path, diff=((32, 32, 1, 1), 0.02), diff_b=((32,), 0.05))
    merged[path], biases[path] = w + p["diff"], PIPE.unet.get_submodule(path).bias.detach() + p["diff_b"]
    return state, merged, biases


@torch.no_grad()
def draw(pipe, prompt: str = PROMPT) -> torch.Tensor:
    """Final latents [1, C, h, w]: what an adapter changes in them is a thousand times what may differ."""
    return pipe(
        prompt, negative_prompt=NEGATIVE, latents=normal("latents", SHAPE, SEED), output_type="latent",
        num_inference_steps=STEPS, guidance_scale=GUIDANCE,
    ).images


@torch.no_grad()
def loaded(files: list[tuple[str, float]], plain: torch.Tensor) -> tuple[torch.Tensor, StableDiffusionPipeline]:
    """Applied beside the weights, then fused into them: both must agree, and differ from the model without."""
    pipe = pipeline()
    for name, _ in files:
        pipe.load_lora_weights(GOLDEN / "lora", weight_name=f"{name}.safetensors", adapter_name=name)
    pipe.set_adapters([name for name, _ in files], [weight for _, weight in files])
    applied = draw(pipe)
    pipe.fuse_lora(adapter_names=[name for name, _ in files])
    distance = relative(draw(pipe), applied)
    assert distance[0] < 2e-5, f"{files}: fused differs by {distance}"
    assert (effect := relative(applied, plain)[1]) > 0.02, f"{files} changes next to nothing: {effect}"
    print(f"{files}: fused against applied max {distance[0]:.1e}, effect {effect:.2f}")
    return applied, pipe


@torch.no_grad()
def main() -> None:
    made_by = provenance("lora.py", SEED)
    import lycoris as lycoris_package  # noqa: F401
    import peft as peft_package
    made_by |= dict(peft=peft_package.__version__)
    folder = GOLDEN / "lora"
    unet, text = ATTENTION + OTHER, TEXT_ATTENTION + TEXT_OTHER
    metadata = lambda **more: {**made_by, **more}
    save_tensors(folder / "kohya.safetensors", kohya("kohya", unet, text, {OTHER[0]: 4.0, OTHER[1]: 3.0, OTHER[3]: 2.0, OTHER[5]: 3.0}), metadata(
        ss_network_dim="2", ss_network_alpha="1", ss_base_model_version="sd_v1", ss_output_name="kohya-look",
        ss_tag_frequency=json.dumps({"5_fox": {"fox": 5, "meadow": 3}, "2_hill": {"fox": 2}}),
    ))
    save_tensors(folder / "diffusers-old.safetensors", diffusers_old("old", ATTENTION, TEXT_ATTENTION), made_by)
    save_tensors(folder / "diffusers.safetensors", diffusers_new("new", ATTENTION + OTHER[4:5], text), made_by)
    config = {"unet.r": RANK, "unet.lora_alpha": 3, "unet.target_modules": unet, "unet.use_rslora": True}
    text_config = {"text_encoder.r": RANK, "text_encoder.lora_alpha": 1, "text_encoder.target_modules": text}
    save_tensors(folder / "peft.safetensors", peft("peft", ATTENTION + OTHER[:1], text), metadata(lora_adapter_metadata=json.dumps(config | text_config)))
    dora = ATTENTION[:2] + OTHER[2:3]
    dotted = lambda path, w: (f"unet.{path}.lora_magnitude_vector", (1, w.shape[0], 1, 1) if w.ndim == 4 else (w.shape[0],))
    save_tensors(folder / "dora.safetensors", with_magnitudes(peft("dora", dora, []), dora, dotted), made_by)

    traces = {"latents": normal("latents", SHAPE, SEED), "none.latents": draw(pipeline())}
    plain = traces["none.latents"]
    cases = [("kohya", 1.0)], [("diffusers-old", 1.0)], [("diffusers", 1.0)], [("peft", 1.0)], [("dora", 1.0)], [("kohya", 0.6), ("diffusers", -0.4)]
    records = []
    for files in cases:
        case = "+".join(name for name, _ in files)
        traces[f"{case}.latents"], pipe = loaded(files, plain)
        records.append(dict(case=case, loras=[dict(name=name, weight=weight) for name, weight in files]))
        if case == "kohya":
            positive, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
            pipe.scheduler.set_timesteps(12)
            start = normal("latents", SHAPE, SEED)
            traces["propagated.latents"] = cut.denoise(pipe.unet, pipe.scheduler, start, torch.cat([negative, positive]), GUIDANCE, [0, 1, 3, 7], 0.1)[-1]

    state, merged, biases = lycoris()
    save_tensors(folder / "lycoris.safetensors", state, made_by)
    pipe = pipeline()
    for path, weight in merged.items():
        assert weight.shape == pipe.unet.get_submodule(path).weight.shape, path
        change = relative(weight, pipe.unet.get_submodule(path).weight)[1]
        assert 0.02 < change < 1.5, f"{path} changes by {change}"
        pipe.unet.get_submodule(path).weight.copy_(weight)
    for path, bias in biases.items():
        pipe.unet.get_submodule(path).bias.copy_(bias)
    traces["lycoris.latents"] = draw(pipe)
    records.append(dict(case="lycoris", loras=[dict(name="lycoris", weight=1.0)]))

    width = PIPE.text_encoder.config.hidden_size
    save_tensors(folder / "night-sky.safetensors", {"emb_params": 0.5 * uniform("night-sky", (3, width), SEED)}, {})
    save_tensors(folder / "cat.safetensors", {"<toy-cat>": 0.5 * uniform("toy-cat", (width,), SEED)}, {})
    pipe = pipeline()
    pipe.load_textual_inversion(folder / "night-sky.safetensors", token="night-sky")
    pipe.load_textual_inversion(folder / "cat.safetensors", token="<toy-cat>")
    spoken = EMBEDDED.replace("(<toy-cat>:1.0)", "<toy-cat>").replace("Night-Sky", "night-sky")
    traces["embedded.latents"] = draw(pipe, spoken)
    assert relative(traces["embedded.latents"], plain)[1] > 0.02
    positive, _ = pipe.encode_prompt(spoken, "cpu", 1, False)
    traces["embedded.states"] = positive[:, :20]
    save_tensors(folder / "reference.safetensors", traces, made_by)
    save_json(folder / "reference.json", dict(provenance=made_by, prompt=PROMPT, negativePrompt=NEGATIVE, embedded=EMBEDDED, steps=STEPS, guidance=GUIDANCE, cases=records))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
