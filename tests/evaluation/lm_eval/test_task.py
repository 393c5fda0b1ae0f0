"""Tasks by their names in lm-evaluation-harness; that the numbers are right is shown in test_parity.py."""

import gzip
import json
import math

import pytest
import torch
import yaml
from lm_eval.api import metrics
from lm_eval.tasks import TaskManager

from smidgen.errors import BadInput
from smidgen.evaluation.lm_eval import task as task_module
from smidgen.evaluation.lm_eval.aggregation import aggregated, combined
from smidgen.evaluation.lm_eval.task import score_lm_eval_task
from smidgen.evaluation.score import accuracy

from ...export.tiny import tiny_model
from .generated_tasks import CHOICE, write_task

pytestmark = pytest.mark.filterwarnings("ignore")

ROWS = [{"question": f"{n} +", "endings": ["1", "22", "33 ="], "label": n % 3} for n in range(11)]
HUB = {
    "task": "from_the_hub",
    "dataset_path": "nobody/nothing",
    "dataset_name": "some",
    "training_split": "train",
    "validation_split": "validation",
    "test_split": "test",
    **CHOICE,
}


@pytest.fixture(scope="module")
def model():
    return tiny_model(context_length=64)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """A group of two tasks of 11 and 5 items, a tag, few-shot examples, and a task whose data are elsewhere."""
    folder = tmp_path_factory.mktemp("tasks")
    write_task(folder, "first", ROWS, {**CHOICE, "tag": ["pair"]})
    write_task(folder, "second", ROWS[:5], {**CHOICE, "tag": ["pair"]})
    write_task(folder, "with_examples", ROWS, {**CHOICE, "num_fewshot": 2, "fewshot_split": "test"})
    write_task(folder, "several_right", [{**row, "label": [0, 2]} for row in ROWS], CHOICE)
    write_task(folder, "written", ROWS, {"output_type": "generate_until", "doc_to_text": "question"})
    write_task(folder, "by_f1", ROWS[:8], {**CHOICE, "metric_list": [{"metric": "mcc"}]})
    whole = [{"metric": "acc", "weight_by_size": True}, {"metric": "acc_norm", "weight_by_size": False}]
    group = {"group": "both", "task": ["first", "second"], "aggregate_metric_list": whole}
    (folder / "both.yaml").write_text(yaml.safe_dump(group))
    (folder / "hub.yaml").write_text(yaml.safe_dump(HUB))
    return folder


@pytest.fixture
def manager(tasks):
    return TaskManager(include_path=str(tasks), include_defaults=False)


def test_a_group_scores_its_tasks_and_combines_them(model, manager):
    outcome = score_lm_eval_task(model, "both", manager=manager)
    first, second, both = (outcome.scores[name] for name in ("first", "second", "both"))
    assert set(both) == {"acc", "acc_norm"}
    assert both["acc"].value == pytest.approx((11 * first["acc"].value + 5 * second["acc"].value) / 16)
    assert both["acc_norm"].value == pytest.approx((first["acc_norm"].value + second["acc_norm"].value) / 2)
    assert both["acc"].n == 16
    assert outcome.baselines == {
        "first": {"chance": pytest.approx(1 / 3)},
        "second": {"chance": pytest.approx(1 / 3)},
    }
    assert [(item["task"], item["item"]) for item in outcome.items] == [
        *(("first", str(number)) for number in range(11)),
        *(("second", str(number)) for number in range(5)),
    ]


def test_a_tag_is_a_list_of_tasks(model, manager):
    assert set(score_lm_eval_task(model, "pair", manager=manager, limit=3).scores) == {"first", "second"}


def test_an_item_holds_what_its_metrics_are_made_of(model, manager):
    outcome = score_lm_eval_task(model, "first", manager=manager, limit=4)
    assert len(outcome.items) == 4
    item = outcome.items[1]
    assert item["labels"] == [1]
    assert item["characters"] == item["bytes"] == [1, 2, 4]
    assert item["choice"] == max(range(3), key=item["log_probabilities"].__getitem__)
    assert item["acc"] == float(item["choice"] == 1)
    for metric in ("acc", "acc_norm", "acc_bytes"):
        assert outcome.scores["first"][metric].value == sum(item[metric] for item in outcome.items) / 4


def test_every_right_ending_counts_where_a_task_has_several(model, manager):
    outcome = score_lm_eval_task(model, "several_right", manager=manager)
    assert {tuple(item["labels"]) for item in outcome.items} == {(0, 2)}
    assert [item["acc"] for item in outcome.items] == [float(item["choice"] != 1) for item in outcome.items]
    assert outcome.baselines["several_right"]["chance"] == pytest.approx(2 / 3)


def test_a_constant_model_scores_at_chance_and_its_ties_are_counted(manager, tmp_path):
    constant = tiny_model(context_length=64)
    torch.nn.init.zeros_(constant.decoder.embed_tokens.weight)
    # Endings of one length in tokens, so that their sums are equal too.
    write_task(tmp_path, "equal", [{**row, "endings": ["1", "2", "3"]} for row in ROWS], CHOICE)
    outcome = score_lm_eval_task(
        constant, "equal", manager=TaskManager(include_path=str(tmp_path), include_defaults=False)
    )
    score = outcome.scores["equal"]["acc"]
    assert (score.value, score.ties) == (pytest.approx(1 / 3), 11)


def test_examples_stand_before_the_question_as_the_task_asks(model, manager):
    plain, shots = (score_lm_eval_task(model, name, manager=manager) for name in ("first", "with_examples"))
    assert plain.items[0]["log_probabilities"] != shots.items[0]["log_probabilities"]
    assert shots.items == score_lm_eval_task(model, "with_examples", manager=manager).items


def test_local_files_replace_the_data_of_the_hub(model, manager, tmp_path):
    folder = tmp_path / "from_the_hub"
    folder.mkdir()
    text = "".join(json.dumps(row) + "\n" for row in ROWS[:7])
    (folder / "test.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    outcome = score_lm_eval_task(model, "from_the_hub", eval_data=tmp_path, manager=manager)
    assert outcome.scores["from_the_hub"]["acc"].n == 7


def test_one_file_of_a_group_holds_all_there_is_of_its_task(model, manager, tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "the_hub.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:6]))
    outcome = score_lm_eval_task(model, "from_the_hub", eval_data=tmp_path, manager=manager)
    assert outcome.scores["from_the_hub"]["acc"].n == 6


def test_another_split_is_not_scored_in_place_of_the_missing_one(model, manager, tmp_path, monkeypatch):
    import datasets

    (tmp_path / "from_the_hub").mkdir()
    (tmp_path / "from_the_hub" / "validation.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda path, **_: asked.append(path))
    with pytest.raises(BadInput, match="cannot be loaded"):
        score_lm_eval_task(model, "from_the_hub", eval_data=tmp_path, manager=manager)
    assert asked == ["nobody/nothing"]


def test_a_blank_context_is_told(model, tmp_path):
    write_task(tmp_path, "blank", [{**row, "question": "\n"} for row in ROWS], CHOICE)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    assert score_lm_eval_task(model, "blank", manager=manager).warnings == [
        "blank: 33 contexts are blank and count as none"
    ]


def test_data_that_cannot_be_loaded_are_named(model, manager, tmp_path, monkeypatch):
    import datasets

    def unreachable(*args, **kwargs):
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(
        BadInput, match=r"task from_the_hub cannot be loaded \(no network\); .*from_the_hub/test.jsonl"
    ):
        score_lm_eval_task(model, "from_the_hub", eval_data=tmp_path, manager=manager)


def test_an_unknown_name_is_answered_with_the_nearest(model, manager):
    with pytest.raises(BadInput, match="no task fist; it has first"):
        score_lm_eval_task(model, "fist", manager=manager)


def test_a_task_of_free_writing_is_refused(model, manager):
    with pytest.raises(BadInput, match=r"written is of the kind generate_until.*lm_eval --model smidgen"):
        score_lm_eval_task(model, "written", manager=manager)


def test_without_the_harness_the_extra_is_named(model, monkeypatch):
    monkeypatch.setattr(task_module, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r'pip install "smidgen\[eval\]"'):
        score_lm_eval_task(model, "arc_easy")


def test_a_metric_that_is_no_mean_gets_a_bootstrap_interval(model, manager):
    score = score_lm_eval_task(model, "by_f1", manager=manager).scores["by_f1"]["mcc"]
    assert score.low <= score.value <= score.high
    assert score.n == 8
    assert aggregated([3.0, 5.0, 10.0], metrics.median).value == 5


def test_a_group_is_as_uncertain_as_its_tasks_together():
    parts = [accuracy([1, 0, 0, 1, 1, 0, 1]), accuracy([1, 1, 0])]
    even = combined(parts, weight_by_size=False)
    assert even.value == pytest.approx((parts[0].value + parts[1].value) / 2)
    assert even.high - even.value == pytest.approx(math.hypot(*(part.high - part.value for part in parts)) / 2)
    assert combined(parts[:1], weight_by_size=True) == parts[0]
