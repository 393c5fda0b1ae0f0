"""Arithmetic in running text."""

import time

import pytest

from smidgen.data.quality.expressions import answered_expressions, expression_of, normal_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("59 + 45 = 104", ["59+45"]),
        ("59+45=104", ["59+45"]),
        ("so 59 +45 equals 104", ["59+45"]),
        ("8 × 3 = 24 and 9 ÷ 3 = 3, 7 − 2 = 5", ["8*3", "9/3", "7-2"]),
        ("79 + (9 - 13) * 10 = 39", ["79+(9-13)*10"]),
        ("( 52 / 13 ) + (68 + 23) = 95\n0 / (29 * 17) = 0", ["(52/13)+(68+23)", "0/(29*17)"]),
        ("1 + 2 = 3\n4 + 5 = 9", ["1+2", "4+5"]),
        ("1 + 2 = 3 4 + 5 = 9", ["1+2", "4+5"]),
        # Not the whole expression, or no question with whole numbers.
        ("2 + 59 + 45 = 106", ["2+59+45"]),
        ("x + 59 + 45 = 106", []),
        ("2(59 + 45) = 208", []),
        ("0.59 + 45 = 45.59", []),
        ("59 + 45.5 = 104.5", []),
        ("-59 + 45 = -14", []),
        ("- 59 + 45 = -14", []),
        ("a59 + 45 = 3", []),
        ("the years 1990-1995, 3/4 of them", []),
        ("5 = 5", []),
        ("2 + 3\n= 5", []),
        ("", []),
    ],
)
def test_whole_expressions_with_an_answer_are_found_in_one_form(text, expected):
    assert list(answered_expressions(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("59 + 45 =", "59+45"),
        ("59 + 45 = 104", "59+45"),
        (" 59+45", "59+45"),
        ("79 + (9 - 13) * 10 = 39\n", "79+(9-13)*10"),
        ("9 - 13 = -4", "9-13"),
        ("59", ""),
        ("What is 59 + 45?", ""),
        ("59 + 45 = x", ""),
    ],
)
def test_a_text_that_is_an_expression(text, expected):
    assert expression_of(text) == expected


def test_the_normal_form_keeps_what_decides_the_value():
    assert normal_form("( 1 + 2 ) × 3") == "(1+2)*3" != normal_form("1 + 2 × 3")


@pytest.mark.parametrize(
    "text", ["1+" * 200_000 + "x =", "(" * 400_000 + "=", "1 " * 200_000 + "=", "1+2)" * 100_000 + "="]
)
def test_hostile_text_takes_no_longer_than_other_text(text):
    start = time.process_time()
    list(answered_expressions(text))
    expression_of(text)
    assert time.process_time() - start < 2
