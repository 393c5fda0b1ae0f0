from pathlib import Path

import pytest

from smidgen.reports.ablation.noise import noise_rows, seed_counts, seeds_chart, wanting
from smidgen.reports.ablation.result import read_result

from .conftest import Change


@pytest.fixture
def read(ablation):
    return lambda changes, **options: read_result(ablation(changes, **options), Path("ablation.json"))


def test_each_task_has_its_floor_and_what_more_seeds_would_find(read):
    result = read({})
    bits, pairs, _ = noise_rows(result)
    assert seed_counts(result) == [2, 3, 5, 8]
    assert bits.title == "Bits per byte"
    assert [float(found) for found in bits.detectable] == sorted(
        (float(found) for found in bits.detectable), reverse=True
    )
    assert pairs.unit == "points"


def test_undecided_verdicts_are_listed_by_the_seeds_they_need(read):
    listed = wanting(read({"a": Change(), "b": Change(effect=0.0015), "c": Change(effect=0.2)}, tasks=()))
    assert {one.variant for one in listed} == {"a", "b"}
    needed = [int(one.more_seeds.removeprefix("about ").replace(",", "")) for one in listed]
    assert needed == sorted(needed)


def test_every_seed_of_the_base_is_a_dot(read):
    assert seeds_chart(read({}, seeds=(1, 2, 3, 4, 5))).wide.count('class="seed"') == 5
    assert seeds_chart(read({}, seeds=(1,))) is None
