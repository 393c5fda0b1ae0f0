import torch
import torch.nn.functional as F

from smidgen.training.losses import losses_of_each, training_losses

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


WEIGHTS_BT = torch.tensor([[1.0, 0.0, 3.0], [0.5, 1.0, 2.0]])


def test_weights_multiply_the_loss_and_the_gradient_of_each_token():
    logits_BTV = LOGITS_BTV.clone().requires_grad_()
    objective, reported = training_losses(logits_BTV, TARGETS_BT, 0.0, WEIGHTS_BT)
    objective.backward()
    probability_BTV = LOGITS_BTV.softmax(dim=2)
    of_target_BT = probability_BTV.gather(2, TARGETS_BT[:, :, None])[:, :, 0]
    torch.testing.assert_close(objective, (WEIGHTS_BT * -of_target_BT.log()).sum() / 6)
    wanted_BTV = WEIGHTS_BT[:, :, None] * (probability_BTV - F.one_hot(TARGETS_BT, 5)) / 6
    torch.testing.assert_close(logits_BTV.grad, wanted_BTV)
    torch.testing.assert_close(reported, training_losses(LOGITS_BTV, TARGETS_BT, 0.0)[1])


def test_several_models_have_the_weighted_losses_of_each():
    logits_MBTV = torch.stack([LOGITS_BTV, 2 * LOGITS_BTV, LOGITS_BTV.flip(2)])
    targets_MBT, weights_MBT = TARGETS_BT.expand(3, -1, -1), torch.stack([WEIGHTS_BT, WEIGHTS_BT + 1, WEIGHTS_BT])
    found = losses_of_each(logits_MBTV, targets_MBT, 0.25, weights_MBT)
    each = [
        training_losses(*one[:2], 0.25, one[2]) for one in zip(logits_MBTV, targets_MBT, weights_MBT, strict=True)
    ]
    torch.testing.assert_close(torch.stack(found), torch.tensor(each).T)
