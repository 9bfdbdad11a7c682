import pytest
from facelab_models.schedules import SCHEDULES, share


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_rises_evenly_to_its_peak(name):
    rising = [share(name, done, warmup=0.2, history=[]) for done in (0.0, 0.05, 0.1, 0.2)]
    assert rising == pytest.approx([0.0, 0.25, 0.5, 1.0])


@pytest.mark.parametrize(("done", "expected"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_a_cosine_falls_to_nothing(done, expected):
    assert share("cosine", done, warmup=0.0, history=[]) == pytest.approx(expected)


@pytest.mark.parametrize("done", [0.0, 0.5, 1.0])
def test_a_constant_stays(done):
    assert share("constant", done, warmup=0.0, history=[]) == 1
