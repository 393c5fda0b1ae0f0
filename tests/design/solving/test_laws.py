import math

import numpy as np
import pytest

from smidgen.design.solving import laws


def of(*values):
    return np.array(values, dtype=float)


def test_no_other_split_has_a_lower_loss_than_the_best():
    total = 5e6
    best = laws.best_vocabulary(of(total), 1)[0]
    others = np.linspace(0.01, 0.9, 500) * total
    lowest = laws.best_split_loss(of(total), 1)[0]
    assert laws.layer_and_vocabulary_loss(total - others, others).min() >= lowest
    assert best / total == pytest.approx(0.218, abs=0.001)


def test_two_tables_leave_room_for_fewer_entries_and_a_higher_loss():
    total = of(5e6)
    assert laws.best_vocabulary(total, 2)[0] < laws.best_vocabulary(total, 1)[0]
    assert laws.best_split_loss(total, 2)[0] > laws.best_split_loss(total, 1)[0]


def test_a_well_split_model_is_as_good_as_itself():
    for total in (3e5, 5e6, 1e8):
        assert laws.as_good_as(laws.best_split_loss(of(total), 1)[0], 1) == pytest.approx(total, rel=1e-3)


def test_the_power_law_meets_its_own_anchor():
    assert laws.power_law_vocabulary(33_000_000) == pytest.approx(3_145_728)


@pytest.mark.parametrize(("depth", "width"), [(12, 300.3), (24, 584.6), (48, 2215)])
def test_the_best_depth_lies_on_the_curve(depth, width):
    """ln(width) = 5.039 + 0.0555 depth (Levine et al.)."""
    size = of(12 * depth * width**2)
    assert laws.best_depth(size)[0] == pytest.approx(depth, abs=0.05)
    assert laws.best_aspect(size)[0] == pytest.approx(width / depth, rel=0.01)


def test_below_the_fit_the_ratio_of_its_shallowest_network_is_kept():
    shallowest = math.exp(5.039 + 0.0555 * 6) / 6
    assert laws.best_aspect(of(1e5, 1e6, 3e6)) == pytest.approx(of(shallowest, shallowest, shallowest))


def test_the_cost_of_a_shape_is_what_kaplan_saw():
    assert laws.departure(of(4288 / 6), 1600 / 48)[0] == pytest.approx(0.03)
    assert laws.departure(of(7.0), 7.0)[0] == 0


def test_heads_from_32_to_64_cost_nothing():
    costs = laws.head_departure(of(16, 32, 48, 64, 128))
    assert (costs[1:4] == 0).all()
    assert costs[0] == costs[4] > 0
