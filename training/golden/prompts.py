"""Weighted prompts as AUTOMATIC1111 defines them: parts and weights, chunks, and text states of tiny checkpoints.

    python training/golden/prompts.py

Written from AUTOMATIC1111's rules (modules/prompt_parser.py, sd_hijack_clip.py, sd_emphasis.py), over transformers.
"""

from __future__ import annotations

import re

import torch
from transformers import CLIPTextModel, CLIPTokenizer

from store import GOLDEN, provenance, save_json, save_tensors

TOKEN = re.compile(
    r"""\\\(|\\\)|\\\[|\\]|\\\\|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|]|[^\\()\[\]:]+|:""", re.X
)
BREAK = re.compile(r"\s*\bBREAK\b\s*", re.S)
BACKTRACK = 20

TEXTS = [
    "", " ", "normal text", "an (important) word", "(unbalanced", r"\(literal\]", "(unnecessary)(parens)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "[less] [[even less]] (more) ((even more))", "(a:1.5) (b: .75 ) (c:-1)",
    "(with [mixed] brackets:1.2)", "not a weight: 1.2", "(colon: in text)", "trailing (open [both", "closing) only] here",
    r"back\\slash and \n", "a :1.3) b", "one BREAK two", "BREAKfast is no BREAK", "one\nBREAK\ntwo BREAK three",
    "(a:1) merges", "(same:1.2)(same:1.2)", "emoji (🦊:1.4) in ((雪))", "((a:1.1):1.2)", "():", "(:1.2)", "[]", "a\\",
]
LONG = ("a fox in a meadow, riding a horse, in the snow, " * 6 + "highly detailed portrait of a robot drinking coffee in the city ") * 2
ENCODED = [
    ("weights", "a (fox:1.4) in [a meadow], ((snow))", 0),
    ("negative-weight", "a fox (meadow:-0.5), (sea:0)", 0),
    ("long", LONG, 0),
    ("long-weighted", LONG.replace("robot", "(robot:1.3)"), 0),
    ("break", "a fox BREAK in a (meadow:1.2)", 0),
    ("skipped", "a (fox:1.4) in a meadow", 1),
    ("empty", "", 0),
]


def parse(text: str) -> list[list]:
    parts: list[list] = []
    round_open, square_open = [], []

    def multiply(start: int, factor: float) -> None:
        for part in parts[start:]:
            part[1] *= factor

    for match in TOKEN.finditer(text):
        piece, weight = match.group(0), match.group(1)
        if piece.startswith("\\"):
            parts.append([piece[1:], 1.0])
        elif piece == "(":
            round_open.append(len(parts))
        elif piece == "[":
            square_open.append(len(parts))
        elif weight is not None and round_open:
            multiply(round_open.pop(), float(weight))
        elif piece == ")" and round_open:
            multiply(round_open.pop(), 1.1)
        elif piece == "]" and square_open:
            multiply(square_open.pop(), 1 / 1.1)
        else:
            for i, part in enumerate(BREAK.split(piece)):
                if i > 0:
                    parts.append(["BREAK", -1])
                parts.append([part, 1.0])
    for start in round_open:
        multiply(start, 1.1)
    for start in square_open:
        multiply(start, 1 / 1.1)
    parts = parts or [["", 1.0]]
    i = 0
    while i + 1 < len(parts):
        if parts[i][1] == parts[i + 1][1]:
            parts[i][0] += parts[i + 1][0]
            parts.pop(i + 1)
        else:
            i += 1
    return parts


def chunks(tokenizer, text: str, length: int = 75) -> list[tuple[list[int], list[float]]]:
    comma = tokenizer.get_vocab()[",</w>"]
    done, ids, weights, last_comma = [], [], [], -1

    def finish() -> None:
        nonlocal ids, weights, last_comma
        fill = length - len(ids)
        row = [tokenizer.bos_token_id, *ids, *[tokenizer.eos_token_id] * (fill + 1)]
        # SD 2.x pads with another token than the one that ends.
        end = row.index(tokenizer.eos_token_id)
        row[end + 1 :] = [tokenizer.pad_token_id] * (len(row) - end - 1)
        done.append((row, [1.0, *weights, *[1.0] * (fill + 1)]))
        ids, weights, last_comma = [], [], -1

    for part, weight in parse(text):
        if part == "BREAK" and weight == -1:
            finish()
            continue
        for token in tokenizer(part, add_special_tokens=False).input_ids:
            if token == comma:
                last_comma = len(ids)
            elif len(ids) == length and last_comma != -1 and len(ids) - last_comma <= BACKTRACK:
                moved = ids[last_comma + 1 :], weights[last_comma + 1 :]
                ids, weights = ids[: last_comma + 1], weights[: last_comma + 1]
                finish()
                ids, weights = moved
            if len(ids) == length:
                finish()
            ids.append(token)
            weights.append(weight)
    if ids or not done:
        finish()
    return done


@torch.no_grad()
def encode(text_encoder, rows, skip: int) -> torch.Tensor:
    encoded = []
    for ids, weights in rows:
        output = text_encoder(torch.tensor([ids]), output_hidden_states=True)
        z = output.hidden_states[-1 - skip]
        norm = getattr(text_encoder, "text_model", text_encoder).final_layer_norm
        z = norm(z)
        before = z.mean()
        z = z * torch.tensor(weights)[None, :, None]
        encoded.append(z * (before / z.mean()))
    return torch.hstack(encoded)


def main() -> None:
    made_by = provenance("prompts.py", 0)
    cases, tensors = [], {}
    for name in ("tiny-sd", "tiny-sd2"):
        tokenizer = CLIPTokenizer.from_pretrained(GOLDEN / name / "tokenizer")
        text_encoder = CLIPTextModel.from_pretrained(GOLDEN / name / "text_encoder", dtype=torch.float32).eval()
        for case, text, skip in ENCODED:
            rows = chunks(tokenizer, text)
            cases.append(dict(model=name, case=case, text=text, clipSkip=skip, ids=[ids for ids, _ in rows], weights=[w for _, w in rows]))
            if name == "tiny-sd" and case in ("weights", "negative-weight", "break", "skipped"):
                tensors[case] = encode(text_encoder, rows, skip)
    save_tensors(GOLDEN / "prompts" / "states.safetensors", tensors, made_by)
    save_json(GOLDEN / "prompts" / "prompts.json", dict(provenance=made_by, parsed=[dict(text=t, parts=parse(t)) for t in TEXTS], cases=cases))


if __name__ == "__main__":
    main()
