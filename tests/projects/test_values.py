from dataclasses import dataclass

import pytest

from projects import values


@dataclass(frozen=True, kw_only=True)
class Inner:
    lr: float


@dataclass(frozen=True, kw_only=True)
class Config:
    epochs: int
    sizes: tuple[int, ...]
    inner: Inner


GOOD = "fit: {epochs: 3, sizes: [1, 2], inner: {lr: 0.1}}"


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params.yaml"


def test_a_section_becomes_a_typed_value(params):
    params.write_text(GOOD)
    assert values.typed(Config, "fit") == Config(epochs=3, sizes=(1, 2), inner=Inner(lr=0.1))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("epochs: 3, ", ""), "fit.epochs is missing"),
        (
            GOOD.replace("epochs", "epoch"),
            "unknown key fit.epoch; valid keys: epochs, sizes, inner",
        ),
        (GOOD.replace("epochs: 3", "epochs: '3'"), "fit.epochs is '3'"),
        (GOOD.replace("epochs: 3", "epochs: 0.5"), "fit.epochs is 0.5"),
        (GOOD.replace("lr: 0.1", "lr: 0.1, momentum: 1"), "unknown key fit.inner.momentum"),
        ("fitt: {}", "no 'fit' among fitt"),
        ("fit: {epochs: [}", "params.yaml"),
        (f"{GOOD}\nother:\n  lr: 1\n  lr: 2", "'lr' stands twice line 4, column 3"),
        ("", "params.yaml holds no sections, but NoneType"),
        ("fit", "params.yaml holds no sections, but str"),
        (b"\xff\xfe", "params.yaml: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(params, text, complaint):
    params.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises((ValueError, LookupError), match=r"params\.yaml") as error:
        values.typed(Config, "fit")
    assert complaint in str(error.value)


def test_a_row_may_be_another_with_some_values_changed(params):
    params.write_text("a: &a {lr: 1, n: 2}\nb: &b {<<: *a, lr: 3}\nc: {<<: *b, lr: 4}")
    assert values.tree()["c"] == {"lr": 4, "n": 2}


def test_nested_values_get_dotted_names():
    value = Config(epochs=3, sizes=(1,), inner=Inner(lr=0.1))
    assert values.flat(value) == {"epochs": 3, "sizes": (1,), "inner.lr": 0.1}
