import pytest

from smidgen.evaluation.tasks.equation_groups import equation_groups


@pytest.mark.parametrize(
    ("expression", "groups"),
    [
        ("6 + 7", "1 operator, with +, numbers of 1 digit, 1 carry, no parentheses"),
        ("60 + 7", "1 operator, with +, numbers of 2 digits, no carries, no parentheses"),
        ("104 - 9", "1 operator, with -, numbers of 3 digits, 2 carries, no parentheses"),
        # 9 - 13 borrows nothing once the smaller is taken from the larger: 13 - 9 borrows once; 79 - 40 does not.
        (
            "79 + (9 - 13) * 10",
            "3 operators, with +, with -, with *, numbers of 2 digits, 1 carry, parentheses",
        ),
        ("8 * (12 / 4)", "2 operators, with *, with /, numbers of 2 digits, no carries, parentheses"),
        ("999 + 1", "1 operator, with +, numbers of 3 digits, 3 carries or more, no parentheses"),
        ("-5 - 7", "1 operator, with -, numbers of 1 digit, 1 carry, no parentheses"),
        ("3 - -4", "1 operator, with -, numbers of 1 digit, no carries, no parentheses"),
        ("12+34", "1 operator, with +, numbers of 2 digits, no carries, no parentheses"),
        ("2 * ((1 + 2) * 3)", "3 operators, with +, with *, numbers of 1 digit, no carries, parentheses 2 deep"),
        # 7 / 2 is no whole number: what carries after it is not told.
        ("7 / 2 + 5", "2 operators, with +, with /, numbers of 1 digit, no parentheses"),
    ],
)
def test_groups_of_an_expression(expression, groups):
    assert ", ".join(equation_groups(expression)) == groups


def test_something_else_than_an_expression_is_refused():
    with pytest.raises(ValueError, match="no whole numbers"):
        equation_groups("six and seven")
