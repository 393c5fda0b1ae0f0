import json

import pytest

from smidgen.lab.ablation.sweep_outcome import choose, ordinal, ranked, read_sweep_trials, with_confirmed
from smidgen.lab.ablation.sweep_result import sweep_result

RATE, LAYERS = "training.peak_learning_rate", "design.num_layers"
TEXT = f"""
base = "quickstart"
[budget]
tokens = 40_960
[sweep]
trials = 5
sampler = "random"
[sweep.axes]
"{RATE}" = {{ low = 1e-3, high = 8e-3, log = true }}
"{LAYERS}" = [2, 4, 6]
"""


@pytest.fixture
def ablation(defined):
    return defined(TEXT)


@pytest.fixture
def asked(tmp_path):
    """Let a trial have been asked for, and have ended where a state is given."""

    def call(number, rate, layers, state=None, bits=None, judged=()):
        folder = tmp_path / "run"
        (folder / "sweep").mkdir(parents=True, exist_ok=True)
        record = {"number": number, "settings": {RATE: rate, LAYERS: layers}, "judged": list(judged)}
        (folder / "sweep" / f"{number:03d}.json").write_text(json.dumps(record))
        if state:
            run = folder / "trials" / f"sweep-{number:03d}" / "seed-0"
            run.mkdir(parents=True)
            (run / "trial.json").write_text(json.dumps({"state": state, "message": "m", "bits_per_byte": bits}))
        return folder

    return call


@pytest.fixture
def folder(asked):
    asked(1, 4e-3, 4, "finished", 2.1)
    asked(2, 7.9e-3, 2, "finished", 2.0)
    asked(3, 8e-3, 6, "diverged")
    asked(4, 1.5e-3, 6, "pruned", judged=[{"at": 0.25, "bits_per_byte": 3.0, "limit": 2.5, "goes_on": False}])
    return asked(5, 2e-3, 6, "finished", 2.0)


def test_trials_are_ranked_by_bits_per_byte_and_of_equal_ones_the_earlier_first(ablation, folder):
    trials = read_sweep_trials(folder, ablation.sweep)
    assert [trial.number for trial in ranked(trials)] == [2, 5, 1]
    assert [trial.state for trial in trials] == ["finished", "finished", "diverged", "pruned", "finished"]


def test_what_trains_the_same_model_as_the_base_is_not_confirmed(ablation, folder, asked):
    """The base has 4 layers and a learning rate of 4e-3, as trial 1."""
    trials = read_sweep_trials(folder, ablation.sweep)
    best = [trial for trial in trials if trial.number != 2]
    assert [(one["variant"], one["number"]) for one in choose(ablation, best)] == [("sweep-1st", 5)]
    assert [(one["variant"], one["number"]) for one in choose(ablation, trials)] == [
        ("sweep-1st", 2),
        ("sweep-2nd", 5),
    ]


def test_confirmed_settings_are_variants(ablation, folder):
    assert with_confirmed(ablation, folder) is ablation
    chosen = choose(ablation, read_sweep_trials(folder, ablation.sweep))
    (folder / "sweep" / "confirmed.json").write_text(json.dumps({"confirmed": chosen}))
    variants = with_confirmed(ablation, folder).variants
    assert [(one.name, one.settings) for one in variants] == [
        ("sweep-1st", {RATE: 7.9e-3, LAYERS: 2}),
        ("sweep-2nd", {RATE: 2e-3, LAYERS: 6}),
    ]
    assert [one.recipe.design.num_layers for one in variants] == [2, 6]


def test_the_result_is_plain_data_with_all_trials_and_the_best(ablation, folder):
    found = sweep_result(ablation, folder)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [trial["state"] for trial in found["trials"]] == [
        "finished",
        "finished",
        "diverged",
        "pruned",
        "finished",
    ]
    assert found["best"] == {"number": 2, "settings": {RATE: 7.9e-3, LAYERS: 2}, "bits_per_byte": 2.0}
    assert {(one["axis"], one["end"]) for one in found["boundary"]} == {(RATE, "high"), (LAYERS, "low")}
    assert found["boundary"][0]["message"].endswith("upper end of what was tried; widen it")
    assert found["warnings"] == ["sweep-003: diverged (m)"]
    assert {one["key"] for one in found["transfer"]} == {RATE}
    assert not found["finished"]


def test_a_sweep_that_has_not_begun_has_no_best(ablation, tmp_path):
    found = sweep_result(ablation, tmp_path)
    assert (found["best"], found["boundary"], found["transfer"], found["finished"]) == (None, [], [], False)


def test_a_sweep_without_a_finished_trial_has_nothing_to_confirm(ablation, asked):
    for number in range(1, 6):
        folder = asked(number, 8e-3 - number * 1e-3, 6, "diverged")
    trials = read_sweep_trials(folder, ablation.sweep)
    assert choose(ablation, trials) == []
    (folder / "sweep" / "confirmed.json").write_text('{"confirmed": []}')
    found = sweep_result(ablation, folder)
    assert found["finished"]
    assert "no trial of the sweep finished, so that there is nothing to confirm" in found["warnings"]


def test_an_ablation_without_a_sweep_has_none(defined, tmp_path):
    assert sweep_result(defined(TEXT.partition("[sweep]")[0]), tmp_path) is None


def test_places_are_said_as_people_say_them():
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "102nd",
        "111th",
    ]
