import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.named_tasks import OWN_TASKS
from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.evaluation.tasks.suites import SUITES, expand

ARITHMARK = {"arithmark2", "arithmark3"}


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_holds_known_tasks_each_once(suite):
    tasks = [task for task, _ in expand([suite])]
    assert len(tasks) == len(set(tasks)) == len(SUITES[suite])
    assert set(tasks) <= {*BENCHMARKS, *ARITHMARK, *OWN_TASKS}


def test_the_suite_of_the_ant_card_has_its_sixteen_tasks_and_two_more():
    assert len(SUITES["ant"]) == 18


def test_suites_and_tasks_mix_in_order_and_nothing_comes_twice():
    assert expand(["piqa", "tiny-ml", "WikiText-2", "piqa"]) == [
        ("piqa", None),
        ("blimp", None),
        ("arc_easy", None),
        ("wikitext", None),
    ]


def test_the_largest_limit_counts():
    assert expand(["piqa:30", "arc_easy:7", "piqa:20", "arc_easy"]) == [("piqa", 30), ("arc_easy", None)]
    assert dict(expand(["quick"]))["arc_easy"] is not None
    assert dict(expand(["tiny-ml", "quick"]))["arc_easy"] is None


def test_names_of_ones_own_are_left_as_they_are():
    assert expand(["tests/My-Own.toml", "Bits-Per-Byte:3"], others=["tests/My-Own.toml", "Bits-Per-Byte"]) == [
        ("tests/My-Own.toml", None),
        ("Bits-Per-Byte", 3),
    ]


def test_an_unknown_name_is_answered_with_the_nearest_task_or_suite():
    with pytest.raises(BadInput, match=r"^there is no task or suite 'open-slim'; did you mean open-slm\?$"):
        expand(["open-slim"])
    with pytest.raises(BadInput, match=r"did you mean arithmark3\?"):
        expand(["arithmark-3"])
    with pytest.raises(BadInput, match=r"did you mean mine\?"):
        expand(["mime"], others=["mine"])


@pytest.mark.parametrize("limit", ["", "0", "-3", "1.5", "many"])
def test_a_limit_that_is_no_count_is_refused(limit):
    with pytest.raises(BadInput, match="give a whole number from 1, such as piqa:200"):
        expand([f"piqa:{limit}"])
