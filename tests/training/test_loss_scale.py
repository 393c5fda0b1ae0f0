import pytest
import torch

from smidgen.training import loss_scale
from smidgen.training.loss_scale import LossScale

CPU = torch.device("cpu")


@pytest.mark.parametrize("pattern", ["..x..", "xxxx", "........x.......", "....x...x"])
def test_it_follows_overflows_as_the_scaler_of_pytorch_does(monkeypatch, pattern):
    monkeypatch.setattr(loss_scale, "GROWTH_STEPS", 3)
    ours, reference = LossScale(CPU), torch.amp.GradScaler("cpu", growth_interval=3)
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    for place in pattern:
        factor = float("inf") if place == "x" else 1.0
        parameter.grad = None
        reference.scale(factor * parameter.sum()).backward()
        reference.step(optimizer)
        reference.update()
        ours.adapt(torch.tensor(float(place == "x")))
        assert float(ours.scale) == reference.get_scale()


def test_gradients_come_back_to_their_own_size():
    scale, gradients = LossScale(CPU), [torch.tensor([3.0, -1e-6]), torch.tensor([[2.0]])]
    scaled = [gradient * scale.scale for gradient in gradients]
    scale.unscale(scaled)
    assert all(torch.equal(one, other) for one, other in zip(gradients, scaled, strict=True))


def test_a_restored_scale_goes_on_where_it_was():
    first = LossScale(CPU)
    for overflowed in (1.0, 0.0, 0.0):
        first.adapt(torch.tensor(overflowed))
    second = LossScale(CPU)
    second.restore(first.state())
    assert second.state() == first.state() == {"scale": 2.0**15, "good_steps": 2.0}
