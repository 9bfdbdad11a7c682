import pytest
import yaml

from projects import values
from projects.networks import Network
from tests.projects.test_train import ROW


@pytest.fixture
def row(tmp_path, monkeypatch):
    """Give a maker of the row, as it is read from params.yaml."""
    monkeypatch.chdir(tmp_path)

    def make(**changes):
        tree = {"networks": {"small": ROW | changes}}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
        return values.typed(Network, "networks.small")

    return make


def test_a_row_is_read_as_it_is_written(row):
    assert row(seeds=[3, 1]).seeds == (3, 1)
    assert row().fit.lr == ROW["fit"]["lr"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": "shared"}, "classifier 'shared'; choose from separate, joined"),
        ({"seeds": []}, "a network needs at least one seed"),
        ({"seeds": [1, 0, 1]}, r"seeds are 0 or more, each once, not \[1, 0, 1\]$"),
        ({"seeds": [-1]}, r"seeds are 0 or more, each once, not \[-1\]$"),
        ({"std": [0.2, 0.0, 0.2]}, r"std is above 0, not \[0\.2, 0\.0, 0\.2\]$"),
        ({"size_px": -5}, "size_px and save_every_s are 0 or more, not -5 and 0.0$"),
        ({"batch_size": 0}, "batch_size is 1 or more, not 0$"),
        ({"weights_scale": 0.0}, "weights_scale is above 0, not 0.0$"),
        ({"fit": ROW["fit"] | {"lr": -1}}, "lr is above 0, not -1.0$"),
        ({"stop": {"metrik": "x"}}, "valid keys: metric, at, patience_epochs$"),
    ],
)
def test_an_impossible_row_is_refused(changes, message, row):
    with pytest.raises(ValueError, match=message):
        row(**changes)
