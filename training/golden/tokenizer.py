"""A small CLIP vocabulary trained here, token-id references of it and of CLIP's own vocabulary.

    python training/golden/tokenizer.py [bpe_simple_vocab_16e6.txt.gz]
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import regex

SPECIAL = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>")
PATTERN = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE)
CORPUS = """
a photograph of an astronaut riding a horse in the snow a painting of a fox in a meadow at sunset the castle under
water with stars and the night sky an oil painting by the sea highly detailed portrait of a robot drinking coffee in
the city a watercolor of mountains reflected in a lake a red car driving through the desert it's a dragon's nest
they're flying over the forest there we've seen penguins don't you'll like 1 2 3 4 5 6 7 8 9 0 , . ! ? ( ) : ; - "
""" * 3


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def train(merges: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Plain byte-level BPE with </w> at word ends; ties by the pair's text, so the result is one."""
    words = Counter(PATTERN.findall(CORPUS.lower()))
    splits = {word: (*word[:-1], word[-1] + "</w>") for word in words}
    learnt: list[tuple[str, str]] = []
    while len(learnt) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in splits.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learnt.append(best)
        splits = {word: merge(parts, best) for word, parts in splits.items()}
    alphabet = byte_alphabet()
    tokens = [*alphabet, *(c + "</w>" for c in alphabet), *("".join(pair) for pair in learnt),
              SPECIAL["bos_token"], SPECIAL["eos_token"]]
    return {token: index for index, token in enumerate(tokens)}, learnt


def merge(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)


def write_tokenizer(folder: Path, pad_token: str, model_max_length: int = 77) -> int:
    """Writes the files of a slow CLIPTokenizer folder; returns the vocabulary's size."""
    vocabulary, merges = train(250)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    (folder / "special_tokens_map.json").write_text(json.dumps(SPECIAL | {"pad_token": pad_token}, indent=2) + "\n")
    config = SPECIAL | {"pad_token": pad_token, "model_max_length": model_max_length, "do_lower_case": True,
                        "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    return len(vocabulary)
