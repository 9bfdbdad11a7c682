import numpy as np
import pytest
import torch
from facelab_models.evaluation import evaluate, predict
from facelab_models.kinds import TaskSpec
from facelab_models.tasks import join

from tests.packages.models.conftest import CLASSES


def test_scores_do_not_depend_on_the_batches(net, batches, images, labels):
    few = evaluate(net, batches(images, batch_size=22, **labels))
    many = evaluate(net, batches(images, batch_size=3, **labels))
    for task, scores in few.items():
        assert scores == pytest.approx(many[task], rel=1e-4)


def test_each_kind_of_task_has_its_measure(net, batches, images, labels):
    scores = evaluate(net, batches(images, **labels))
    assert {task: set(values) for task, values in scores.items()} == {
        "identity": {"loss", "accuracy"},
        "pose": {"loss", "r2"},
    }


def test_a_task_without_targets_is_left_out(net, batches, images, labels):
    assert evaluate(net, batches(images, identity=labels["identity"])).keys() == {"identity"}


def test_a_task_without_one_label_has_no_score(net, batches, images):
    scores = evaluate(net, batches(images, identity=np.full(22, -1)))
    assert np.isnan(scores["identity"]["accuracy"])


def test_answers_come_in_the_order_of_the_images(net, batches, images):
    answers = predict(net, batches(images, batch_size=5))
    alone = predict(net, batches(images[17:18]))
    assert answers["identity"].shape == (22, 4)
    np.testing.assert_allclose(answers["pose"][17], alone["pose"][0], rtol=1e-4)


def test_a_view_of_the_batches_is_evaluated_as_well(net, batches, images, labels):
    dealer = batches(images, **labels)
    turned = evaluate(net, ((shown.flip(2), targets) for shown, targets in dealer))
    redrawn = evaluate(net, batches(images[:, ::-1], **labels))
    assert turned["identity"] == pytest.approx(redrawn["identity"], rel=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_restored_and_nothing_is_learned(net, batches, images, labels, training):
    net.train(training)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    evaluate(net, batches(images, **labels))
    assert net.training is training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_the_mode_is_restored_after_an_error(net):
    net.train()
    with pytest.raises(ValueError, match="images are"):
        predict(net, [(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), {})])
    assert net.training


def test_a_joined_classifier_is_scored_among_all_classes_and_among_the_tasks_own(
    network, batches, images, labels
):
    """All logits are one constant, highest for a class of the other task."""
    cars = TaskSpec(kind="categorical", outputs=2, weight=1.0)
    net = network(**join({"identity": CLASSES, "cars": cars}))
    head = net.heads["joined"]
    torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0, 3.0]))
    dealer = batches(images, identity=labels["identity"], cars=np.arange(22) % 2)
    scores = evaluate(net, dealer)
    assert scores["identity"]["accuracy"] == 0
    assert scores["identity"]["accuracy_among_own"] == pytest.approx(6 / 22)
    assert scores["cars"]["accuracy"] == scores["cars"]["accuracy_among_own"] == 0.5
    answers = predict(net, dealer)
    assert answers.keys() == {"identity", "cars"}
    assert answers["cars"].shape == (22, 6)
