import numpy as np
import pytest
from facelab_data.designs import crossed, in_turn, stratified, truncated_normal, uncorrelated


def spread(codes):
    return int(np.ptp(np.bincount(codes)))


@pytest.mark.parametrize(
    ("images", "levels"), [(16, (7, 8)), (14, (7, 7)), (16, (7, 16)), (56, (7, 8)), (5, (6, 4))]
)
def test_two_factors_are_balanced_within_each_person_and_against_each_other(rng, images, levels):
    people = np.lcm(*levels) * levels[0] * levels[1]
    a, b = crossed(np.zeros(people), images, levels, rng)
    assert max(spread(np.r_[row, np.arange(levels[0])]) for row in a) <= 1
    assert max(spread(np.r_[row, np.arange(levels[1])]) for row in b) <= 1
    pairs = (a * levels[1] + b).ravel()
    assert len(np.unique(pairs)) == levels[0] * levels[1]
    assert spread(pairs) == 0


def test_every_part_is_balanced_by_itself(rng):
    parts = rng.permutation(np.repeat([0, 1, 2], [70, 15, 15]))
    cell = in_turn(parts, 6, rng)
    _, background = crossed(parts, 8, (7, 16), rng)
    for part in range(3):
        assert spread(cell[parts == part]) <= 1
        assert spread(background[parts == part].ravel()) <= 1


def test_strata_are_filled_once_each_and_every_cell_is_covered(rng):
    cells = rng.permutation(np.repeat(np.arange(5), 40))
    values = stratified(cells, rng)
    assert sorted(np.floor(values * 200)) == list(range(200))
    assert all(abs(values[cells == cell].mean() - 0.5) < 0.03 for cell in range(5))


def test_columns_go_neither_together_nor_with_groups_where_chance_would_let_them(rng):
    groups = [rng.integers(7, size=4000), np.repeat(np.arange(250), 16)]
    for values, low, high in [
        (uncorrelated(8, groups, rng), 0, 0.002),
        (rng.random((4000, 8)), 0.02, 1),
    ]:
        table = np.corrcoef(np.c_[values, np.eye(7)[groups[0]]].T)[:8] - np.eye(8, 15)
        assert low <= np.abs(table).max() < high
        means = [values[groups[1] == person].mean(axis=0) for person in range(250)]
        assert low <= np.std(means) < high


def test_each_column_is_stratified(rng):
    values = uncorrelated(3, [np.arange(100) % 4], rng)
    assert (np.sort(np.floor(values * 100), axis=0) == np.arange(100)[:, None]).all()


@pytest.mark.parametrize("images", [1, 2, 9, 24, 33])
def test_groups_that_would_use_up_all_freedom_are_left_to_chance(rng, images):
    groups = [np.arange(images) // 4, np.arange(images) % 6, np.arange(images) % 5]
    values = uncorrelated(8, groups, rng)
    assert values.shape == (images, 8)
    if images > 8:
        assert np.unique(np.argsort(values, axis=0), axis=1).shape[1] == 8


def test_the_normal_is_cut_off_at_its_limit_and_has_the_right_shape(rng):
    draws = truncated_normal((20000, 2), 2.5, rng)
    assert np.abs(draws).max() <= 2.5
    assert np.abs(draws.mean(axis=0)).max() < 0.03
    # The standard deviation of a normal cut off at 2.5 is 0.9546.
    assert np.abs(draws.std(axis=0) - 0.9546).max() < 0.02
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.03
