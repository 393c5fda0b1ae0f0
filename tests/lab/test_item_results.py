import numpy as np
import pytest

from smidgen.lab.item_results import item_results, shared_values
from smidgen.lab.metric import Metric

ACC = Metric("acc")


@pytest.fixture
def run(record):
    def make(name, credits):
        return item_results(record(name, blimp=credits).task("blimp"), ACC)

    return make


def test_values_are_those_of_the_items_that_all_runs_have(run):
    values, n = shared_values([run("alpha", [1.0, 0.0, 1.0, 1.0, 1.0]), run("beta", [0.0, 0.0, 1.0])], ACC)
    assert values == pytest.approx([2 / 3, 1 / 3])
    assert n == 3


def test_items_of_one_name_but_other_content_are_not_the_same(record):
    first = record("alpha", blimp=[1.0, 0.0, 1.0])
    second = record("beta", blimp=[1.0, 1.0, 0.0])
    second.task("blimp").items[2]["labels"] = [9]
    values, n = shared_values([item_results(one.task("blimp"), ACC) for one in (first, second)], ACC)
    assert (values.tolist(), n) == ([0.5, 1.0], 2)


def test_items_of_one_name_are_paired_in_their_order(record):
    task = record("alpha", blimp=[1.0, 0.0, 1.0]).task("blimp")
    for item in task.items:
        item.update(item="same", labels=[0])
    assert len(np.unique(item_results(task, ACC).keys)) == 3


def test_documents_count_by_their_size(record):
    task = record("alpha", wikitext=[(10.0, 50, 10, 12), (30.0, 60, 30, 40)]).task("wikitext")
    words = Metric("word_perplexity")
    values, _ = shared_values([item_results(task, words)], words)
    assert values == pytest.approx([np.e])


def test_runs_without_a_common_item_cannot_be_compared(record):
    other = record("beta", blimp=[1.0])
    other.task("blimp").items[0]["item"] = "elsewhere"
    runs = [item_results(one.task("blimp"), ACC) for one in (record("alpha", blimp=[1.0, 0.0]), other)]
    with pytest.raises(ValueError, match="no item in common"):
        shared_values(runs, ACC)


def test_an_item_without_the_metric_is_named(record):
    with pytest.raises(ValueError, match="blimp-0 holds no acc_norm"):
        item_results(record("alpha", blimp=[1.0]).task("blimp"), Metric("acc_norm"))
