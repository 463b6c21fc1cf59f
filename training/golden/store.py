"""Writing references: every file says which script made it, with which versions and seed."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "test" / "golden"


def provenance(script: str, seed: int) -> dict[str, str]:
    import diffusers
    import numpy
    import transformers

    return {
        "script": f"training/golden/{script}",
        "seed": str(seed),
        "torch": torch.__version__.split("+")[0],
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
    }


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Leaves a file alone that already says the same: the format's metadata come in any order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().contiguous() for name, value in tensors.items()}
    if not says_the_same(path, tensors, metadata):
        save_file(tensors, path, metadata=metadata)
        path.chmod(0o644)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB, {len(tensors)} tensors")


def says_the_same(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bool:
    if not path.exists():
        return False
    with safe_open(path, "pt") as old:
        if old.metadata() != metadata or set(old.keys()) != set(tensors):
            return False
        return all(torch.equal(old.get_tensor(name), value) for name, value in tensors.items())


def save_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")
