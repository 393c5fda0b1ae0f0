from dataclasses import replace

from smidgen.design.findings import diagnose
from smidgen.design.summary import summarise_recipe
from smidgen.recipes.loading import load_recipe


def codes(name):
    return {finding.code for finding in diagnose(load_recipe(name).design)}


def test_ant_5m_is_warned_about_its_vocabulary_and_its_heads():
    assert {"embedding-share", "head-size"} <= codes("ant-5m")


def test_working_designs_are_not():
    for name in ("gpt-s-5m", "atom-3.4m", "atomixs2-5m", "quickstart"):
        assert not codes(name) & {"embedding-share", "head-size"}


def test_the_share_in_the_finding_is_the_one_on_the_card():
    [finding] = [f for f in diagnose(load_recipe("ant-5m").design) if f.code == "embedding-share"]
    assert "44.3%" in finding.message
    assert "2,097,152 of 4,730,240" in finding.message


def test_a_suggested_number_of_heads_can_be_built():
    [finding] = [f for f in diagnose(load_recipe("ant-5m").design) if f.code == "head-size"]
    assert "num_heads = 2 would give head size 64" in finding.suggestion


def test_features_that_block_export_are_noted():
    assert "remote-code" in codes("gpt-s-5m")
    assert "remote-code" not in codes("ant-5m")
    [finding] = diagnose(replace(load_recipe("atomixs2-5m").design, logit_softcap=30.0))
    assert "a logit soft-cap cannot be carried by a stock LlamaForCausalLM" in finding.message


def test_tokens_per_parameter_are_noted_when_few():
    config = load_recipe("gpt-s-5m").design
    assert any(f.code == "few-tokens" for f in diagnose(config, training_tokens=2_000_000))
    assert not any(f.code == "few-tokens" for f in diagnose(config, training_tokens=25_000_000_000))


def test_the_summary_has_the_keys_that_others_read():
    summary = summarise_recipe(load_recipe("ant-5m"))
    assert {"parameters", "flops_per_token", "memory", "findings"} <= summary.keys()
    assert {"total", "embedding", "attention", "feed_forward", "norms", "features"} <= summary["parameters"].keys()
    assert {"code", "severity", "message", "evidence", "suggestion"} == summary["findings"][0].keys()
    assert [f["severity"] for f in summary["findings"]] == sorted(
        (f["severity"] for f in summary["findings"]), key=["error", "warning", "note"].index
    )
