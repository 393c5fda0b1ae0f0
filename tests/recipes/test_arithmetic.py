import re
from dataclasses import fields
from pathlib import Path

import pytest

from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import LEVELS, ArithmeticSettings
from smidgen.recipes.loading import load_recipe


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 6}, "level=6 is unknown; known are 1 to 5, and 0 for none"),
        ({"level": 2, "digits": (1,)}, "level=2 stands for a whole set of settings and leaves no room for digits"),
        ({"level": 2, "operators": {"+": 1}}, "leaves no room for operators"),
        ({"operators": {"+": 0, "-": 0}}, r"all weights of operators are 0; give at least one that is positive"),
        ({"operators": {}}, "all weights of operators are 0"),
        ({"operands": (0, 0)}, "all weights of operands are 0; .* for 2 to 8 operands"),
        ({"operands": (1,) * 8}, "operands has 8 weights; give at most 7, for 2 to 8 operands"),
        ({"digits": (1,) * 21}, "digits has 21 weights; give at most 20"),
        ({"digits": (1, -1)}, r"digits=\[1.0, -1.0\] must be finite and not negative"),
        ({"operands": (float("nan"),)}, "must be finite"),
        ({"steps_share": 1.5}, "steps_share=1.5 must lie between 0 and 1"),
        ({"compact_share": 0.7, "loose_share": 0.7}, "together at most 1"),
        ({"depth": 4}, "depth=4 must lie between 0 and 3"),
        ({"equations": 0}, "equations=0 must lie between 1 and 10000"),
        ({"multiplication_digits": 11}, "multiplication_digits=11 must lie between 1 and 10"),
        ({"largest_answer": -1}, "largest_answer=-1 must not be negative"),
        ({"carry_share": 0.5}, "carry_share needs digits"),
        (
            {"digits": (0, 0, 0, 0, 0, 0, 1)},
            r"more than multiplication_digits=6 digits only, so \* has none; .*set operators\.\"\*\" to 0",
        ),
        (
            {"digits": (0, 0, 1), "operators": {"/": 1}, "division_digits": 2},
            "division_digits=2 digits only, so / has",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_sentence(settings, message):
    with pytest.raises(ValueError, match=message):
        ArithmeticSettings(**settings)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_stands_for_its_settings(level):
    assert ArithmeticSettings(level=level).resolved == ArithmeticSettings(**LEVELS[level])
    assert ArithmeticSettings(level=level).changes() == ArithmeticSettings(**LEVELS[level]).changes() != {}


def test_the_layout_is_free_at_every_level():
    settings = ArithmeticSettings(level=1, equations=3, compact_share=0.5, hold_out_swapped=True)
    layout = {"equations": 3, "compact_share": 0.5, "hold_out_swapped": True}
    assert settings.changes() == ArithmeticSettings(**LEVELS[1], **layout).changes()


def test_the_default_settings_change_nothing():
    assert ArithmeticSettings().changes() == ArithmeticSettings(operands=[0.28, 0.36, 0.36]).changes() == {}
    assert ArithmeticSettings(equations=3).changes() == {"equations": 3}


TABLE = """
extends = "quickstart"
[data.sources.easy]
generator = "arithmetic"
arithmetic = { level = 1 }
[data.sources.hard]
generator = "arithmetic"
[data.sources.hard.arithmetic]
operands = [1, 1]
operators = { "+" = 2, "*" = 1 }
digits = [0, 1, 1]
[data.sources.stories]
generator = "word-problems"
word_problems = { formula_share = 0.5 }
[[data.curriculum]]
at = 0
weights = { easy = 1, hard = 1, stories = 1 }
"""


def test_a_recipe_gives_each_source_its_own_settings(tmp_path):
    path = tmp_path / "sums.toml"
    path.write_text(TABLE)
    sources = load_recipe(str(path)).data.sources
    assert sources["easy"].arithmetic == ArithmeticSettings(level=1)
    assert sources["hard"].arithmetic == ArithmeticSettings(
        operands=(1, 1), operators={"+": 2, "*": 1}, digits=(0, 1, 1)
    )
    assert sources["stories"].word_problems.formula_share == 0.5


def test_the_example_of_the_documentation_is_a_recipe(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "generators.md"
    path = tmp_path / "sums.toml"
    path.write_text(page.read_text("utf-8").split("```toml\n")[1].split("```")[0])
    data = load_recipe(str(path)).data
    assert set(data.shares_at(1.0)) == set(data.sources)
    assert data.shares_at(0.0)["first-sums"] == pytest.approx(0.2)


def test_the_documentation_names_every_setting():
    page = (Path(__file__).parents[2] / "docs" / "generators.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", page, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {field.name for field in fields(ArithmeticSettings)}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "data.sources.arithmetic.arithmetic.digit=[1]",
            r"did you mean data\.sources\.arithmetic\.arithmetic\.digits",
        ),
        ("data.sources.arithmetic.arithmetic.steps_share=2", r"steps_share=2.0 must lie between 0 and 1"),
        ('data.sources.arithmetic.arithmetic.operators={"%"=1}', r"operators"),
        (
            "data.sources.grammar.arithmetic={level=1}",
            "arithmetic are settings of the generator 'arithmetic', and this",
        ),
        ("data.sources.grammar.word_problems={problems=3}", "word_problems are settings of the generator 'word-pro"),
        (
            "data.sources.arithmetic.word_problems={problems=3}",
            "and this source is built-in: arithmetic; remove them",
        ),
    ],
)
def test_a_recipe_with_wrong_settings_is_refused(override, message):
    with pytest.raises(BadInput, match=message) as caught:
        load_recipe("quickstart", overrides=[override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"), [({"problems": 0}, "problems=0 must"), ({"formula_share": 2}, "2.0")]
)
def test_word_problem_settings_are_checked(settings, message):
    from smidgen.recipes.word_problems import WordProblemSettings

    with pytest.raises(ValueError, match=message):
        WordProblemSettings(**settings)
