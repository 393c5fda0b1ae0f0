import math
from dataclasses import replace

import pytest

from smidgen.lab.ablation.transfer import BATCH, DECAY, DECAY_START, RATE, elsewhere, transfer
from smidgen.recipes.loading import load_recipe

BEST = {RATE: 2e-3, BATCH: 4096, DECAY: 0.1, DECAY_START: 0.6}


@pytest.fixture(scope="module")
def recipe():
    return load_recipe("quickstart", settings=BEST)


def changed(recipe, **training):
    return replace(recipe, training=replace(recipe.training, **training))


def by_key(found):
    return {one.key: one for one in found}


def test_nothing_is_transferred_to_the_same_recipe(recipe):
    assert transfer(BEST, recipe, recipe) == []


def test_the_rate_grows_with_the_square_root_of_the_batch(recipe):
    found = by_key(transfer({RATE: 2e-3}, recipe, changed(recipe, batch_tokens=9 * 4096)))
    assert found[RATE].value == pytest.approx(6e-3)
    assert "2205.10287" in found[RATE].source


def test_the_rate_falls_with_the_width(recipe):
    wide = replace(recipe, design=replace(recipe.design, hidden_size=384))
    [found] = transfer({RATE: 3e-3}, recipe, wide)
    assert (found.key, found.value) == (RATE, pytest.approx(1e-3))


def test_the_averaging_of_weight_decay_keeps_its_share_of_the_training(recipe):
    longer = changed(recipe, tokens=10 * recipe.training.tokens)
    assert by_key(transfer({DECAY: 0.1}, recipe, longer))[DECAY].value == pytest.approx(0.01)
    slower = changed(recipe, peak_learning_rate=1e-3)
    assert by_key(transfer(BEST, recipe, slower))[DECAY].value == pytest.approx(0.2)


def test_weight_decay_goes_with_the_rate_that_is_transferred(recipe):
    found = by_key(transfer(BEST, recipe, changed(recipe, batch_tokens=4 * 4096)))
    ratio = found[RATE].value / BEST[RATE]
    assert ratio == pytest.approx(2)
    assert found[DECAY].value / BEST[DECAY] == pytest.approx(4 / ratio)


def test_longer_training_has_directions_without_numbers(recipe):
    found = by_key(transfer(BEST, recipe, changed(recipe, tokens=2 * recipe.training.tokens)))
    assert {key for key, one in found.items() if one.value is None} == {RATE, BATCH, DECAY_START}
    shorter = by_key(transfer(BEST, recipe, changed(recipe, tokens=recipe.training.tokens // 2)))
    assert set(shorter) == {DECAY}


def test_only_what_was_swept_is_transferred(recipe):
    assert set(by_key(transfer({BATCH: 4096}, recipe, changed(recipe, tokens=10**7)))) == {BATCH}
    assert transfer({"design.num_layers": 4}, recipe, changed(recipe, batch_tokens=8192)) == []


def test_the_rules_of_adam_are_not_told_of_muon(recipe):
    muon = changed(recipe, optimizer="muon")
    assert transfer({RATE: 2e-3, DECAY: 0.1}, muon, changed(muon, batch_tokens=8192)) == []


def test_every_rule_names_a_paper(recipe):
    told = elsewhere(BEST, recipe)
    assert len(told) > 6
    assert all("arXiv:" in one["source"] for one in told)
    assert len({one["where"] for one in told}) == 3
    assert all(one["value"] is None or math.isfinite(one["value"]) for one in told)


def test_a_batch_larger_than_the_training_is_left_out(recipe):
    short = changed(recipe, tokens=8192)
    assert not any("the batch," in one["where"] for one in elsewhere(BEST, short))
