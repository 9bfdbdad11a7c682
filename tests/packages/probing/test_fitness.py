import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from facelab_probing.fitness import check

IMAGE = torch.full((1, 3, 12, 12), 0.5)


class Then(nn.Module):
    """Apply a function."""

    def __init__(self, apply):
        super().__init__()
        self.apply_to = apply

    def forward(self, maps):
        return self.apply_to(maps)


def network(*after):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), *after)


@pytest.mark.parametrize(
    "after",
    [
        (),
        (nn.BatchNorm2d(4),),
        (nn.Dropout(),),
        (nn.InstanceNorm2d(4),),
        (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
        (Then(lambda maps: maps / maps.sum((2, 3), keepdim=True) * torch.nan),),
    ],
)
def test_steady_networks_pass_and_are_left_as_they_were(after):
    net = network(*after).train()
    check(net, ["0", str(len(net) - 1)], IMAGE)
    assert net.training


@pytest.mark.parametrize(
    "after", [Then(F.dropout), Then(lambda maps: maps + torch.randn_like(maps))]
)
def test_answers_that_change_are_refused(after):
    check(network(after), ["1"], IMAGE)
    with pytest.raises(ValueError, match="layer '2' answers the same images differently each time"):
        check(network(after), ["1", "2"], IMAGE)


@pytest.mark.parametrize(
    "after",
    [
        nn.BatchNorm2d(4, track_running_stats=False),
        Then(lambda maps: F.batch_norm(maps, None, None, training=True)),
    ],
)
def test_answers_that_depend_on_other_images_are_refused(after):
    with pytest.raises(ValueError, match="layer '2' answers an image differently among others"):
        check(network(after), ["2"], IMAGE)


def test_a_path_that_the_first_image_chooses_for_all_is_refused():
    first = Then(lambda images: images if images[:1].mean() > 0.4 else -images)
    with pytest.raises(ValueError, match="layer '1' answers an image differently among others"):
        check(nn.Sequential(first, nn.Conv2d(3, 4, 3)), ["1"], IMAGE)


@pytest.mark.parametrize(
    ("after", "shape"),
    [
        (Then(lambda maps: maps.flatten(2).transpose(1, 2)), r"\(100, 4\)"),
        (nn.Sequential(Then(lambda maps: maps.permute(0, 2, 3, 1)), nn.Linear(4, 5)), "5"),
    ],
)
def test_tokens_and_maps_with_units_last_are_refused(after, shape):
    layer = "2.1" if isinstance(after, nn.Sequential) else "2"
    with pytest.raises(ValueError, match=f"layer '{layer}' gives .*{shape}.* for an image"):
        check(network(after), [layer], IMAGE)
