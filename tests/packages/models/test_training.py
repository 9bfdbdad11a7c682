import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facelab_models.evaluation import evaluate
from facelab_models.tasks import specify
from facelab_models.training import fit

from tests.packages.models.conftest import CLASSES, LIVELY, NUMBERS


def shades(rng, labels, strength):
    """Draw noise, 16 px, that is lighter by `strength` in the quadrant of its label."""
    pixels = rng.normal(110, 30, size=(len(labels), 2, 8, 2, 8, 3))
    for quadrant in range(4):
        pixels[labels == quadrant, quadrant // 2, :, quadrant % 2] += strength
    return pixels.clip(0, 255).astype(np.uint8).reshape(len(labels), 16, 16, 3)


@pytest.mark.parametrize(("strength", "low", "high"), [(60, 0.95, 1.0), (0, 0.1, 0.4)])
def test_learns_a_planted_class_and_nothing_from_noise(
    strength, low, high, rng, network, batches, config
):
    labels = rng.integers(4, size=480)
    images = shades(rng, labels, strength)
    net = network(identity=CLASSES)
    train = batches(images[:320], batch_size=32, identity=labels[:320])
    for record in fit(net, train, config(epochs=4)):
        assert record.losses["identity"] > 0
    test = batches(images[320:], batch_size=80, identity=labels[320:])
    assert low <= evaluate(net, test)["identity"]["accuracy"] <= high


def test_shuffled_labels_leave_new_images_at_chance(rng, network, batches, config):
    labels = rng.integers(4, size=480)
    images = shades(rng, labels, 60)
    net = network(identity=CLASSES)
    train = batches(images[:320], batch_size=32, identity=rng.permutation(labels[:320]))
    list(fit(net, train, config(epochs=4)))
    test = batches(images[320:], batch_size=80, identity=labels[320:])
    assert 0.1 < evaluate(net, test)["identity"]["accuracy"] < 0.4


def test_learns_a_planted_number_in_its_own_unit_beside_one_that_is_not_there(
    rng, network, batches, config
):
    age = rng.uniform(20, 60, size=480)
    images = rng.normal(0, 20, size=(480, 16, 16, 3)) + 2 * age[:, None, None, None] + 40
    images = images.clip(0, 255).astype(np.uint8)
    both = np.stack([age, rng.normal(size=480)], axis=1)
    net = network(
        age=specify("continuous", both[:320, :1], 1.0),
        luck=specify("continuous", both[:320, 1:], 1.0),
    )
    train = batches(images[:320], batch_size=32, age=both[:320, :1], luck=both[:320, 1:])
    list(fit(net, train, config(epochs=4)))
    test = batches(images[320:], batch_size=80, age=both[320:, :1], luck=both[320:, 1:])
    scores = evaluate(net, test)
    assert scores["age"]["r2"] > 0.9
    assert scores["luck"]["r2"] < 0.1


def test_nothing_happens_until_iterated(net, batches, images, labels, config):
    before = copy.deepcopy(net.state_dict())
    fit(net, batches(images, **labels), config())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_records_come_at_checkpoints_and_at_the_end_of_epochs(net, batches, images, labels, config):
    """Of 3 batches an epoch: 0.1 is rounded up to the first, 1.7 to the fifth."""
    plan = config(checkpoints=(0.0, 0.1, 1.0, 1.7))
    records = list(fit(net, batches(images, **labels), plan))
    assert [(r.step, r.is_checkpoint, r.is_epoch_end) for r in records] == [
        (0, True, False),
        (1, True, False),
        (3, True, True),
        (5, True, False),
        (6, False, True),
    ]
    assert [r.epoch for r in records] == pytest.approx([0, 1 / 3, 1, 5 / 3, 2])
    assert records[0].losses == {}
    assert all(r.losses.keys() == {"identity", "pose"} for r in records[1:])


def test_the_untrained_network_is_the_one_that_was_built(net, batches, images, labels, config):
    before = copy.deepcopy(net.state_dict())
    (record,) = fit(net, batches(images, **labels), config(epochs=0, checkpoints=(0.0,)))
    assert record.epoch == 0
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_the_network_is_handed_over_ready_to_be_looked_at(net, batches, images, labels, config):
    for _ in fit(net, batches(images, **labels), config()):
        assert not net.training
        net.train()


def test_looking_at_the_network_does_not_change_its_training(net, batches, images, labels, config):
    dealer, other = batches(images, augment=LIVELY, **labels), copy.deepcopy(net)
    for _ in fit(net, dealer, config()):
        evaluate(net, dealer)
    list(fit(other, dealer, config()))
    assert all(
        torch.equal(value, other.state_dict()[name]) for name, value in net.state_dict().items()
    )


def test_weight_decay_spares_biases_and_batch_norm(network, batches, images, labels, config):
    """Without a gradient only decay moves a weight."""
    net = network(identity=replace(CLASSES, weight=0.0), pose=replace(NUMBERS, weight=0.0))
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    list(fit(net, batches(images, **labels), config(weight_decay=0.5)))
    for name, value in net.named_parameters():
        assert torch.equal(value, before[name]) == (value.ndim == 1), name


def test_agrees_with_a_bare_loop(network, batches, images, config):
    dealer = batches(images, augment=LIVELY, identity=np.arange(22) % 4)
    net, bare = network(identity=CLASSES), network(identity=CLASSES).train()
    list(fit(net, dealer, config(schedule="constant", warmup=0.0, weight_decay=0.0)))
    optimizer = torch.optim.AdamW(bare.parameters(), lr=0.01, weight_decay=0.0)
    for epoch in range(2):
        for shown, targets in dealer(epoch):
            answers = bare(shown)["identity"]
            optimizer.zero_grad()
            F.cross_entropy(answers, targets["identity"], label_smoothing=0.1).backward()
            optimizer.step()
    for name, value in bare.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgdd"}, r"^unknown optimizer 'sgdd'; choose from adamw"),
        ({"schedule": "sine"}, r"^unknown schedule 'sine'; choose from cosine, constant"),
        ({"epochs": -1}, r"^epochs is 0 or more, not -1$"),
        ({"warmup": 1.0}, r"^warmup is at least 0 and below 1, not 1.0$"),
        ({"label_smoothing": -0.1}, r"^label_smoothing is at least 0 and below 1, not -0.1$"),
        ({"checkpoints": (3.0,)}, r"^checkpoint 3.0 lies outside the 2 epochs$"),
    ],
)
def test_impossible_trainings_are_refused(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
