"""The studies of a layer."""

import numpy as np
from facelab_probing.studies import COLUMNS, STEPS_PER_DECADE, Studies, choose, history
from facelab_probing.tuning import TuningConfig

CONFIG = TuningConfig(
    sampler="grid",
    trials=100,
    penalty_range=(1e-1, 1e3),
    steps_per_decade=4,
    storage="",
    seed=0,
)


def test_a_score_is_asked_for_at_a_penalty_and_the_best_is_chosen():
    studies = Studies(CONFIG, "layer", "")
    tuned = choose(
        studies,
        lambda penalty: -(np.log10(penalty / np.array([1.0, 100.0])) ** 2),
        ["a", "b"],
        factor="shape",
        decoder="ridge",
    )
    np.testing.assert_allclose(tuned.penalties, [1, 100])


def test_a_decoder_that_is_refitted_looks_at_a_coarser_lattice():
    studies, asked = Studies(CONFIG, "layer", ""), {"lda": [], "logistic": []}
    for decoder, penalties in asked.items():

        def score_at(penalty, penalties=penalties):
            penalties.append(penalty)
            return np.zeros(1)

        choose(studies, score_at, ["a"], factor="a", decoder=decoder)
    assert len(asked["lda"]) == 17
    assert len(asked["logistic"]) == 4 * STEPS_PER_DECADE["logistic"] + 1


def test_the_history_holds_all_studies():
    studies = Studies(CONFIG, "layer", "")
    assert list(history(studies)) == COLUMNS
    for decoder in ("lda", "ridge"):
        choose(studies, lambda penalty: np.zeros(1), ["a"], factor="a", decoder=decoder)
    assert history(studies).groupby("decoder").size().tolist() == [17, 17]
    assert list(history(studies)) == COLUMNS
