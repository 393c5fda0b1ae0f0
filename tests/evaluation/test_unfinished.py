"""Evaluations that are stopped and go on: nothing is scored twice, and nothing that has changed is taken over."""

import json
from dataclasses import replace

import pytest

from smidgen import api
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import Interrupted
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.unfinished import FinishedTask, Unfinished, unfinished_path

THREE = ("minimal-pairs", "arithmark2-generated", "bits-per-byte")
USER_TASK = 'name = "mine"\nfile = "mine.jsonl"\ncontext = "{q}"\nendings = ["{a}", "{b}"]\nlabel = "right"\n'


@pytest.fixture(scope="module")
def model(finished_run):
    return open_model(finished_run.path)


@pytest.fixture
def folder(tmp_path):
    """A file of each kind of item: choices, a completion, a page, a task of one's own."""
    files = {
        "piqa/validation": [
            {"goal": f"open box {n}", "sol1": "by hand", "sol2": "gently", "label": 0} for n in range(3)
        ],
        "lambada_openai/test": [{"text": "The cat sat on the mat"}],
        "wikitext2/test_pages": [{"page": "The cat sat on the mat .\n It was a good cat ."}],
        "mine": [{"q": "one and one is", "a": "two", "b": "five", "right": 0}],
    }
    for name, rows in files.items():
        path = tmp_path / "data" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "data" / "mine.toml").write_text(USER_TASK)
    return tmp_path / "data"


class Sitting:
    """One call after another on the same folder; remembers what was scored and said."""

    def __init__(self, path):
        self.path = path
        self.scored = []
        self.said = []

    def __call__(self, model, tasks=THREE, *, stop_at=None, seed=0, limit=2, precision="exact", data=None):
        self.scored, self.said = [], []
        conditions = Conditions(
            limit=limit,
            seed=seed,
            precision=precision,
            data=EvalData(data),
            stop_requested=lambda: self.scored[-1] == stop_at,
        )
        unfinished = Unfinished(self.path, self.said.append)
        return evaluate(model, tasks, conditions, on_task=self.scored.append, unfinished=unfinished)


@pytest.fixture
def sitting(tmp_path):
    return Sitting(tmp_path / ".scores.json.unfinished")


def but_time(record):
    return {key: value for key, value in record.items() if key not in ("seconds", "items_per_second")}


def test_an_evaluation_that_was_stopped_goes_on_after_the_last_finished_task(model, sitting):
    with pytest.raises(Interrupted, match="1 of 3 tasks finished; repeat the command to go on"):
        sitting(model, stop_at=THREE[1])
    record = sitting(model)
    assert sitting.scored == list(THREE[1:])
    assert sitting.said == ["1 of 3 tasks were scored before; going on"]
    assert but_time(record) == but_time(evaluate(model, THREE, Conditions(limit=2)))


def test_a_stop_in_the_first_task_promises_nothing(model, sitting):
    with pytest.raises(Interrupted, match="to score again"):
        sitting(model, stop_at=THREE[0])
    sitting(model)
    assert sitting.scored == list(THREE)
    assert sitting.said == []


def test_every_kind_of_task_comes_back_as_it_was_stored(model, sitting, folder):
    tasks = [
        "bits-per-byte",
        "minimal-pairs",
        "spelling",
        "piqa",
        "lambada_openai",
        "wikitext",
        f"{folder}/mine.toml",
    ]
    first = sitting(model, tasks, data=folder)
    assert sitting.scored == tasks
    second = sitting(model, tasks, data=folder)
    assert sitting.scored == []
    assert but_time(second) == but_time(first)


def test_seconds_of_all_sittings_add_up(model, tmp_path):
    unfinished = Unfinished(tmp_path / "kept")
    first = api.evaluate(model.path, ["minimal-pairs"], limit=2, unfinished=unfinished)
    kept = unfinished.begin(model, Conditions(), {"minimal-pairs": 2})["minimal-pairs"]
    assert 0 < kept.seconds <= first["seconds"] + 0.01
    unfinished.keep("minimal-pairs", replace(kept, seconds=1000.0))
    again = api.evaluate(model.path, ["minimal-pairs"], limit=2, unfinished=unfinished)
    assert 1000 <= again["seconds"] < 1100
    assert again["items_per_second"] < 1


CHANGES = {
    "weights": (lambda model: replace(model, weights_sha256="0" * 64), {}),
    "window": (lambda model: replace(model, max_length=16), {}),
    "sampling": (lambda model: replace(model, sampling=replace(model.sampling, temperature=0.45)), {}),
    "limit": (lambda model: model, {"limit": 3}),
    "seed": (lambda model: model, {"seed": 1}),
    "precision": (lambda model: model, {"precision": "fast"}),
}


@pytest.mark.parametrize(("changed", "conditions"), CHANGES.values(), ids=CHANGES)
def test_what_is_scored_under_other_conditions_is_not_taken_over(model, sitting, changed, conditions):
    sitting(model)
    sitting(changed(model), **conditions)
    assert sitting.scored == list(THREE)
    assert sitting.said == []


@pytest.mark.parametrize("name", ["piqa/validation.jsonl", "mine.jsonl", "mine.toml"])
def test_other_data_are_scored_again(model, sitting, folder, name):
    tasks = ["piqa", f"{folder}/mine.toml"]
    sitting(model, tasks, data=folder)
    (folder / name).write_text((folder / name).read_text().replace("two", "ten").replace("gently", "at once") + "\n")
    sitting(model, tasks, data=folder)
    assert (tasks[0] if "piqa" in name else tasks[1]) in sitting.scored


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: b"", lambda content: b"{}" + content]
)
def test_a_damaged_leftover_is_named_and_scored_again(model, sitting, damage):
    expected = sitting(model, THREE[:1])
    [file] = sitting.path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    record = sitting(model, THREE[:1])
    assert sitting.scored == ["minimal-pairs"]
    assert sitting.said == [f"{file} is damaged: minimal-pairs is scored again"]
    assert but_time(record) == but_time(expected)


def test_a_place_that_cannot_be_written_is_named_and_scoring_goes_on(model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    sitting = Sitting(tmp_path / "file" / "kept")
    record = sitting(model)
    assert set(THREE) <= record["scores"].keys()
    assert [line for line in sitting.said if "cannot be kept" in line] == sitting.said
    assert len(sitting.said) == 1


def test_what_is_kept_lies_hidden_beside_the_scores_until_it_is_discarded(model, tmp_path):
    unfinished = Unfinished(unfinished_path(tmp_path / "scores.json"))
    api.evaluate(model.path, THREE, limit=2, unfinished=unfinished)
    assert unfinished.path.parent == tmp_path
    assert unfinished.path.name.startswith(".")
    assert len(list(unfinished.path.iterdir())) == 3
    unfinished.discard()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_kept(model):
    unfinished = Unfinished()
    record = api.evaluate(model.path, THREE[:1], limit=2, unfinished=unfinished)
    unfinished.keep("minimal-pairs", FinishedTask(outcome=None, seconds=0.0))
    unfinished.discard()
    assert set(record["scores"]) >= {"minimal-pairs"}
