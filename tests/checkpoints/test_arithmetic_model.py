"""The model that comes with Smidgen is what its card says: small, whole, and right about new equations."""

import json
import re

import pytest

import smidgen
from smidgen.checkpoints.open_model import open_model
from smidgen.checkpoints.shipped import DEFAULT_MODEL, shipped_model
from smidgen.design.parameters import count_parameters
from smidgen.recipes.loading import load_recipe
from smidgen.records.fingerprint import sha256_of_json
from smidgen.records.manifest import FILES_NAME, read_record, verify_tree

FOLDER = shipped_model(DEFAULT_MODEL)
CARD = (FOLDER / "README.md").read_text("utf-8") if FOLDER else ""


def test_it_is_there_and_small():
    assert FOLDER is not None
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6_000_000


def test_every_file_is_as_it_was_written_and_has_its_hash_in_the_card():
    checked, failed = verify_tree(FOLDER)
    assert checked > 20
    assert failed == []
    rows = dict(re.findall(r"^\| (\S+) \| [\d,]+ \| ([0-9a-f]{64}) \|$", CARD, re.MULTILINE))
    found = {name.replace("\\_", "_"): digest for name, digest in rows.items()}
    assert found == {name: entry["sha256"] for name, entry in read_record(FOLDER / FILES_NAME).items()}


def test_the_recipe_of_its_name_makes_it():
    recipe = load_recipe(DEFAULT_MODEL)
    digest = sha256_of_json(recipe.as_dict())
    assert digest in CARD
    assert json.loads((FOLDER / "smidgen_provenance.json").read_text("utf-8"))["recipe_sha256"] == digest
    assert count_parameters(open_model(FOLDER).config) == count_parameters(recipe.design)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("12 + 34 =", "46"), ("(7 + 5) * 3 =", "36"), ("345 - 278 =", "67"), ("123456 + 654321 =", "777777")],
)
def test_it_answers(prompt, answer):
    written = smidgen.generate(DEFAULT_MODEL, prompt, temperature=0.0, max_new_tokens=12)["text"]
    assert written.split("\n")[0].strip() == answer


def test_it_answers_equations_that_training_never_held():
    """Of 600 each the shares in docs/arithmetic.md, less four standard errors of so many."""
    tasks = ["arithmark2-generated:600", "arithmark2-generated-hard:600"]
    scores = smidgen.evaluate(DEFAULT_MODEL, tasks, seed=20261122)["scores"]
    assert scores["arithmark2-generated"]["exact_match"]["value"] > 0.95
    assert scores["arithmark2-generated"]["acc"]["value"] > 0.985
    assert scores["arithmark2-generated-hard"]["acc"]["value"] > 0.975


def test_it_speaks_english_too():
    record = smidgen.evaluate(DEFAULT_MODEL, ["minimal-pairs:20"], seed=5)
    assert record["scores"]["minimal-pairs"]["acc"]["value"] > 0.88
