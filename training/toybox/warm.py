"""Begins a training where an exported Toybox ended, also one of other channels, other words, fewer things.

Used by `--init FOLDER` of text2image and autoencoder; the folder is all that is needed.

What both have is copied, token embeddings by their text.  Two latent spaces are linear maps of the same patches, so
conv_in, conv_out and the decoder's first convolution are composed with the map between them; a channel that the old
space lacks begins without effect.  A wider decoder begins as the old one: its new features carry the new channels through.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from .catalogue import SYNONYMS
from .pca import PatchPCA
from .tokenizer import Tokenizer

SHIFT = 0.8  # keeps a latent channel positive through the ReLUs: their std is 0.2 to 0.5 in the decoder's scale
TENT = torch.tensor([0.25, 0.5, 0.25])  # behind nearest upsampling by two: bilinear interpolation


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return {name: value.float() for name, value in load_file(file).items()}


def between(folder: Path, new: PatchPCA) -> tuple[torch.Tensor, torch.Tensor]:
    """(old from new [C_old, C_new], new from old [C_new, C_old]): the linear parts, means left out.

    The rows of the filters are orthogonal, so that the readout of each is itself over its squared length.
    """
    theirs, mine = (torch.from_numpy(pca.filters).float() for pca in (PatchPCA.of(folder), new))
    product = theirs @ mine.T
    to_old = product / mine.square().sum(1)
    to_new = product.T / theirs.square().sum(1)
    same = torch.eye(*to_old.shape)
    if to_old.shape[0] == to_old.shape[1] and (to_old - same).abs().max() < 0.01:  # half precision
        return same, same
    return to_old, to_new


def begin_denoiser(nets: nn.ModuleDict, folder: Path, pca: PatchPCA, mine: Tokenizer) -> None:
    """Fills {"text", "unet"} from the folder. Throws ValueError where a layer has another size."""
    to_old, to_new = between(folder, pca)
    vocabulary = json.loads((folder / "tokenizer/vocab.json").read_text())
    old = {"text": load_weights(folder / "text_encoder"), "unet": load_weights(folder / "unet")}
    for part, weights in old.items():
        state = nets[part].state_dict()
        for name, value in state.items():
            before = weights[name]
            if name.endswith("token_embedding.weight"):
                value = adapt_embedding(value, before, vocabulary, mine)
            elif name == "conv_in.weight":
                value = torch.einsum("oikl,ij->ojkl", before, to_old)
            elif name == "conv_out.weight":
                value = torch.einsum("ji,iokl->jokl", to_new, before)
            elif name == "conv_out.bias":
                value = to_new @ before
            elif before.shape == value.shape:
                value = before
            else:
                raise ValueError(f"{part}.{name}: {tuple(value.shape)} here, {tuple(before.shape)} in {folder}")
            state[name] = value
        nets[part].load_state_dict(state)


def adapt_embedding(fresh: torch.Tensor, old: torch.Tensor, vocabulary: dict[str, int], mine: Tokenizer) -> torch.Tensor:
    """Rows of `old` [V_old, D] by the text of their token; a new synonym begins as the word that it stands for."""
    result = fresh.clone()
    for token, number in mine.vocab.items():
        if token in vocabulary:
            result[number] = old[vocabulary[token]]
    for thing, others in SYNONYMS.items():
        for other in (words.split()[-1] for words in others):
            if other + "</w>" not in vocabulary:
                result[mine.word(other)[0]] = result[mine.word(thing.split()[-1])[0]]
    return result


def begin_decoder(decoder: nn.Module, folder: Path, pca: PatchPCA) -> None:
    """Gives the decoder the function that the folder's has."""
    weights = load_weights(folder / "vae")
    old = {name.removeprefix("decoder."): value for name, value in weights.items() if name.startswith("decoder.")}
    decoder.load_state_dict(widen(old, decoder.state_dict(), between(folder, pca)[0]))


def widen(old: dict[str, torch.Tensor], new: dict[str, torch.Tensor], to_old: torch.Tensor) -> dict[str, torch.Tensor]:
    """The decoder's state `new` with the function of `old`.

    Features that `old` lacks pass the latent channels that it lacks through all stages; nothing reads them yet, but the
    hidden features of residual blocks are left as initialised, so that they can be read by the first gradient.
    """
    channels, width = to_old.shape[0], old["layers.0.weight"].shape[0]
    last = max(int(name.split(".")[1]) for name in new)
    result = {}
    for name, value in new.items():
        before = old[name]
        if name == "layers.0.weight":
            value = torch.zeros_like(value)
            value[:width] = torch.einsum("oikl,ij->ojkl", before, to_old)
            for extra in range(min(len(value) - width, value.shape[1] - channels)):
                value[width + extra, channels + extra, 1, 1] = 1
        elif name == "layers.0.bias":
            value = torch.full_like(value, SHIFT)
            value[:width] = before
        elif name == f"layers.{last}.weight":
            value = torch.zeros_like(value)
            value[:, :width] = before
        elif name.endswith("weight"):
            value = value.clone()
            value[:width, width:] = 0
            if ".conv." not in name:  # behind an upsampling
                value[width:] = 0
                for extra in range(width, len(value)):
                    value[extra, extra] = torch.outer(TENT, TENT)
            elif ".conv.4." in name:  # added to the block's input
                value[width:] = 0
            value[:width, :width] = before
        elif before.shape != value.shape:
            value = torch.zeros_like(value)
            value[:width] = before
        else:
            value = before
        result[name] = value
    return result
