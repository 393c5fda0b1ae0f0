import json

import pytest

from smidgen.errors import BadInput
from smidgen.records.run_folder import RunFolder, differing_keys

RECIPE = {"name": "a", "training": {"tokens": 10, "seed": 1}}


def claim(run, recipe=RECIPE):
    run.claim(recipe, completed=lambda stored: stored)


def test_a_new_folder_is_claimed_and_can_be_claimed_again_by_the_same_recipe(tmp_path):
    run = RunFolder(tmp_path / "run")
    claim(run)
    claim(run)
    assert run.stored_recipe() == RECIPE


def test_another_recipe_is_refused_with_the_keys_that_differ(tmp_path):
    run = RunFolder(tmp_path / "run")
    claim(run)
    before = run.recipe.read_bytes()
    with pytest.raises(BadInput, match=r"already holds a run of another recipe \(differs in training\.tokens\)"):
        claim(run, {"name": "a", "training": {"tokens": 11, "seed": 1}})
    assert run.recipe.read_bytes() == before


def test_a_folder_of_other_files_is_refused_and_untouched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="is no run folder"):
        claim(RunFolder(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_recipe_edited_after_the_run_began_is_refused(tmp_path):
    run = RunFolder(tmp_path / "run")
    claim(run)
    stored = json.loads(run.recipe.read_text())
    stored["recipe"]["training"]["tokens"] = 99
    run.recipe.write_text(json.dumps(stored))
    with pytest.raises(BadInput, match="was changed after the run began"):
        run.stored_recipe()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_damaged_recipe_file_is_named(tmp_path, content):
    run = RunFolder(tmp_path)
    run.recipe.write_text(content)
    with pytest.raises(BadInput, match=r"recipe\.json is damaged"):
        run.stored_recipe()


def test_a_folder_without_recipe_is_no_run(tmp_path):
    with pytest.raises(BadInput, match="is no run folder: it has no recipe"):
        RunFolder(tmp_path).stored_recipe()


def test_differing_keys_are_dotted_and_cover_additions_and_removals():
    assert differing_keys({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 0}, "e": 4}) == ["b.c", "b.d", "e"]
    assert differing_keys(RECIPE, RECIPE) == []
