import re
from random import Random

import pytest

from smidgen.data.arithmetic import arithmetic_documents
from smidgen.data.arithmetic.carrying import borrowing_subtrahend, carries_of, carrying_addend
from smidgen.recipes.arithmetic import ArithmeticSettings


@pytest.mark.parametrize(
    ("left", "operator", "right", "carries"),
    [
        *((5, "+", 4, 0), (5, "+", 5, 1), (999, "+", 1, 3), (64, "+", 53, 1), (100, "-", 1, 2), (1, "-", 100, 2)),
        *((57, "-", 23, 0), (52, "-", 27, 1), (-999, "+", 1, 3), (0, "-", 0, 0)),
    ],
)
def test_carries_are_counted_as_by_hand(left, operator, right, carries):
    assert carries_of(left, operator, right) == carries


def test_an_addend_carries_in_every_column_that_can():
    draw = Random(1).random
    for number in [*range(1, 300), 10**19 + 7, 90_909, 500_000]:
        addend = carrying_addend(number, draw)
        columns = len(str(number)) - (len(str(number)) - len(str(number).rstrip("0")))
        assert carries_of(number, "+", addend) == columns, (number, addend)
        assert len(str(addend)) == len(str(number))


def test_a_subtrahend_borrows_in_every_column_that_can():
    draw = Random(2).random
    for number in [*range(1, 300), 10**19 + 7, 90_909, 500_000]:
        subtrahend = borrowing_subtrahend(number, draw)
        columns = len(re.match(r"(\d*?)9*$", str(number))[1])
        possible = max(0, columns - 1) if columns < len(str(number)) or columns == 1 else columns - 1
        assert carries_of(number, "-", subtrahend) == possible, (number, subtrahend)
        assert 0 <= subtrahend <= number


@pytest.mark.parametrize("operator", ["+", "-"])
def test_a_share_of_the_lines_carries_everywhere(operator):
    def mean(share):
        settings = ArithmeticSettings(
            operands=(1,), operators={operator: 1}, digits=(0, 0, 0, 0, 0, 0, 0, 1), carry_share=share
        )
        documents = arithmetic_documents(seed=1, documents=40, settings=settings)
        lines = [line.split() for document in documents for line in document.text.splitlines()]
        counts = [carries_of(int(left), sign, int(right)) for left, sign, right, _, _ in lines]
        return sum(counts) / len(counts)

    assert mean(0) < 4.5
    assert mean(1) > 6.5
    assert mean(0.5) == pytest.approx((mean(0) + mean(1)) / 2, abs=0.3)
