import pytest

from smidgen.errors import BadInput
from smidgen.trials.places import find_places

MACHINE = {"gpus": 0, "cores": 7, "memory_bytes": 100_000_000_000}


def places(machine=None, *, workers=None, device=None, most=100, visible=None):
    found = find_places({**MACHINE, **(machine or {})}, workers=workers, device=device, most=most, visible=visible)
    return [(place.gpu, place.threads) for place in found]


def test_a_processor_gets_a_worker_for_each_core():
    assert places() == [("", 1)] * 7


def test_there_are_never_more_workers_than_trials_and_those_share_all_cores():
    assert places(most=3) == [("", 2)] * 3
    assert places(most=1) == [("", 7)]
    assert places(most=0) == [("", 7)]


def test_memory_limits_workers_that_nobody_asked_for():
    assert places({"memory_bytes": 2_900_000_000}) == [("", 3)] * 2
    assert places({"memory_bytes": 10}) == [("", 7)]
    assert places({"memory_bytes": None}) == [("", 1)] * 7
    assert len(places({"memory_bytes": 10}, workers=5)) == 5


def test_each_gpu_gets_a_worker_under_the_name_that_is_visible():
    assert places({"gpus": 2}) == [("0", 3), ("1", 3)]
    assert places({"gpus": 2}, visible="4, GPU-af") == [("4", 3), ("GPU-af", 3)]
    assert places({"gpus": 2}, device="cuda", workers=3) == [("0", 2), ("1", 2), ("0", 2)]


def test_a_gpu_that_is_not_wanted_or_wanted_by_number_is_not_shared_out():
    assert places({"gpus": 2}, device="cpu") == [("", 1)] * 7
    assert places({"gpus": 2}, device="cuda:1") == [("", 7)]


def test_nobody_is_no_number_of_workers():
    with pytest.raises(BadInput, match="--workers 0"):
        places(workers=0)
