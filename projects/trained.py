"""Networks that a row of the table has trained: found by seed and by epoch, and opened."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from facelab_models import checkpoints
from facelab_models.network import FaceNet

from projects import hardware, stage


def seeds(folder: Path) -> dict[int, Path]:
    """Give the folder of each training seed, in order.

    Raises
    ------
    FileNotFoundError
        When nothing was trained there.
    """
    found = {int(path.name[5:]): path for path in folder.glob("seed-*")}
    if not found:
        raise FileNotFoundError(f"{folder} holds no trained networks")
    return dict(sorted(found.items()))


def choose(folder: Path, checkpoint: str) -> Path:
    """Find a checkpoint of a network by its epoch, or the first or last.

    Raises
    ------
    ValueError
        Naming those that there are.
    """
    paths = sorted(folder.glob("epoch-*.pt"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no checkpoints")
    choices = {"first": paths[0], "last": paths[-1]}
    choices |= {float(path.stem.removeprefix("epoch-")): path for path in paths}
    wanted: str | float = checkpoint
    with suppress(ValueError):
        wanted = float(checkpoint)
    if wanted not in choices:
        there = ", ".join(map(str, choices))
        raise ValueError(f"unknown checkpoint '{checkpoint}'; choose from {there}")
    return choices[wanted]


def check_epochs(network: str, paths: Mapping[int, Sequence[Path]]) -> None:
    """See that checkpoints of all training seeds, so that they can be averaged, pair up.

    Raises
    ------
    ValueError
        When some seed was kept at other epochs, as where training stopped early, or at none.
    """
    kept = {seed: [path.name for path in each] for seed, each in paths.items()}
    if empty := [seed for seed, names in kept.items() if not names]:
        raise ValueError(f"network '{network}' has no checkpoint of seed {empty[0]}")
    first = next(iter(kept))
    for seed, names in kept.items():
        if names != kept[first]:
            ours, theirs = (
                ", ".join(f"{float(name[6:-3]):g}" for name in kept[each]) for each in (seed, first)
            )
            raise ValueError(
                f"training seeds of network '{network}' cannot be averaged: seed {seed} was kept "
                f"at epochs {ours}, seed {first} at {theirs}"
            )


def read(run: stage.Run, path: Path, network: str) -> tuple[FaceNet, dict]:
    """Open a checkpoint; code of the user's runs only if the row `network` names it."""
    return load(path, run.peek(f"networks.{network}")["trunk"])


def load(path: Path, trunk: str) -> tuple[FaceNet, dict]:
    """Open a checkpoint of a network with a trunk that is trusted, code of the user's or not."""
    net, facts = checkpoints.load(path, trusted=(trunk,))
    return net.to(hardware.device()), facts
