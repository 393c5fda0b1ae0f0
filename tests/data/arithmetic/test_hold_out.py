import re

import pytest

from smidgen.data.arithmetic import arithmetic_documents, is_held_out
from smidgen.data.arithmetic.hold_out import is_held_out_either_way
from smidgen.recipes.arithmetic import ArithmeticSettings

# Small enough that most expressions come up, so that those which never do are the held-out ones.
SMALL = {"operands": (3, 1, 1), "operators": {"+": 1, "-": 1, "*": 1}, "digits": (2, 1)}
LAYOUTS = {
    "spaced": {},
    "compact": {"compact_share": 1},
    "loose": {"loose_share": 1},
    "reversed": {"reversed_share": 1, "loose_share": 0.5},
    "steps": {"steps_share": 1, "loose_share": 0.5},
}


def stages_of(layout, **changes):
    """The sides of all equations without spaces, numbers alone left away."""
    settings = ArithmeticSettings(**SMALL, **LAYOUTS[layout], **changes)
    for document in arithmetic_documents(seed=2, documents=250, settings=settings):
        for line in document.text.splitlines():
            yield from (stage for stage in line.replace(" ", "").split("=") if not re.fullmatch(r"-?\d+", stage))


def test_one_expression_in_twenty_is_held_out_and_spaces_do_not_matter():
    held_out = [f"{a} + {b}" for a in range(101) for b in range(101) if is_held_out(f"{a} + {b}")]
    assert 0.04 < len(held_out) / 101**2 < 0.06
    assert all(is_held_out(expression.replace(" ", "")) for expression in held_out)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_held_out_expression_is_trained_on_in_any_layout(layout):
    stages = list(stages_of(layout))
    assert len(set(stages)) > 1_500
    assert not [stage for stage in stages if is_held_out(stage)]


def test_without_the_split_training_would_show_held_out_expressions(monkeypatch):
    """Proves that the test above can fail."""
    monkeypatch.setattr("smidgen.data.arithmetic.documents.is_held_out", lambda expression: False)
    assert any(is_held_out(stage) for stage in stages_of("loose"))


def test_single_steps_of_a_solution_are_not_held_out_either():
    settings = ArithmeticSettings(**SMALL, steps_share=1)
    shown = [
        line.split(" = ")
        for document in arithmetic_documents(seed=3, documents=250, settings=settings)
        for line in document.text.splitlines()
    ]
    operations = [re.findall(r"\((.*?)\)", stages[0]) for stages in shown if len(stages) == 3 and "(" in stages[0]]
    assert len(operations) > 500
    assert not [each for found in operations for each in found if is_held_out(each)]


def test_sums_with_swapped_operands_are_trained_on_unless_asked_otherwise():
    def swapped(**changes):
        pairs = (re.fullmatch(r"(\d+)([+*])(\d+)", stage) for stage in stages_of("spaced", **changes))
        return [pair for pair in pairs if pair and is_held_out(f"{pair[3]}{pair[2]}{pair[1]}")]

    assert swapped()
    assert not swapped(hold_out_swapped=True)


def test_only_sums_and_products_of_two_can_be_swapped():
    held_out = next(f"{a} + 3" for a in range(4, 200) if is_held_out(f"{a} + 3") and not is_held_out(f"3 + {a}"))
    number = held_out.split()[0]
    assert is_held_out_either_way(f"3 + {number}")
    assert is_held_out_either_way(f"3+{number}")
    difference = next(f"{a} - 3" for a in range(4, 200) if is_held_out(f"{a} - 3") and not is_held_out(f"3 - {a}"))
    assert not is_held_out_either_way(f"3 - {difference.split()[0]}")
