"""Networks and trainings on disk.

A checkpoint holds weights and the spec that rebuilds the network, never a pickled module: reading
one runs no code but this package's, unless the caller trusts the function that builds the trunk. A
file appears complete or not at all.
"""

import io
import json
import os
import pickle
import warnings
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from facelab_models.kinds import TaskSpec
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.trunks.foreign import runs_code

FORMAT = "facelab checkpoint 1"
STATE_FORMAT = "facelab training state 1"


def save(path: Path, net: FaceNet, *, epoch: float, **facts: object) -> None:
    """Write a network, the epoch it has reached, and any plain facts about it.

    The same network and facts give the same bytes. Raises ValueError if a fact is not plain
    (numbers, strings, booleans, lists, dicts).
    """
    # Flat for a moment: so that layout in memory, channels last or not, leaves no trace.
    weights = {name: v.cpu().flatten().view(v.shape) for name, v in net.state_dict().items()}
    about = _plain({"spec": asdict(net.spec), "epoch": epoch, "facts": facts})
    _write(path, {"format": FORMAT, "weights": weights, **about})


def load(path: Path, *, trusted: Collection[str] = ()) -> tuple[FaceNet, dict[str, Any]]:
    """Read a network in evaluation mode, and the facts saved with it, `epoch` among them.

    `trusted` names the trunks made by somebody's `module:function` that may be called. Raises
    FileNotFoundError if there is no such file, and ValueError if it is truncated, foreign, or
    describes a network that cannot be built.
    """
    content = _read(path, FORMAT)
    try:
        spec = _spec(content["spec"])
        if runs_code(spec.trunk) and spec.trunk not in trusted:
            raise ValueError(f"its trunk runs '{spec.trunk}', which is not named as trusted")
        net = build(spec, seed=0)
        net.load_state_dict(content["weights"])
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot rebuild the network in {path}: {reason}") from error
    return net.eval(), {**content["facts"], "epoch": content["epoch"]}


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a training (`Record.state`), from which it can go on."""
    _write(path, {"format": STATE_FORMAT, "state": state})


def load_state(path: Path) -> dict[str, Any]:
    """Read the state of a training; raises like `load`."""
    return _read(path, STATE_FORMAT)["state"]


def schedule(epochs: int, dense: int) -> tuple[float, ...]:
    """List the epochs worth keeping: close together early, when a network changes most.

    Epoch 0, `dense` halvings of the first epoch, then 1, 2, 3, 5, 8 … and the last.

    >>> schedule(10, 3)
    (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
    """
    if epochs == 0:
        return (0.0,)
    early = [0.5**halvings for halvings in range(dense, 0, -1)]
    late, following = [1.0], 2.0
    while following < epochs:
        late, following = [*late, following], following + late[-1]
    return (0.0, *early, *late, *([float(epochs)] if epochs > 1 else []))


def _spec(about: dict[str, Any]) -> NetworkSpec:
    tasks = {
        name: TaskSpec(**{**task, "mean": tuple(task["mean"]), "sd": tuple(task["sd"])})
        for name, task in about["tasks"].items()
    }
    mean, std = tuple(about["mean"]), tuple(about["std"])
    return NetworkSpec(**{**about, "tasks": tasks, "mean": mean, "std": std})


def _plain(about: dict[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(about))
    except TypeError as error:
        raise ValueError(f"facts of a checkpoint are plain values: {error}") from error


def _write(path: Path, content: dict[str, Any]) -> None:
    memory = io.BytesIO()  # torch writes a file's name into its bytes; memory has none
    torch.save(content, memory)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(memory.getbuffer())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path, kind: str) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        with warnings.catch_warnings(action="ignore"):  # torch on pickles of another kind
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, OSError, ValueError) as error:
        raise ValueError(f"{path} is truncated or is no {kind}") from error
    if not isinstance(content, dict) or content.get("format") != kind:
        raise ValueError(f"{path} is no {kind}")
    return content
