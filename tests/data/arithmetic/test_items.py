import re
from collections import Counter

import pytest

from smidgen.data.arithmetic import ArithmeticItem, Equation, arithmetic_items, is_held_out
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ArithmeticSettings

from ..exact_value import exact_value
from .test_documents import NINE_FORMS, form_of


@pytest.fixture(scope="module", params=["near", "hard"])
def items(request) -> list[ArithmeticItem]:
    return arithmetic_items(seed=3, items=1_000, distractors=request.param)


def right_answer(item: ArithmeticItem) -> int:
    return int(item.endings[item.label])


def test_items_are_distinct_held_out_expressions(items):
    assert len({item.expression for item in items}) == 1_000
    assert all(is_held_out(item.expression) for item in items)


def test_items_have_the_shares_and_the_format_of_arithmark(items):
    assert Counter(item.operator_count for item in items) == {1: 500, 2: 300, 3: 200}
    for item in items:
        assert item.context == f"{item.expression} ="
        assert form_of(item.expression) in NINE_FORMS
        assert item.operator_count == form_of(item.expression).count("o")
        assert all(re.fullmatch(r" (0|[1-9]\d{0,2})", ending) for ending in item.endings)
        assert len(set(item.endings)) == 4


def test_the_label_points_at_the_only_right_ending(items):
    for item in items:
        assert exact_value(item.expression) == right_answer(item)


def test_the_right_answer_is_known_neither_by_place_nor_by_size(items):
    assert set(Counter(item.label for item in items).values()) == {250}
    for count in (1, 2, 3):
        ranks = Counter(
            sorted(map(int, item.endings)).index(right_answer(item)) for item in items if item.operator_count == count
        )
        assert max(ranks.values()) - min(ranks.values()) <= 0.03 * ranks.total()


def test_items_are_the_same_for_the_same_seed_and_others_for_another():
    items = arithmetic_items(seed=7, items=60)
    assert arithmetic_items(seed=7, items=60) == items
    other = {item.expression for item in arithmetic_items(seed=8, items=60)}
    assert len(other & {item.expression for item in items}) < 12


def test_as_many_items_as_arithmark_has_can_be_drawn():
    assert len(arithmetic_items(seed=0, items=2_500)) == 2_500


def test_too_many_items_are_refused_with_a_number_that_works(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("smidgen.data.arithmetic.items.MOST_DRAWS_PER_ITEM", 300)
    with pytest.raises(BadInput, match="ask for fewer items"):
        arithmetic_items(seed=0, items=6_000)


def test_unknown_distractors_are_refused_by_name():
    with pytest.raises(BadInput, match="'far' are unknown; choose 'near' or 'hard'"):
        arithmetic_items(seed=0, items=1, distractors="far")


def test_an_equation_prints_itself():
    assert Equation("79 + (9 - 13) * 10", 39, 3).text == "79 + (9 - 13) * 10 = 39"


# Other settings


@pytest.mark.parametrize("digits", [2, 7, 20])
@pytest.mark.parametrize("distractors", ["near", "hard"])
def test_items_of_an_exact_number_of_digits(digits, distractors):
    settings = ArithmeticSettings(operands=(1,), operators={"+": 1, "-": 1}, digits=(0,) * (digits - 1) + (1,))
    items = arithmetic_items(seed=1, items=200, distractors=distractors, settings=settings)
    assert len({item.expression for item in items}) == 200
    for item in items:
        assert is_held_out(item.expression)
        assert {len(number) for number in re.findall(r"\d+", item.expression)} == {digits}
        assert exact_value(item.expression) == right_answer(item)
        assert len(set(item.endings)) == 4
        assert min(map(int, item.endings)) >= 0
    ranks = Counter(sorted(map(int, item.endings)).index(right_answer(item)) for item in items)
    # A small difference has no room for three values below it that end in the same digit.
    assert max(ranks.values()) - min(ranks.values()) <= (20 if digits == 2 else 8)


def test_hard_distractors_of_long_numbers_differ_in_any_column_but_the_last():
    settings = ArithmeticSettings(operands=(1,), operators={"+": 1}, digits=(0,) * 7 + (1,))
    columns = Counter()
    for item in arithmetic_items(seed=1, items=300, distractors="hard", settings=settings):
        for ending in item.endings:
            gap = abs(int(ending) - right_answer(item))
            columns[len(str(gap)) - len(str(gap).rstrip("0"))] += (
                gap > 0 and ending[-1] == item.endings[item.label][-1]
            )
    assert set(+columns) >= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("distractors", ["near", "hard"])
def test_items_with_negative_answers_and_every_number_of_operands(distractors):
    settings = ArithmeticSettings(
        operands=(1, 1, 1, 1, 1, 1, 1), depth=2, negative_answers=True, negative_operands=0.2, digits=(1, 1, 1)
    )
    items = arithmetic_items(seed=1, items=210, distractors=distractors, settings=settings)
    assert Counter(item.operator_count for item in items) == dict.fromkeys(range(1, 8), 30)
    assert all(exact_value(item.expression) == right_answer(item) for item in items)
    assert sum(right_answer(item) < 0 for item in items) > 40


def test_items_of_small_settings_run_out_with_a_sentence():
    settings = ArithmeticSettings(operands=(1,), operators={"+": 1}, digits=(1,))
    with pytest.raises(BadInput, match=r"No further held-out expression with 1 operator.*ask for fewer items"):
        arithmetic_items(seed=1, items=50, settings=settings)


def test_items_without_room_for_four_options_are_refused():
    settings = ArithmeticSettings(operands=(1, 1), digits=(1,), largest_answer=2)
    with pytest.raises(BadInput, match=r"Between 0 and 2 there is no room for an answer and three values near it"):
        arithmetic_items(seed=1, items=5, settings=settings)
