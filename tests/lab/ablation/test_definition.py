import json

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import dotted, read_ablation

SHORT = """
base = "quickstart"
[budget]
tokens = 40_960
[variants.deep]
design.num_layers = 5
"""


def test_base_and_variants_are_resolved_recipes_under_their_names(defined):
    ablation = defined(SHORT)
    assert [one.name for one in ablation.everyone] == ["base", "deep"]
    assert [one.recipe.design.num_layers for one in ablation.everyone] == [4, 5]
    assert [one.settings for one in ablation.everyone] == [{}, {"design.num_layers": 5}]
    assert (ablation.name, ablation.seeds, ablation.tasks, ablation.halving) == ("xsa", (1, 2, 3), (), None)


def test_quoted_keys_and_nested_tables_mean_the_same(defined):
    quoted = defined(SHORT.replace("design.num_layers", '"design.num_layers"'))
    nested = defined(SHORT.replace("[variants.deep]\ndesign.num_layers", "[variants.deep.design]\nnum_layers"))
    assert quoted.fingerprint == nested.fingerprint == defined(SHORT).fingerprint


def test_a_quoted_key_replaces_a_table_and_a_nested_one_changes_part_of_it(defined):
    source = "{ generator = 'arithmetic', purpose = 'sums' }"
    assert dotted({"data.sources.x": {"a": {"b": 1}}}) == {"data.sources.x": {"a": {"b": 1}}}
    assert dotted({"data": {"sources": {"x": {"b": 1}}, "y": {}}}) == {"data.sources.x.b": 1}
    replaced = defined(SHORT.replace("design.num_layers = 5", f'"data.sources.grammar" = {source}'))
    assert replaced.variants[0].recipe.data.sources["grammar"].generator == "arithmetic"


def test_settings_for_all_come_before_those_given_outside_and_a_variants_own_come_last(defined):
    text = (
        SHORT + "[set]\n'training.batch_tokens' = 2048\ndesign.num_layers = 3\ntraining.peak_learning_rate = 1e-3\n"
    )
    ablation = defined(text, overrides=["training.peak_learning_rate=2e-3"])
    assert [one.recipe.training.batch_tokens for one in ablation.everyone] == [2048, 2048]
    assert [one.recipe.training.peak_learning_rate for one in ablation.everyone] == [2e-3, 2e-3]
    assert [one.recipe.design.num_layers for one in ablation.everyone] == [3, 5]


def test_a_variant_that_reaches_into_a_list_leaves_the_others_alone(defined):
    text = (
        'base = "quickstart"\n[set]\n'
        '"data.curriculum" = [{ at = 0.0, weights = { documentation = 0.5, grammar = 0.3, arithmetic = 0.2 } }]\n'
        '[variants.sums]\n"data.curriculum.0.weights.arithmetic" = 0.7\n'
        '[variants.words]\n"data.curriculum.0.weights.grammar" = 0.9\n'
    )
    weights = [one.recipe.data.curriculum[0].weights for one in defined(text).everyone]
    assert [found["arithmetic"] for found in weights] == [0.2, 0.7, 0.2]
    assert [found["grammar"] for found in weights] == [0.3, 0.3, 0.9]


def test_paths_are_relative_to_the_file_and_become_absolute(written, tmp_path, monkeypatch):
    (tmp_path / "book.txt").write_text("Once upon a time.")
    (tmp_path / "mine.toml").write_text('extends = "quickstart"\nname = "mine"\n')
    path = written(
        SHORT.replace('"quickstart"', '"mine.toml"\ntasks = ["piqa", "my-task.toml"]')
        + '[data]\ndocumentation = "book.txt"\n'
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ablation = read_ablation(path)
    assert ablation.base.recipe.data.sources["documentation"].files == (str(tmp_path / "book.txt"),)
    assert ablation.source == str(tmp_path / "mine.toml")
    assert ablation.tasks == ("piqa", str(tmp_path / "my-task.toml"))


def test_a_source_given_outside_replaces_the_files(written, tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Once upon a time.")
    monkeypatch.chdir(tmp_path)
    path = written(SHORT + '[data]\ndocumentation = ["a.txt"]\n')
    ablation = read_ablation(path, data=["documentation=b.txt"])
    assert ablation.base.recipe.data.sources["documentation"].files == (str(tmp_path / "b.txt"),)


def test_the_budget_of_a_file_that_names_none_is_that_of_the_base(defined):
    ablation = defined(SHORT.replace("[budget]\ntokens = 40_960\n", ""))
    assert (ablation.budget.equal, ablation.budget.tokens) == ("tokens", 5_242_880)


def test_bits_per_byte_need_not_be_named(defined):
    assert defined(SHORT.replace("[budget]", 'tasks = ["bits-per-byte", "piqa"]\n[budget]')).tasks == ("piqa",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("tokens = 40_960", "tokns = 1"), r"unknown key budget\.tokns; did you mean budget\.tokens\?"),
        (('base = "quickstart"', 'bse = "quickstart"'), r"base is missing"),
        (("[budget]", "seed = 3\n[budget]"), r"unknown key seed; did you mean seeds\?"),
        (('"quickstart"', '"quickstrt"'), r"no recipe named 'quickstrt'; did you mean quickstart\?"),
        (('"quickstart"', '"absent.toml"'), r"absent\.toml cannot be read"),
        (
            ("num_layers = 5", "num_layer = 5"),
            r"variant deep: .*unknown key design\.num_layer; did you mean design\.n",
        ),
        (("num_layers = 5", "num_layers = 0"), r"variant deep: .*num_layers=0 must be at least 1"),
        (("design.num_layers = 5", ""), r"variant deep changes nothing; give it a key"),
        (
            ("num_layers = 5", "num_layers = 4"),
            r"variant deep \(with design\.num_layers\) trains the same model as the b",
        ),
        (
            ("design.num_layers = 5", "name = 'other'"),
            r"variant deep \(with name\) trains the same model as the base",
        ),
        (("design.num_layers = 5", "training.log_steps = 3"), r"variant deep .* trains the same model as the base"),
        (("design.num_layers = 5", "training.seed = 3"), r"sets training\.seed, .* stand in `seeds`"),
        (("design.num_layers = 5", "training.tokens = 3"), r"sets training\.tokens, .* under \[budget\]"),
        (("design.num_layers = 5", "evaluation.tasks = []"), r"sets evaluation\.tasks, .* stands in `tasks`"),
        (("[variants.deep]", "[variants.base]"), r"variants\.base: the folder of base is taken"),
        (("[variants.deep]", "[variants.Base]"), r"variants\.Base: the folder of base is taken"),
        (("[variants.deep]", "[variants.'a/b']"), r"variants\.a/b: 'a/b' names a folder"),
        (("[variants.deep]", "[variants.'..']"), r"'\.\.' names a folder"),
        (("[variants.deep]", "[variants.'']"), r"variants\.: '' names a folder"),
        (("[budget]", "name = 'a b'\n[budget]"), r"name: 'a b' names a folder"),
        (("[budget]", "seeds = 1\n[budget]"), r"seeds gives 1, and the noise .* takes 2 or more"),
        (("[budget]", "seeds = 0\n[budget]"), r"seeds gives 0"),
        (("[budget]", "seeds = [3, 5, 3]\n[budget]"), r"seeds names 3 twice, and equal seeds train equal models"),
        (("[budget]", "seeds = [3, -5]\n[budget]"), r"seeds names -5; whole numbers from 0 work"),
        (("[budget]", "tasks = ['piqa', 'piqa']\n[budget]"), r"tasks names piqa twice"),
        (("[budget]", "[halving]\nat = [0.5]\n[budget]"), r"halving stops the worse of several .* the file has 1;"),
        (("[budget]", "[set]\ntraining.seed = 4\n[budget]"), r"\[set\] or --set sets training\.seed"),
        (("[budget]", "[data]\nnothing = 'x.txt'\n[budget]"), r"nothing=.*x\.txt: no such file"),
        (("tokens = 40_960", "tokens = 40_960\n]"), r"is not valid TOML"),
    ],
)
def test_a_definition_that_cannot_be_used_gets_one_sentence(refused, change, message):
    assert change[0] in SHORT
    refused(SHORT.replace(*change), message)


def test_two_variants_that_train_the_same_model_are_refused(defined):
    twin = "[variants.twin]\n'design.num_layers' = 5\nsampling.top_k = 3\n"
    with pytest.raises(
        BadInput, match=r"variant twin \(with design\.num_layers, sampling\.top_k\) .* as variant deep"
    ):
        defined(SHORT + twin)


def test_a_variant_may_not_set_what_the_budget_adjusts(defined):
    text = SHORT.replace("[budget]", "[budget]\nequal = 'parameters'\nadjust = 'design.num_layers'")
    with pytest.raises(BadInput, match=r"variant deep sets design\.num_layers, which the budget adjusts"):
        defined(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"absent\.toml cannot be read \(No such file or directory\); give the \.toml"):
        read_ablation(tmp_path / "absent.toml")


@pytest.fixture
def stored(defined):
    """A definition as JSON gives it back."""
    return json.loads(json.dumps(defined(SHORT).as_dict()))


def test_a_folder_can_be_gone_on_with_when_seeds_variants_and_scales_were_added(defined, stored):
    assert defined(SHORT).why_not_continuing(stored) == ""
    more = SHORT.replace("[budget]", "question = 'Does depth help?'\nseeds = 5\n[budget]\nscales = [1, 2]")
    longer = defined(more + "[variants.wide]\ndesign.intermediate_size = 384\n")
    assert longer.why_not_continuing(stored) == ""
    assert longer.fingerprint != stored["fingerprint"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("num_layers = 5", "num_layers = 6"), "deep differs in design.num_layers"),
        (("variants.deep", "variants.deeper"), "it has the variant deep, which the definition no longer has"),
        (("[budget]", "seeds = 2\n[budget]"), "it has the seed 3, which"),
        (("40_960", "81_920"), "its budget was {'equal': 'tokens', 'tokens': 40960} and is now"),
        (("[budget]", "tasks = ['piqa']\n[budget]"), "its tasks was [] and is now ['piqa']"),
        (("[budget]", "name = 'other'\n[budget]"), "its name was xsa and is now other"),
        (("[budget]", "[set]\ndesign.rope_theta = 5e3\n[budget]"), "base differs in design.rope_theta"),
    ],
)
def test_a_folder_of_another_definition_is_refused_with_the_reason(defined, stored, change, reason):
    assert change[0] in SHORT
    assert defined(SHORT.replace(*change)).why_not_continuing(stored).startswith(reason)


def test_variants_cannot_join_a_competition_that_has_begun(defined):
    rivals = SHORT + "[variants.wide]\ndesign.intermediate_size = 384\n[halving]\nat = [0.5]\n"
    stored = json.loads(json.dumps(defined(rivals).as_dict()))
    assert defined(rivals).why_not_continuing(stored) == ""
    late = defined(rivals + "[variants.late]\ndesign.num_layers = 6\n")
    assert late.why_not_continuing(stored).startswith("variants were added")


def test_a_stored_recipe_without_newer_keys_has_their_defaults(defined, stored):
    del stored["base"]["recipe"]["training"]["z_loss"]
    assert defined(SHORT).why_not_continuing(stored) == ""


def test_a_damaged_definition_is_a_reason(defined, stored):
    del stored["budget"]
    assert "damaged" in defined(SHORT).why_not_continuing(stored)


def test_the_wording_of_the_question_does_not_change_the_fingerprint(defined):
    asked = defined(SHORT.replace("[budget]", "question = 'Why?'\n[budget]"))
    assert asked.question == "Why?"
    assert asked.fingerprint == defined(SHORT).fingerprint
