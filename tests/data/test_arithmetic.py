import ast
import re
from collections import Counter
from fractions import Fraction
from itertools import islice, pairwise
from random import Random

import pytest

from smidgen.data.arithmetic import (
    FORMS,
    ArithmeticItem,
    Equation,
    arithmetic_documents,
    arithmetic_items,
    is_held_out,
    options,
)
from smidgen.errors import BadInput

EVERY_FORM = {form for forms in FORMS.values() for form in forms}


def value_of(expression: str) -> Fraction:
    """Evaluate by Python's own grammar and exact fractions: nothing here is shared with the generator."""
    return value_of_node(ast.parse(expression, mode="eval").body)


def value_of_node(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(node.value)
    assert isinstance(node, ast.BinOp)
    left, right = value_of_node(node.left), value_of_node(node.right)
    if isinstance(node.op, ast.Div):
        assert (left / right).denominator == 1, "a division that is not exact"
        return left / right
    return {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}[type(node.op)]


def form_of(expression: str) -> str:
    return re.sub(r"[-+*/]", "o", re.sub(r"\d+", "n", expression))


def operands_of(expression: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", expression)]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return [line for d in arithmetic_documents(seed=5, documents=300) for line in d.text.splitlines()]


@pytest.fixture(scope="module")
def expressions(lines: list[str]) -> list[str]:
    return [line.split(" = ")[0] for line in lines]


@pytest.fixture(scope="module", params=["near", "hard"])
def items(request: pytest.FixtureRequest) -> list[ArithmeticItem]:
    return arithmetic_items(seed=3, items=1_000, distractors=request.param)


def right_answer(item: ArithmeticItem) -> int:
    return int(item.endings[item.label])


# Training documents


def test_every_training_line_is_true_and_its_answer_is_below_a_thousand(lines: list[str]) -> None:
    for line in lines:
        expression, answer = line.split(" = ")
        assert value_of(expression) == int(answer), line
        assert 0 <= int(answer) < 1_000, line


def test_the_evaluator_of_these_tests_knows_precedence_and_refuses_fractions() -> None:
    assert value_of("79 + (9 - 13) * 10") == 39
    with pytest.raises(AssertionError, match="not exact"):
        value_of("7 / 2 * 2")


def test_all_nine_forms_occur_and_no_other(expressions: list[str]) -> None:
    assert len(EVERY_FORM) == 9
    assert {form_of(expression) for expression in expressions} == EVERY_FORM


def test_operands_are_mostly_small_and_no_operator_is_rare(expressions: list[str]) -> None:
    operands = [n for expression in expressions for n in operands_of(expression)]
    assert 0.02 < sum(n > 80 for n in operands) / len(operands) < 0.2
    assert max(operands) <= 150
    operators = Counter(re.findall(r"[-+*/]", " ".join(expressions)))
    assert min(operators[o] for o in "+-*/") > 0.15 * operators.total()


def test_some_intermediate_values_are_negative(expressions: list[str]) -> None:
    inner = [part for expression in expressions for part in re.findall(r"\((.*?)\)", expression)]
    assert any(value_of(part) < 0 for part in inner)


def test_answers_are_spread_and_zero_is_not_frequent(lines: list[str]) -> None:
    answers = Counter(int(line.split(" = ")[1]) for line in lines)
    assert len(answers) > 500
    assert answers[0] < 0.05 * len(lines)


def test_no_training_line_is_held_out(expressions: list[str]) -> None:
    assert len(expressions) == 300 * 24
    assert not [expression for expression in expressions if is_held_out(expression)]


def test_a_document_depends_on_its_seed_and_index_only() -> None:
    many = list(arithmetic_documents(seed=5, documents=7))
    assert list(islice(arithmetic_documents(seed=5, documents=100), 7)) == many
    assert [document.id for document in many] == [f"arithmetic-5-{index}" for index in range(7)]
    other = list(arithmetic_documents(seed=6, documents=7))
    assert not {document.text for document in many} & {document.text for document in other}
    assert len({document.text for document in many}) == 7


def test_the_first_document_stays_as_it_was() -> None:
    (document,) = arithmetic_documents(seed=0, documents=1)
    assert document.text.splitlines()[:3] == [
        "24 + 17 + 62 - 39 = 64",
        "124 / 62 = 2",
        "(46 * 21) - 37 + 50 = 979",
    ], (
        "The generator gives other equations than before: scores of earlier runs are no longer comparable. "
        "If that is meant, say so in CHANGELOG.md and put the new lines here."
    )


# The held-out side


def test_one_expression_in_twenty_is_held_out_and_spaces_do_not_matter() -> None:
    held_out = [f"{a} + {b}" for a in range(101) for b in range(101) if is_held_out(f"{a} + {b}")]
    assert 0.04 < len(held_out) / 101**2 < 0.06
    assert all(is_held_out(expression.replace(" ", "")) for expression in held_out)


def test_items_are_distinct_held_out_expressions(items: list[ArithmeticItem]) -> None:
    assert len({item.expression for item in items}) == 1_000
    assert all(is_held_out(item.expression) for item in items)


def test_items_have_the_shares_and_the_format_of_arithmark(items: list[ArithmeticItem]) -> None:
    assert Counter(item.operator_count for item in items) == {1: 500, 2: 300, 3: 200}
    for item in items:
        assert item.context == f"{item.expression} ="
        assert form_of(item.expression) in FORMS[item.operator_count]
        assert all(re.fullmatch(r" (0|[1-9]\d{0,2})", ending) for ending in item.endings)
        assert len(set(item.endings)) == 4


def test_the_label_points_at_the_only_right_ending(items: list[ArithmeticItem]) -> None:
    for item in items:
        assert value_of(item.expression) == right_answer(item)


def test_the_right_answer_is_known_neither_by_place_nor_by_size(items: list[ArithmeticItem]) -> None:
    assert set(Counter(item.label for item in items).values()) == {250}
    for count in (1, 2, 3):
        ranks = Counter(
            sorted(map(int, item.endings)).index(right_answer(item)) for item in items if item.operator_count == count
        )
        assert max(ranks.values()) - min(ranks.values()) <= 0.03 * ranks.total()


def test_near_distractors_are_near() -> None:
    for item in arithmetic_items(seed=1, items=200):
        values = sorted(map(int, item.endings))
        assert all(1 <= two - one <= 9 for one, two in pairwise(values))


def test_hard_distractors_share_last_digits_so_that_no_digit_is_a_majority() -> None:
    items = arithmetic_items(seed=1, items=300, distractors="hard")
    last_digits = [[e[-1] for e in item.endings] for item in items if right_answer(item) >= 10]
    assert len(last_digits) > 200
    patterns = Counter(tuple(sorted(Counter(digits).values())) for digits in last_digits)
    assert set(patterns) == {(4,), (2, 2)}
    assert min(patterns.values()) > 60


def test_hard_distractors_hold_the_value_of_a_swapped_operator() -> None:
    found = 0
    for item in arithmetic_items(seed=2, items=100, distractors="hard"):
        if len({ending[-1] for ending in item.endings}) == 2 and item.operator_count == 1:
            left, operator, right = item.expression.split()
            others = {f"{left} {o} {right}" for o in "+-*/" if o != operator}
            exact = {e for e in others if "/" not in e or (int(right) and int(left) % int(right) == 0)}
            assert {value_of(expression) for expression in exact} & set(map(int, item.endings)), item
            found += 1
    assert found > 10


def test_hard_distractors_hold_what_a_dropped_carry_gives() -> None:
    pairs = [(a, b) for a in range(25, 65) for b in range(36, 96) if a % 10 + b % 10 > 9]
    equations = [Equation(f"{a} + {b}", a + b, 1) for a, b in pairs]
    rows = options(equations, Random(5).random, distractors="hard")
    found = sum(equation.answer - 10 in row for equation, row in zip(equations, rows, strict=True))
    # Chance would be 3 in 80: three distractors within 40 of the answer.
    assert found > 0.12 * len(pairs)


def test_options_hold_the_answer_in_every_place_equally_often() -> None:
    equations = [Equation(f"{n} + 3", n + 3, 1) for n in range(40, 60)]
    rows = options(equations, Random(11).random, distractors="near")
    places = Counter(row.index(equation.answer) for equation, row in zip(equations, rows, strict=True))
    assert places == {0: 5, 1: 5, 2: 5, 3: 5}


def test_items_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    items = arithmetic_items(seed=7, items=60)
    assert arithmetic_items(seed=7, items=60) == items
    other = {item.expression for item in arithmetic_items(seed=8, items=60)}
    assert len(other & {item.expression for item in items}) < 12


def test_as_many_items_as_arithmark_has_can_be_drawn() -> None:
    assert len(arithmetic_items(seed=0, items=2_500)) == 2_500


def test_too_many_items_are_refused_with_a_number_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smidgen.data.arithmetic.MOST_DRAWS_PER_ITEM", 300)
    with pytest.raises(BadInput, match="ask for fewer items"):
        arithmetic_items(seed=0, items=6_000)


def test_unknown_distractors_are_refused_by_name() -> None:
    with pytest.raises(BadInput, match="'far' are unknown; choose 'near' or 'hard'"):
        arithmetic_items(seed=0, items=1, distractors="far")


def test_an_equation_prints_itself() -> None:
    assert Equation("79 + (9 - 13) * 10", 39, 3).text == "79 + (9 - 13) * 10 = 39"
