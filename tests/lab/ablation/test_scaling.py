import numpy as np
import pytest

from smidgen.lab.ablation.scaling import scalings
from smidgen.lab.ablation.verdicts import verdicts

TOKENS = {1.0: 4_000_000, 2.0: 8_000_000, 4.0: 16_000_000}
# Noise of seeds that does not vanish in pairs.
NOISE = np.array([0.003, -0.004, 0.001, 0.002, -0.002])


@pytest.fixture
def scaled(table, outcome):
    """The scaling of a variant whose difference is so large at each scale, with so much noise."""

    def make(*effects, noise=0.1, seeds=5):
        tables = []
        for number, (scale, effect) in enumerate(zip(TOKENS, effects, strict=False)):
            base = 2.3 - 0.1 * number + np.arange(seeds) / 50
            more = base + effect + noise * np.roll(NOISE[:seeds], number)
            tables.append(table(scale=scale, base=tuple(base), more=tuple(more)))
        outcomes = [
            outcome(name, seed, scale=one.scale)
            for one in tables
            for name in ("base", "more")
            for seed in range(1, seeds + 1)
        ]
        found = scalings(verdicts(["more"], tables, outcomes), tables, TOKENS)
        return found[0] if found else None

    return make


@pytest.mark.parametrize(
    ("effects", "noise", "expected"),
    [
        ((-0.02, -0.02, -0.02), 0.1, "holds"),
        ((-0.02, -0.015, -0.01), 0.1, "shrinks"),
        ((-0.02, -0.01, 0.01), 0.1, "shrinks"),
        ((0.01, 0.015, 0.02), 0.1, "grows"),
        ((-0.001, -0.01, -0.02), 0.5, "grows"),
        ((-0.02, -0.018, -0.015), 5.0, "cannot be told"),
        ((0.0, 0.0, 0.0), 1.0, "cannot be told"),
    ],
)
def test_what_becomes_of_a_difference_is_told_where_it_can_be(scaled, effects, noise, expected):
    assert scaled(*effects, noise=noise).holds == expected


def test_the_points_are_the_differences_of_the_verdicts(scaled):
    found = scaled(-0.02, -0.015, -0.01)
    assert [(point["scale"], point["tokens"]) for point in found.points] == list(TOKENS.items())
    assert [point["difference"] for point in found.points] == pytest.approx([-0.02, -0.015, -0.01], abs=1e-9)
    assert all(point["low"] < point["difference"] < point["high"] for point in found.points)
    assert found.change["value"] == pytest.approx(-0.01)
    assert found.change["low"] < found.change["value"] < found.change["high"]
    assert found.sentence == ("more, bits-per-byte: -0.02 at 4,000,000 tokens, -0.01 at 16,000,000: it shrinks")


def test_a_single_scale_has_no_scaling(scaled):
    assert scaled(-0.02) is None
