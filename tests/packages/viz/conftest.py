"""A small table of scores, made up, for the tests of this package."""

import pandas as pd
import pytest
from facelab_viz.theme import apply

LAYERS = ["early", "middle", "late"]
FACTORS = ["background", "gender", "rotation_y_deg", "identity"]
NETWORKS = ["identity", "untrained"]


@pytest.fixture(autouse=True)
def house_style():
    with apply():
        yield


@pytest.fixture
def table():
    """Give the scores of two networks at three layers for four factors, with bounds."""
    rows = [
        {
            "network": network,
            "layer": layer,
            "factor": factor,
            "score": 0.1 * i + 0.2 * j + 0.01 * k,
        }
        for i, layer in enumerate(LAYERS)
        for j, network in enumerate(reversed(NETWORKS))
        for k, factor in enumerate(FACTORS)
    ]
    scores = pd.DataFrame(rows)
    bounds = {"low": scores["score"] - 0.05, "high": scores["score"] + 0.07, "null_high": 0.03}
    return scores.assign(**bounds)
