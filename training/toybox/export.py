"""Writes the model as a diffusers folder in half precision.

    python -m training.toybox.export --work DIR --out models/toybox
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import nn

from . import autoencoder, text2image
from .captions import article, corpus_words
from .catalogue import COLOURS, DAY, FILLERS, PLACES, SYNONYMS, THINGS, TIME_PHRASES, plain
from .networks import scheduler
from .pca import PatchPCA
from .tokenizer import Tokenizer

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.0",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}

# Words of captions that show nothing by themselves.
GLUE = frozenset("a an the in on at under by among above front bottom outer plain background".split())

SUGGESTED = (
    "a fox in a meadow",
    "a rocket in space",
    "a bunny in the snow",
    "a lion in the desert at sunset",
    "a robot on the beach at sunset",
    "a castle in the mountains at night",
    "a whale on the sea",
    "a train in the mountains",
    "a ghost in the forest at night",
    "a ufo under a starry night sky",
    "a pizza on a teal background",
    "an octopus under water",
    "a teddy bear in a room",
    "an airplane above the clouds",
    "a bus on a city street",
    "a burger on a yellow background",
)


def prompts() -> dict:
    """What a user interface needs to suggest prompts, and to say so where a prompt has no word that the model knows."""
    return {
        "things": list(THINGS),
        "synonyms": {thing: list(words) for thing, words in SYNONYMS.items()},
        "places": {place.name: list(place.phrases) for place in PLACES},
        "times": {place.name: list(place.times) for place in PLACES if len(place.times) > 1},
        "timePhrases": {time: list(dict.fromkeys(p for p in phrases if p)) for time, phrases in TIME_PHRASES.items() if time != DAY},
        "colours": list(COLOURS),
        "colourPhrases": {colour: plain(colour).phrases[0] for colour in COLOURS},
        "pattern": "a {thing} {place} {time}",
        "articles": {thing: article(thing) for thing in THINGS},
        "words": [word for word in corpus_words() if word not in FILLERS and word not in GLUE],
        "suggestions": list(SUGGESTED),
        "defaults": {"width": 128, "height": 128, "steps": 25, "guidanceScale": 2, "plan": {"every": 3}},
    }


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write(nets: nn.ModuleDict, vae: AutoencoderTiny, out: Path) -> None:
    """Writes every file but README.md and LICENSE, which are kept by hand. The networks are in half precision afterwards."""
    out.mkdir(parents=True, exist_ok=True)
    nets["text"].to(torch.float16).save_pretrained(out / "text_encoder")
    nets["unet"].to(torch.float16).save_pretrained(out / "unet")
    vae.to(torch.float16).save_pretrained(out / "vae")
    scheduler().save_pretrained(out / "scheduler")
    Tokenizer().save(out / "tokenizer")
    write_json(out / "model_index.json", INDEX)
    write_json(out / "prompts.json", prompts())
    for file in out.rglob("*.safetensors"):
        file.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--out", type=Path, default=Path("models/toybox"))
    args = parser.parse_args()
    nets = text2image.load_average(args.work / "text2image.pt")
    write(nets, autoencoder.load_average(args.work / "decoder.pt", PatchPCA.load(args.work / "pca.npz")), args.out)
    size = sum(file.stat().st_size for file in args.out.rglob("*") if file.is_file())
    print(f"{args.out}: {size / 1e6:.1f} MB")
    print("The parity test compares these weights with diffusers: now run `python training/golden/toybox.py`.")


if __name__ == "__main__":
    main()
