"""A small CLIP vocabulary trained here, token-id references of it and of CLIP's own vocabulary.

    python training/golden/tokenizer.py
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


def write_tokenizer(folder: Path, pad_token: str, model_max_length: int) -> int:
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


TEXTS = [
    "", " ", "a", "A photo of an astronaut riding a horse on Mars", "a fox in a meadow",
    "  leading,   inner\t\tand trailing \n whitespace\r\n ", "no\u00a0break\u2003space\u3000here\u0085next\ufeffmark",
    "UPPER lower MiXeD", "İstanbul ΟΔΟΣ ΣΑΣ ǅ ẞ", "can't won't we'll I'd they've it's 'tis rock'n'roll 'S 'RE",
    "3.14159 2024-01-01 10,000 x2 4k 8K", "²½Ⅷ٣४", "(masterpiece:1.3), [blurry], ((best quality)), BREAK {a|b}",
    "hello! wow!! really?!", "!", "a ! b", "a!b", "...", "--ar 16:9 --v 5",
    "👩‍🚀 riding a 🐎 on 🌕 🇫🇷 👍🏽 ☃️", "🙂", "漢字とかな交じり文 한국어 العربية हिन्दी עברית", "cafe\u0301 café naïve", "ﬁ ① ㎏",
    "<|startoftext|>", "a <|endoftext|> b", "a<|ENDOFTEXT|>b", "<|endoftext|", "</w> a</w>b", "Ġ ġ Ċ",
    "snake_case CamelCase kebab-case path/to/file.png https://example.org/?q=1&r=2", "e=mc² ~ ± × ÷ ≠ €£¥",
    "\u200bzero\u200bwidth\u200d", "tab\x00null\x1fcontrol\x7f", "a" * 200, "supercalifragilisticexpialidocious " * 12,
    "one two three four five six seven eight nine ten " * 10, "\U0001d54f\U00010348 \ud7ff\ue000",
]
ALPHABETS = ["abcdefghijklmnop", "ABC XYZ", "0123456789", " \t\n", ".,!?'\"()[]:;-_", "éüßñçÅÆ", "日本語中文", "🙂🚀❤️👩🏽", "'s't're've'm'll'd"]


def fuzz(count: int, seed: int) -> list[str]:
    from weights import splitmix64

    numbers = iter(splitmix64(seed, count * 80).tolist())
    texts = []
    for _ in range(count):
        length = next(numbers) % 24 + 1
        pieces = []
        while len(pieces) < length:
            alphabet = ALPHABETS[next(numbers) % len(ALPHABETS)]
            pieces.append(alphabet[next(numbers) % len(alphabet)])
        texts.append("".join(pieces))
    return texts


def clip_folder(folder: Path) -> Path:
    """A slow CLIPTokenizer folder from OpenAI's merge list, with the special tokens of SD 1.x repositories."""
    from store import ROOT

    merges = (ROOT / "models" / "tokenizers" / "clip" / "merges.txt").read_text()
    alphabet = byte_alphabet()
    tokens = [*alphabet, *(c + "</w>" for c in alphabet),
              *(line.replace(" ", "") for line in merges.splitlines()[1:]), SPECIAL["bos_token"], SPECIAL["eos_token"]]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text(merges)
    token = lambda content: dict(content=content, lstrip=False, normalized=True, rstrip=False, single_word=False)
    special = {name: token(content) for name, content in SPECIAL.items()} | {"pad_token": SPECIAL["eos_token"]}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    typed = {name: {"__type": "AddedToken"} | token(content) for name, content in SPECIAL.items()}
    config = typed | {"pad_token": SPECIAL["eos_token"], "model_max_length": 77, "do_lower_case": True, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def main() -> None:
    import tempfile

    from transformers import CLIPTokenizer

    from store import GOLDEN, provenance, save_json

    seed = 7
    folder = GOLDEN / "tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    texts = TEXTS + fuzz(120, seed)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"clip": clip_folder(Path(scratch) / "clip"), "tiny-sd": GOLDEN / "tiny-sd" / "tokenizer",
                   "tiny-sd2": GOLDEN / "tiny-sd2" / "tokenizer"}
        cases = {}
        for name, source in folders.items():
            tokenizer = CLIPTokenizer.from_pretrained(source)
            padded = tokenizer(texts, padding="max_length", truncation=True, max_length=77).input_ids
            print(name, tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.get_added_vocab())
            cases[name] = [
                {"text": text, "ids": tokenizer(text).input_ids, "padded": row[len(tokenizer(text).input_ids) :][:1],
                 "truncated": row[-2:] if len(tokenizer(text).input_ids) > 77 else [],
                 "decoded": tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True)}
                for text, row in zip(texts, padded)
            ]
            if name == "tiny-sd":
                tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    save_json(folder / "ids.json", {"provenance": provenance("tokenizer.py", seed) | {
        "vocabulary": "models/tokenizers/clip/merges.txt, from bpe_simple_vocab_16e6.txt.gz of OpenAI CLIP (MIT)"}, "cases": cases})


if __name__ == "__main__":
    main()
