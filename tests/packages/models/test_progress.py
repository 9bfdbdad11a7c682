import copy
from itertools import islice

import numpy as np
import pytest
import torch
from facelab_models.training import fit

from tests.packages.models.conftest import CLASSES, LIVELY


def finish(records):
    return list(records)[-1]


def same(first, second):
    """Whether two states agree bit for bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@pytest.mark.parametrize("stop", range(5))
@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(
    stop, schedule, network, net, batches, images, labels, config, tmp_path
):
    """Stopped before the first batch, within an epoch, at its end: the same bits."""
    dealer = batches(images, augment=LIVELY, **labels)
    plan = config(schedule=schedule, checkpoints=(0.0, 0.34, 1.5))
    whole = copy.deepcopy(net)
    expected = finish(fit(whole, dealer, plan)).state()

    stopped = next(islice(fit(copy.deepcopy(net), dealer, plan), stop, None))
    torch.save(stopped.state(), tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt", weights_only=True)
    fresh = network(seed=9, **net.spec.tasks)
    rest = list(fit(fresh, dealer, plan, state=loaded))
    assert all(record.step > stopped.step for record in rest)
    found = rest[-1].state() if rest else loaded
    assert same(found, expected)


def test_steps_after_the_last_record_are_taken_again(net, batches, images, labels, config):
    """Killed in mid-epoch, a batch after its last record: nothing shows."""
    dealer, plan = batches(images, augment=LIVELY, **labels), config(checkpoints=(0.34,))
    expected = finish(fit(copy.deepcopy(net), dealer, plan)).state()

    class Mortal:
        def __len__(self):
            return len(dealer)

        def __call__(self, epoch):
            for position, batch in enumerate(dealer(epoch)):
                if (epoch, position) == (0, 2):
                    raise KeyboardInterrupt
                yield batch

    training = fit(net, Mortal(), plan)
    state = next(training).state()
    with pytest.raises(KeyboardInterrupt):
        next(training)
    assert same(finish(fit(net, dealer, plan, state=state)).state(), expected)


def test_a_state_is_a_copy_and_resuming_leaves_it_as_it_was(net, batches, images, labels, config):
    dealer, plan = batches(images, **labels), config(checkpoints=(0.0,))
    training = fit(net, dealer, plan)
    state = next(training).state()
    kept = copy.deepcopy(state)
    list(training)
    assert same(state, kept)
    list(fit(net, dealer, plan, state=state))
    assert same(state, kept)


def test_a_state_cannot_be_had_once_training_has_gone_on(net, batches, images, labels, config):
    first, *_ = fit(net, batches(images, **labels), config())
    with pytest.raises(RuntimeError, match=r"^the state of step 3 is gone: training is at 6$"):
        first.state()


@pytest.mark.parametrize(
    ("changes", "term"), [({"lr": 0.5}, "lr"), ({"epochs": 3}, "epochs"), ({}, "number of batches")]
)
def test_a_state_of_another_training_is_refused(
    changes, term, net, batches, images, labels, config
):
    state = next(fit(net, batches(images, **labels), config())).state()
    size = 8 if changes else 11
    other = batches(images, batch_size=size, **labels)
    with pytest.raises(ValueError, match=f"^the state to resume was reached with another {term}$"):
        next(fit(net, other, config(**changes), state=state))


def test_a_state_of_another_network_is_refused(net, network, batches, images, labels, config):
    dealer = batches(images, **labels)
    state = next(fit(net, dealer, config())).state()
    with pytest.raises(ValueError, match="another network"):
        next(fit(network(identity=CLASSES), dealer, config(), state=state))


def test_dropout_is_repeated_and_the_callers_random_state_kept(network, batches, images, config):
    dealer, plan = batches(images, identity=np.arange(22) % 4), config(checkpoints=(0.34,))

    def dropping():
        made = network(identity=CLASSES)
        made.heads["identity"] = torch.nn.Sequential(torch.nn.Dropout(0.5), made.heads["identity"])
        return made

    before = torch.get_rng_state()
    expected = finish(fit(dropping(), dealer, plan)).state()
    state = next(fit(dropping(), dealer, plan)).state()
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(1)
    assert same(finish(fit(dropping(), dealer, plan, state=state)).state(), expected)


def test_history_is_the_weighted_loss_of_every_finished_epoch(net, batches, images, labels, config):
    records = list(fit(net, batches(images, **labels), config()))
    weights = {task: spec.weight for task, spec in net.spec.tasks.items()}
    expected = [
        sum(weights[task] * loss for task, loss in record.losses.items()) for record in records
    ]
    assert records[-1].state()["history"] == pytest.approx(expected)


def test_a_training_goes_on_from_a_pause_as_if_it_had_not_been(
    net, batches, images, labels, config
):
    """Paused at step 16 of 22, after a checkpoint at 11: the losses reported are the same too."""
    dealer = batches(images[:, ::2, ::2], augment=LIVELY, batch_size=1, **labels)
    plan = config(epochs=1, checkpoints=(0.5,))
    whole, fresh = copy.deepcopy(net), copy.deepcopy(net)
    expected = finish(fit(whole, dealer, plan))
    pause = next(record for record in fit(net, dealer, plan, pause_s=0.0) if record.step == 16)
    found = finish(fit(fresh, dealer, plan, state=pause.state()))
    assert found.losses == expected.losses
    assert same(found.state(), expected.state())


def test_a_loss_that_is_not_a_number_stops_training_and_names_the_task(
    net, batches, images, labels, config
):
    with torch.no_grad():
        net.heads["pose"].weight[0, 0] = torch.nan
    with pytest.raises(FloatingPointError, match=r"^the loss of task 'pose' is nan in epoch 1$"):
        list(fit(net, batches(images, **labels), config()))
