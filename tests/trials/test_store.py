import shutil
from dataclasses import replace

import pytest

from smidgen.records import manifest
from smidgen.records.run_folder import RunFolder
from smidgen.trials.store import assign_stores, key_of, link_store, recipe_of


def with_tokens(trial, tokens, scale=1.0):
    recipe = replace(trial.recipe, training=replace(trial.recipe.training, tokens=tokens))
    return replace(trial, recipe=recipe, scale=scale)


def with_vocabulary(trial, vocab_size):
    return replace(
        trial,
        variant=f"v{vocab_size}",
        recipe=replace(trial.recipe, design=replace(trial.recipe.design, vocab_size=vocab_size)),
    )


def build(stores):
    for store in stores.values():
        store.path.mkdir(parents=True, exist_ok=True)
        store.write_record()


@pytest.fixture
def trials(new_try):
    return new_try().trials


def test_trials_share_a_store_whose_tokenizer_and_data_agree(trials, tmp_path):
    other = with_vocabulary(trials[0], 310)
    stores = assign_stores([*trials, other], tmp_path)
    assert len({stores[trial.folder_name].path for trial in trials}) == 1
    assert stores[other.folder_name].path != stores[trials[0].folder_name].path


def test_neither_seed_nor_learning_rate_nor_length_decide_over_a_store_but_sources_do(trials):
    assert len({key_of(trial.recipe) for trial in trials}) == 1
    assert key_of(with_tokens(trials[0], 9_600).recipe) == key_of(trials[0].recipe)
    data = replace(trials[0].recipe.data, held_out_fraction=0.2)
    assert key_of(replace(trials[0].recipe, data=data)) != key_of(trials[0].recipe)


def test_a_store_is_long_enough_for_the_longest_trial_of_all_scales(trials, tmp_path):
    scaled = [*trials, with_tokens(trials[0], 7_680, scale=2.0)]
    stores = assign_stores(scaled, tmp_path)
    assert {store.tokens for store in stores.values()} == {7_680}
    assert {store.scales for store in stores.values()} == {(1.0, 2.0)}


def test_a_scale_that_is_added_gets_a_store_of_its_own_and_the_first_stays(trials, tmp_path):
    before = assign_stores(trials, tmp_path)
    build(before)
    longer = with_tokens(trials[0], 7_680, scale=2.0)
    after = assign_stores([*trials, longer], tmp_path)
    assert all(after[name].path == before[name].path for name in before)
    assert after[longer.folder_name].path != before[trials[0].folder_name].path
    assert all(after[trial.folder_name].is_ready for trial in trials)
    assert not after[longer.folder_name].is_ready


def test_a_longer_variant_that_is_added_reads_what_its_rivals_read(trials, tmp_path):
    before = assign_stores(trials, tmp_path)
    build(before)
    longer = replace(with_tokens(trials[0], 9_600), variant="longer")
    assert assign_stores([*trials, longer], tmp_path)[longer.folder_name].path == before[trials[0].folder_name].path


def test_a_shorter_scale_takes_the_store_that_is_there_and_stays_with_it(trials, tmp_path):
    build(assign_stores(trials, tmp_path))
    half = with_tokens(trials[0], 1_920, scale=0.5)
    stores = assign_stores([*trials, half], tmp_path)
    assert stores[half.folder_name].path == stores[trials[0].folder_name].path
    assert not stores[half.folder_name].is_ready
    build(stores)
    grown = with_tokens(trials[0], 9_600, scale=0.5)
    assert assign_stores([grown], tmp_path)[grown.folder_name].path == stores[half.folder_name].path


def test_a_store_is_built_with_the_seed_of_the_base_for_its_own_length(trials, tmp_path):
    store = assign_stores([*trials, with_tokens(trials[0], 7_680, scale=2.0)], tmp_path)[trials[0].folder_name]
    recipe = recipe_of(store, trials, seed=77)
    assert (recipe.training.seed, recipe.training.tokens) == (77, 7_680)
    assert key_of(recipe) == store.key


@pytest.fixture
def shared(tmp_path):
    store = tmp_path / "ablation" / "shared" / "abc"
    for name in ("tokenizer", "data"):
        (store / name).mkdir(parents=True)
        (store / name / "file").write_text(name)
        manifest.seal(store / name)
    return store


@pytest.fixture
def linked(shared, tmp_path):
    run = RunFolder(tmp_path / "ablation" / "trials" / "base" / "seed-1")
    run.path.mkdir(parents=True)
    link_store(run, shared)
    return run


def test_links_survive_when_the_whole_folder_moves(linked, tmp_path):
    shutil.move(tmp_path / "ablation", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "trials" / "base" / "seed-1" / "data" / "file").read_text() == "data"


def test_what_is_there_stays_and_a_link_that_leads_nowhere_is_replaced(linked, shared, tmp_path):
    shutil.move(shared, shared.with_name("def"))
    assert not linked.data.exists()
    linked.tokenizer.unlink()
    linked.tokenizer.mkdir()
    link_store(linked, shared.with_name("def"))
    assert (linked.data / "file").read_text() == "data"
    assert not linked.tokenizer.is_symlink()


def test_verifying_a_trial_looks_behind_its_links_and_the_whole_counts_everything_once(linked, shared, tmp_path):
    assert manifest.verify_tree(linked.path) == (2, [])
    assert manifest.verify_tree(tmp_path / "ablation") == (2, [])
    (shared / "data" / "file").write_text("daba")
    assert manifest.verify_tree(linked.path) == (2, ["data/file has changed"])
    assert manifest.verify_tree(tmp_path / "ablation") == (2, ["shared/abc/data/file has changed"])


def test_a_trial_that_was_sent_without_the_store_is_damaged(linked, shared):
    shutil.rmtree(shared)
    _, problems = manifest.verify_tree(linked.path)
    assert problems[0] == "data leads to ../../../shared/abc/data, which is missing"
