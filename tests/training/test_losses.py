import torch
import torch.nn.functional as F

from smidgen.training.losses import training_losses

LOGITS_BTV = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1))
TARGETS_BT = torch.tensor([[0, 4, 2], [1, 1, 3]])


def test_without_a_z_loss_both_are_the_cross_entropy():
    objective, reported = training_losses(LOGITS_BTV, TARGETS_BT, 0.0)
    assert objective == reported == F.cross_entropy(LOGITS_BTV.flatten(0, 1), TARGETS_BT.flatten())


def test_the_z_loss_is_the_mean_squared_logarithm_of_the_softmax_sum():
    objective, reported = training_losses(LOGITS_BTV, TARGETS_BT, 0.25)
    log_z = LOGITS_BTV.exp().sum(dim=2).log()
    torch.testing.assert_close(objective - reported, 0.25 * (log_z**2).mean())
    assert reported == training_losses(LOGITS_BTV, TARGETS_BT, 0.0)[1]


def test_what_is_reported_has_no_gradient():
    logits_BTV = LOGITS_BTV.clone().requires_grad_()
    objective, reported = training_losses(logits_BTV, TARGETS_BT, 1e-4)
    assert objective.requires_grad
    assert not reported.requires_grad
