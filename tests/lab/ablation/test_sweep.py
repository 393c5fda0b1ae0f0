import json

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import read_ablation

SHORT = """
base = "quickstart"
[budget]
tokens = 40_960
[sweep]
trials = 12
[sweep.axes]
"training.peak_learning_rate" = { low = 5e-4, high = 8e-3, log = true }
training.warmup_steps = { low = 10, high = 50, step = 20 }
"design.num_layers" = [2, 4, 6]
"""
GRID = SHORT.replace("{ low = 5e-4, high = 8e-3, log = true }", "[1e-3, 2e-3]").replace(
    "trials = 12", 'trials = 18\nsampler = "grid"'
)


def test_axes_are_read_from_quoted_keys_and_nested_tables(defined):
    sweep = defined(SHORT).sweep
    assert [axis.key for axis in sweep.axes] == [
        "training.peak_learning_rate",
        "training.warmup_steps",
        "design.num_layers",
    ]
    rate, warmup, layers = sweep.axes
    assert (rate.low, rate.high, rate.log, rate.are_whole) == (5e-4, 8e-3, True, False)
    assert (warmup.values, warmup.are_whole) == ([10, 30, 50], True)
    assert layers.values == (2, 4, 6)
    assert (sweep.trials, sweep.seed, sweep.sampler, sweep.pruner, sweep.at, sweep.confirm) == (
        12,
        0,
        "tpe",
        "median",
        (0.25, 0.5),
        2,
    )


def test_whole_numbers_stay_whole_and_others_get_few_digits_inside_their_range(defined):
    rate, warmup, _ = defined(SHORT).sweep.axes
    assert rate.nearest(0.00123456789) == 0.001235
    assert rate.nearest(0.0079999999) == 8e-3
    assert type(warmup.nearest(30.0)) is int


def test_a_range_is_whole_where_the_key_is_even_if_its_ends_are_written_with_points(defined):
    text = SHORT.replace("{ low = 10, high = 50, step = 20 }", "{ low = 10.0, high = 50.0 }")
    axis = defined(text).sweep.axes[1]
    assert axis.are_whole
    assert len(axis.values) == 41


def test_the_grid_has_all_settings_once(defined):
    sweep = defined(GRID).sweep
    settings = list(sweep.grid())
    assert len(settings) == sweep.combinations == sweep.planned == 18
    assert settings[:2] == [
        {"training.peak_learning_rate": 1e-3, "training.warmup_steps": 10, "design.num_layers": 2},
        {"training.peak_learning_rate": 1e-3, "training.warmup_steps": 10, "design.num_layers": 4},
    ]


def test_no_more_trials_are_planned_than_there_are_settings(defined):
    sweep = defined(GRID.replace("trials = 18", "trials = 50").replace('"grid"', '"random"')).sweep
    assert sweep.planned == 18


def test_extremes_hold_every_end_and_every_value_that_needs_data(defined):
    settings = list(defined(SHORT + '"design.vocab_size" = [512, 1024]\n').sweep.extremes())
    assert {one["design.vocab_size"] for one in settings} == {512, 1024}
    assert {"design.vocab_size": 512, "design.num_layers": 6} in settings
    assert {
        "design.vocab_size": 1024,
        "training.peak_learning_rate": 8e-3,
        "training.warmup_steps": 50,
        "design.num_layers": 6,
    } in settings


def test_what_lies_at_an_end_is_told_by_the_scale_of_the_axis(defined):
    rate, warmup, layers = defined(SHORT).sweep.axes
    assert [rate.edge(value) for value in (5e-4, 5.5e-4, 2e-3, 7.5e-3)] == ["low", "low", None, "high"]
    assert [warmup.edge(value) for value in (10, 30, 50)] == ["low", None, "high"]
    assert [layers.edge(value) for value in (2, 4, 6)] == ["low", None, "high"]


def test_nought_and_two_values_have_no_end_to_be_widened(defined):
    text = SHORT + '"training.weight_decay" = { low = 0.0, high = 0.1 }\n"design.xsa" = [true, false]\n'
    *_, decay, xsa = defined(text).sweep.axes
    assert [decay.edge(0.0), decay.edge(0.1)] == [None, "high"]
    assert [xsa.edge(True), xsa.edge(False)] == [None, None]


def test_a_sweep_belongs_to_what_a_folder_holds(defined):
    stored = json.loads(json.dumps(defined(SHORT).as_dict()))
    assert defined(SHORT).why_not_continuing(stored) == ""
    assert "its sweep was" in defined(SHORT.replace("trials = 12", "trials = 13")).why_not_continuing(stored)
    assert defined(SHORT.replace("8e-3", "9e-3")).fingerprint != defined(SHORT).fingerprint


def test_a_variant_of_the_sweep_gets_what_is_set_for_all(defined):
    ablation = defined(SHORT + "[set]\n'training.batch_tokens' = 2048\n", overrides=["training.weight_decay=0.05"])
    recipe = ablation.variant("sweep-1st", {"design.num_layers": 6}).recipe
    assert (recipe.training.batch_tokens, recipe.training.weight_decay, recipe.design.num_layers) == (2048, 0.05, 6)


AXES = '"training.peak_learning_rate" = { low = 5e-4, high = 8e-3, log = true }'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((AXES, '"training.peak_learning_rat" = [1, 2]'), r"unknown key training\.peak_learning_rat; did you mean"),
        (("low = 5e-4", "low = 9e-3"), r"low=0\.009 must be below high=0\.008"),
        (("low = 5e-4", "low = 0.0"), r"log=true needs low above 0"),
        (("high = 8e-3", "high = inf"), r"high=inf must be finite"),
        (("log = true", "logg = true"), r"training\.peak_learning_rate: unknown key logg; did you mean log\?"),
        (("step = 20", "step = 15"), r"step=15 must lead from low=10 to high=50 in whole steps"),
        (("step = 20", "step = 20, log = true"), r"step=20 and log=true exclude each other"),
        (("low = 10, high = 50, step = 20", "low = 1.5, high = 50"), r"low=1\.5 must be a whole number"),
        (("[2, 4, 6]", "[2]"), r"lists 1 values; a sweep needs two or more"),
        (("[2, 4, 6]", "[2, 4, 4]"), r"lists 4 twice"),
        (("[2, 4, 6]", "4"), r"is 4, which is one value"),
        (("[2, 4, 6]", "[0, 4]"), r"design\.num_layers = 0: .*num_layers=0 must be at least 1"),
        (('"design.num_layers" = [2, 4, 6]', '"design.xsa" = { low = 0, high = 1 }'), r"takes no number"),
        (('"design.num_layers" = [2, 4, 6]', '"training.log_steps" = [1, 2]'), r"changes nothing that training"),
        (
            ('"design.num_layers" = [2, 4, 6]', '"design.vocab_size" = { low = 512, high = 2048 }'),
            r"need data of its own",
        ),
        (('"design.num_layers" = [2, 4, 6]', '"training.tokens" = [1, 2]'), r"training\.tokens, .* under \[budget\]"),
        (('"design.num_layers" = [2, 4, 6]', '"training.seed" = [1, 2]'), r"sets training\.seed, .* in `seeds`"),
        (('"design.num_layers" = [2, 4, 6]', '"training.data_order" = [1, 2]'), r"differ by luck alone"),
        (
            ("tokens = 40_960", "equal = 'parameters'\nadjust = 'design.num_layers'"),
            r"sets design\.num_layers, which the budget adjusts",
        ),
        (("tokens = 40_960", "equal = 'seconds'\nseconds = 60"), r'equal = "tokens" or "flops" works'),
        (("trials = 12", "seed = 2"), r"sweep\.seed=2 is also among the seeds, .* sweep\.seed=0 would work"),
        (("trials = 12", "trials = 0"), r"trials=0 tries nothing"),
        (("trials = 12", "confirm = -1"), r"confirm=-1 must not be negative"),
        (("trials = 12", "at = [0.5, 0.25]"), r"at=\[0\.5, 0\.25\] are fractions"),
        (("trials = 12", "sampler = 'grip'"), r"sampler knows no 'grip'; did you mean grid\?"),
        (("trials = 12", "sampler = 'grid'"), r"peak_learning_rate is a continuous range"),
        (("[sweep]", "[halving]\nat = [0.5]\n[sweep]"), r'sweep\.pruner = "halving" works'),
        (("[sweep]", "[variants.sweep-1st]\ndesign.num_layers = 3\n[sweep]"), r"are a sweep's; rename it"),
    ],
)
def test_a_sweep_that_cannot_be_made_gets_one_sentence(refused, change, message):
    assert change[0] in SHORT
    refused(SHORT.replace(*change), message)


def test_a_grid_that_is_larger_than_the_trials_says_how_many_it_takes(defined):
    with pytest.raises(BadInput, match=r"the grid has 18 settings, more than sweep\.trials=17; trials = 18"):
        defined(GRID.replace("trials = 18", "trials = 17"))


def test_a_sweep_without_axes_is_refused(written):
    path = written(SHORT.partition("[sweep.axes]")[0] + "axes = {}\n")
    with pytest.raises(BadInput, match=r"\[sweep\.axes\] is empty"):
        read_ablation(path)
