import torch
import torch.nn as nn
from facelab_models.trunks.cornet import CORNETS


def test_areas_have_the_sizes_of_the_original():
    trunk = CORNETS["cornet_z"]()
    maps, shapes = torch.rand(1, 3, 224, 224), []
    for child in trunk.net:
        maps = child(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7), (512,)]


def test_an_area_is_a_convolution_a_relu_and_a_maximum():
    trunk = CORNETS["cornet_z_thin"]()
    for area in ("v1", "v2", "v4", "it"):
        kinds = [type(step) for step in trunk.net.get_submodule(area)]
        assert kinds == [nn.Conv2d, nn.ReLU, nn.MaxPool2d]
    assert trunk.net.v1.conv.kernel_size == (7, 7)
    assert trunk.layers == ("v1", "v2", "v4", "it", "pool")
