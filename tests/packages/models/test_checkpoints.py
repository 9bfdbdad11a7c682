import pickle
from dataclasses import replace

import pytest
import torch
from facelab_models.checkpoints import load, load_state, save, save_state, schedule
from facelab_models.network import build
from facelab_models.tasks import TaskSpec
from facelab_models.training import fit

CLASSES = TaskSpec(kind="categorical", outputs=4, weight=1.0)


@pytest.fixture
def saved(net, tmp_path):
    path = tmp_path / "net.pt"
    save(path, net, epoch=0.5, identities=[3, 5], note="planted")
    return path


def test_a_network_comes_back_bit_for_bit(net, saved):
    found, facts = load(saved)
    assert found.spec == net.spec
    assert facts == {"epoch": 0.5, "identities": [3, 5], "note": "planted"}
    assert not found.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, found.state_dict()[name])
    images = torch.rand(3, 3, 32, 32)
    answers = net.eval()(images)
    assert all(torch.equal(answers[task], out) for task, out in found(images).items())


def test_the_same_network_gives_the_same_bytes_however_it_is_laid_out(net, saved, tmp_path):
    net.to(memory_format=torch.contiguous_format)
    save(tmp_path / "other.pt", net, epoch=0.5, identities=[3, 5], note="planted")
    assert (tmp_path / "other.pt").read_bytes() == saved.read_bytes()


def test_a_checkpoint_holds_plain_values_only(saved):
    content = torch.load(saved, weights_only=True)
    assert content["spec"]["tasks"]["pose"]["mean"] == [30.0, -2.0]


def test_a_file_appears_complete_or_not_at_all(net, tmp_path):
    with pytest.raises(ValueError, match=r"^facts of a checkpoint are plain values"):
        save(tmp_path / "net.pt", net, epoch=1.0, images=torch.zeros(3))
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_beside_a_checkpoint(saved):
    assert list(saved.parent.iterdir()) == [saved]


def test_a_truncated_file_is_named_in_one_line(saved):
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"^.*net\.pt is truncated or is no facelab checkpoint 1$"):
        load(saved)


@pytest.mark.parametrize("content", [b"", b"not a network", pickle.dumps({"a": 1})])
def test_a_foreign_file_is_refused(content, tmp_path):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"^.* is (truncated or is )?no facelab checkpoint 1$"):
        load(tmp_path / "net.pt")


def test_a_pickled_module_is_never_run(net, tmp_path):
    torch.save(net, tmp_path / "net.pt")
    with pytest.raises(ValueError, match=r"^.*is truncated or is no facelab checkpoint 1$"):
        load(tmp_path / "net.pt")


def test_somebody_elses_weights_are_refused(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "net.pt")
    with pytest.raises(ValueError, match=r"is no facelab checkpoint 1$"):
        load(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda content: content["spec"].update(trunk="resnet7"),
            "unknown trunk 'resnet7'; choose",
        ),
        (lambda content: content["spec"].update(trunk="resnet10_thin"), "Error"),
        (lambda content: content["spec"].update(colour="red"), "colour"),
        (lambda content: content.pop("weights"), "weights"),
    ],
)
def test_a_network_that_cannot_be_rebuilt_is_explained_in_one_line(change, reason, saved):
    content = torch.load(saved, weights_only=True)
    change(content)
    torch.save(content, saved)
    with pytest.raises(ValueError, match=f"^cannot rebuild the network in .*{reason}.*$") as caught:
        load(saved)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^no such file: .*net\.pt$"):
        load(tmp_path / "net.pt")


def test_a_training_comes_back_and_is_no_network(net, batches, images, labels, config, tmp_path):
    record = next(fit(net, batches(images, **labels), config()))
    save_state(tmp_path / "training.pt", record.state())
    state = load_state(tmp_path / "training.pt")
    assert state["step"] == record.step
    assert torch.equal(state["weights"]["trunk.conv1.weight"], net.trunk.conv1.weight)
    with pytest.raises(ValueError, match=r"is no facelab checkpoint 1$"):
        load(tmp_path / "training.pt")


@pytest.mark.parametrize(
    ("epochs", "dense", "expected"),
    [
        (0, 3, (0,)),
        (1, 2, (0, 0.25, 0.5, 1)),
        (2, 0, (0, 1, 2)),
        (10, 3, (0, 0.125, 0.25, 0.5, 1, 2, 3, 5, 8, 10)),
    ],
)
def test_checkpoints_are_dense_early_and_reach_the_end(epochs, dense, expected):
    assert schedule(epochs, dense) == expected


def test_a_users_function_is_run_only_if_it_is_trusted(network, tmp_path, monkeypatch):
    source = "import torch.nn as nn\n\ndef small():\n    return nn.Conv2d(3, 2, 3)\n"
    (tmp_path / "trusted_nets.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    spec = replace(network(identity=CLASSES).spec, trunk="trusted_nets:small")
    net = build(spec, seed=1)
    save(tmp_path / "net.pt", net, epoch=1.0)
    with pytest.raises(ValueError, match=r"^cannot rebuild .*'trusted_nets:small', which is not.*"):
        load(tmp_path / "net.pt")
    found, _ = load(tmp_path / "net.pt", trusted=["trusted_nets:small"])
    assert torch.equal(found.trunk.weight, net.trunk.weight)
    assert found(torch.rand(2, 3, 8, 8))["identity"].shape == (2, 4)
