import pytest

from smidgen.lab.published import published_models


@pytest.fixture(scope="module")
def models():
    return {model.name: model for model in published_models()}


def test_the_systems_with_recipes_and_their_peers_are_there(models):
    assert {"AtomixS2-5M-v1.0-GGUF", "Atom3.4m", "GPT-S-5M", "Atom2.7m", "Ant-5M"} <= set(models)
    assert {"min-spark-1.1", "CMA-8M", "Qana-mini-5M", "Tokle-3M", "SmolLM2-1.7B", "Qwen2.5-0.5B"} <= set(models)


def test_percentages_become_fractions_and_perplexities_stay(models):
    assert models["Ant-5M"].scores["piqa"] == {"acc_norm": pytest.approx(0.4886)}
    assert models["Ant-5M"].scores["wikitext"] == {"word_perplexity": 198251.90}
    for model in models.values():
        for metrics in model.scores.values():
            assert all(0 <= value <= 1 for metric, value in metrics.items() if metric.startswith("acc"))


def test_figures_of_other_harnesses_and_averages_are_left_out(models):
    assert set(models["GPT-S-5M"].scores) == {"hellaswag", "arc_easy", "piqa", "blimp", "arithmark2", "arithmark3"}


def test_every_model_says_where_its_numbers_stand_and_that_nobody_checked_them(models):
    for model in models.values():
        assert all(model.sources), model.name
        assert model.as_dict()["kind"] == "self-reported"
    assert len(models["GPT-S-5M"].sources) == 2
