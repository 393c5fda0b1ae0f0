"""What is found in designs, on what evidence, and that the change suggested cures it."""

import json
from dataclasses import asdict, replace

import pytest

from smidgen.design.config_file import shape_from_config
from smidgen.design.evidence import STRENGTHS
from smidgen.design.finding import SEVERITIES
from smidgen.design.findings import diagnose
from smidgen.design.parameters import count_parameters
from smidgen.design.shape import shape_of
from smidgen.design.subject import EntriesSeen, Subject
from smidgen.design.summary import Questions, summarise_recipe
from smidgen.recipes.loading import load_recipe, recipe_from_dict, shipped_names

ANTS_CAUSES = {"embedding-share", "head-size", "kv-grouping"}


def subject_of(recipe, **known):
    return Subject(shape=shape_of(recipe.design), training=recipe.training, **known)


def found(recipe, **known):
    return {finding.code: finding for finding in diagnose(subject_of(recipe, **known))}


def changed(recipe, changes):
    """The recipe with a finding's changes, as --set would make them."""
    content = json.loads(json.dumps(asdict(recipe)))
    for key, value in changes.items():
        table, name = key.split(".")
        content[table][name] = value
    return recipe_from_dict(content, origin="changed")


# A recipe, what is changed in it, and what a diagnosis is told besides: one line for each finding that there is.
CASES = {
    "budget": ("gpt-s-5m", [], {"budget": 5_000_000}),
    "missing-ids": ("gpt-s-5m", [], {"tokenizer_entries": 4100}),
    "unused-ids": ("gpt-s-5m", [], {"tokenizer_entries": 4000}),
    "unseen-ids": ("gpt-s-5m", [], {"entries_seen": EntriesSeen(entries=3800, tokens=10**6)}),
    "embedding-share": ("ant-5m", [], {}),
    "head-size": ("ant-5m", [], {}),
    "kv-grouping": ("ant-5m", [], {}),
    "published-correction": ("ant-5m", [], {}),
    "rare-tokens": ("ant-5m", ["training.tokens=1e7"], {}),
    "rope-aliases": ("gpt-s-5m", ["design.rope_theta=20"], {}),
    "rope-never-turns": ("gpt-s-5m", ["design.rope_theta=500000"], {}),
    "depth-width": ("quickstart", ["design.num_layers=20"], {}),
    "feed-forward-ratio": ("quickstart", ["design.intermediate_size=128"], {}),
    "few-tokens": ("quickstart", [], {}),
    "few-steps": ("quickstart", ["training.batch_tokens=65536"], {}),
    "learning-rate": ("gpt-s-5m", ["training.peak_learning_rate=0.03"], {}),
    "batch-size": ("gpt-s-5m", ["training.batch_tokens=4096"], {}),
    "documents-cut": ("quickstart", [], {"document_tokens": 3000}),
    "documents-short": ("gpt-s-5m", [], {"document_tokens": 100}),
    "remote-code": ("atom-2.7m", [], {}),
    "k-quants": ("gpt-s-5m", [], {}),
}


def case(code):
    name, overrides, known = CASES[code]
    return load_recipe(name, overrides=overrides), known


@pytest.mark.parametrize("code", CASES)
def test_the_suggested_change_cures_what_was_found(code):
    recipe, known = case(code)
    finding = found(recipe, **known)[code]
    assert finding.changes
    assert code not in found(changed(recipe, finding.changes), **known)


@pytest.mark.parametrize("code", CASES)
def test_a_finding_says_all_of_it(code):
    recipe, known = case(code)
    finding = found(recipe, **known)[code].as_dict()
    assert {"code", "severity", "message", "evidence", "suggestion", "strength"} <= finding.keys()
    assert any(character.isdigit() for character in finding["message"]) or code == "remote-code"
    assert finding["severity"] in SEVERITIES
    assert finding["strength"] in STRENGTHS
    assert all(item["source"] for item in finding["sources"])
    assert all(f"{key}=" in finding["suggestion"] for key in finding["changes"])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("head-size", ["design.num_heads=3", "design.hidden_size=42", "design.head_dim=14", "design.num_kv_heads=1"]),
        ("head-size", ["design.num_heads=1", "design.hidden_size=16", "design.head_dim=16", "design.num_kv_heads=1"]),
        ("embedding-share", ["design.vocab_size=600", "design.num_layers=1", "design.intermediate_size=64"]),
        ("rare-tokens", ["training.tokens=2e5", "training.batch_tokens=512"]),
        ("depth-width", ["design.hidden_size=2048", "design.num_layers=1"]),
        ("feed-forward-ratio", ["design.intermediate_size=1500"]),
        ("rope-aliases", ["design.rope_theta=1.5", "design.context_length=128"]),
        ("learning-rate", ["training.peak_learning_rate=1e-5"]),
        ("batch-size", ["training.batch_tokens=2097152", "training.tokens=3e8"]),
        ("few-steps", ["training.tokens=20480", "training.batch_tokens=4096"]),
        ("k-quants", ["design.hidden_size=300", "design.num_heads=6", "design.num_kv_heads=2", "design.head_dim=50"]),
        ("remote-code", ["design.logit_softcap=30.0"]),
        ("remote-code", ["design.qk_norm=true"]),
    ],
)
def test_odd_designs_are_cured_too(code, changes):
    recipe = load_recipe("quickstart", overrides=changes)
    finding = found(recipe)[code]
    assert finding.changes, finding.suggestion
    assert code not in found(changed(recipe, finding.changes))


@pytest.mark.parametrize("budget", [4_900_000, 4_000_000, 1_500_000, 1_300_000])
def test_any_budget_is_met_by_one_change(budget):
    recipe = load_recipe("gpt-s-5m")
    finding = found(recipe, budget=budget)["budget"]
    assert len(finding.changes) == 1
    assert 0.7 * budget < count_parameters(changed(recipe, finding.changes).design).total <= budget


def test_what_no_single_change_cures_is_left_to_the_solver():
    finding = found(load_recipe("gpt-s-5m"), budget=10_000)["budget"]
    assert not finding.changes
    assert "smidgen solve --parameters 10000" in finding.suggestion


def test_ant_5m_is_warned_about_its_cards_three_causes_with_evidence_on_both_sides():
    findings = found(load_recipe("ant-5m"))
    assert findings.keys() >= ANTS_CAUSES
    for code in ANTS_CAUSES:
        assert {item.side for item in findings[code].evidence} == {"for", "against"}
        assert "for: Ant-5M, a failure" in findings[code].as_dict()["evidence"]
    assert "44.3% of all parameters (2,097,152 of 4,730,240)" in findings["embedding-share"].message
    assert "each head has only 16 channels" in findings["head-size"].message
    assert "8 pairs to tell places by, of which 5 turn within 1,024 tokens" in findings["head-size"].message
    assert "GPT-S-5M works with heads of 32" in findings["head-size"].as_dict()["evidence"]
    assert "4 query heads share each key-value head" in findings["kv-grouping"].message


def test_the_corrected_design_of_ants_card_does_not_fit_its_own_budget():
    finding = found(load_recipe("ant-5m"))["published-correction"]
    assert "does not fit the 5,000,000" in finding.message
    assert "16,384 x 256 of vocabulary leave 805,696, and 7 layers need 1,835,008" in finding.message
    fitting = changed(load_recipe("ant-5m"), finding.changes).design
    assert (fitting.hidden_size, fitting.num_layers, fitting.num_heads, fitting.num_kv_heads) == (256, 7, 4, 4)
    assert 4_900_000 < count_parameters(fitting).total <= 5_000_000


def test_that_design_breaks_the_budget_of_its_recipe():
    sizes = ["hidden_size=256", "num_layers=7", "num_heads=4", "num_kv_heads=4", "head_dim=64"]
    recipe = load_recipe("ant-5m", overrides=[f"design.{size}" for size in sizes])
    finding = found(recipe, budget=recipe.parameter_budget)["budget"]
    assert finding.severity == "error"
    assert "leave 805,696, and 7 layers need 1,835,008 for attention alone" in finding.message


def test_a_budget_that_is_asked_for_comes_before_the_recipes():
    recipe = load_recipe("ant-5m")
    assert not [f for f in summarise_recipe(recipe)["findings"] if f["code"] == "budget"]
    larger = load_recipe("ant-5m", overrides=["design.num_layers=13"])
    assert [f for f in summarise_recipe(larger)["findings"] if f["code"] == "budget"]
    assert not [f for f in summarise_recipe(larger, Questions(budget=6_000_000))["findings"] if f["code"] == "budget"]


def test_every_entry_may_be_seen():
    recipe = load_recipe("gpt-s-5m")
    entries = recipe.design.vocab_size
    assert "unseen-ids" not in found(recipe, entries_seen=EntriesSeen(entries=entries, tokens=10**6))


@pytest.mark.parametrize("name", sorted({*shipped_names()} - {"ant-5m"}))
def test_designs_that_work_have_no_error_and_none_of_ants_causes(name):
    findings = found(load_recipe(name))
    assert not ANTS_CAUSES & findings.keys()
    assert all(finding.severity != "error" for finding in findings.values())


def test_the_published_systems_train_near_the_law():
    for name in ("gpt-s-5m", "ant-5m", "quickstart"):
        assert not {"learning-rate", "batch-size", "few-steps"} & found(load_recipe(name)).keys()


def test_nothing_is_found_in_a_shape_as_usual_elsewhere():
    llama = {"model_type": "llama", "vocab_size": 32_000, "hidden_size": 4096, "num_hidden_layers": 32}
    llama |= {"num_attention_heads": 32, "intermediate_size": 11_008, "max_position_embeddings": 4096}
    assert {f.code for f in diagnose(Subject(shape=shape_from_config(llama, origin="Llama 2")))} == set()


def test_what_is_not_known_is_not_judged():
    codes = {finding.code for finding in diagnose(Subject(shape=shape_of(load_recipe("quickstart").design)))}
    assert codes == {"k-quants"}


def test_documents_kept_apart_may_be_short():
    recipe = load_recipe("gpt-s-5m", overrides=["training.document_masks=true"])
    assert "documents-short" not in found(recipe, document_tokens=100)


def test_a_shape_without_rotation_has_no_findings_about_it():
    gpt2 = {"model_type": "gpt2", "vocab_size": 500, "n_embd": 64, "n_layer": 2, "n_head": 4}
    findings = {f.code: f for f in diagnose(Subject(shape=shape_from_config(gpt2, origin="x")))}
    assert not {"rope-aliases", "rope-never-turns"} & findings.keys()
    assert findings["head-size"].message == "each head has only 16 channels"


def test_findings_come_with_the_severest_first():
    findings = summarise_recipe(load_recipe("ant-5m"), Questions(budget=4_000_000))["findings"]
    severities = [SEVERITIES.index(finding["severity"]) for finding in findings]
    assert severities == sorted(severities)
    assert findings[0]["severity"] == "error"


def test_the_strength_is_that_of_the_best_evidence():
    findings = found(load_recipe("ant-5m"))
    for cause in ("embedding-share", "head-size", "kv-grouping"):
        # The causes that the card names were tried one at a time: what was found speaks against all three.
        assert findings[cause].as_dict()["strength"] == "controlled"
        assert [item.side for item in findings[cause].evidence if item.strength == "controlled"] == ["against"]
    finding = findings["embedding-share"]
    guesses = tuple(item for item in finding.evidence if item.strength == "hypothesis")
    assert replace(finding, evidence=guesses).as_dict()["strength"] == "hypothesis"
