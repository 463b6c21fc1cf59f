"""Checkpoints: one file, replaced in one step, so that a kill at any moment leaves the old or the new one whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch


def save(path: Path, state: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def load(path: Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    return torch.load(path, map_location=device, weights_only=True)


def log(path: Path, **values: Any) -> None:
    """Appends one line of JSON and prints it."""
    line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()})
    with open(path, "a") as file:
        file.write(line + "\n")
    print(line, flush=True)
