"""Weights from elsewhere, put into a network by name, with an account of what went where.

A file may be a state dict as PyTorch saves it (.pt, .pth), alone or under `state_dict` or `model`;
a .safetensors file; or a checkpoint of this package. It is read without running code.
"""

import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from facelab_models.network import FaceNet
from facelab_models.scaling import divide

INSIDE = ("state_dict", "model", "weights")
"""Where a file may keep its weights, if it holds more."""
WRAPPERS = ("module.", "_orig_mod.")
"""What wrappers of PyTorch (data parallel, compiled) put before every name."""
COUNTER = "num_batches_tracked"
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of a file's weights.

    Attributes
    ----------
    loaded : dict of str to str
        Names in the network, and the name in the file that each got its values from.
    missing : tuple of str
        Names in the network that the file has nothing for.
    unused : tuple of str
        Names in the file that fit nowhere.
    mismatched : dict of str to (shape, shape)
        Names in both, of another shape in the file (first) than in the network (second); these
        keep the values they had.
    """

    loaded: dict[str, str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    mismatched: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} weights loaded"]
        for what, names in (
            ("without weights in the file", self.missing),
            ("in the file unused", self.unused),
            ("of another shape", tuple(self.mismatched)),
        ):
            if names:
                parts.append(f"{len(names)} {what} ({_first(names)})")
        return "; ".join(parts)


def load(net: FaceNet, path: Path, *, scale: float = 1.0) -> Account:
    """Put the weights of a file into a network, as far as names and shapes agree.

    Weights of a published network go into the trunk, its branches, and those heads that have the
    shape of its last layer; weights of a checkpoint go where they were. They are cast to the
    network's precision. All activations of the trunk are divided by `scale` (`scaling`), and
    heads from the file make up for it. Raises FileNotFoundError if there is no such file, and
    ValueError if it holds no weights, none of them fits, or activations cannot be divided.
    """
    found = read(path)
    account = _compare(net, found)
    if not account.loaded:
        raise ValueError(
            f"no weight in {path} fits: it has {_first(found)}; "
            f"the network has {_first(net.state_dict())}"
        )
    own = net.state_dict()
    with torch.no_grad():
        for name, source in account.loaded.items():
            own[name].copy_(found[source])
        divide(net, scale)
        for name in account.loaded:
            if name.startswith("heads.") and own[name].ndim > 1:
                own[name].mul_(scale)
    return account


def read(path: Path) -> dict[str, Tensor]:
    """Read the weights in a file, by name, as they are; raises like `load`."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    content = _open(path)
    for key in INSIDE:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    entries = content if isinstance(content, dict) else {}
    found = {str(name): value for name, value in entries.items() if isinstance(value, Tensor)}
    if not found:
        holds = f"entries {_first(entries)}" if entries else f"a {type(content).__name__}"
        raise ValueError(f"{path} holds no weights by name, but {holds}")
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in found):
            found = {name.removeprefix(wrapper): value for name, value in found.items()}
    return found


def _open(path: Path) -> object:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # torch on pickles of another kind
            return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, OSError, ValueError) as error:
        raise ValueError(
            f"{path} is truncated or holds more than weights, which is not read: "
            "loading it would run its code"
        ) from error
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from error


def _compare(net: FaceNet, found: dict[str, Tensor]) -> Account:
    loaded, missing, mismatched = {}, [], {}
    for name, value in net.state_dict().items():
        source = next((source for source in _sources(net, name) if source in found), None)
        if source is None:
            missing += [] if name.endswith(COUNTER) else [name]  # old files do not count batches
        elif found[source].shape != value.shape:
            mismatched[name] = (tuple(found[source].shape), tuple(value.shape))
        else:
            loaded[name] = source
    used = {*loaded.values(), *(s for name in mismatched for s in _sources(net, name))}
    unused = tuple(name for name in found if name not in used)
    return Account(loaded=loaded, missing=tuple(missing), unused=unused, mismatched=mismatched)


def _sources(net: FaceNet, name: str) -> tuple[str, ...]:
    """Name what may fill a weight: itself, its place in an unbranched network, in a published."""
    part, _, below = name.partition(".")
    if part == "trunk":
        return name, below
    _, _, inside = below.partition(".")
    if part == "branches":
        return name, f"trunk.{inside}", inside
    return (name, f"{net.published_head}.{inside}") if net.published_head else (name,)


def _first(names: object) -> str:
    names = list(names)
    return ", ".join(map(str, names[:SHOWN])) + (" …" if len(names) > SHOWN else "")
