import pytest
import torch
import torch.nn as nn
from facelab_models import checkpoints
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import TaskSpec
from facelab_models.weights import load, read
from safetensors.torch import save_file

THREE = TaskSpec(kind="categorical", outputs=3, weight=1.0)


@pytest.fixture
def make():
    """Give a maker of small networks."""

    def made(seed=0, trunk="resnet6_thin", **changes):
        tasks = changes.pop("tasks", {"identity": THREE})
        values = {"mean": (0.5,) * 3, "std": (0.25,) * 3}
        return build(NetworkSpec(trunk=trunk, tasks=tasks, **values, **changes), seed=seed).eval()

    return made


def plain(net):
    """Name the weights of a trunk as its author would."""
    return {name: value.contiguous() for name, value in net.trunk.state_dict().items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights, "epoch": 3},
        lambda weights: {"model": weights},
        lambda weights: {f"module.{name}": value for name, value in weights.items()},
        lambda weights: {
            "state_dict": {f"_orig_mod.{name}": value for name, value in weights.items()}
        },
    ],
)
@pytest.mark.parametrize("suffix", ["pt", "pth"])
def test_a_trunk_gets_its_weights_however_they_are_wrapped(make, tmp_path, wrap, suffix):
    source, net = make(seed=1), make(seed=2)
    path = tmp_path / f"weights.{suffix}"
    torch.save(wrap(plain(source)), path)
    account = load(net, path)
    assert account.loaded["trunk.conv1.weight"] == "conv1.weight"
    assert set(account.missing) == {"heads.identity.weight", "heads.identity.bias"}
    assert account.unused == ()
    assert account.mismatched == {}
    for name, value in source.trunk.state_dict().items():
        assert torch.equal(net.trunk.state_dict()[name], value)


def test_safetensors_are_read(make, tmp_path):
    source, net = make(seed=1), make(seed=2)
    save_file(plain(source), tmp_path / "weights.safetensors")
    load(net, tmp_path / "weights.safetensors")
    assert torch.equal(net.trunk.conv1.weight, source.trunk.conv1.weight)


def test_half_precision_becomes_the_networks_own(make, tmp_path):
    source, net = make(seed=1), make(seed=2)
    torch.save({name: v.half() for name, v in plain(source).items()}, tmp_path / "half.pt")
    load(net, tmp_path / "half.pt")
    assert net.trunk.conv1.weight.dtype == torch.float32
    assert torch.equal(net.trunk.conv1.weight, source.trunk.conv1.weight.half().float())


def test_a_checkpoint_fills_trunk_and_heads_and_branches(make, tmp_path):
    tasks = {"identity": THREE, "pose": THREE}
    source = make(seed=1)
    checkpoints.save(tmp_path / "net.pt", source, epoch=1.0)
    net = make(seed=2, tasks=tasks, branch="block2.conv")
    account = load(net, tmp_path / "net.pt")
    own, theirs = net.state_dict(), source.state_dict()
    for task in tasks:
        name = "block3.conv.weight"
        assert torch.equal(own[f"branches.{task}.{name}"], theirs[f"trunk.{name}"])
    assert torch.equal(own["heads.identity.weight"], theirs["heads.identity.weight"])
    assert set(account.missing) == {"heads.pose.weight", "heads.pose.bias"}
    assert account.unused == ()


def test_an_account_says_what_went_where(make, tmp_path):
    source, net = make(seed=1), make(seed=2)
    weights = plain(source) | {"fc.weight": torch.ones(2), "conv1.weight": torch.ones(5, 3, 7, 7)}
    del weights["norm.bias"]
    before = net.trunk.conv1.weight.clone()
    torch.save(weights, tmp_path / "weights.pt")
    account = load(net, tmp_path / "weights.pt")
    assert account.unused == ("fc.weight",)
    assert account.mismatched == {"trunk.conv1.weight": ((5, 3, 7, 7), (16, 3, 7, 7))}
    assert "trunk.norm.bias" in account.missing
    assert torch.equal(net.trunk.conv1.weight, before)
    assert str(account) == (
        f"{len(account.loaded)} weights loaded; 3 without weights in the file (trunk.norm.bias, "
        "heads.identity.weight, heads.identity.bias); 1 in the file unused (fc.weight); "
        "1 of another shape (trunk.conv1.weight)"
    )


def test_old_files_do_not_count_batches(make, tmp_path):
    weights = {n: v for n, v in plain(make()).items() if not n.endswith("num_batches_tracked")}
    torch.save(weights, tmp_path / "weights.pt")
    assert not any("num_batches" in name for name in load(make(), tmp_path / "weights.pt").missing)


def test_a_file_of_which_nothing_fits_is_refused_in_one_line(make, tmp_path):
    torch.save({"encoder.a": torch.ones(2), "encoder.b": torch.ones(3)}, tmp_path / "other.pt")
    message = (
        r"^no weight in .*other.pt fits: it has encoder.a, encoder.b; "
        r"the network has trunk.conv1.weight, .* …$"
    )
    with pytest.raises(ValueError, match=message):
        load(make(), tmp_path / "other.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 3, "lr": 0.1}, r"^.*w.pt holds no weights by name, but entries epoch, lr$"),
        (torch.ones(3), r"^.*w.pt holds no weights by name, but a Tensor$"),
        (nn.Linear(2, 2), r"^.*w.pt is truncated or holds more than weights, .*$"),
    ],
)
def test_a_file_without_weights_is_refused_in_one_line(content, message, tmp_path):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "w.pt")


def test_broken_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^no such file: .*w.pt$"):
        read(tmp_path / "w.pt")
    for name in ("w.pt", "w.safetensors"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match=f"^.*{name} is .*$"):
            read(tmp_path / name)
