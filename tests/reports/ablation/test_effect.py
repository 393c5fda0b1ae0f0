from pathlib import Path

import pytest

from smidgen.reports.ablation.effect import effects
from smidgen.reports.ablation.result import read_result

from .conftest import FEW, Change


@pytest.fixture
def found(ablation):
    return lambda changes, **options: effects(read_result(ablation(changes, **options), Path("ablation.json")))


def test_bits_per_byte_come_first_and_every_task_has_its_unit(found):
    assert [one.title for one in found(FEW)] == [
        "Bits per byte",
        "Minimal pairs, points",
        "Arithmark2 generated, points",
    ]


def test_each_verdict_stands_beside_its_row(found):
    drawn = found({"hot": Change(states={1: "diverged"}), "slow": Change(states=dict.fromkeys((1, 2, 3), "halved")),
                   "cold": Change(effect=0.08), "none": Change()})[0].chart.wide  # fmt: skip
    for words in ("diverged (1 of 3 seeds)", "stopped by halving", "worse", "not distinguishable"):
        assert f">{words}</text>" in drawn


def test_every_seed_is_a_dot_where_both_sides_have_finished(found):
    all_seeds, one_less = found({"x": Change(effect=0.005), "y": Change(missing=(2,))})[0].verdicts
    assert (all_seeds.seeds, one_less.seeds) == (3, 2)
    drawn = found({"x": Change(effect=0.005)})[0].chart.wide
    assert drawn.count('class="seed"') == 3
    assert found({"x": Change(states={2: "diverged"})})[0].chart.wide.count('class="seed"') <= 2


def test_a_variant_that_dwarfs_the_others_becomes_an_arrow(found):
    few = {f"v{number}": Change(effect=0.003 * number) for number in range(4)}
    assert found(few)[0].beyond == ()
    effect = found({**few, "far": Change(effect=0.9)})[0]
    assert effect.beyond == ("far",)
    assert "<polygon" in effect.chart.wide


def test_where_less_is_better_the_sides_are_swapped(found):
    bits, points, _ = found({"x": Change(effect=0.01)})
    assert "← better" in bits.chart.wide
    assert "worse →" in bits.chart.wide
    assert "← worse" in points.chart.wide


def test_with_two_seeds_the_noise_does_not_set_the_scale(found):
    """What two seeds could find is far more than any difference that is seen."""
    effect = found({"x": Change(effect=0.004)}, seeds=(1, 2))[0]
    assert effect.detectable > 0.01
    assert 'class="noise"' in effect.chart.wide
    assert effect.beyond == ()
