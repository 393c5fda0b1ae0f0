from collections import Counter
from itertools import pairwise
from random import Random

from smidgen.data.arithmetic import Equation, arithmetic_items, options
from smidgen.data.arithmetic.distractors import AnswerRange

from ..exact_value import exact_value
from .test_items import right_answer


def test_near_distractors_are_near():
    for item in arithmetic_items(seed=1, items=200):
        values = sorted(map(int, item.endings))
        assert all(1 <= two - one <= 9 for one, two in pairwise(values))


def test_hard_distractors_share_last_digits_so_that_no_digit_is_a_majority():
    items = arithmetic_items(seed=1, items=300, distractors="hard")
    last_digits = [[e[-1] for e in item.endings] for item in items if right_answer(item) >= 10]
    assert len(last_digits) > 200
    patterns = Counter(tuple(sorted(Counter(digits).values())) for digits in last_digits)
    assert set(patterns) == {(4,), (2, 2)}
    assert min(patterns.values()) > 60


def test_hard_distractors_hold_the_value_of_a_swapped_operator():
    found = 0
    for item in arithmetic_items(seed=2, items=100, distractors="hard"):
        if len({ending[-1] for ending in item.endings}) == 2 and item.operator_count == 1:
            left, operator, right = item.expression.split()
            others = {f"{left} {o} {right}" for o in "+-*/" if o != operator}
            exact = {e for e in others if "/" not in e or (int(right) and int(left) % int(right) == 0)}
            assert {exact_value(expression) for expression in exact} & set(map(int, item.endings)), item
            found += 1
    assert found > 10


def test_hard_distractors_hold_what_a_dropped_carry_gives():
    pairs = [(a, b) for a in range(25, 65) for b in range(36, 96) if a % 10 + b % 10 > 9]
    equations = [Equation(f"{a} + {b}", a + b, 1) for a, b in pairs]
    rows = options(equations, Random(5).random, distractors="hard")
    found = sum(equation.answer - 10 in row for equation, row in zip(equations, rows, strict=True))
    # Chance would be 3 in 80: three distractors within 40 of the answer.
    assert found > 0.12 * len(pairs)


def test_options_hold_the_answer_in_every_place_equally_often():
    equations = [Equation(f"{n} + 3", n + 3, 1) for n in range(40, 60)]
    rows = options(equations, Random(11).random, distractors="near")
    places = Counter(row.index(equation.answer) for equation, row in zip(equations, rows, strict=True))
    assert places == {0: 5, 1: 5, 2: 5, 3: 5}


def test_values_below_zero_keep_the_last_digit_of_the_answer():
    equations = [Equation(f"{n} - 300", n - 300, 1) for n in range(100, 160)]
    rows = options(equations, Random(3).random, distractors="hard", answers=AnswerRange(-999, 1_000))
    for equation, row in zip(equations, rows, strict=True):
        assert equation.answer in row
        assert max(row) < 0
        assert len({str(value)[-1] for value in row}) == 1
