"""``smidgen design`` as a person and as a program sees it."""

import json
import subprocess
import sys

import pytest

from smidgen.data import usage
from smidgen.data.training_data import open_data
from smidgen.recipes.loading import recipe_from_dict

LLAMA = {
    "model_type": "llama",
    "vocab_size": 1000,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 160,
}


@pytest.fixture
def config_file(tmp_path):
    def write(content):
        path = tmp_path / "config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_the_keys_that_others_read_are_there(smidgen):
    summary = smidgen("design", "ant-5m", "--json").json
    assert {"parameters", "flops_per_token", "memory", "findings", "files", "speed"} <= summary.keys()
    assert {"total", "embedding", "attention", "feed_forward", "norms", "features"} <= summary["parameters"].keys()
    assert set(summary["flops_per_token"]) == {"forward", "training"}
    assert all(isinstance(number, int) for number in summary["memory"].values())
    for finding in summary["findings"]:
        assert {"code", "severity", "message", "evidence", "suggestion", "strength"} <= finding.keys()


def test_a_person_reads_budget_costs_and_findings_with_both_sides(smidgen):
    out = smidgen("design", "ant-5m").out
    for words in (
        "4,730,240 parameters",
        "44.3%",
        "training on a CPU",
        "hf float32",
        "roofline",
        "for: ",
        "against: ",
    ):
        assert words in out
    assert "━" * 20 in out


def test_a_model_of_others_is_counted_and_diagnosed(smidgen, config_file):
    path = config_file({**LLAMA, "model_type": "qwen2", "num_key_value_heads": 1})
    (path.parent / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {str(n): n for n in range(900)}}}))
    summary = smidgen("design", path, "--json").json
    assert summary["family"] == "qwen2"
    assert summary["parameters"]["biases"] == 2 * (64 + 32 + 32)
    assert "unused-ids" in {finding["code"] for finding in summary["findings"]}


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        ('{"model_type": "llama",', "is not valid JSON"),
        ({**LLAMA, "model_type": "rwkv"}, "model_type 'rwkv'; known are llama, mistral"),
        ({"model_type": "llama"}, "lacks vocab_size, hidden_size"),
        ({**LLAMA, "hidden_size": 0}, "hidden_size=0 must be at least 1"),
        ({**LLAMA, "vocab_size": -5}, "vocab_size=-5 must be at least 1"),
        ({**LLAMA, "vocab_size": 10**18}, "parameters, more than any model has; check its sizes"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(smidgen, config_file, content, phrase):
    outcome = smidgen("design", config_file(content), "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert phrase in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["--set", "design.vocab_size=1e18"], "parameters, more than any model has"),
        (["--set", "design.hidden_size=0"], "hidden_size=0 must be at least 1"),
        (["--budget", "-5M"], "--budget"),
        (["--budget", "many"], "--budget many must be a positive number such as 5M"),
        (["--scale", "25X"], "--scale 25X must be a positive number"),
        (["--scale", "1B", "--price-per-hour", "abacus=2"], "no rate is known for hardware 'abacus'"),
        (["--scale", "1B", "--price-per-hour", "h100"], "--price-per-hour h100 must be NAME=PRICE"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(smidgen, words, phrase):
    outcome = smidgen("design", "gpt-s-5m", *words, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert phrase in outcome.err


def test_strict_fails_on_an_error_alone(smidgen):
    assert smidgen("design", "gpt-s-5m", "--strict", "--json").code == 0
    outcome = smidgen("design", "gpt-s-5m", "--budget", "5M", "--strict", "--json")
    assert outcome.code == 1
    assert outcome.json["findings"][0]["code"] == "budget"


def test_the_scale_is_planned_where_asked(smidgen):
    words = ["design", "gpt-s-5m", "--scale", "25B", "--price-per-hour", "t4=0.35"]
    plan = smidgen(*words, "--json").json["scale"]
    assert plan["tokens"] == 25_000_000_000
    out = smidgen(*words).out
    assert "50 GB of shards" in out.replace("\u00a0", " ")
    assert "no price given" in out


def test_the_cache_is_of_as_many_tokens_as_asked(smidgen):
    one, two = (smidgen("design", "quickstart", "--context", n, "--json").json["memory"] for n in ("100", "200"))
    assert two["kv_cache_bytes"] == 2 * one["kv_cache_bytes"] == 200 * one["kv_cache_bytes_per_token"]


def test_no_torch_is_needed():
    code = "import sys, smidgen; smidgen.design('ant-5m'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_tells_what_of_its_vocabulary_its_text_uses(smidgen, finished_run, monkeypatch):
    monkeypatch.setattr(usage, "MOST_TOKENS", 200)
    recipe = recipe_from_dict(finished_run.stored_recipe(), origin="stored")
    data = open_data(finished_run.data, None)
    begun = 200 // len(data.train)
    used = {token for shard in data.train.values() for token in shard.tokens[:begun].tolist()}
    unused = set(range(recipe.smallest_vocab_size, recipe.design.vocab_size)) - used
    findings = smidgen("design", finished_run.path, "--json").json["findings"]
    message = next(finding["message"] for finding in findings if finding["code"] == "unseen-ids")
    assert message.startswith(f"{len(unused)} of {recipe.design.vocab_size} entries")


def test_the_folder_of_a_model_is_as_good_as_its_config(smidgen, config_file):
    path = config_file(LLAMA)
    by_folder, by_file = (smidgen("design", given, "--json").json for given in (path.parent, path))
    assert by_folder.pop("name") != by_file.pop("name")
    assert by_folder == by_file
