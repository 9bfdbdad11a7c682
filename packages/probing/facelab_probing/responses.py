"""Showing images to a network and hearing every layer in one pass.

Axes: images (n, H, W, 3) uint8 sRGB from disk; (n, 3, H, W) in [0, 1] into the network;
a layer's response (n, C, H, W) or (n, U). Images follow the network to its device.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from facelab_probing.hooks import tap

Blocks = Iterable[tuple[np.ndarray, np.ndarray]]


class _AllHeardError(Exception):
    """The last layer has spoken: the rest of the pass is not needed."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one trial image tells about a network before the real ones are shown.

    Attributes
    ----------
    shapes : dict of tuple
        Shape of one image's response in each layer, in the order asked for.
    channels_last : bool
        Whether the network accepts channels-last images, the faster layout on a CPU.
    levels : tuple of str
        Root mean square response of each layer to the trial image, to five digits: a trace
        of all that shapes a response and is not a weight, such as a normalisation.
    """

    shapes: dict[str, tuple[int, ...]]
    channels_last: bool
    levels: tuple[str, ...]


def survey(net: nn.Module, layers: Sequence[str], shape: tuple[int, int, int]) -> Survey:
    """Show one image (H, W, channels) to the whole network, and note how each layer responds.

    Raises
    ------
    ValueError
        If a layer is unknown, named twice, called twice in a pass, or never called, or if its
        output is not one floating-point tensor with a row per image.
    """
    if not layers or len(set(layers)) < len(layers):
        raise ValueError(f"layers must be named, each once; they are {list(layers)}")
    image = (np.arange(math.prod(shape)) % 251).astype(np.uint8).reshape(1, *shape)
    try:
        outputs, channels_last = _respond(net, layers, image, True), True
    except RuntimeError:  # a `view` in the network wants the usual order
        outputs, channels_last = _respond(net, layers, image, False), False
    for name in layers:
        _check(name, outputs.get(name))
    return Survey(
        shapes={name: tuple(outputs[name].shape[1:]) for name in layers},
        channels_last=channels_last,
        levels=tuple(f"{outputs[name].double().square().mean().sqrt():.4e}" for name in layers),
    )


@torch.inference_mode()
def _respond(
    net: nn.Module, layers: Sequence[str], image: np.ndarray, channels_last: bool
) -> dict[str, Tensor]:
    with evaluating(net), tap(net, layers) as outputs:
        net(as_tensor(net, image, channels_last=channels_last))
    return outputs


def _check(name: str, output: Tensor | None) -> None:
    if output is None:
        raise ValueError(f"layer {name!r} is never called when the network sees an image")
    if not output.is_floating_point() or output.ndim < 2 or len(output) != 1:
        raise ValueError(
            f"layer {name!r} returns {output.dtype} of shape {tuple(output.shape)} for one image; "
            "a layer to record returns floats with one row per image"
        )


@torch.inference_mode()
def show(
    net: nn.Module,
    batches: Iterable[tuple[int, np.ndarray]],
    hear: dict[str, Callable[[int, Tensor], None]],
    *,
    channels_last: bool,
    done: Callable[[int], None],
) -> None:
    """Pass every batch through the network in evaluation mode, up to the last layer heard.

    Parameters
    ----------
    net : Module
        Restored to its previous mode afterwards.
    batches : iterable of (int, array (n, H, W, 3))
        The first row of each batch, and its images.
    hear : dict of callable
        For each layer, what takes the first row and the response of a batch (n, ...); the
        response must be copied, for the network may overwrite it.
    channels_last : bool
        As found by `survey`.
    done : callable
        Called after each batch with the number of rows finished so far.
    """

    def keep(name: str, output: Tensor) -> None:
        hear[name](first, output)
        if len(heard) == len(hear) - 1:
            raise _AllHeardError

    with evaluating(net), tap(net, hear, keep) as heard:
        for first, images in batches:
            try:
                net(as_tensor(net, images, channels_last=channels_last))
            except _AllHeardError:
                pass
            else:
                raise ValueError(f"only {list(heard)} of layers {list(hear)} responded")
            done(first + len(images))


def as_tensor(net: nn.Module, images: np.ndarray, *, channels_last: bool = True) -> Tensor:
    """Turn images (n, H, W, 3) uint8 into (n, 3, H, W) in [0, 1], where and as `net` wants them.

    Images of two eyes have 6 channels.

    Raises
    ------
    ValueError
        If the images have another shape or type.
    """
    if images.ndim != 4 or images.shape[-1] not in (3, 6) or images.dtype != np.uint8:
        raise ValueError(
            f"images must be (n, H, W, 3), or 6 for two eyes, uint8; "
            f"these are {images.shape} {images.dtype}"
        )
    model = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    pixels = torch.from_numpy(np.require(images, requirements=["C", "W"])).to(model.device)
    pixels = pixels.permute(0, 3, 1, 2).to(model.dtype).div_(255)
    return pixels if channels_last else pixels.contiguous()


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Put the network in evaluation mode, and each module back in its own afterwards."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def peek(blocks: Blocks) -> tuple[tuple[int, int, int], Blocks]:
    """Find the shape of an image, (H, W, channels); return it and the blocks, all of them."""
    rest = iter(blocks)
    first = next(rest, None)
    if first is None:
        raise ValueError("there are no blocks of images to show")
    return first[1].shape[1:], chain([first], rest)


def batches(
    blocks: Blocks, ids: np.ndarray, size: int, start: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Regroup blocks of any size into batches of `size` rows; leave out rows before `start`.

    The batches do not depend on the blocks, so neither do the responses.

    Parameters
    ----------
    blocks : iterable of (array (n,), array (n, H, W, 3))
        Image ids and images, as read from a stimulus set.
    ids : array, (N,)
        The image ids expected, in order.
    size, start : int
        Rows in a batch; first row wanted, a multiple of `size`.

    Raises
    ------
    ValueError
        If the blocks hold other images than `ids`, or fewer, or of several sizes.
    """
    row, waiting, held, size_px = 0, [], 0, None
    for rows, images in blocks:
        if len(images) != len(rows) or not np.array_equal(rows, ids[row : row + len(rows)]):
            raise ValueError(f"the block at row {row} does not hold the images announced in `ids`")
        size_px = size_px or images.shape[1:3]
        if images.shape[1:3] != size_px:
            raise ValueError(f"images at row {row} are {images.shape[1:3]} px, others {size_px}")
        row += len(rows)
        images = images[max(len(images) - max(row - start, 0), 0) :]
        waiting.append(images)
        held += len(images)
        while held >= size:
            joined = np.concatenate(waiting) if len(waiting) > 1 else waiting[0]
            yield row - held, joined[:size]
            waiting, held = [joined[size:]], held - size
    if row < len(ids):  # asked before the last batch: cut short, it would move all that follow
        raise ValueError(f"the blocks ended after {row} of {len(ids)} images")
    if held:
        yield row - held, np.concatenate(waiting)


def fingerprint(net: nn.Module) -> str:
    """Hash all that makes a network: its modules, their settings, parameters and buffers."""
    addressless = re.sub(r" at 0x[0-9a-f]+", "", repr(net))
    digest = hashlib.sha256(addressless.encode())
    for tensors in (net.named_parameters(), net.named_buffers()):
        for name, tensor in tensors:
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            values = tensor.detach().contiguous().cpu().reshape(-1)
            digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()
