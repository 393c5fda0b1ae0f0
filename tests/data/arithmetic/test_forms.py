import pytest

from smidgen.data.arithmetic.forms import expression_forms

from .test_documents import NINE_FORMS


def test_depth_1_with_two_terms_gives_the_nine_forms_of_arithmark():
    forms = [expression_forms(operands, depth=1, group_terms=2) for operands in (2, 3, 4)]
    assert [len(each) for each in forms] == [1, 3, 5]
    assert {form for each in forms for form in each} == NINE_FORMS


@pytest.mark.parametrize("operands", range(2, 9))
def test_all_bracketings_are_there_once(operands):
    """Their number is that of Schröder's second problem (OEIS A001003)."""
    forms = expression_forms(operands, depth=7, group_terms=8)
    assert len(forms) == len(set(forms)) == [1, 3, 11, 45, 197, 903, 4279][operands - 2]


def test_forms_without_parentheses_are_flat():
    assert expression_forms(4, depth=0, group_terms=3) == ("n o n o n o n",)


def test_depth_and_terms_are_bounds():
    assert "((n o n) o n) o n" not in expression_forms(4, depth=1, group_terms=3)
    assert "((n o n) o n) o n" in expression_forms(4, depth=2, group_terms=2)
    assert "(n o n o n) o n" not in expression_forms(4, depth=2, group_terms=2)
    assert "(n o n o n) o n" in expression_forms(4, depth=1, group_terms=3)
