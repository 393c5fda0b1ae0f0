import json

import pytest

from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.ownership import claim
from smidgen.records.fingerprint import sha256_of_json
from smidgen.records.run_folder import RunFolder


@pytest.fixture
def older(tmp_path):
    """A run whose version knew neither Muon nor soft-capped logits."""
    run = RunFolder(tmp_path / "run")
    claim(run, load_recipe("quickstart"))
    recipe = json.loads(run.recipe.read_text())["recipe"]
    del recipe["training"]["optimizer"], recipe["design"]["logit_softcap"]
    run.recipe.write_text(json.dumps({"recipe": recipe, "sha256": sha256_of_json(recipe)}))
    return run


def test_a_run_of_an_older_version_can_be_continued(older):
    before = older.recipe.read_bytes()
    claim(older, load_recipe("quickstart"))
    assert older.recipe.read_bytes() == before


def test_a_key_that_came_later_still_tells_recipes_apart(older):
    with pytest.raises(BadInput, match=r"another recipe \(differs in design\.logit_softcap\)"):
        claim(older, load_recipe("quickstart", overrides=["design.logit_softcap=30.0"]))
