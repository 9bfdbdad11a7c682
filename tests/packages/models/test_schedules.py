import pytest
import torch
from facelab_models.schedules import SCHEDULES, Drops, share

TENTH = Drops(factor=0.1, epochs=2)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_rises_evenly_to_its_peak(name):
    times = (0.0, 0.05, 0.1, 0.2)
    rising = [share(name, done, warmup=0.2, history=[], drops=TENTH) for done in times]
    assert rising == pytest.approx([0.0, 0.25, 0.5, 1.0])


@pytest.mark.parametrize(("done", "expected"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_a_cosine_falls_to_nothing(done, expected):
    found = share("cosine", done, warmup=0.0, history=[], drops=TENTH)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("done", [0.0, 0.5, 1.0])
def test_a_constant_stays(done):
    assert share("constant", done, warmup=0.0, history=[3.0, 3.0, 3.0], drops=TENTH) == 1


def torchs(make, losses, **options):
    """Give the rate in every epoch, by one of torch's own schedulers."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(optimizer, **options), []
    for loss in losses:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([loss] if make is torch.optim.lr_scheduler.ReduceLROnPlateau else []))
    return rates


def ours(name, losses, drops):
    return [
        share(name, 0.0, warmup=0.0, history=losses[:epoch], drops=drops)
        for epoch in range(len(losses))
    ]


@pytest.mark.parametrize("patience", [1, 2, 4])
@pytest.mark.parametrize("factor", [0.5, 0.1])
def test_a_plateau_falls_as_torchs_does(patience, factor):
    """Falling, stuck, better by too little, worse, better again."""
    losses = [9, 8, 7, 7, 7, 7, 6.9999, 6.9998, 7.5, 7, 6, 6, 6, 6, 6, 6, 6, 5, 4, 4, 4, 4, 4, 4, 4]
    expected = torchs(
        torch.optim.lr_scheduler.ReduceLROnPlateau,
        losses,
        factor=factor,
        patience=patience,
        eps=0,
    )
    assert len(set(expected)) > 2
    found = ours("plateau", losses, Drops(factor=factor, epochs=patience))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("every", [1, 3])
def test_steps_fall_as_torchs_do(every):
    losses = [1.0] * 10
    expected = torchs(torch.optim.lr_scheduler.StepLR, losses, step_size=every, gamma=0.5)
    assert ours("step", losses, Drops(factor=0.5, epochs=every)) == pytest.approx(expected)
