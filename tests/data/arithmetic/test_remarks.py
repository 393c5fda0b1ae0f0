"""What is said of questions that have no answer, or that training held none like."""

import sys
import unicodedata

import pytest

from smidgen.data.arithmetic import remarks
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.trained_equations import trained_equations

from ...export.web.javascript import ask, needs_node

TRAINED = trained_equations(load_recipe("arithmetic-2.7m"))
RANGE = "1 operator with numbers to 999,999; 2 operators with numbers to 150; 3 operators with numbers to 150"
# Everything that training held, however it is spaced, and what is no question at all.
FINE = [
    "12 + 34 =", "12+34=", "12  +  34 =", "999999 + 1 =", "123456 - 9 = ", "(7 + 5) * 3 =", "2 + 3 * 4 - 5 =",
    "999 * 999 =", "150 / 3 =", "A story.\n12 + 34 =", "12 =", "= 12", "", "12 + 34", "3.5 + 2 =", "2026-11-21",
    "12 34 + 5 =", "(1 + 2 =", "1 + (2 =", "-(3 + 4) + 2 =", "1 +* 2 =", "2 ** 3 =", "x + 2 =", "1" * 300 + " + 2 =",
    "(" * 80 + "1 + 2" + ")" * 3 + " =",
]  # fmt: skip
GUESSES = [
    "1000000 + 1 =", "1000 * 2 =", "151 + 2 + 3 =", "1 + 2 + 3 + 4 + 5 =", "3 - 5 =", "90 * 90 + 9 =", "-3 + 5 =",
    "((1 + 2) * 3 + 4) =", "5--3=", "12345678901234567890 + 1 =",
]  # fmt: skip


@pytest.mark.parametrize("prompt", FINE)
def test_nothing_is_said_of_what_training_held_and_of_what_is_no_equation(prompt):
    assert remarks(prompt, TRAINED) == []


@pytest.mark.parametrize("prompt", GUESSES)
def test_what_training_held_none_like_is_called_a_guess(prompt):
    expression = prompt.rstrip("= ").strip()
    assert remarks(prompt, TRAINED) == [
        f"{expression} lies outside of what the model was trained on ({RANGE}): a guess."
    ]


@pytest.mark.parametrize("expression", ["12 / 0", "5 + 3 / (2 - 2)", "0 / 0"])
def test_a_division_by_zero_has_no_value(expression):
    assert remarks(f"{expression} =", TRAINED) == [
        f"{expression} divides by zero: it has no value, whatever the model writes."
    ]


@pytest.mark.parametrize("expression", ["7 / 2", "1 + 10 / 4", "(3 - 4) / 5"])
def test_a_division_may_leave_a_remainder(expression):
    assert remarks(f"{expression} =", TRAINED) == [
        f"{expression} leaves a remainder: the model has learned whole numbers alone."
    ]


@pytest.mark.parametrize("prompt", ["１２ + ３４ =", "١٢ + ٣٤ =", "12 ＋ 34 ＝"])
def test_digits_of_other_scripts_are_letters_to_the_model(prompt):
    assert remarks(prompt, TRAINED) == [
        f"The model knows the digits 0 to 9; those of {prompt} are letters to it. Write 12 + 34 ="
    ]


def test_a_model_that_was_trained_on_no_equations_is_not_judged_by_them():
    assert trained_equations(load_recipe("gpt-s-5m")) == ()
    assert remarks("12 / 0 =", ()) == []


def test_levels_and_digits_bound_what_training_held():
    recipe = load_recipe("arithmetic-2.7m", overrides=["data.sources.long-sums.arithmetic={level=5}"])
    held = trained_equations(recipe)[-1]
    assert (held.operators, held.depth, held.largest_answer, held.negative_answers) == (
        (1, 2, 3, 4, 5),
        2,
        None,
        True,
    )
    assert held.largest == {"+": 999_999, "-": 999_999, "*": 9_999, "/": 999_999}


@needs_node
def test_the_page_says_the_same(tmp_path):
    zeros = [code for code in range(sys.maxunicode) if unicodedata.decimal(chr(code), None) == 0]
    scripts = ["".join(chr(zero + digit) for digit in range(10)) + " + 1 =" for zero in zeros]
    prompts = [*FINE, *GUESSES, "12 / 0 =", "7 / 2 =", "0 / 0 =", "１２ + ３４ =", "12 ＋ 34 ＝", *scripts]
    given = {"prompts": prompts, "trained": [vars(each) for each in TRAINED]}
    script = "const { remarks } = await at('equations'); return given.prompts.map((p) => remarks(p, given.trained));"
    assert ask(script, given, tmp_path) == [remarks(prompt, TRAINED) for prompt in prompts]
