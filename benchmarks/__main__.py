"""Run the benchmarks named, or all: `python -m benchmarks decoding`."""

import sys
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.table import markdown, page, replace, tabulate

NAMES = (
    "drawing", "learning", "training", "orientations", "recording", "reduction", "decoding",
    "classification", "tuning", "occlusion",
)  # fmt: skip
HERE = Path(__file__).parent


def main(asked: list[str]) -> None:
    """Run benchmarks one by one; print each table, and write all into `results.md`."""
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        raise SystemExit(f"unknown benchmark {unknown[0]!r}; choose from {', '.join(NAMES)}")
    torch.set_num_threads(1)
    for name in asked or NAMES:
        module = import_module(f"benchmarks.{name}")
        fresh = tabulate(name, module.measure(module.FULL))
        print(markdown(fresh), flush=True)
        whole = replace(HERE / "results.csv", fresh, NAMES)
        (HERE / "results.md").write_text(page(whole))


if __name__ == "__main__":
    main(sys.argv[1:])
