import numpy as np
import pytest

from smidgen.lab.ablation.noise_floor import deviation, noise_floors


def test_the_floor_is_the_deviation_over_the_seeds_of_the_base(table):
    (floor,) = noise_floors([table(base=(2.0, 2.1, 2.3), more=(2.1, 2.2, 2.4))], {1.0: 4_000})
    assert floor.standard_deviation == pytest.approx(np.std([2.0, 2.1, 2.3], ddof=1))
    assert (floor.task, floor.metric, floor.seeds, floor.tokens) == ("bits-per-byte", "bits_per_byte", 3, 4_000)


def test_intervals_hold_the_true_deviation_at_their_rate():
    generator = np.random.default_rng(11)
    intervals = [deviation(list(row))[1:] for row in generator.normal(0, 0.7, size=(3000, 4))]
    assert np.mean([low <= 0.7 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.013)


def test_the_deviation_of_pairs_is_pooled_over_the_variants_and_smaller_where_seeds_move_both(table):
    generator = np.random.default_rng(13)
    seeds = generator.normal(2.3, 0.05, size=200)
    rows = {name: tuple(seeds + generator.normal(0, 0.01, size=200)) for name in ("base", "more", "less")}
    (floor,) = noise_floors([table(**rows)], {1.0: 4_000})
    assert floor.paired_deviation == pytest.approx(np.sqrt(2) * 0.01, rel=0.1)
    assert floor.paired_freedom == 2 * 199
    assert floor.deviation_of_differences == floor.paired_deviation < floor.standard_deviation


def test_without_variants_pairs_are_taken_to_be_independent(table):
    (floor,) = noise_floors([table(base=(2.0, 2.1, 2.3))], {1.0: 4_000})
    assert (floor.paired_deviation, floor.paired_freedom) == (None, 0)
    assert floor.deviation_of_differences == pytest.approx(np.sqrt(2) * floor.standard_deviation)


def test_a_single_seed_has_no_floor(table):
    assert noise_floors([table(base=(2.0,), more=(2.1, 2.2))], {1.0: 4_000}) == []
