from collections import Counter

import pytest

from smidgen.data.arithmetic import equations_by_length, is_held_out, value_of
from smidgen.errors import BadInput


@pytest.fixture(scope="module")
def lengths():
    return equations_by_length(seed=3, items=30)


def test_every_operator_has_its_lengths(lengths):
    assert Counter(operator for operator, _ in lengths) == {"+": 20, "-": 20, "*": 6}
    # Of one digit these are all that are held out, of two digits and more there are enough.
    assert {key: len(found) for key, found in lengths.items() if len(found) < 30} == {
        ("+", 1): 1, ("-", 1): 1, ("*", 1): 5
    }  # fmt: skip


def test_equations_are_right_distinct_held_out_and_of_their_length(lengths):
    for (operator, digits), equations in lengths.items():
        assert len({equation.expression for equation in equations}) == len(equations)
        for equation in equations:
            left, sign, right = equation.expression.split()
            assert (sign, len(left), len(right)) == (operator, digits, digits)
            assert equation.answer == value_of(equation.expression) >= 0
            assert is_held_out(equation.expression)


def test_they_depend_on_the_seed(lengths):
    assert equations_by_length(seed=3, items=30) == lengths
    assert equations_by_length(seed=4, items=30)["+", 7] != lengths["+", 7]


def test_more_than_there_are_is_refused():
    with pytest.raises(BadInput, match="10,001 equations of each length are more than there may be; at most 10,000"):
        equations_by_length(seed=1, items=10_001)
