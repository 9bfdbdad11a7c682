"""One training on several processes, each with its part of every batch.

torchrun starts the processes, on one machine or several; started in the usual way there is one,
and everything here does nothing. Every process holds a copy of the network and takes its part of
the same batches. What a batch decides as a whole, the mean of a loss over its labels, the
statistics of batch norms and the gradient, is added up over processes, so the result is that of
one process up to the rounding of sums. Only dropout differs: each process draws its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed
import torch.nn as nn
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(days=2)  # the others wait while the first scores the network


@contextmanager
def together(device: torch.device) -> Iterator[None]:
    """Join the other processes that torchrun started, if it did.

    Each takes a graphics card of its own where there are any.
    """
    if not torch.distributed.is_torchelastic_launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if device.type == "cuda" else "gloo"
    torch.distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def size() -> int:
    """Count the processes that train together."""
    return torch.distributed.get_world_size() if _is_shared() else 1


def rank() -> int:
    """Give this process's number; 0 is the one that writes."""
    return torch.distributed.get_rank() if _is_shared() else 0


def portion(rows: np.ndarray) -> np.ndarray:
    """Take this process's part of a batch; parts differ by one row at most."""
    if size() == 1:
        return rows
    if len(rows) < size():
        raise ValueError(f"a batch of {len(rows)} images cannot be shared by {size()} processes")
    return np.array_split(rows, size())[rank()]


def total(values: Tensor) -> Tensor:
    """Add up the values of all processes, element by element; gradients pass through."""
    return _Total.apply(values) if _is_shared() else values


def from_first(value: Any) -> Any:  # noqa: ANN401
    """Give every process the first one's value, a plain one."""
    if not _is_shared():
        return value
    values = [value]
    torch.distributed.broadcast_object_list(values, src=0)
    return values[0]


def replicate(net: nn.Module) -> nn.Module:
    """Give the module to call in training: the network, its gradients averaged over processes.

    The network's batch norms are replaced by ones that look at the whole batch.
    """
    if not _is_shared():
        return net
    _share_batch_norms(net)
    # Batch statistics are the same everywhere: there is nothing to broadcast.
    return DistributedDataParallel(net, broadcast_buffers=False)


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm over the images of all processes, on any device.

    torch's own (SyncBatchNorm) needs a graphics card. Out of training it is an ordinary one.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, units, …) to the same shape."""
        if not self.training:
            return super().forward(maps)
        axes, shape = [0, *range(2, maps.ndim)], (1, -1, *[1] * (maps.ndim - 2))
        values = maps.to(torch.promote_types(maps.dtype, torch.float32))
        count = total(values.new_tensor(maps.numel() / maps.shape[1]))
        mean = total(values.sum(axes)) / count
        values = values - mean.view(shape)
        variance = total(values.square().sum(axes)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        gain = (variance + self.eps).rsqrt() * self.weight
        return (values * gain.view(shape) + self.bias.view(shape)).to(maps.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics."""
        self.num_batches_tracked.add_(1)
        speed = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), speed)
        self.running_var.lerp_(variance.to(self.running_var.dtype), speed)

    def _check_input_dim(self, _: Tensor) -> None:
        """Take maps of any number of axes."""


class _Total(torch.autograd.Function):
    """A sum over processes. Each one's loss depends on it, so gradients add up as well."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:  # noqa: ANN401
        added = values.detach().clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(added)
        return added

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401
        return _Total.forward(None, gradient)


def _share_batch_norms(net: nn.Module) -> None:
    for name, child in list(net.named_children()):
        if not isinstance(child, nn.modules.batchnorm._BatchNorm):
            _share_batch_norms(child)
        elif not (child.affine and child.track_running_stats):
            raise ValueError(f"batch norm '{name}' has no weights or no running statistics")
        elif not isinstance(child, SharedBatchNorm):
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
            shared._parameters, shared._buffers = child._parameters, child._buffers
            setattr(net, name, shared.train(child.training))


def _is_shared() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
