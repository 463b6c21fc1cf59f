"""A full Stable Diffusion 1.5 step with guidance in PyTorch diffusers (eager, float32) and in Encore, in turns.

Best of some rounds: other work on the machine can only add. Same checkpoint (bench/.cache/sd15-random, made by `npm run bench -- sd15`), same threads, 64 x 64 latents, two rows.
Needs torch and diffusers (training/golden/requirements.txt).

    python bench/compare.py [rounds]
"""

import json
import pathlib
import subprocess
import sys
import time

import diffusers
import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHECKPOINT = ROOT / "bench/.cache/sd15-random"


def physical_cores():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    ids = [
        tuple(line for line in block.splitlines() if line.startswith(("physical id", "core id")))
        for block in text.strip().split("\n\n")
    ]
    return len(set(ids))


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    torch.set_num_threads(physical_cores())
    torch.set_grad_enabled(False)
    encore = subprocess.Popen(
        ["node", "--import", "tsx", "bench/step.ts"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    unet = diffusers.UNet2DConditionModel.from_pretrained(CHECKPOINT, subfolder="unet").eval()
    latents = torch.randn(1, 4, 64, 64)
    text = torch.randn(2, 77, 768)

    def torch_step():
        unet(torch.cat([latents, latents]), 500, encoder_hidden_states=text)

    def encore_step():
        encore.stdin.write("step\n")
        encore.stdin.flush()
        return json.loads(encore.stdout.readline())

    assert encore.stdout.readline() == "ready\n"
    torch_step()
    costs = {"PyTorch": [], "Encore": []}
    for i in range(rounds):
        for name, cost in (("PyTorch", timed(torch_step)), ("Encore", encore_step())):
            costs[name].append(cost)
            print(f"round {i + 1} {name}: {cost['wall']:.2f} s, {cost['cpu']:.2f} processor s", file=sys.stderr)
    encore.stdin.close()
    encore.wait()

    def best(name, key):
        return min(cost[key] for cost in costs[name])

    for name in costs:
        print(f"{name}: {best(name, 'wall'):.2f} s, {best(name, 'cpu'):.2f} processor s")
    print(
        f"PyTorch {torch.__version__} with diffusers {diffusers.__version__} / Encore: "
        f"{best('PyTorch', 'wall') / best('Encore', 'wall'):.2f} by the clock, "
        f"{best('PyTorch', 'cpu') / best('Encore', 'cpu'):.2f} by processor time"
    )


if __name__ == "__main__":
    main()
