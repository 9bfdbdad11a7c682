import pytest

from projects import trained


@pytest.fixture
def folder(tmp_path):
    for epoch in (0.0, 0.25, 20.0):
        (tmp_path / f"epoch-{epoch:08.3f}.pt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("first", "0000.000"),
        ("last", "0020.000"),
        ("0.250", "0000.250"),
        ("20", "0020.000"),
        (".25", "0000.250"),
        ("0", "0000.000"),
    ],
)
def test_a_checkpoint_is_found_by_its_name(folder, name, found):
    assert trained.choose(folder, name).stem == f"epoch-{found}"


def test_a_checkpoint_that_is_not_there_is_named_beside_those_that_are(folder):
    with pytest.raises(ValueError, match=r"unknown checkpoint '7'; choose from first, last"):
        trained.choose(folder, "7")


def test_seeds_come_in_the_order_of_their_numbers(tmp_path):
    for seed in (10, 2, 0):
        (tmp_path / f"seed-{seed}").mkdir()
    (tmp_path / "made_from.json").touch()
    assert list(trained.seeds(tmp_path)) == [0, 2, 10]


def test_a_folder_without_networks_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no trained networks"):
        trained.seeds(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no checkpoints"):
        trained.choose(tmp_path, "last")


def test_seeds_that_were_kept_at_other_epochs_are_not_averaged(tmp_path):
    paths = {
        seed: [tmp_path / f"seed-{seed}" / f"epoch-{epoch:08.3f}.pt" for epoch in epochs]
        for seed, epochs in {0: (0, 2), 1: (0, 2), 4: (0, 1.5)}.items()
    }
    with pytest.raises(ValueError, match=r"'twin'.* seed 4 was kept at epochs 0, 1\.5, seed 0"):
        trained.check_epochs("twin", paths)
    paths[4] = []
    with pytest.raises(ValueError, match="'twin' has no checkpoint of seed 4"):
        trained.check_epochs("twin", paths)
    del paths[4]
    trained.check_epochs("twin", paths)
