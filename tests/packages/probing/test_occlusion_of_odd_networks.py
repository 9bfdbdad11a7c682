"""Networks of odd kinds under occluders: mapped rightly, or refused by name."""

import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import map_all, map_units, prepare
from facelab_probing.refinement import Coarse

from tests.packages.probing.hidden import PX, brute_force, network, occluder, photograph
from tests.packages.probing.test_occlusion import ask


def test_units_at_the_edge_of_maps_padded_more_after_than_before_are_mapped():
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.Conv2d(8, 16, 4, padding="same"))
    ).double()
    image = photograph() * torch.linspace(0, 1, PX) ** 4
    every = ask(net, ["2"], occluder(), image)["2"]
    assert (every.places == PX - 3).any()  # a last row or column
    subject = prepare(net, ["2"], (PX, PX))
    units = {"2": range(16)}
    some = map_units(subject, image, occluder(), units, rng=np.random.default_rng(0))["2"]
    scale = np.abs(every.drops).max()
    np.testing.assert_allclose(some.drops, every.drops, rtol=0, atol=1e-11 * scale)


def test_a_unit_that_is_not_there_is_named():
    net, _ = network("squeezenet")
    subject = prepare(net, ["1"], (PX, PX))
    for unit in (6, -1):
        with pytest.raises(ValueError, match=f"layer '1' has no unit {unit}; they are 0 to 5"):
            map_units(subject, photograph(), occluder(), {"1": [unit]}, rng=None)


class Logarithm(nn.Module):
    def forward(self, maps):
        return maps.log()


@pytest.mark.parametrize("coarse", [None, Coarse(every=3, fraction=0.3)])
def test_responses_under_an_occluder_that_are_no_numbers_are_refused(coarse):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 2, 3, bias=False), Logarithm()).double()
    with torch.no_grad():
        net[0].weight.abs_()
    image, how = photograph().clamp(min=0.3), occluder(filling="mean", size_px=5)
    black = Occluder(**{**vars(how), "filling": "black"})
    with torch.no_grad():
        net[0].weight[1] -= net[0].weight[1].mean() * 1.5
    subject = prepare(net, ["1"], (PX, PX))
    with pytest.raises(ValueError, match="of layer '1' under an occluder is not a finite"):
        map_all(subject, image, black, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="of layer '1' under an occluder is not a finite"):
        rng = np.random.default_rng(0)
        map_units(subject, image, black, {"1": [0, 1]}, rng=rng, coarse=coarse)


class Rows(nn.Module):
    """Read the rows of maps one after the other."""

    def __init__(self):
        super().__init__()
        self.memory = nn.LSTM(4, 5, batch_first=True)

    def forward(self, maps):
        return self.memory(maps.mean(3).transpose(1, 2))[0][:, -1]


def test_a_network_with_a_memory_is_asked_as_a_whole():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 5, 3), Rows(), nn.Linear(5, 3)).double()
    found = ask(net, ["2"], occluder())["2"]
    assert found.computed == "dense: lstm cannot be replayed: its state is that of one image"
    drops = brute_force(net, "2", photograph(), occluder())
    np.testing.assert_allclose(found.drops, drops, rtol=0, atol=1e-11 * np.ptp(drops))
