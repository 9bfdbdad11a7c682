import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facelab_models.evaluation import evaluate
from facelab_models.tasks import join, specify
from facelab_models.training import OPTIMIZERS, fit

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


BARE = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, betas=(0.8, 0.999)),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.01, betas=(0.8, 0.999)),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.8),
    "nesterov": lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.8, nesterov=True),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_agrees_with_a_bare_loop(optimizer, network, batches, images, config):
    dealer = batches(images, augment=LIVELY, identity=np.arange(22) % 4)
    net, bare = network(identity=CLASSES), network(identity=CLASSES).train()
    plan = config(
        optimizer=optimizer, momentum=0.8, schedule="constant", warmup=0.0, weight_decay=0.1
    )
    list(fit(net, dealer, plan))
    weights = [p for p in bare.parameters() if p.ndim > 1]
    others = [p for p in bare.parameters() if p.ndim == 1]
    decay = {"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}
    stepper = BARE[optimizer](decay)
    for epoch in range(2):
        for shown, targets in dealer(epoch):
            answers = bare(shown)["identity"]
            stepper.zero_grad()
            F.cross_entropy(answers, targets["identity"], label_smoothing=0.1).backward()
            stepper.step()
    for name, value in bare.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_a_rate_that_drops_teaches_less_and_less(network, batches, images, config):
    """With nothing to follow but its own decay a weight shows the rate: by 0.1 × 0.5, 0.05, 0.5."""
    net = network(identity=replace(CLASSES, weight=0.0))
    dealer = batches(images, batch_size=22, identity=np.arange(22) % 4)
    plan = config(
        epochs=4, lr=0.1, schedule="step", warmup=0.0, weight_decay=0.5, drop=0.1, drop_epochs=2
    )
    weight = net.heads["identity"].weight
    sizes = [weight.norm().item(), *(weight.norm().item() for _ in fit(net, dealer, plan))]
    shares = [1 - after / before for before, after in pairwise(sizes)]
    assert shares == pytest.approx([0.05, 0.05, 0.005, 0.005], rel=1e-3)


def test_heads_alone_are_trained_and_the_rest_stays_as_it_is(net, batches, images, labels, config):
    before = copy.deepcopy(net.state_dict())
    list(fit(net, batches(images, **labels), config(trained="heads")))
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("trunk."), name
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_heads_alone_learn_what_a_linear_readout_of_the_untrained_trunk_does(
    rng, network, batches, config
):
    labels = rng.integers(4, size=480)
    images = shades(rng, labels, 60)
    net = network(identity=CLASSES)
    train = batches(images[:320], batch_size=32, identity=labels[:320])
    list(fit(net, train, config(epochs=4, trained="heads")))
    test = batches(images[320:], batch_size=80, identity=labels[320:])
    assert evaluate(net, test)["identity"]["accuracy"] > 0.9


@pytest.mark.parametrize("kind", ["margin", "joined"])
def test_learns_a_planted_class_by_angle_or_among_the_classes_of_others(
    kind, rng, network, batches, config
):
    labels = rng.integers(4, size=480)
    images = shades(rng, labels, 60)
    tasks = {"identity": replace(CLASSES, kind="margin")}
    if kind == "joined":
        tasks = join({"luck": CLASSES, "identity": CLASSES})
    net = network(**tasks)
    known = {"identity": labels, "luck": rng.integers(4, size=480)}
    train = batches(images[:320], batch_size=32, **{task: known[task][:320] for task in tasks})
    list(fit(net, train, config(epochs=6)))
    test = batches(images[320:], batch_size=80, **{task: known[task][320:] for task in tasks})
    scores = evaluate(net, test)
    measure = "accuracy_among_own" if kind == "joined" else "accuracy"
    assert scores["identity"][measure] > 0.9
    if kind == "joined":
        assert scores["luck"][measure] < 0.4


def test_learns_a_planted_angle_across_the_seam(rng, network, batches, config):
    """A bright spot on a circle; half of its angles are next to ±180°."""
    angle = np.concatenate([rng.uniform(150, 210, size=240), rng.uniform(-180, 180, size=240)])
    rng.shuffle(angle)
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    radians = np.deg2rad(angle)[:, None, None]
    spot = np.exp(-8 * ((x - 0.6 * np.cos(radians)) ** 2 + (y - 0.6 * np.sin(radians)) ** 2))
    images = np.repeat((200 * spot + 20)[..., None], 3, axis=3).astype(np.uint8)
    wrapped = (angle + 180) % 360 - 180
    both = np.stack([wrapped, rng.permutation(wrapped)], axis=1)
    net = network(turn=specify("angle", both[:, :1], 1.0), luck=specify("angle", both[:, :1], 1.0))
    train = batches(images[:360], batch_size=24, turn=both[:360, :1], luck=both[:360, 1:])
    list(fit(net, train, config(epochs=8)))
    test = batches(images[360:], batch_size=60, turn=both[360:, :1], luck=both[360:, 1:])
    scores = evaluate(net, test)
    assert scores["turn"]["circular_r2"] > 0.9
    assert scores["luck"]["circular_r2"] < 0.2


def test_the_order_of_images_within_a_batch_does_not_matter(net, batches, images, labels, config):
    dealer, other = batches(images, **labels), copy.deepcopy(net)

    class Reversed:
        def __len__(self):
            return len(dealer)

        def __call__(self, epoch):
            for shown, targets in dealer(epoch):
                yield shown.flip(0), {task: values.flip(0) for task, values in targets.items()}

    list(fit(net, dealer, config(epochs=1)))
    list(fit(other, Reversed(), config(epochs=1)))
    for name, value in net.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_only_its_state_is_new_in_a_record_between_checkpoints(
    net, batches, images, labels, config
):
    """Twenty steps an epoch: pauses, after every sixteenth, change neither records nor weights."""
    images = np.tile(images, (2, 1, 1, 1))[:40, ::2, ::2]
    few = {task: np.concatenate([values, values])[:40] for task, values in labels.items()}
    other = copy.deepcopy(net)
    dealer = batches(images, batch_size=2, **few)
    plan = config(epochs=2, checkpoints=(0.9,))
    plain = list(fit(net, dealer, plan))
    paused = list(fit(other, dealer, plan, pause_s=0.0))
    extra = [r.step for r in paused if not (r.is_checkpoint or r.is_epoch_end)]
    assert extra == [16, 32]
    kept = [r for r in paused if r.is_checkpoint or r.is_epoch_end]
    assert [(r.step, r.losses) for r in kept] == [(r.step, r.losses) for r in plain]
    assert all(torch.equal(v, other.state_dict()[name]) for name, v in net.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgdd"}, r"^unknown optimizer 'sgdd'; choose from adamw"),
        ({"schedule": "sine"}, r"^unknown schedule 'sine'; choose from cosine, constant"),
        ({"epochs": -1}, r"^epochs is 0 or more, not -1$"),
        ({"lr": -1.0}, r"^lr is above 0, not -1.0$"),
        ({"lr": float("nan")}, r"^lr is above 0, not nan$"),
        ({"weight_decay": -0.1}, r"^weight_decay is 0 or more, not -0.1$"),
        ({"warmup": 1.0}, r"^warmup is at least 0 and below 1, not 1.0$"),
        ({"label_smoothing": -0.1}, r"^label_smoothing is at least 0 and below 1, not -0.1$"),
        ({"label_smoothing": 1.5}, r"^label_smoothing is at least 0 and below 1, not 1.5$"),
        ({"trained": "head"}, r"^unknown trained 'head'; choose from all, heads$"),
        ({"momentum": 1.0}, r"^momentum is at least 0 and below 1, not 1.0$"),
        ({"drop": 0.0}, r"^drop is above 0 and at most 1, not 0.0$"),
        ({"drop_epochs": 0}, r"^drop_epochs is 1 or more, not 0$"),
        ({"checkpoints": (3.0,)}, r"^checkpoint 3.0 lies outside the 2 epochs$"),
        ({"checkpoints": (1.0, 0.5)}, r"^checkpoints rise, each once, not \[1.0, 0.5\]$"),
        ({"checkpoints": (0.5, 0.5)}, r"^checkpoints rise, each once, not \[0.5, 0.5\]$"),
    ],
)
def test_impossible_trainings_are_refused(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
