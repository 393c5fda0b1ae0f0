import pytest
import torch

from smidgen.errors import BadInput
from smidgen.training import device as device_module
from smidgen.training.device import (
    autocast,
    choose_device,
    compute_dtype,
    peak_flops_per_second,
    should_compile,
)


def test_an_unusable_device_is_refused_in_words():
    with pytest.raises(BadInput, match="device 'toaster' cannot be used here; 'cpu' always works"):
        choose_device("toaster")


def test_the_cpu_can_always_be_chosen():
    assert choose_device("cpu") == torch.device("cpu")


def test_short_runs_are_not_compiled():
    assert should_compile(True, 10_000) == (False, "")
    assert should_compile(False, 10**9) == (False, "")


def test_without_a_compiler_training_goes_on_with_a_notice(monkeypatch):
    monkeypatch.setattr(device_module.shutil, "which", lambda name: None)
    compiles, notice = should_compile(True, 10**9)
    assert not compiles
    assert "no C++ compiler" in notice


def test_autocast_is_off_in_float32():
    with autocast(torch.device("cpu"), compute_dtype(torch.device("cpu"), "fp32")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_the_peak_is_a_plausible_number():
    assert 1e8 < peak_flops_per_second(torch.device("cpu"), torch.float32) < 1e15
