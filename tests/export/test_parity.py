import math

import pytest
import torch

from smidgen.export.parity import parity


def test_equal_logits_are_no_distance_apart():
    logits_NV = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    found = parity([logits_NV[:2], logits_NV[2:]], [logits_NV[:2], logits_NV[2:]])
    assert (found.max_abs_logit_diff, found.kl, found.top1) == (0, 0, 1)


def test_the_numbers_are_those_of_a_case_worked_out_by_hand():
    # Probabilities (1/2, 1/2) and (1/4, 3/4) at one of two positions, the same at the other.
    ours_NV = torch.tensor([[0.0, 0.0], [0.0, -1.0]])
    theirs_NV = torch.tensor([[0.0, math.log(3)], [0.0, -1.0]])
    found = parity([ours_NV], [theirs_NV])
    assert found.max_abs_logit_diff == pytest.approx(math.log(3))
    assert found.kl == pytest.approx((0.5 * math.log(2) + 0.5 * math.log(2 / 3)) / 2)
    assert found.top1 == 0.5


def test_adding_the_same_to_all_logits_changes_no_probability_but_is_noticed():
    logits_NV = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    found = parity([logits_NV], [logits_NV + 2])
    assert found.kl < 1e-12
    assert found.max_abs_logit_diff == pytest.approx(2)


def test_a_logit_that_is_no_number_is_no_agreement():
    logits_NV = torch.zeros(2, 3)
    damaged_NV = logits_NV.clone()
    damaged_NV[1, 1] = math.nan
    assert math.isnan(parity([logits_NV], [damaged_NV]).max_abs_logit_diff)


def test_the_farthest_logit_is_found_wherever_it_is():
    """Logits are compared some positions at a time."""
    ours_NV = torch.zeros(200, 3)
    for place in (0, 63, 64, 150, 199):
        theirs_NV = ours_NV.clone()
        theirs_NV[place, 1] = 0.5
        found = parity([ours_NV[:30], ours_NV[30:]], [theirs_NV[:30], theirs_NV[30:]])
        assert found.max_abs_logit_diff == 0.5
        assert found.top1 == pytest.approx(199 / 200)
