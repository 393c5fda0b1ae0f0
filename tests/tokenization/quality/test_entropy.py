import pytest

from smidgen.tokenization.quality.entropy import entropy_bits, renyi_efficiency


def test_entropy_of_an_even_vocabulary_is_its_logarithm():
    assert entropy_bits([3] * 8) == pytest.approx(3)
    assert renyi_efficiency([3] * 8, 8) == pytest.approx(1)


def test_entropy_of_one_token_is_none():
    assert entropy_bits([5]) == renyi_efficiency([5], 8) == 0
    assert entropy_bits([]) == renyi_efficiency([], 8) == renyi_efficiency([4], 1) == 0


def test_unequal_tokens_hold_less():
    assert entropy_bits([3, 1]) == pytest.approx(0.8112781)
    # log2(0.75^2.5 + 0.25^2.5) / (1 - 2.5) / log2(4)
    assert renyi_efficiency([3, 1, 0, 0], 4) == pytest.approx(0.3159641)
