"""Whatever is given: one clear sentence, the right exit code, no traceback, nothing lost."""

import errno
import json
import os
import shutil

import pytest
import zstandard


def assert_refused(outcome, *phrases, code=2):
    assert outcome.code == code, outcome
    assert outcome.out == ""
    lines = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, outcome.err
    assert "Traceback" not in outcome.err
    for phrase in phrases:
        assert phrase in lines[0]


@pytest.fixture
def run_on(smidgen, tmp_path, tiny_options):
    """Run a tiny recipe on a file of text."""

    def call(path, *more):
        sets = [f"data.sources={{text={{files=['{path}']}}}}", "data.curriculum=[{at=0, weights={text=1}}]"]
        extra = [word for item in sets for word in ("--set", item)]
        return smidgen("run", "quickstart", "--json", "--out", tmp_path / "run", *tiny_options, *extra, *more)

    return call


def lines_of_text(count):
    sentences = (f"Line {number} says that {number} is a number. " for number in range(count))
    return [json.dumps({"id": number, "text": sentence * 20}) for number, sentence in enumerate(sentences)]


def test_a_missing_file(smidgen, tmp_path):
    outcome = smidgen("run", "gpt-s-5m", "--data", "text=no/such/file.txt", "--out", tmp_path / "run", "--json")
    assert_refused(outcome, "text=no/such/file.txt: no such file or folder")
    assert not (tmp_path / "run").exists()


def test_an_empty_file(run_on, tmp_path):
    (tmp_path / "empty.txt").touch()
    assert_refused(run_on(tmp_path / "empty.txt"), "empty.txt", "empty")


def test_a_corrupt_zst(run_on, tmp_path):
    packed = bytearray(zstandard.compress("\n".join(lines_of_text(500)).encode()))
    packed[len(packed) // 2 :] = b"\x00" * (len(packed) - len(packed) // 2)
    (tmp_path / "text.jsonl.zst").write_bytes(packed)
    assert_refused(run_on(tmp_path / "text.jsonl.zst"), "text.jsonl.zst")


def test_json_lines_cut_off(run_on, tmp_path):
    (tmp_path / "text.jsonl").write_text("\n".join(line[:40] for line in lines_of_text(30)))
    assert_refused(run_on(tmp_path / "text.jsonl"), "text.jsonl", "rejected: 29 not JSON, 1 line cut off")


def test_a_wrong_text_key(run_on, tmp_path):
    lines = [json.dumps({"content": "Some text."}) for _ in range(5)]
    (tmp_path / "text.jsonl").write_text("\n".join(lines))
    assert_refused(run_on(tmp_path / "text.jsonl"), "text.jsonl", "content")


def test_a_recipe_with_a_typo(smidgen, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('extends = "quickstart"\n[training]\nlearning_rate = 1e-3\n')
    outcome = smidgen("run", recipe, "--out", tmp_path / "run", "--json")
    assert_refused(outcome, "unknown key training.learning_rate; did you mean training.peak_learning_rate?")
    assert not (tmp_path / "run").exists()


def test_an_impossible_shape(smidgen, tmp_path):
    outcome = smidgen("run", "gpt-s-5m", "--set", "design.hidden_size=100", "--out", tmp_path / "run", "--json")
    assert_refused(outcome, "hidden_size=100 is not a multiple of num_heads=6; hidden_size of 96 or 102 would work")


def test_a_vocabulary_larger_than_the_text_supports(run_on, tmp_path):
    (tmp_path / "text.jsonl").write_text("\n".join(lines_of_text(40)))
    outcome = run_on(tmp_path / "text.jsonl", "--set", "design.vocab_size=30000")
    assert_refused(outcome, "the text supports a vocabulary of", "design.vocab_size=30000")
    assert not (tmp_path / "run" / "tokenizer").exists()


def test_a_hub_source_without_files(smidgen, tmp_path):
    outcome = smidgen("run", "gpt-s-5m", "--out", tmp_path / "run", "--json")
    assert_refused(outcome, "HuggingFaceFW/fineweb-edu", "--data text=PATH")


def test_a_text_too_short_for_one_window(run_on, tmp_path):
    (tmp_path / "text.jsonl").write_text("\n".join(lines_of_text(2)))
    sets = ("design.context_length=2048", "training.batch_tokens=2048", "design.vocab_size=262")
    longer = [word for item in sets for word in ("--set", item)]
    outcome = run_on(tmp_path / "text.jsonl", *longer)
    assert_refused(outcome, "context_length=2048", "give more text")
    assert not (tmp_path / "run" / "data").exists()


def test_a_folder_that_holds_another_run(smidgen, finished_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished_run.path, copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert_refused(smidgen("run", "quickstart", "--out", copy, "--json"), "already holds a run of another recipe")
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_a_folder_of_other_things(smidgen, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert_refused(smidgen("run", "quickstart", "--out", tmp_path, "--json"), "is no run folder")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_resuming_with_a_changed_recipe(smidgen, finished_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished_run.path, copy)
    stored = json.loads((copy / "recipe.json").read_text())
    stored["recipe"]["training"]["peak_learning_rate"] = 1.0
    (copy / "recipe.json").write_text(json.dumps(stored))
    assert_refused(smidgen("train", "--resume", copy, "--json"), "was changed after the run began")


def test_resume_takes_no_other_recipe(smidgen, finished_run):
    outcome = smidgen("train", "--resume", finished_run.path, "--set", "training.tokens=5", "--json")
    assert_refused(outcome, "a run keeps its recipe")
    assert_refused(smidgen("train", "--json"), "give either a RECIPE")
    assert_refused(smidgen("train", "quickstart", "--resume", finished_run.path, "--json"), "give either a RECIPE")


def test_a_full_disk_costs_nothing_but_time(smidgen, tmp_path, tiny_options, monkeypatch):
    """The disk fills while a checkpoint is saved; once there is room again the same command ends the run."""
    run = ["run", "quickstart", "--out", tmp_path / "run", "--json", *tiny_options]
    real, saved = os.fsync, []

    def fsync(descriptor):
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if "step-00000010" in name:
            saved.append(name)
            raise OSError(errno.ENOSPC, "No space left on device", name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    outcome = smidgen(*run)
    assert saved
    assert_refused(outcome, "no space left on the disk", "what was there before is intact", code=75)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000005"]
    monkeypatch.undo()
    assert smidgen(*run).json["train"]["finished"]


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["evaluate", "no-such-model"], "no such folder"),
        (["generate", "no-such-model", "--prompt", "x"], "no such folder"),
        (["report", "no-such-run"], "no run folder"),
        (["verify", "no-such-run"], "no such folder"),
        (["tokenizer", "inspect", "no-such-tokenizer"], "no-such-tokenizer"),
        (["data", "inspect", "no-such-data"], "no-such-data"),
        (["design", "no-such.json"], "cannot be read"),
        (["design", "gpt-5m"], "did you mean"),
        (["train", "quickstart", "--device", "toaster", "--out", "x"], "device 'toaster'"),
        (["train", "quickstart", "--sink", "tensorbord", "--out", "x"], "did you mean tensorboard"),
    ],
)
def test_what_does_not_exist_is_named(smidgen, words, phrase, tmp_path, monkeypatch, tiny_options):
    monkeypatch.chdir(tmp_path)
    extra = tiny_options if words[0] == "train" else []
    assert_refused(smidgen(*words, "--json", *extra), phrase)


def test_settings_out_of_range_are_named(smidgen, finished_run):
    words = ["generate", finished_run.path, "--prompt", "The", "--json"]
    assert_refused(smidgen(*words, "--temperature", "-1"), "temperature=-1.0 must be 0 (greedy) or positive")
    assert_refused(smidgen(*words, "--top-p", "1.5"), "top_p=1.5")


def test_unknown_tasks_name_the_known_ones(smidgen, finished_run):
    outcome = smidgen("evaluate", finished_run.path, "--tasks", "helaswag", "--json")
    assert_refused(outcome, "helaswag", "hellaswag")


def test_a_damaged_model_is_refused(smidgen, finished_run, tmp_path):
    copy = tmp_path / "hf"
    shutil.copytree(finished_run.exports / "hf", copy)
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert_refused(
        smidgen("generate", copy, "--prompt", "The", "--json"), "is damaged: model.safetensors has changed"
    )
    assert smidgen("verify", copy, "--json").code == 1


def test_an_unknown_option_is_typers_business_and_has_its_exit_code(smidgen):
    assert smidgen("run", "quickstart", "--no-such-option").code == 2
    assert smidgen("no-such-command").code == 2


def test_debug_shows_the_traceback(smidgen):
    with pytest.raises(Exception, match="no recipe named"):
        smidgen("design", "nothing-like-it", "--debug")
