import json

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.result import ablation_result, summary

TEXT = """
question = "Is more better?"
base = "quickstart"
seeds = [3, 5, 7]
tasks = ["minimal-pairs"]
[budget]
tokens = 122_880
[variants.more]
"design.num_layers" = 5
[variants.less]
"design.num_layers" = 3
"""
BASE, MORE = (2.30, 2.35, 2.32), (2.20, 2.26, 2.215)


@pytest.fixture
def ablation(defined):
    return defined(TEXT)


@pytest.fixture
def result(ablation, ended, tmp_path):
    """The result after the trials of base and `more` have finished, and others as the test says."""

    def make(*others):
        for seed, base, more in zip((3, 5, 7), BASE, MORE, strict=True):
            ended("base", seed, bits=base, pairs=6)
            ended("more", seed, bits=more, pairs=6 + seed % 3)
        for other in others:
            ended(*other[:2], **other[2])
        return ablation_result(ablation, tmp_path / "runs")

    return make


def verdict_of(result, variant, task="bits-per-byte"):
    return next(one for one in result["verdicts"] if (one["variant"], one["task"]) == (variant, task))


def test_the_result_is_plain_data_with_the_agreed_keys(result):
    found = result()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {
        "name",
        "question",
        "base",
        "run",
        "fingerprint",
        "finished",
        "budget",
        "seeds",
        "tasks",
        "variants",
        "verdicts",
        "noise_floor",
        "power",
        "scaling",
        "warnings",
    } <= found.keys()
    assert (found["name"], found["base"], found["seeds"]) == ("xsa", "quickstart", [3, 5, 7])
    assert found["tasks"] == ["bits-per-byte", "minimal-pairs"]
    assert (found["budget"]["equal"], found["budget"]["tokens"], found["budget"]["scales"]) == (
        "tokens",
        122_880,
        [1],
    )


def test_values_come_from_the_items_and_verdicts_from_the_pairs_of_seeds(result):
    found = result()
    base, more, less = found["variants"]
    assert [base["name"], more["name"], less["name"]] == ["base", "more", "less"]
    assert base["bits_per_byte"]["values"] == pytest.approx(BASE)
    assert base["bits_per_byte"]["low"] < base["bits_per_byte"]["mean"] < base["bits_per_byte"]["high"]
    assert more["scores"]["minimal-pairs"]["values"] == pytest.approx([6 / 13, 8 / 13, 7 / 13])
    assert more["settings"] == {"design.num_layers": 5}
    assert more["parameters"] > base["parameters"] > less["parameters"]
    verdict = verdict_of(found, "more")
    assert verdict["difference"] == pytest.approx(sum(MORE) / 3 - sum(BASE) / 3)
    assert (verdict["verdict"], verdict["seeds"], verdict["metric"]) == ("better", 3, "bits_per_byte")


def test_an_ablation_that_is_not_finished_says_so_and_judges_what_there_is(result):
    found = result()
    assert not found["finished"]
    assert found["variants"][2]["state"] == "pending"
    assert verdict_of(found, "less")["verdict"] == "not enough seeds (0 of 3)"
    assert verdict_of(found, "less")["difference"] is None


def test_a_variant_that_diverged_is_told_with_its_seeds_and_its_message(result):
    gone = {"state": "diverged", "message": "the loss is NaN"}
    found = result(("less", 3, {"bits": 2.5}), ("less", 5, gone), ("less", 7, gone))
    assert found["finished"]
    assert (found["variants"][2]["state"], found["variants"][2]["seeds"]) == ("diverged", 1)
    assert verdict_of(found, "less")["verdict"] == "diverged (2 of 3 seeds)"
    assert verdict_of(found, "less")["p"] is None
    assert "less, seed 5: diverged (the loss is NaN)" in found["warnings"]
    assert [trial["state"] for trial in found["variants"][2]["trials"]] == ["finished", "diverged", "diverged"]
    assert found["variants"][2]["trials"][1]["folder"] == "trials/less/seed-5"


def test_a_failed_trial_is_told_and_the_other_seeds_decide(result):
    found = result(
        ("less", 3, {"bits": 2.5}), ("less", 5, {"bits": 2.56}), ("less", 7, {"state": "failed", "message": "killed"})
    )
    assert found["finished"]
    assert "less, seed 7: failed (killed)" in found["warnings"]
    assert verdict_of(found, "less")["seeds"] == 2


def test_the_noise_floor_is_that_of_the_base_and_gives_the_power(result):
    found = result()
    floor = found["noise_floor"][0]
    assert floor["standard_deviation"] == pytest.approx(0.02517, abs=1e-5)
    assert floor["low"] < floor["standard_deviation"] < floor["high"]
    assert (floor["seeds"], floor["tokens"], floor["paired_freedom"]) == (3, 122_880, 2)
    by_seeds = {one["seeds"]: one["detectable"] for one in found["power"] if one["task"] == "bits-per-byte"}
    assert by_seeds[2] > by_seeds[3] > by_seeds[5] > by_seeds[10] > 0


def test_trials_scored_on_different_documents_are_compared_on_what_they_share(result):
    found = result(("less", 3, {"bits": 2.5, "documents": 5}), ("less", 5, {"bits": 2.6}))
    assert (
        "bits-per-byte: the trials were scored on different items; compared on the 5 of 7 that all have"
        in (found["warnings"])
    )


def test_a_task_that_cannot_be_scored_is_told_once(result):
    skipped = {"piqa": "its file is missing"}
    found = result(("less", 3, {"skipped": skipped}), ("less", 5, {"skipped": skipped}))
    assert found["warnings"].count("piqa is not scored: its file is missing") == 1


def test_a_base_alone_measures_its_noise(defined, ended, tmp_path):
    ablation = defined('base = "quickstart"\nseeds = 2\n[budget]\ntokens = 122_880\n')
    for seed, bits in ((1, 2.0), (2, 2.1)):
        ended("base", seed, bits=bits)
    found = ablation_result(ablation, tmp_path / "runs")
    assert (found["finished"], found["verdicts"]) == (True, [])
    assert found["noise_floor"][0]["paired_deviation"] is None
    assert found["power"][0]["deviation"] == pytest.approx(2**0.5 * found["noise_floor"][0]["standard_deviation"])


def test_a_base_that_diverged_everywhere_is_what_the_verdict_says(ablation, ended, tmp_path):
    for seed in (3, 5, 7):
        ended("base", seed, state="diverged")
        ended("more", seed, bits=2.0 + seed / 100)
        ended("less", seed, state="diverged")
    found = ablation_result(ablation, tmp_path / "runs")
    assert verdict_of(found, "more")["verdict"] == "base diverged (3 of 3 seeds)"
    assert verdict_of(found, "less")["verdict"] == "diverged (3 of 3 seeds)"
    assert found["noise_floor"] == []


def test_nothing_but_divergence_is_a_result_too(ablation, ended, tmp_path):
    for seed in (3, 5, 7):
        for variant in ("base", "more", "less"):
            ended(variant, seed, state="diverged")
    found = ablation_result(ablation, tmp_path / "runs")
    assert [one["verdict"] for one in found["verdicts"]] == ["diverged (3 of 3 seeds)"] * 2


def test_nothing_at_all_is_no_error(ablation, tmp_path):
    found = ablation_result(ablation, tmp_path / "runs")
    assert (found["finished"], found["verdicts"], found["warnings"]) == (False, [], [])
    assert found["variants"][0]["bits_per_byte"] == {"mean": None, "low": None, "high": None, "values": []}


def test_finished_trials_without_scores_are_named(ablation, ended, tmp_path):
    (ended("base", 3) / "scores" / "recipe.json").unlink()
    with pytest.raises(BadInput, match=r"base/seed-3/scores/recipe\.json"):
        ablation_result(ablation, tmp_path / "runs")


def test_a_trial_in_another_ones_place_is_refused(ablation, ended, tmp_path):
    ended("base", 3).rename(tmp_path / "runs" / "trials" / "base" / "seed-5")
    with pytest.raises(BadInput, match="tells of base, seed 3, scale 1"):
        ablation_result(ablation, tmp_path / "runs")


def test_bytes_that_were_not_kept_are_told(defined, ended, tmp_path):
    ablation = defined(TEXT.replace("tokens = 122_880", 'equal = "bytes"\nbytes = 400_000'))
    for seed in (3, 5, 7):
        ended("base", seed, text_bytes=403_000)
        ended("more", seed, text_bytes=380_000)
    found = ablation_result(ablation, tmp_path / "runs", dict.fromkeys(("base", "more", "less"), 0.4))
    assert [line for line in found["warnings"] if "instead of" in line] == [
        "more read 380,000 bytes of text on average instead of 400,000 (-5%): "
        "its rate was another than when it was measured"
    ]


def test_seconds_that_were_not_kept_are_told(defined, ended, tmp_path):
    ablation = defined(TEXT.replace("tokens = 122_880", 'equal = "seconds"\nseconds = 30'))
    for seed in (3, 5, 7):
        ended("base", seed, seconds=31.0)
        ended("more", seed, seconds=36.0)
    found = ablation_result(ablation, tmp_path / "runs", {"base": 5000.0, "more": 4000.0, "less": 6000.0})
    assert [line for line in found["warnings"] if "instead of" in line] == [
        "more trained 36 s on average instead of 30 (+20%): its rate was another than when it was measured"
    ]


def test_a_single_value_has_no_interval():
    assert summary([2.5]) == {"mean": 2.5, "low": None, "high": None, "values": [2.5]}


def test_a_budget_of_seconds_has_a_result_before_all_rates_are_measured(defined, tmp_path):
    ablation = defined(TEXT.replace("tokens = 122_880", 'equal = "seconds"\nseconds = 30'))
    found = ablation_result(ablation, tmp_path / "runs", {"base": 5000.0})
    assert (found["finished"], found["budget"]["realised"]) == (False, [])
