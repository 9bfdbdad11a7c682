from dataclasses import replace

import numpy as np
import pytest
import torch
from facelab_models.network import build
from facelab_models.tasks import join, specify

from projects.receptive_fields.recognition import recognise


def always(viewer, place):
    """Make the network name one class, whatever it sees."""
    head = viewer.net.heads["identity"]
    last = [module for module in head.modules() if hasattr(module, "bias")][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
        last.bias[place] = 1
    return viewer


def test_only_images_of_known_people_count(viewer):
    scores, confusion = recognise(always(viewer, 1))
    assert len(scores) == 1
    line = scores.iloc[0]
    assert (line["images"], line["accuracy"], line["chance"]) == (6, 0.5, 0.5)
    assert line["low"] < 0.5 < line["high"]
    pairs = confusion.set_index(["shown", "named"])["images"].to_dict()
    assert pairs == {("4", "7"): 3, ("7", "7"): 3}


def test_a_network_that_knows_nobody_here_is_not_asked(viewer):
    strange = replace(viewer, facts=viewer.facts | {"classes": {"identity": ["1", "2"]}})
    other = replace(viewer, facts=viewer.facts | {"classes": {"mood": ["sad", "glad"]}})
    for each in (strange, other):
        scores, confusion = recognise(each)
        assert scores.empty
        assert confusion.empty
        assert "accuracy" in scores
        assert "shown" in confusion


def test_of_a_joined_classifier_only_the_tasks_own_classes_are_named(viewer):
    specs = {name: specify("categorical", np.array([0, 1]), 1.0) for name in ("mood", "identity")}
    net = build(replace(viewer.net.spec, tasks=join(specs)), seed=0).eval()
    known = {"mood": ["sad", "glad"], "identity": ["4", "7"]}
    joined = replace(viewer, net=net, facts=viewer.facts | {"classes": known})
    scores, confusion = recognise(joined)
    assert scores["task"].tolist() == ["identity"]
    assert set(confusion["named"]) <= {"4", "7"}
    assert confusion["images"].sum() == 6
    assert scores["accuracy"].iloc[0] == pytest.approx(
        confusion.query("shown == named")["images"].sum() / 6
    )
