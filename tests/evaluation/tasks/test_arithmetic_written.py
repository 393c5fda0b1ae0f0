import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.arithmark_generated import generated_arithmark
from smidgen.evaluation.tasks.arithmetic_written import written_arithmetic


def test_free_items_are_those_that_are_asked_with_options():
    free = written_arithmetic("arithmark2-generated-free", limit=12, seed=4)
    choices = generated_arithmark("arithmark2-generated", limit=12, seed=4)
    assert free.metrics == ("exact_match",)
    for item, choice in zip(free.items, choices.items, strict=True):
        assert (item.key, item.context, item.groups) == (choice.key, choice.contexts[0], choice.groups)
        assert item.continuation == choice.endings[choice.labels[0]]


def test_lengths_are_groups_of_their_operator():
    task = written_arithmetic("arithmetic-length", limit=2, seed=4)
    groups = list(dict.fromkeys(item.groups for item in task.items))
    assert groups[0] == ("sums", "sums of 1 digit")
    assert groups[19:21] == [("sums", "sums of 20 digits"), ("differences", "differences of 1 digit")]
    assert groups[45] == ("products", "products of 6 digits")
    assert [item.groups[1] for item in task.items].count("products of 6 digits") == 2
    assert written_arithmetic("arithmetic-length", limit=2, seed=5).items != task.items


def test_another_name_is_refused():
    with pytest.raises(BadInput, match="did you mean arithmetic-length"):
        written_arithmetic("arithmetic-lenght")
