import json
from pathlib import Path

import pytest

from smidgen.errors import BadInput
from smidgen.reports.ablation.course import Courses, SeedCourse, difference, mean, read_courses
from smidgen.reports.ablation.result import read_result

from .conftest import ONE, Change


def course(variant, seed, state="finished"):
    return SeedCourse(variant=variant, seed=seed, state=state, loss=(), held_out=())


def pairs_of(points):
    return [(point.at, point.value, point.low, point.high) for point in points]


@pytest.fixture
def read(ablation, tmp_path):
    def make(changes, **options):
        return read_courses(read_result(ablation(changes, **options), Path("ablation.json")), tmp_path)

    return make


def test_the_mean_over_seeds_has_their_range():
    curves = [((0.5, 2.0), (1.0, 1.0)), ((0.5, 4.0), (1.0, 2.0))]
    assert pairs_of(mean(curves)) == [(0.5, 3.0, 2.0, 4.0), (1.0, 1.5, 1.0, 2.0)]


def test_one_seed_has_no_range():
    assert pairs_of(mean([((0.5, 2.0),)])) == [(0.5, 2.0, None, None)]
    assert mean([]) == ()


def test_the_mean_ends_where_the_first_seed_does():
    short = ((0.1, 1.0), (0.2, 1.0))
    long = ((0.1, 3.0), (0.2, 3.0), (0.9, 3.0))
    assert [point.at for point in mean([long, short])] == [0.1, 0.2]


def test_differences_are_taken_seed_by_seed_and_between_measurements_on_a_line():
    own = ((0.5, 2.5),)
    base = ((0.0, 1.0), (1.0, 2.0))
    assert pairs_of(difference([(own, base), (((0.5, 4.5),), base)])) == [(0.5, 2.0, 1.0, 3.0)]


def test_only_seeds_that_went_all_the_way_on_both_sides_are_paired():
    trials = (
        course("base", 1), course("base", 2), course("base", 3, "diverged"),
        course("x", 1), course("x", 2, "diverged"), course("x", 3), course("x", 4),
    )  # fmt: skip
    courses = Courses(trials=trials)
    assert [(own.seed, base.seed) for own, base in courses.pairs("x")] == [(1, 1)]
    assert [one.seed for one in courses.broken("x")] == [2]


def test_curves_are_read_with_the_state_of_their_trial(read):
    courses = read({"x": Change(states={2: "diverged", 3: "running"})})
    assert [one.state for one in courses.of("x")] == ["finished", "diverged", "running"]
    (finished, diverged, running) = courses.of("x")
    assert finished.held_out[-1][0] == pytest.approx(1, abs=0.001)
    assert diverged.loss[-1][0] < 0.5
    assert 0.4 < running.loss[-1][0] < 0.6


def test_places_are_shares_of_the_run_where_something_else_is_held_equal(read):
    courses = read(ONE, budget={"equal": "flops", "flops": 1e14, "scales": [1], "sentence": "1e14 FLOPs each"})
    assert courses.of("base")[0].held_out[-1][0] == 1.0


def test_trials_of_other_scales_and_strange_folders_are_left_alone(read, tmp_path):
    for name in ("x2-seed-1", "notes", "seed-one"):
        folder = tmp_path / "trials" / "no-xsa" / name
        folder.mkdir(parents=True)
        (folder / "measurements.jsonl").write_text("nonsense")
    assert [one.seed for one in read(ONE, scales=(1, 2)).of("no-xsa")] == [1, 2, 3]


def test_training_losses_are_averaged_within_parts_of_the_run(read, tmp_path):
    folder = tmp_path / "trials" / "base" / "seed-9"
    folder.mkdir(parents=True)
    lines = [
        {"kind": "training", "step": step, "tokens": step * 1000, "seconds": step, "loss": float(step)}
        for step in range(1, 4001)
    ]
    (folder / "measurements.jsonl").write_text("\n".join(map(json.dumps, lines)))
    added = next(one for one in read(ONE).of("base") if one.seed == 9)
    assert len(added.loss) == 100
    assert added.loss[0] == (0.01, 20.5)


def test_a_damaged_line_is_named_with_its_file(read, tmp_path):
    folder = tmp_path / "trials" / "base" / "seed-9"
    folder.mkdir(parents=True)
    (folder / "measurements.jsonl").write_text('{"kind": "training", "step": 1}\n')
    with pytest.raises(BadInput, match=r"seed-9.measurements\.jsonl is damaged"):
        read(ONE)
