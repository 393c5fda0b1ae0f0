"""The documents name what there is: every benchmark with its dataset, split, file and metric, every suite, and every
key of training and of the tokenizer with its default."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from smidgen.evaluation.tasks.arithmark_generated import GENERATED
from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.evaluation.tasks.suites import SUITES
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.recipes.training import TrainingSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=BENCHMARKS)
def test_benchmarks_are_listed_as_they_are(benchmark):
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{benchmark.name}` |")]
    _, _, metric, dataset, file, licence, _ = (cell.strip() for cell in row.split("|"))
    assert metric == benchmark.metrics[0]
    assert f"`{benchmark.dataset}`" in dataset
    assert dataset.endswith(benchmark.split)
    assert file == f"`{benchmark.files[0].format(config='SET')}`"
    assert licence == benchmark.licence


@pytest.mark.parametrize("suite", SUITES)
def test_suites_are_listed_with_their_tasks(suite):
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{suite}` |")]
    if suite not in ("ant", "quick"):
        assert all(task in row for task in SUITES[suite])


def test_generated_tasks_are_listed():
    assert all(f"`{name}`" in PAGE for name in GENERATED if not name.endswith("-hard"))


def documented_keys(page):
    """Key and default of each, as the table of keys of a page states them."""
    found = {}
    table = (DOCS / page).read_text(encoding="utf-8").partition("| key | default |")[2].partition("\n\n")[0]
    for line in table.splitlines():
        if line.startswith("| `"):
            keys, defaults = (cell.strip().split(", ") for cell in line.split("|")[1:3])
            found.update(zip(keys, defaults, strict=True))
    return {key.strip("`"): default.strip("`") for key, default in found.items()}


def test_training_keys_are_listed_with_their_defaults():
    stated = {
        field.name: "required" if field.default is MISSING else str(field.default).replace("()", "[]")
        for field in fields(TrainingSettings)
    }
    assert documented_keys("training.md") == stated


def test_tokenizer_keys_are_listed_with_their_defaults():
    stated = documented_keys("tokenizers.md")
    defaults = {field.name: field.default for field in fields(TokenizerSettings) if field.name != "family"}
    assert stated.pop("special_tokens") == "end_of_text` alone"
    assert defaults.pop("special_tokens").present == ("<|endoftext|>",)
    assert {key: default.replace("_", "") for key, default in stated.items()} == {
        key: str(default) for key, default in defaults.items()
    }
