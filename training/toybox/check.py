"""Checks of the pipeline that makes the model; prints one line for each and fails at the first that does not hold.

    python -m training.toybox.check --work DIR --model models/toybox
    python -m training.toybox.check --work DIR --record     # writes proofs.json anew

proofs.json holds what another machine has to reproduce: the sha256 of the contact sheet's pixels (bit for bit) and the
losses of the first 20 steps of a training from nothing (to rounding).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler
from transformers import CLIPTokenizer

from .autoencoder import DecoderTrainer, to_pictures
from .captions import plain_caption, random_caption
from .catalogue import PLACES, THINGS, held_out, kinds
from .control import ControlTrainer
from .diffusion import clean_from_velocity, posterior_mean, signal_and_noise, velocity
from .data import contact_sheet
from .descent import Descent, Run
from .networks import CELLS, CHANNELS, autoencoder
from .pca import PatchPCA, write_encoder
from .text2image import Trainer, load_average
from .together import Together
from .tokenizer import Tokenizer

PROOFS = Path(__file__).with_name("proofs.json")


def catalogue(**_) -> str:
    """Seen and held-out kinds are disjoint by (thing, place); the first suggestion is seen."""
    seen = {(k.thing, k.place) for k in kinds()}
    unseen = {(k.thing, k.place) for k in kinds(training=False)}
    assert not seen & unseen and len(unseen) == 2 * len(THINGS)
    assert not held_out(list(THINGS).index("fox"), [p.name for p in PLACES].index("meadow"))
    return f"{len(seen)} pairs seen, {len(unseen)} held out"


def tokens(model: Path, **_) -> str:
    """Training's tokenizer, the one read back by transformers, and plain text agree."""
    mine, theirs = Tokenizer(), CLIPTokenizer.from_pretrained(model / "tokenizer", local_files_only=True)
    rng = random.Random(0)
    texts = [random_caption(rng.choice(kinds()), rng)[0] for _ in range(400)]
    texts += ["A Zebra, 4k!!", "a fox's den", "", "a " * 60, "don't stop", "x1y22z", "A FOX IN A MEADOW"]
    for text in texts:
        ids = theirs(text, padding="max_length", truncation=True).input_ids
        if "'" not in text:
            assert mine.encode(text) == ids, text
        assert len(ids) == theirs.model_max_length
    words = [word for kind in kinds() for word in plain_caption(kind).split()]
    assert all(len(mine.word(word)) == 1 for word in words), "a caption word is not one token"
    for kind in kinds():
        text = plain_caption(kind)
        assert theirs.decode(mine.encode(text), skip_special_tokens=True) == text
    return f"{len(texts)} texts, vocabulary of {len(mine)}"


def schedule(model: Path, **_) -> str:
    """The exported scheduler's noise is the training's, and ends in pure noise."""
    kept = DDIMScheduler.from_pretrained(model / "scheduler").alphas_cumprod
    a, b = signal_and_noise()
    assert torch.allclose(kept.sqrt(), a, atol=1e-6) and a[-1] == 0 and b[-1] == 1
    return "zero terminal signal"


def target(**_) -> str:
    """v and x_0 are each other's inverse; the posterior mean of one candidate is the candidate."""
    a, b = (x[torch.tensor([10, 500, 999])] for x in signal_and_noise())
    clean, noise = torch.randn(2, 3, 64, generator=torch.Generator().manual_seed(0))
    noisy = a[:, None] * clean + b[:, None] * noise
    assert torch.allclose(velocity(noisy, clean, a, b), a[:, None] * noise - b[:, None] * clean, atol=1e-4)
    assert torch.allclose(clean_from_velocity(noisy, velocity(noisy, clean, a, b), a, b), clean, atol=1e-4)
    assert torch.allclose(posterior_mean(noisy, clean[:, None], a, b), clean, atol=1e-5)
    pair = torch.stack([clean, -clean], 1)
    assert torch.allclose(posterior_mean(noisy, pair, a, b)[2], torch.zeros(64), atol=1e-5)
    return "exact"


def encoder(work: Path, **_) -> str:
    """The convolutions are the PCA."""
    pca = PatchPCA.load(work / "pca.npz")
    vae = autoencoder()
    write_encoder(vae, pca)
    scenes = np.asarray(np.load(work / "scenes.npy", mmap_mode="r")[::97, 0])
    with torch.no_grad():
        got = vae.encode(to_pictures(scenes)).latents.numpy() * vae.config.scaling_factor
    error = float(np.abs(got - pca.encode(scenes)).max())
    assert error < 1e-3, error
    return f"largest difference {error:.1e}"


def exported(work: Path, model: Path, **_) -> str:
    """The folder holds the autoencoder and the layout that the pipeline expects (half precision: 1 % of an error)."""
    vae = AutoencoderTiny.from_pretrained(model / "vae", torch_dtype=torch.float32)
    pca = PatchPCA.load(work / "pca.npz")
    scenes = np.asarray(np.load(work / "scenes.npy", mmap_mode="r")[::97, 0])
    with torch.no_grad():
        got = vae.encode(to_pictures(scenes)).latents.numpy() * vae.config.scaling_factor
    error = float(np.abs(got - pca.encode(scenes)).mean())
    assert error < 0.01, error
    size = sum(f.stat().st_size for f in model.rglob("*") if f.is_file())
    assert size < 60e6
    return f"latents within {error:.1e}, {size / 1e6:.1f} MB"


def same_as_training(work: Path, model: Path, **_) -> str:
    """The exported networks predict what the averaged weights of the checkpoint predict, if exported from it."""
    from .sample import load

    checkpoint = work / "text2image.pt"
    if not checkpoint.exists():
        return "nothing to compare with: no text2image.pt in the work folder"
    pipe, nets = load(model, "cpu"), load_average(checkpoint)
    half = {name: value.half().float() for name, value in nets.state_dict().items()}
    nets.load_state_dict(half)
    ids = torch.tensor([Tokenizer().encode("a fox in a meadow")])
    noise = torch.randn(1, CHANNELS, CELLS, CELLS, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        text = pipe.text_encoder(input_ids=ids).last_hidden_state
        got = pipe.unet(noise, 700, encoder_hidden_states=text).sample
        want = nets["unet"](noise, 700, encoder_hidden_states=nets["text"](input_ids=ids).last_hidden_state).sample
    error = float((got - want).abs().max() / want.std())
    return f"largest difference {error:.1e} of the std" + ("" if error < 1e-4 else " (exported from another step)")


def measured_proofs(work: Path) -> dict:
    """What proofs.json holds, made here and now."""
    sheet = hashlib.sha256(contact_sheet(work, 0).tobytes()).hexdigest()
    # Eigenvectors have no sign of their own: each channel is turned so that its filter has a positive sum.
    signs = np.where(PatchPCA.load(work / "pca.npz").filters.sum(1) < 0, -1, 1).astype(np.float32)
    latents = np.load(work / "latents.npy") * signs[:, None, None]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = Trainer(torch.from_numpy(latents), kinds(), Run(8, 1e-3, 4000))
    losses = [round(trainer.step().item(), 6) for _ in range(20)]
    torch.set_num_threads(threads)
    return {"sheet": sheet, "losses": losses}


def proofs(work: Path, **_) -> str:
    """The contact sheet is the recorded one bit for bit; the first 20 losses are to rounding."""
    recorded, made = json.loads(PROOFS.read_text()), measured_proofs(work)
    assert made["sheet"] == recorded["sheet"], made["sheet"]
    error = float(np.abs(np.array(made["losses"]) / np.array(recorded["losses"]) - 1).max())
    assert len(made["losses"]) == len(recorded["losses"]) and error < 1e-3, made["losses"]
    return f"sheet {made['sheet'][:12]}, losses within {error:.1e}"


def from_export(work: Path, model: Path, **_) -> str:
    """A training begun with --init from the folder alone predicts what the folder predicts."""
    from .sample import load

    pca = PatchPCA.load(work / "pca.npz")
    trainer = Trainer(torch.zeros(1), [], Run(1, 1e-3, 1), pca)
    trainer.begin(model)
    pipe = load(model, "cpu")
    ids = torch.tensor([Tokenizer().encode("a fox in a meadow")])
    noise = torch.randn(1, CHANNELS, CELLS, CELLS, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        text = pipe.text_encoder(input_ids=ids).last_hidden_state
        want = pipe.unet(noise, 700, encoder_hidden_states=text).sample.flatten(1)
        trainer.net.eval()
        got = trainer.predict(ids, noise.flatten(1), torch.tensor([700]))
    assert torch.equal(got, want), float((got - want).abs().max())
    decoder = DecoderTrainer([np.zeros((1, 1, 128, 128, 3), np.uint8)], pca, Run(1, 1e-3, 1))
    decoder.begin(model)
    for name, value in pipe.vae.decoder.state_dict().items():
        assert torch.equal(decoder.vae.decoder.state_dict()[name], value), name
    return "the same prediction, bit for bit"


def resume(model: Path, **_) -> str:
    """Four steps are two steps, a checkpoint, and two steps; for all four trainings."""
    torch.set_num_threads(1)
    few = kinds()[:8]
    random_state = np.random.default_rng(0)
    latents = random_state.standard_normal((8, 3, CHANNELS, CELLS, CELLS), np.float32)
    scenes = random_state.integers(0, 255, (8, 3, 128, 128, 3), np.uint8)
    rows = random_state.standard_normal((CHANNELS, 768)) * 0.05
    pca = PatchPCA(rows, np.zeros(CHANNELS))

    def denoiser() -> Descent:
        return Trainer(torch.from_numpy(latents), few, Run(4, 1e-3, 10))

    def decoder() -> Descent:
        return DecoderTrainer([scenes], pca, Run(2, 1e-3, 10))

    drawings = random_state.integers(0, 255, (8, 3, 2, 2048), np.uint8)

    def scribbler() -> ControlTrainer:
        return ControlTrainer(model, torch.from_numpy(latents), drawings, pca, Run(2, 1e-3, 10))

    def both() -> Descent:
        run = Run(4, 1e-3, 10)
        pictures = Trainer(torch.from_numpy(latents), few, run, pca, torch.from_numpy(latents))
        return Together(pictures, scribbler(), run)

    for make in (denoiser, decoder, scribbler, both):
        whole, first = make(), make()
        for _ in range(4):
            whole.step()
        for _ in range(2):
            first.step()
        second = make()
        second.restore(first.state())
        for _ in range(2):
            second.step()
        assert second.done == whole.done == 4
        for one, other in zip(whole.weights + whole.average, second.weights + second.average):
            assert torch.equal(one, other)
    return "bit-identical"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("training/.cache"))
    parser.add_argument("--model", type=Path, default=Path("models/toybox"))
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    if args.record:
        PROOFS.write_text(json.dumps(measured_proofs(args.work), indent=2) + "\n")
        return
    for check in (
        catalogue, tokens, schedule, target, encoder, exported, same_as_training, from_export, resume, proofs
    ):  # fmt: skip
        print(f"{check.__name__:17} {check(work=args.work, model=args.model)}", flush=True)


if __name__ == "__main__":
    main()
