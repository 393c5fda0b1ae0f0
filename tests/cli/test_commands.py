"""Every command on a finished tiny run: the keys that others read, and stdout that holds nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from smidgen.native.library import Unavailable
from smidgen.recipes.loading import shipped_names
from smidgen.tokenization import text_encoder


def test_waiting_threads_sleep_unless_the_user_says_otherwise(smidgen, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    smidgen("recipes", "--json")
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    smidgen("recipes", "--json")
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_recipes_are_listed_with_exact_counts(smidgen):
    rows = {row["name"]: row for row in smidgen("recipes", "--json").json["recipes"]}
    assert set(rows) == set(shipped_names())
    assert rows["gpt-s-5m"]["parameters"] == 5_158_464
    assert {"name", "parameters", "source", "inferred"} <= rows["ant-5m"].keys()
    assert rows["ant-5m"]["parameters_inferred"]
    assert not rows["atom-2.7m"]["parameters_inferred"]


def test_design_counts_and_warns(smidgen):
    summary = smidgen("design", "ant-5m", "--json").json
    assert summary["parameters"]["total"] == 4_730_240
    assert any(finding["code"] == "embedding-share" for finding in summary["findings"])
    # Warnings are no errors.
    assert smidgen("design", "ant-5m", "--strict", "--json").code == 0


def test_design_reads_the_config_of_an_export(smidgen, finished_run, tiny_options):
    read = smidgen("design", finished_run.exports / "hf" / "config.json", "--json").json
    counted = smidgen("design", "quickstart", *tiny_options, "--json").json
    assert read["parameters"] == counted["parameters"]


def test_evaluate_gives_intervals_and_stores_items(smidgen, finished_run, tmp_path):
    out = tmp_path / "scores.json"
    record = smidgen("evaluate", finished_run.path, "--limit", "20", "--out", out, "--json").json
    assert {"scores", "index", "seconds", "items_per_second"} <= record.keys()
    score = record["scores"]["arithmark2-generated"]["acc"]
    assert {"value", "low", "high", "n", "ties", "truncated", "stderr"} == score.keys()
    assert score["low"] <= score["value"] <= score["high"]
    assert '"items"' in out.read_text()


def test_an_export_is_scored_like_its_run(smidgen, finished_run, tmp_path):
    words = ["--tasks", "arithmark2-generated,minimal-pairs", "--limit", "15", "--json"]
    run = smidgen("evaluate", finished_run.path, *words, "--out", tmp_path / "run.json").json
    export = smidgen("evaluate", finished_run.exports / "hf", *words).json
    assert run["scores"] == export["scores"]


def test_generate_answers_with_the_agreed_keys(smidgen, finished_run):
    words = ["generate", finished_run.path, "--prompt", "The cat", "--json", "--seed", "3"]
    first, second = smidgen(*words).json, smidgen(*words).json
    assert {"text", "tokens", "finish_reason", "tokens_per_second", "remarks"} == first.keys()
    assert first["text"] == second["text"]
    assert smidgen(*words[:-1], "4").json["text"] != first["text"]


def test_generate_prints_prompt_and_text_for_people(smidgen, finished_run):
    outcome = smidgen("generate", finished_run.path, "--prompt", "The cat", "--temperature", "0")
    assert outcome.out.startswith("The cat")
    assert "tokens/s" in outcome.err


def test_an_empty_prompt_starts_a_new_text(smidgen, finished_run):
    assert smidgen("generate", finished_run.path, "--prompt", "", "--json").code == 0


def test_log_probabilities_cover_prompt_and_text(smidgen, finished_run):
    result = smidgen("generate", finished_run.path, "--prompt", "The cat", "--echo-logprobs", "--json").json
    assert result["prompt_logprobs"][0]["logprob"] is None
    assert all(entry["logprob"] <= 0 for entry in [*result["prompt_logprobs"][1:], *result["logprobs"]])
    assert len(result["logprobs"]) == result["tokens"]


def test_export_proves_that_it_computes_the_same(smidgen, finished_run, tmp_path):
    words = ["export", finished_run.path, "--to", "hf", "--out", tmp_path / "hf", "--json"]
    record = smidgen(*words).json
    assert record["parity"]["max_abs_logit_diff"] <= 1e-5
    assert {"name", "bytes", "sha256"} <= record["files"][0].keys()
    assert record["refused"] == []
    assert smidgen(*words).code == 2


def test_an_unknown_format_is_refused(smidgen, finished_run, tmp_path):
    outcome = smidgen("export", finished_run.path, "--to", "pickle", "--out", tmp_path / "x", "--json")
    assert outcome.code == 2
    assert "known is hf" in outcome.err


def test_the_report_is_written_again(smidgen, finished_run):
    written = smidgen("report", finished_run.path, "--json").json
    assert {"report", "card"} == written.keys()
    assert "<html" in Path(written["report"]).read_text()


def test_a_whole_run_verifies_and_a_changed_byte_does_not(smidgen, finished_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished_run.path, copy)
    good = smidgen("verify", copy, "--json").json
    assert good["checked"] > 20
    assert good["failed"] == []
    shard = copy / "data" / "grammar" / "train.bin"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    bad = smidgen("verify", copy, "--json")
    assert bad.code == 1
    assert any("train.bin" in problem for problem in bad.json["failed"])


def test_a_tokenizer_is_trained_inspected_and_checked(smidgen, tiny_options, tmp_path):
    trained = smidgen("tokenizer", "train", "quickstart", *tiny_options, "--out", tmp_path / "tok", "--json").json
    assert trained["vocab_size"] == 320
    inspected = smidgen("tokenizer", "inspect", tmp_path / "tok", "--json").json
    assert {"vocab_size", "bytes_per_token", "unused", "roundtrip_failures"} <= inspected.keys()
    checked = smidgen("tokenizer", "check", tmp_path / "tok", "--json").json
    assert checked["roundtrip_failures"] == 0


def test_data_is_built_inspected_and_checked(smidgen, tiny_options, finished_run, tmp_path):
    words = ["data", "build", "quickstart", *tiny_options, "--tokenizer", finished_run.tokenizer]
    built = smidgen(*words, "--out", tmp_path / "data", "--json").json
    assert {"tokens", "shards", "shares", "rejected", "contaminated"} <= built.keys()
    assert built["shares"] == pytest.approx({"grammar": 0.65, "arithmetic": 0.35})
    assert smidgen("data", "inspect", tmp_path / "data", "--json").json["tokens"] == built["tokens"]
    assert smidgen("data", "check", tmp_path / "data", "--json").json["shards"] == 4


def test_a_build_without_the_compiled_encoder_says_so(smidgen, tiny_options, finished_run, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise Unavailable("no C++ compiler was found (g++)")

    monkeypatch.setattr(text_encoder, "NativeEncoder", refuse)
    monkeypatch.setattr(text_encoder, "WORTHWHILE_CHARACTERS", 0)
    words = ["data", "build", "quickstart", *tiny_options, "--tokenizer", finished_run.tokenizer]
    outcome = smidgen(*words, "--out", tmp_path / "data", "--json")
    assert "note: texts are encoded by the tokenizers library alone" in outcome.err
    assert outcome.json["tokens"] > 0


def test_tables_for_people_do_not_fail(smidgen, finished_run, tmp_path):
    for words in (
        ["recipes"],
        ["design", "ant-5m"],
        ["tokenizer", "inspect", finished_run.path],
        ["data", "inspect", finished_run.path],
        ["data", "check", finished_run.path],
        ["evaluate", finished_run.path, "--limit", "5", "--out", tmp_path / "s.json"],
        ["export", finished_run.path, "--to", "hf", "--out", tmp_path / "hf"],
        ["report", finished_run.path],
        ["verify", finished_run.path],
    ):
        outcome = smidgen(*words)
        assert outcome.code == 0, (words, outcome)
        assert len(outcome.out.splitlines()) >= 1
