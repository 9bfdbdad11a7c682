"""Two processes on this machine against one; `together` holds what each of the two does."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from facelab_models import distributed
from facelab_models.training import fit

from tests.packages.models import together
from tests.source import PACKAGES, ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Give what two processes found, which takes them some seconds."""
    folder = tmp_path_factory.mktemp("together")
    path = [str(ROOT), *(str(ROOT / "packages" / package) for package in PACKAGES)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"}
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    words = [sys.executable, *launch, "tests.packages.models.together", str(folder)]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    net = together.network()
    records = list(fit(net, together.dealer(), together.PLAN))
    return {"weights": net.state_dict(), "losses": [record.losses for record in records]}


def test_two_processes_end_where_one_does(found, alone):
    """Weights and running statistics, after batches of 7 in parts of 4 and 3."""
    for each in found:
        assert each["size"] == 2
        for name, value in alone["weights"].items():
            torch.testing.assert_close(each["weights"][name], value, rtol=1e-5, atol=1e-5)


def test_both_report_the_loss_of_the_whole_batch(found, alone):
    for each in found:
        for theirs, ours in zip(each["losses"], alone["losses"], strict=True):
            assert theirs == pytest.approx(ours, rel=1e-5)


def test_both_processes_have_the_same_weights_to_the_bit(found):
    first, second = (each["weights"] for each in found)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_training_of_two_is_resumed_to_the_bit(found):
    for each in found:
        assert each["resumed losses"] == each["losses"][1:]
        for name, value in each["weights"].items():
            assert torch.equal(each["resumed"][name], value), name


def test_a_loss_that_is_not_finite_in_one_process_stops_both(found):
    assert {each["blown"] for each in found} == {"the loss of task 'pose' is inf in epoch 1"}


def test_a_batch_norm_looks_at_all_images(found):
    """Output, gradients and running statistics, of five images in parts of three and two."""
    alone = together.normalise(together.maps())
    norms = [each["norm"] for each in found]
    for name in ("answer", "gradient"):
        whole = torch.cat([norm[name] for norm in norms])
        torch.testing.assert_close(whole, alone[name], rtol=1e-9, atol=1e-9)
    for norm in norms:
        torch.testing.assert_close(norm["weight"], alone["weight"], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(norm["state"], alone["state"], rtol=1e-9, atol=1e-9)


def test_values_are_added_up_or_taken_from_the_first(found):
    for each in found:
        assert each["said"] == "by 0"
        torch.testing.assert_close(each["total"], torch.tensor([2.0, 1.0]))


def test_a_process_by_itself_keeps_everything():
    rows, net = np.arange(5), torch.nn.BatchNorm2d(3)
    with distributed.together(torch.device("cpu")):
        assert (distributed.rank(), distributed.size()) == (0, 1)
        assert distributed.portion(rows) is rows
        assert distributed.total(net.weight) is net.weight
        assert distributed.from_first(rows) is rows
        assert distributed.replicate(net) is net


def test_a_shared_batch_norm_is_an_ordinary_one_out_of_training():
    maps = together.maps().float()
    plain, shared = torch.nn.BatchNorm2d(4), distributed.SharedBatchNorm(4)
    plain(maps)
    shared.load_state_dict(plain.state_dict())
    assert torch.equal(shared.eval()(maps), plain.eval()(maps))
