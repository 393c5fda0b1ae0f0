"""The whole life of a tiny model, and what it leaves behind."""

import json
import shutil

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput, Interrupted
from smidgen.life.run import run_life
from smidgen.life.stages import STAGES, Life
from smidgen.life.watcher import Watcher
from smidgen.recipes.loading import load_recipe
from smidgen.records import manifest
from smidgen.records.run_folder import RunFolder
from smidgen.stopping import StopRequest


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def read(path):
    return json.loads(path.read_text())


def weights(run):
    return newest_checkpoint(run.checkpoints)[0].tensors("model")


def test_a_finished_run_holds_everything_the_design_promises(finished_run):
    for name in ("recipe.json", "design.json", "mixture.json", "measurements.jsonl", "samples.json", "manifest.json"):
        assert (finished_run.path / name).is_file(), name
    for name in ("tokenizer", "data", "checkpoints", "scores", "exports/hf", "report"):
        assert (finished_run.path / name).is_dir(), name
    for name in ("index.html", "README.md", "loss_curve.png"):
        assert (finished_run.report / name).stat().st_size > 1000, name


def test_the_manifest_names_versions_hardware_hashes_and_the_cost_of_every_stage(finished_run):
    record = read(finished_run.manifest)
    assert set(record["stages"]) == set(STAGES)
    assert all(cost["peak_memory_bytes"] > 0 for cost in record["stages"].values())
    assert record["versions"]["torch"] == torch.__version__
    assert record["hardware"]["cores"] >= 1
    assert {"recipe.json", "exports/hf/model.safetensors", "scores/recipe.json"} <= record["files"].keys()


def test_every_hash_of_a_finished_run_holds(finished_run):
    checked, failed = manifest.verify_tree(finished_run.path)
    assert checked > 20
    assert failed == []


def test_scores_have_intervals_items_and_baselines(finished_run):
    record = read(finished_run.scores / "recipe.json")
    assert {"bits-per-byte", "arithmark2-generated", "minimal-pairs"} <= record["scores"].keys()
    assert {"gzip", "xz"} == record["baselines"]["bits-per-byte"].keys()
    assert len(record["items"]) > 1000
    for metrics in record["scores"].values():
        for score in metrics.values():
            assert score["low"] <= score["value"] <= score["high"]


def test_samples_continue_every_prompt_of_the_recipe(finished_run, tiny_recipe):
    samples = read(finished_run.samples)["samples"]
    assert [sample["prompt"] for sample in samples] == list(tiny_recipe.prompts)


def test_repeating_a_finished_run_changes_no_weight_and_trains_no_step(finished_run, tiny_recipe, tmp_path):
    copy = RunFolder(tmp_path / "run")
    shutil.copytree(finished_run.path, copy.path)
    before = weights(copy)
    told = []

    class Listener(Watcher):
        def trained(self, progress):
            told.append(progress)

    run_life(Life(recipe=tiny_recipe, run=copy, watcher=Listener()))
    assert told == []
    assert all(torch.equal(before[name], value) for name, value in weights(copy).items())


@pytest.mark.parametrize("stage", ["tokenizer", "data"])
def test_a_stop_before_training_keeps_what_was_finished(tiny_recipe, tmp_path, stage):
    run = RunFolder(tmp_path / "run")

    class StopAt(Watcher):
        def stage_started(self, name):
            if name == stage:
                life.stop_requested.signal()

    life = Life(recipe=tiny_recipe, run=run, watcher=StopAt())
    with pytest.raises(Interrupted):
        run_life(life)
    assert not (run.path / stage).exists()
    assert run.tokenizer.is_dir() == (stage == "data")
    run_life(Life(recipe=tiny_recipe, run=run), until="data")
    assert run.data.is_dir()


def test_a_life_ended_by_the_clock_goes_on_to_the_same_weights(tiny_recipe, finished_run, tmp_path):
    run = RunFolder(tmp_path / "run")

    class Clock(Watcher):
        def trained(self, progress):
            if progress.step == 7:
                request.reason = "time"

    request = StopRequest()
    results = run_life(Life(recipe=tiny_recipe, run=run, stop_requested=request, watcher=Clock()))
    assert list(results)[:4] == ["design", "tokenizer", "data", "train"]
    assert "evaluate" not in results
    assert not results["train"]["finished"]
    run_life(Life(recipe=tiny_recipe, run=run))
    expected = weights(finished_run)
    assert all(torch.equal(expected[name], value) for name, value in weights(run).items())


def test_a_stop_between_two_tasks_keeps_the_first(tiny_recipe, finished_run, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    expected = read(run.scores / "recipe.json")
    (run.scores / "recipe.json").unlink()
    # What `smidgen evaluate` was stopped at is no lasting file of the run.
    (run.scores / ".evaluate.json.unfinished").mkdir()
    (run.scores / ".evaluate.json.unfinished" / "task").touch()

    class StopAtTheSecond(Watcher):
        def __init__(self):
            self.scored, self.said = [], []

        def scoring(self, task):
            self.scored.append(task)
            if len(self.scored) == 2:
                life.stop_requested.signal()

        def noticed(self, message):
            self.said.append(message)

    life = Life(recipe=tiny_recipe, run=run, watcher=StopAtTheSecond())
    with pytest.raises(Interrupted, match="1 of 3 tasks finished; repeat the command to go on"):
        run_life(life)
    life = Life(recipe=tiny_recipe, run=run, watcher=StopAtTheSecond())
    with pytest.raises(Interrupted, match="2 of 3 tasks finished"):
        run_life(life)
    assert "1 of 3 tasks were scored before; going on" in life.watcher.said
    run_life(Life(recipe=tiny_recipe, run=run))
    record = read(run.scores / "recipe.json")
    assert {**record, "seconds": 0, "items_per_second": 0} == {**expected, "seconds": 0, "items_per_second": 0}
    assert not [name for name in read(run.manifest)["files"] if name.startswith("scores/.")]
    assert not (run.scores / ".recipe.json.unfinished").exists()


def test_another_recipe_cannot_take_over_a_folder(finished_run, tiny_overrides):
    other = load_recipe("quickstart", overrides=[*tiny_overrides, "training.seed=9"])
    with pytest.raises(BadInput, match=r"differs in training\.seed"):
        run_life(Life(recipe=other, run=finished_run))


def test_arithmetic_features_train_export_and_open(tiny_overrides, tmp_path):
    """The one path that the tiny recipe leaves out: XSA, digit features, a tokenizer with text rules."""
    recipe = load_recipe(
        "quickstart",
        overrides=[
            *tiny_overrides,
            "design.xsa=true",
            "design.place_vocab_size=66",
            "design.role_vocab_size=12",
            "tokenizer.digits=reversed",
            "tokenizer.isolate_operators=true",
            "tokenizer.isolate_whitespace=true",
            "training.tokens=2048",
            "evaluation.tasks=['arithmark2-generated', 'hellaswag']",
        ],
    )
    run = RunFolder(tmp_path / "run")
    results = run_life(Life(recipe=recipe, run=run))
    assert results["export"]["kind"] == "remote code"
    assert results["export"]["parity"]["max_abs_logit_diff"] <= 1e-5
    assert "--eval-data" in results["evaluate"]["skipped"]["hellaswag"]
    from_run, from_export = open_model(run.path), open_model(run.exports / "hf")
    assert from_export.config == from_run.config
    assert from_run.config.digit_token_ids is not None
    ids = from_run.tokenizer.encode("12 + 34 =")
    assert from_run.tokenizer.pieces(ids)[:2] == ["2", "1"]
    assert from_export.tokenizer.encode("12 + 34 =") == ids


def test_features_without_a_fitting_tokenizer_are_refused(tiny_overrides, tmp_path):
    features = ["design.place_vocab_size=66", "design.role_vocab_size=12"]
    recipe = load_recipe("quickstart", overrides=[*tiny_overrides, *features])
    with pytest.raises(BadInput, match=r"set tokenizer\.digits"):
        run_life(Life(recipe=recipe, run=RunFolder(tmp_path / "run")), until="tokenizer")


@pytest.mark.parametrize("stage", ["samples", "export"])
def test_a_signal_in_a_late_stage_ends_the_run_after_it(finished_run, tiny_recipe, tmp_path, stage):
    """Otherwise the samples that it cut short would stand as if they were whole."""
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    started = []

    class Listener(Watcher):
        def stage_started(self, name):
            started.append(name)
            if name == stage:
                life.stop_requested.signal()

    life = Life(recipe=tiny_recipe, run=run, watcher=Listener())
    with pytest.raises(Interrupted, match=f"stopped after the stage {stage}; repeat the command"):
        run_life(life)
    assert started[-1] == stage
    run_life(Life(recipe=tiny_recipe, run=run), until="samples")
    assert read(run.samples) == read(finished_run.samples)
