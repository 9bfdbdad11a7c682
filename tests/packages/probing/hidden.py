"""Small networks in float64, and their discrepancy maps by brute force."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from facelab_probing.hooks import tap
from facelab_probing.occluders import Occluder

PX = 33


class Residual(nn.Module):
    """Norm before convolution, an in-place sum, a shortcut that shrinks the map."""

    def __init__(self, units, stride):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(units), nn.Conv2d(units, 8, 3, stride, 1, bias=False)
        self.after, self.shortcut = nn.BatchNorm2d(8), nn.Conv2d(units, 8, 1, stride)

    def forward(self, maps):
        out = self.after(self.conv(F.relu(self.norm(maps))))
        out += self.shortcut(maps)
        return out


class Fire(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze, self.one, self.three = (
            nn.Conv2d(6, 4, 1),
            nn.Conv2d(4, 3, 1),
            nn.Conv2d(4, 5, 3, padding=2, dilation=2),
        )

    def forward(self, maps):
        squeezed = F.relu(self.squeeze(maps))
        return torch.cat([F.relu(self.one(squeezed)), F.relu(self.three(squeezed))], 1)


def _alexnet():
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 7, 3, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(6, 8, 5, padding=2, groups=2), nn.ReLU(inplace=True)),
        *(nn.Conv2d(8, 7, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2, 1)),
        *(nn.Flatten(), nn.Dropout(), nn.LazyLinear(4)),
    )


def _squeezenet():
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire()),
        *(nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), nn.Conv2d(8, 5, 3)),
        *(nn.Tanh(), nn.AdaptiveAvgPool2d(1)),
    )


def _resnet():
    return nn.Sequential(
        *(nn.Conv2d(3, 5, 5, 2, 2, bias=False), nn.BatchNorm2d(5), nn.ReLU(inplace=True)),
        *(nn.MaxPool2d(3, 2, 1), Residual(5, 1), nn.ReLU(inplace=True), Residual(8, 2)),
        *(nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
    )


NETS = {
    "alexnet": (_alexnet, ("0", "2", "3", "6", "7", "10")),
    "squeezenet": (_squeezenet, ("1", "3", "4", "6", "7")),
    "resnet": (_resnet, ("0", "3", "4", "4.norm", "6", "10")),
}


def network(name):
    """Build a network with all its random statistics; give it and the layers to ask."""
    make, layers = NETS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net = make().double()
        with torch.no_grad():
            net.eval()(torch.rand(1, 3, PX, PX, dtype=torch.float64))
            for module in net.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.normal_(0, 0.2)
                    module.running_var.uniform_(0.3, 2)
                    module.weight.uniform_(-1, 1.5)
                    module.bias.normal_(0, 0.3)
    return net.train(), layers


def photograph(seed=0, px=PX):
    """Draw an image (3, px, px) in [0, 1]."""
    return torch.from_numpy(np.random.default_rng(seed).random((3, px, px)))


def occluder(**values):
    """Describe an occluder, where nothing else is said black, 7 px with a stride of 4."""
    usual = {"size_px": 7, "stride_px": 4, "filling": "black", "grid": "floor"}
    return Occluder(**(usual | {"reduction": "at_maximum"} | values))


@torch.inference_mode()
def brute_force(net, layer, image, how, seed=0, other=None):
    """Show every occluded image, one at a time, (units, rows, columns)."""
    net.eval()
    rows, columns = (how.places(side) for side in image.shape[1:])
    counts, size = (len(rows), len(columns)), how.size_px
    squares = how.fill(image, counts, np.random.default_rng(seed), other)
    with tap(net, [layer]) as heard:
        net(image[None])
        bare = heard[layer][0].flatten(1) if heard[layer].ndim == 4 else heard[layer][0][:, None]
        drops = np.empty((len(bare), *counts))
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                hidden = image.clone()
                part = hidden[:, top : top + size, left : left + size]
                part[:] = squares[i, j].permute(2, 0, 1)[:, : part.shape[1], : part.shape[2]]
                net(hidden[None])
                falls = bare - heard[layer][0].reshape(bare.shape)
                drops[:, i, j] = _reduced(falls, bare, how.reduction)
    return drops


def _reduced(falls, bare, reduction):
    if reduction == "at_maximum":
        return falls[torch.arange(len(falls)), bare.argmax(1)]
    return (falls.abs() if reduction == "absolute" else falls).amax(1)
