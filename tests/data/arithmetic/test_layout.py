import re
from collections import Counter
from random import Random

import pytest

from smidgen.data.arithmetic.layout import line_of
from smidgen.data.arithmetic.steps import solution
from smidgen.recipes.arithmetic import ArithmeticSettings

STAGES = ("12 + 34", "46")


def kinds_of(**settings):
    draw = Random(5).random
    return Counter(line_of(STAGES, ArithmeticSettings(**settings), draw) for _ in range(4_000))


def test_equations_are_spaced_by_default_without_a_draw():
    def no_draw():
        raise AssertionError

    assert line_of(STAGES, ArithmeticSettings(), no_draw) == "12 + 34 = 46"


def test_shares_of_layouts():
    kinds = kinds_of(compact_share=0.3, loose_share=0.2)
    assert kinds["12+34=46"] / 4_000 == pytest.approx(0.3, abs=0.03)
    assert kinds["12 + 34 = 46"] / 4_000 == pytest.approx(0.5, abs=0.03)
    assert {re.sub(" +", "", line) for line in kinds} == {"12+34=46"}
    assert len(kinds) == 3**4


def test_a_share_of_equations_begins_with_the_answer():
    kinds = kinds_of(reversed_share=0.25)
    assert set(kinds) == {"12 + 34 = 46", "46 = 12 + 34"}
    assert kinds["46 = 12 + 34"] / 4_000 == pytest.approx(0.25, abs=0.03)


def test_solutions_in_steps_are_never_reversed():
    draw = Random(1).random
    stages = ("7 * (3 + 2)", "7 * 5", "35")
    assert line_of(stages, ArithmeticSettings(reversed_share=1), draw) == "7 * (3 + 2) = 7 * 5 = 35"


@pytest.mark.parametrize(
    ("expression", "steps"),
    [
        ("7 * (3 + 2)", [("3 + 2", "7 * 5"), ("7 * 5", "35")]),
        ("79 + (9 - 13) * 10", [("9 - 13", "79 + -4 * 10"), ("-4 * 10", "79 + -40"), ("79 + -40", "39")]),
        ("8 - 3 - 2", [("8 - 3", "5 - 2"), ("5 - 2", "3")]),
        ("(6 - -2) / 4", [("6 - -2", "8 / 4"), ("8 / 4", "2")]),
        ("12 + 34", [("12 + 34", "46")]),
    ],
)
def test_each_step_works_out_the_first_operation_between_two_numbers(expression, steps):
    assert list(solution(expression)) == steps
