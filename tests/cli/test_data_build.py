"""``smidgen data build`` as users meet it: what it says, where it goes on, how it refuses."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer


def texts(count, seed):
    chance = random.Random(seed)
    return [" ".join(f"{seed}{chance.randrange(900)}" for _ in range(200)) for _ in range(count)]


def write(path, rows):
    path.write_text("".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(rows)))
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(iter(texts(60, "a") + texts(60, "b")), TokenizerSettings(), 320).save(folder)
    return folder


@pytest.fixture
def words(tmp_path, tokenizer, tiny_options):
    """The words of a command that builds from files, by source, with given weights."""

    def call(files, weights, *more, tokens=20_000):
        sources = ", ".join(f"{name}={{files=['{path}']}}" for name, path in files.items())
        shown = ", ".join(f"{name}={weight}" for name, weight in weights.items())
        sets = [f"data.sources={{{sources}}}", f"data.curriculum=[{{at=0, weights={{{shown}}}}}]"]
        sets += [f"training.tokens={tokens}"]
        options = [word for item in sets for word in ("--set", item)]
        words = ["data", "build", "quickstart", *tiny_options, *options, "--tokenizer", tokenizer]
        return [*words, "--out", tmp_path / "out", *more]

    return call


@pytest.fixture
def two_files(tmp_path):
    shared = texts(5, "c")
    return {
        "a": write(tmp_path / "a.jsonl", [*texts(120, "a"), *shared]),
        "b": write(tmp_path / "b.jsonl", [*shared, *texts(60, "b")]),
    }


def assert_refused(outcome, *phrases, code=2):
    assert outcome.code == code, outcome
    lines = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, outcome.err
    assert "Traceback" not in outcome.err
    for phrase in phrases:
        assert phrase in lines[0]


def test_proportions_that_do_not_sum_are_normalised_with_a_note(smidgen, words, two_files):
    outcome = smidgen(*words(two_files, {"a": 3, "b": 1}))
    assert outcome.code == 0, outcome
    shown = " ".join((outcome.out + outcome.err).split())
    assert "the weights at 0 sum to 4 and count as proportions: a 75%, b 25%" in shown
    assert "5 documents of b stand in a already and were left out" in shown


def test_negative_proportions_are_refused(smidgen, words, two_files):
    outcome = smidgen(*words(two_files, {"a": 3, "b": -1}, "--json"))
    assert_refused(outcome, "weight -1.0 of source 'b' must not be negative")


def test_two_sources_with_one_name_are_refused(smidgen, words, two_files, tmp_path, tokenizer):
    outcome = smidgen(*words({"web": two_files["a"], "Web": two_files["b"]}, {"web": 1, "Web": 1}, "--json"))
    assert_refused(outcome, "sources 'web' and 'Web' have the same name but for upper and lower case")
    recipe = tmp_path / "twice.toml"
    recipe.write_text(
        'extends = "quickstart"\n[data.sources.web]\nfiles = ["a"]\n[data.sources.web]\nfiles = ["b"]\n'
    )
    outcome = smidgen("data", "build", recipe, "--tokenizer", tokenizer, "--out", tmp_path / "out", "--json")
    assert_refused(outcome, "twice.toml is not valid TOML")


def test_a_source_that_ends_early_repeats_and_says_how_often(smidgen, words, two_files):
    outcome = smidgen(*words(two_files, {"a": 0.5, "b": 0.5}, "--json", tokens=1_000_000))
    assert outcome.code == 0
    entry = outcome.json["sources"]["b"]
    assert entry["epochs"] > 4
    (warning,) = [warning for warning in outcome.json["warnings"] if "'b'" in warning]
    assert f"source 'b' will repeat {entry['epochs']:.1f} times" in warning
    assert entry["licenses"] == []
    assert entry["files"] == 1


def test_a_tokenizer_that_does_not_match_the_shards_is_refused(smidgen, finished_run, tokenizer, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished_run.path, run)
    shutil.rmtree(run / "tokenizer")
    shutil.copytree(tokenizer, run / "tokenizer")
    shutil.rmtree(run / "scores")
    outcome = smidgen("data", "check", run, "--tasks", "arithmark2-generated", "--json")
    assert_refused(outcome, "is not the tokenizer that these data were built with")


def test_what_runs_the_workers_must_be_known(smidgen, words, two_files):
    outcome = smidgen(*words(two_files, {"a": 1, "b": 1}, "--executor", "spark", "--json"))
    assert_refused(outcome, "--executor 'spark' is unknown; give pool, datatrove or ray")


@pytest.mark.parametrize("package", ["ray", "datatrove"])
def test_a_missing_package_is_named(smidgen, words, two_files, monkeypatch, package, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = smidgen(*words(two_files, {"a": 1, "b": 1}, "--executor", package, "--json"))
    assert_refused(outcome, f'needs the package {package}: pip install "smidgen[scale]"')
    assert not (tmp_path / "out").exists()


def test_documents_are_compared_with_evaluation_sets(smidgen, words, tmp_path, two_files):
    folder = tmp_path / "eval" / "arc_easy"
    folder.mkdir(parents=True)
    item = " ".join(texts(1, "q")[0].split()[:20])
    rows = texts(120, "a")
    rows[7] += f" {item}"
    write(two_files["a"], rows)
    row = {"id": "1", "question": item, "choices": {"text": ["yes", "no"], "label": ["A", "B"]}, "answerKey": "A"}
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    more = ["--eval-data", tmp_path / "eval", "--set", 'data.quality.contamination_tasks=["arc_easy"]', "--json"]
    outcome = smidgen(*words(two_files, {"a": 1, "b": 1}, *more))
    assert outcome.code == 0, outcome
    (found,) = outcome.json["contaminated"]
    assert (found["task"], found["documents"]) == ("arc_easy", 1)
    assert '"document": "a.jsonl:7"' in (tmp_path / "out/a/contaminated.jsonl").read_text()


# Interrupted


@pytest.fixture
def large(tmp_path, words):
    rows = texts(4_000, "a")
    return words({"a": write(tmp_path / "a.jsonl", rows)}, {"a": 1}, "--workers", "2", tokens=10**8)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_what_is_done_and_the_command_goes_on(start_smidgen, smidgen, large, tmp_path, number):
    process = start_smidgen(*large)
    parts = tmp_path / ".out.parts"
    while process.poll() is None and not any(parts.rglob("*.part")):
        time.sleep(0.01)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the build was done before the signal came")
    assert process.returncode == 130, output
    assert "what is tokenised is kept" in " ".join(output.split())
    assert "Traceback" not in output
    assert not (tmp_path / "out").exists()
    assert any(parts.rglob("*.part"))
    assert smidgen(*large, "--json").code == 0
    assert not parts.exists()
    assert smidgen("data", "check", tmp_path / "out", "--json").code == 0


def test_a_full_disk_ends_with_75_and_the_command_goes_on(large, smidgen, tmp_path):
    command = [sys.executable, "-m", "smidgen", *map(str, large), "--json"]
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 40; exec "$@"', "limited", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert limited.returncode == 75, limited
    assert "no space left on the disk" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert smidgen(*large, "--json").code == 0
