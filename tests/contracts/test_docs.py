"""The documents name what there is: every benchmark with its dataset, split, file and metric, every suite."""

from pathlib import Path

import pytest

from smidgen.evaluation.tasks.arithmark_generated import GENERATED
from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.evaluation.tasks.suites import SUITES

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")


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
