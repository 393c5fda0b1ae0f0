import pytest
import torch

from smidgen.errors import BadInput
from smidgen.training import device as device_module
from smidgen.training.device import (
    autocast,
    choose_device,
    compute_dtype,
    is_out_of_memory,
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


@pytest.mark.parametrize(("is_faster", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_computes_in_bfloat16_only_where_that_is_faster(monkeypatch, is_faster, dtype):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(device_module, "is_bfloat16_faster", lambda: is_faster)
    assert compute_dtype(torch.device("cpu"), "bf16") == dtype
    assert compute_dtype(torch.device("cpu"), "fp32") == torch.float32


def test_a_cpu_without_wide_vectors_is_not_measured(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(device_module, "is_bfloat16_faster", lambda: pytest.fail("measured"))
    assert compute_dtype(torch.device("cpu"), "bf16") == torch.float32


def test_the_peak_is_a_plausible_number():
    assert 1e8 < peak_flops_per_second(torch.device("cpu"), torch.float32) < 1e15


def with_gpu(monkeypatch, capability, architectures, *, bfloat16=True):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla K80")
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: architectures)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda size, device: empty(size))


BUILT = ["sm_75", "sm_80", "sm_90a", "sm_100", "compute_120"]


@pytest.mark.parametrize("name", [None, "cuda", "cuda:0"])
def test_a_gpu_too_old_for_this_pytorch_is_refused_in_words(monkeypatch, name):
    with_gpu(monkeypatch, (3, 7), BUILT)
    with pytest.raises(BadInput, match=r"Tesla K80 has compute capability 3\.7, and PyTorch .* needs 7\.5 or newer"):
        choose_device(name)


@pytest.mark.parametrize(
    ("capability", "built"), [((7, 5), BUILT), ((12, 0), BUILT), ((3, 7), ["gfx942"]), ((3, 7), [])]
)
def test_other_gpus_are_taken(monkeypatch, capability, built):
    with_gpu(monkeypatch, capability, built)
    assert choose_device(None).type == "cuda"


def test_a_gpu_without_bfloat16_computes_in_float16(monkeypatch):
    with_gpu(monkeypatch, (7, 5), BUILT, bfloat16=False)
    assert compute_dtype(torch.device("cuda"), "bf16") == torch.float16
    assert compute_dtype(torch.device("cuda"), "fp32") == torch.float32


def test_a_lack_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    )
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def test_a_real_lack_of_memory_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_out_of_memory(caught.value)
