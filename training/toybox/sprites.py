"""The sprites: 3D emoji renders from the npm package @lobehub/fluent-emoji-3d (MIT); labels from emojibase-data (MIT).

    python -m training.toybox.sprites --work DIR
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
from functools import lru_cache
from pathlib import Path

from PIL import Image

from .catalogue import THINGS

PACKAGES = {"sprites": "@lobehub/fluent-emoji-3d@1.1.0", "labels": "emojibase-data@17.0.0"}


def fetch(work: Path) -> None:
    """Downloads both packages with `npm pack` into work/npm and unpacks them; does nothing the second time."""
    for name, package in PACKAGES.items():
        target = work / "npm" / name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        said = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=target.parent, check=True, capture_output=True, text=True
        )
        archive = target.parent / said.stdout.strip().splitlines()[-1]
        partial = target.with_suffix(".partial")
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
        partial.rename(target)


def labels(work: Path) -> dict[str, str]:
    """hexcode (lower case) -> English label."""
    entries = json.loads((work / "npm/labels/package/en/data.json").read_text())
    return {entry["hexcode"].lower(): entry["label"] for entry in entries}


@lru_cache(maxsize=None)
def sprite(work: Path, thing: str) -> Image.Image:
    """RGBA [256, 256], cropped to what is visible."""
    image = Image.open(work / f"npm/sprites/package/assets/{THINGS[thing]}.webp").convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    args = parser.parse_args()
    fetch(args.work)
    named = labels(args.work)
    for thing, code in THINGS.items():
        print(f"{thing:12} {code:8} {named.get(code, '?'):20} {sprite(args.work, thing).size}")


if __name__ == "__main__":
    main()
