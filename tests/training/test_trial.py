import shutil
from dataclasses import replace

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import BadInput
from smidgen.records import measurements
from smidgen.training import trainer as trainer_module
from smidgen.training.trial import Trial


@pytest.fixture
def tried(tiny_recipe):
    """The tiny recipe with trials; other settings are replaced by name."""

    def call(**changes):
        settings = {"evaluate_tasks": ("minimal-pairs:2",), "sample_prompts": ("Tom", ""), **changes}
        sampling = replace(tiny_recipe.sampling, temperature=1.0)
        return replace(tiny_recipe, training=replace(tiny_recipe.training, **settings), sampling=sampling)

    return call


@pytest.fixture
def train_with_tokenizer(train_in, prepared, tmp_path):
    def call(name, recipe, **options):
        if not (tmp_path / name / "tokenizer").exists():
            shutil.copytree(prepared.tokenizer, tmp_path / name / "tokenizer")
        return train_in(name, recipe=recipe, **options)

    return call


def lines(run, kind):
    return measurements.read(run.measurements, kind)


def test_quick_evaluations_come_at_their_steps_with_intervals(train_with_tokenizer, tried):
    told = []
    run, result = train_with_tokenizer("run", tried(evaluate_steps=8), on_measurement=told.append)
    found = lines(run, measurements.EVALUATION)
    assert [line["step"] for line in found] == [8, 16, 20]
    for line in found:
        score = line["scores"]["minimal-pairs"]["acc"]
        assert score["low"] <= score["value"] <= score["high"]
        assert line["baselines"]["minimal-pairs"]["chance"] == 0.5
        assert line["skipped"] == {}
    assert [record for record in told if record["kind"] == measurements.EVALUATION] == found
    assert result.finished


def test_trials_change_no_weight(train_with_tokenizer, tried):
    plain, _ = train_with_tokenizer("plain", tried())
    run, _ = train_with_tokenizer("tried", tried(evaluate_steps=7, sample_steps=3))
    expected = newest_checkpoint(plain.checkpoints)[0].tensors("model")
    found = newest_checkpoint(run.checkpoints)[0].tensors("model")
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert lines(plain, measurements.SAMPLES) == lines(plain, measurements.EVALUATION) == []


def test_a_resumed_run_writes_the_same_samples(train_with_tokenizer, tried):
    recipe = tried(sample_steps=4)
    straight, _ = train_with_tokenizer("straight", recipe)
    for tokens in (3 * 512, 6 * 512, None):
        run, _ = train_with_tokenizer("interrupted", recipe, max_tokens=tokens)
    expected, found = ([line["samples"] for line in lines(each, measurements.SAMPLES)] for each in (straight, run))
    assert found == expected
    assert [sample["prompt"] for sample in expected[0]] == ["Tom", ""]
    texts = [sample["text"] for samples in expected for sample in samples]
    assert len(set(texts)) > 5


def test_the_share_of_loops_is_that_of_the_samples(train_with_tokenizer, tried, monkeypatch):
    loops = iter([True, False])
    monkeypatch.setattr("smidgen.generation.text_sample.text_sample", lambda *_, **__: {"loop": next(loops)})
    run, _ = train_with_tokenizer("run", tried(sample_steps=100))
    assert [line["loop_share"] for line in lines(run, measurements.SAMPLES)] == [0.5]


def test_the_time_of_trials_is_no_training_time(train_with_tokenizer, tried, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(trainer_module.time, "monotonic", lambda: now[0])

    def slow(self):
        now[0] += 1000
        return {"scores": {}, "baselines": {}, "skipped": {}}

    monkeypatch.setattr(Trial, "scores", slow)
    original = trainer_module.Trainer.compute_gradients

    def second(self):
        now[0] += 1
        return original(self)

    monkeypatch.setattr(trainer_module.Trainer, "compute_gradients", second)
    _, result = train_with_tokenizer("run", tried(evaluate_steps=5))
    assert result.tokens_per_second == pytest.approx(512)


def test_an_unknown_task_is_named_before_the_first_step(train_with_tokenizer, tried):
    with pytest.raises(BadInput, match=r"minimal-pears.*did you mean minimal-pairs"):
        train_with_tokenizer("run", tried(evaluate_steps=5, evaluate_tasks=("minimal-pears:3",)))


def test_a_task_that_cannot_be_scored_does_not_end_the_run(train_with_tokenizer, tried, tmp_path):
    recipe = tried(evaluate_steps=10, evaluate_tasks=("hellaswag:5",))
    run, result = train_with_tokenizer("run", recipe, eval_data=tmp_path)
    assert result.finished
    [reason] = lines(run, measurements.EVALUATION)[0]["skipped"].values()
    assert "needs hellaswag/validation.jsonl" in reason
