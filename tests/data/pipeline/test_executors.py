import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from smidgen.data import build as build_module
from smidgen.data.build import build, parts_folder
from smidgen.data.pipeline.execution import Execution
from smidgen.data.training_data import open_data
from smidgen.errors import BadInput, Interrupted, OutOfResources

from .conftest import mixture_of, some_texts, write_texts


@pytest.fixture
def small_parts(monkeypatch):
    for name in ("SMALLEST_PART_BYTES", "LARGEST_PART_BYTES"):
        monkeypatch.setattr(build_module, name, 30_000)


@pytest.fixture
def mixture(tmp_path):
    texts = some_texts(900, "a")
    others = [*texts[:40], *some_texts(600, "b"), texts[50]]
    return mixture_of([write_texts(tmp_path / "a.jsonl", texts), write_texts(tmp_path / "b.jsonl", others)])


def build_into(out: Path, data, tokenizer, executor="pool", workers=1, make_executor=None, **changes) -> dict:
    return build(
        data,
        tokenizer,
        out=out,
        context_length=32,
        training_tokens=300_000,
        seed=5,
        cache=None,
        held_out_bytes=8_000,
        execution=Execution(executor=executor, workers=workers, make_executor=make_executor),
        **changes,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def reference(tmp_path, mixture, tokenizer, small_parts):
    build_into(tmp_path / "reference", mixture, tokenizer)
    return files(tmp_path / "reference")


@pytest.mark.parametrize("workers", [2, 4])
def test_a_pool_builds_the_same_bytes(tmp_path, mixture, tokenizer, reference, workers):
    build_into(tmp_path / "out", mixture, tokenizer, workers=workers)
    assert files(tmp_path / "out") == reference
    assert not parts_folder(tmp_path / "out").exists()


def test_the_size_of_parts_changes_nothing(tmp_path, mixture, tokenizer, reference, monkeypatch):
    for name in ("SMALLEST_PART_BYTES", "LARGEST_PART_BYTES"):
        monkeypatch.setattr(build_module, name, 170_000)
    build_into(tmp_path / "out", mixture, tokenizer)
    assert files(tmp_path / "out") == reference


def test_local_processes_of_datatrove_build_the_same_bytes(tmp_path, mixture, tokenizer, reference):
    pytest.importorskip("datatrove")
    build_into(tmp_path / "out", mixture, tokenizer, "datatrove", 2)
    assert files(tmp_path / "out") == reference


def test_an_executor_that_only_hands_the_job_in_is_waited_for(tmp_path, mixture, tokenizer, reference):
    """As Slurm's does; here the job runs in threads of this process."""
    pytest.importorskip("datatrove")

    class HandedIn:
        def __init__(self, pipeline, tasks, logs):
            self.pipeline, self.tasks = pipeline, tasks

        def run(self):
            for rank in range(self.tasks):
                threading.Timer(0.1, self.pipeline[0], [None, rank, self.tasks]).start()

    build_into(tmp_path / "out", mixture, tokenizer, "datatrove", 2, HandedIn)
    assert files(tmp_path / "out") == reference


@pytest.mark.soak
def test_two_workers_of_ray_build_the_same_bytes(tmp_path, mixture, tokenizer, reference):
    pytest.importorskip("ray")
    build_into(tmp_path / "out", mixture, tokenizer, "ray", 2)
    assert files(tmp_path / "out") == reference


# What goes wrong in a worker


def test_an_error_in_a_worker_is_the_one_of_this_process(tmp_path, tokenizer, small_parts):
    path = tmp_path / "a.jsonl"
    path.write_text('{"words": "no text here"}\n' * 3_000)
    data = mixture_of([path])
    with pytest.raises(BadInput) as alone:
        build_into(tmp_path / "alone", data, tokenizer)
    with pytest.raises(BadInput) as pooled:
        build_into(tmp_path / "pooled", data, tokenizer, workers=2)
    assert str(pooled.value) == str(alone.value)


def test_a_full_disk_in_a_worker_is_told(tmp_path, mixture, tokenizer, small_parts):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Workers inherit it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, hard))
    try:
        with pytest.raises(OutOfResources, match=r"no space left on the disk while writing .*\.part"):
            build_into(tmp_path / "out", mixture, tokenizer, workers=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out").exists()


def test_a_stopped_pool_goes_on_later(tmp_path, mixture, tokenizer, reference):
    seen: list = []
    with pytest.raises(Interrupted, match="the command can be repeated"):
        build_into(
            tmp_path / "out",
            mixture,
            tokenizer,
            workers=2,
            progress=lambda *report: seen.append(report),
            stop_requested=lambda: bool(seen),
        )
    made = {path: path.stat().st_mtime_ns for path in parts_folder(tmp_path / "out").rglob("*.part")}
    assert made
    with pytest.raises(Interrupted):
        build_into(tmp_path / "out", mixture, tokenizer, stop_requested=lambda: True)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    build_into(tmp_path / "out", mixture, tokenizer, workers=2)
    assert files(tmp_path / "out") == reference


CHILD = """
import sys
from pathlib import Path
from smidgen.data import build as build_module
from smidgen.data.build import build
from smidgen.data.pipeline.execution import Execution
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.tokenization.tokenizer import Tokenizer
build_module.SMALLEST_PART_BYTES = build_module.LARGEST_PART_BYTES = 30_000
folder, workers = Path(sys.argv[1]), int(sys.argv[2])
data = DataSettings(
    sources={name: Source(files=(str(folder / f"{name}.jsonl"),)) for name in "ab"},
    curriculum=(CurriculumPoint(at=0.0, weights={"a": 0.5, "b": 0.5}),),
    held_out_fraction=0.02,
)
print(flush=True)
build(data, Tokenizer.open(folder / "tokenizer"), out=folder / "out", context_length=32, training_tokens=300_000,
      seed=5, cache=None, held_out_bytes=8_000, execution=Execution(workers=workers))
"""


def kill_and_repeat(tmp_path, tokenizer, reference, moments: int, workers: int) -> int:
    """Kill builds until one comes through; return how many were killed with part files made."""
    tokenizer.save(tmp_path / "tokenizer")
    chance = random.Random(workers)
    began = 0
    for _ in range(moments):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(workers)], stdout=subprocess.PIPE, text=True
        )
        child.stdout.readline()
        while child.poll() is None and not any(parts_folder(tmp_path / "out").rglob("*.part")):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.25))
        child.kill()
        child.communicate()
        assert not (tmp_path / "out").exists() or open_data(tmp_path / "out", tokenizer.fingerprint)
        if (tmp_path / "out").exists():
            assert files(tmp_path / "out") == reference
            shutil.rmtree(tmp_path / "out")
        else:
            began += 1
    return began


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_at_any_moment_leaves_whole_parts_and_the_next_build_is_the_same(
    tmp_path, mixture, tokenizer, reference, workers
):
    assert kill_and_repeat(tmp_path, tokenizer, reference, 3, workers) >= 1
    build_into(tmp_path / "out", mixture, tokenizer, workers=workers)
    assert files(tmp_path / "out") == reference


@pytest.mark.soak
def test_a_hundred_kills_leave_the_same_bytes(tmp_path, mixture, tokenizer, reference):
    assert kill_and_repeat(tmp_path, tokenizer, reference, 100, 2) >= 30
    build_into(tmp_path / "out", mixture, tokenizer)
    assert files(tmp_path / "out") == reference
