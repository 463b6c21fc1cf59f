"""The tokenizer: a byte-level BPE in CLIP's format whose merges make every caption word one token.

Layout of vocab.json, as in CLIP: 256 byte letters, the same with `</w>`, one token for each merge, then the two special
tokens.  Unknown words fall apart into letters, as they do in CLIP.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .captions import corpus_words

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 20  # positions, with start and end


def byte_letters() -> list[str]:
    """The printable letter that stands for each byte, in the order of GPT-2's table (printable bytes first)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("\xa1"), ord("\xac") + 1), *range(ord("\xae"), 256)]
    letters = [chr(byte) for byte in printable]
    return letters + [chr(256 + n) for n in range(256 - len(printable))]


def learn_merges(words: list[str]) -> list[tuple[str, str]]:
    """Joins the most frequent neighbours (ties: alphabetically first) until every word is one token."""
    split = [[*word[:-1], word[-1] + "</w>"] for word in words]
    merges: list[tuple[str, str]] = []
    while any(len(parts) > 1 for parts in split):
        pairs = Counter(pair for parts in split for pair in zip(parts, parts[1:]))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = [join(parts, best) for parts in split]
    return merges


def join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """Replaces every occurrence of the pair, from the left."""
    out: list[str] = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


class Tokenizer:
    """Encodes captions for training; transformers' CLIPTokenizer reads the saved files and gives the same numbers."""

    def __init__(self) -> None:
        letters = byte_letters()
        # Only words of ASCII letters are merged: CLIP splits digits and punctuation before BPE.
        words = [word for word in corpus_words() if word.isalpha()]
        self.merges = learn_merges(words)
        tokens = letters + [letter + "</w>" for letter in letters] + [a + b for a, b in self.merges] + [START, END]
        self.vocab = {token: number for number, token in enumerate(tokens)}
        self.start, self.end = self.vocab[START], self.vocab[END]
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.vocab)

    def word(self, word: str) -> list[int]:
        """Token numbers of one lower-case word of letters, or of one digit or sign (all ASCII)."""
        if word not in self._known:
            parts = [*word[:-1], word[-1] + "</w>"]
            while len(parts) > 1:
                pair = min(zip(parts, parts[1:]), key=lambda p: self._rank.get(p, len(self._rank)))
                if pair not in self._rank:
                    break
                parts = join(parts, pair)
            self._known[word] = [self.vocab[part] for part in parts]
        return self._known[word]

    def encode(self, text: str) -> list[int]:
        """LENGTH token numbers: start, words (cut off where too many), end, padded with end."""
        ids: list[int] = []
        for chunk in text.split():
            for piece in _pieces(chunk):
                ids += self.word(piece)
        ids = [self.start, *ids[: LENGTH - 2], self.end]
        return ids + [self.end] * (LENGTH - len(ids))

    def save(self, folder: Path) -> None:
        """vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json, as CLIPTokenizer reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
        config = {
            "tokenizer_class": "CLIPTokenizer",
            "model_max_length": LENGTH,
            "do_lower_case": True,
            "add_prefix_space": False,
            "errors": "replace",
            **special,
        }
        (folder / "vocab.json").write_text(json.dumps(self.vocab, ensure_ascii=False) + "\n")
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(f"{a} {b}" for a, b in self.merges)]) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
        (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")


def _pieces(chunk: str) -> list[str]:
    """Splits a chunk without spaces as CLIP's pattern does for ASCII: letters, single digits, other signs."""
    pieces: list[str] = []
    sort = ""
    for letter in chunk.lower():
        now = "letter" if letter.isalpha() else "digit" if letter.isdigit() else "sign"
        if pieces and now == sort and now != "digit":
            pieces[-1] += letter
        else:
            pieces.append(letter)
        sort = now
    return pieces
