"""The device, its number format and what it could do at best."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from smidgen.errors import BadInput
from smidgen.native.processor import is_bfloat16_faster

# Below this many tokens compiling costs more time than it saves on a CPU (measured: 27-34 s cold).
TOKENS_WORTH_COMPILING = 1_000_000


def choose_device(name: str | None) -> torch.device:
    """The named device, or a GPU where there is one. Raises ``BadInput`` when it cannot be used."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and torch.cuda.is_available():
            _check_generation(device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"device {name!r} cannot be used here; 'cpu' always works, 'cuda' with a GPU") from error
    return device


def _check_generation(device: torch.device) -> None:
    """Raise ``BadInput`` for a GPU without machine code in this PyTorch, whose kernels would fail without a word."""
    capability = torch.cuda.get_device_capability(device)
    built = [name.removeprefix("sm_") for name in torch.cuda.get_arch_list() if name.startswith("sm_")]
    # The last digit is the minor version; letters mark variants: sm_75, sm_90a, sm_100.
    known = [(int(digits[:-1]), int(digits[-1])) for name in built if (digits := name.rstrip("af")).isdecimal()]
    if known and capability < min(known):
        raise BadInput(
            f"{torch.cuda.get_device_name(device)} has compute capability {capability[0]}.{capability[1]}, and "
            f"PyTorch {torch.__version__} needs {min(known)[0]}.{min(known)[1]} or newer; give --device cpu, or "
            "install an older PyTorch that still supports this GPU"
        )


def compute_dtype(device: torch.device, precision: str) -> torch.dtype:
    """bfloat16 for the matrix products where the recipe asks for it and the device is fast at it.

    Otherwise a GPU (T4) computes them in float16 with a scaled loss, a CPU in float32.
    """
    if precision != "bf16":
        return torch.float32
    if has_fast_bfloat16(device):
        return torch.bfloat16
    return torch.float16 if device.type == "cuda" else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager:
    """Matrix products in ``dtype``; weights, sums and losses stay float32."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype=dtype)


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products run natively. A GPU without them (T4) would emulate them slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # PyTorch's CPU kernels fall back to slow reference code without AVX-512.
    return device.type != "cpu" or "AVX512" in torch.backends.cpu.get_cpu_capability()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products run natively and, on a CPU, faster than those of float32."""
    return has_bfloat16(device) and (device.type != "cpu" or is_bfloat16_faster())


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """On a CPU: the same bits from the same state and threads, so that a resumed run equals an uninterrupted one.

    Without this the compiler adds the embedding's gradient with atomic additions, whose order changes from run to
    run; with it the step is as fast (experiments.md). A GPU is left as it is: some of its kernels have no such form.
    """
    if device.type != "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    fill_before = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # Overwriting fresh memory with NaN finds defects and costs time; nothing here reads it before writing.
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = fill_before


def should_compile(wanted: bool, tokens: int) -> tuple[bool, str]:
    """Whether to compile a run of this many tokens, and a notice when the wish is not followed."""
    if not wanted or tokens < TOKENS_WORTH_COMPILING:
        return False, ""
    if shutil.which(os.environ.get("CXX", "c++")) is None and shutil.which("g++") is None:
        return False, "no C++ compiler found: training runs uncompiled, which is slower"
    return True, ""


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error means that the device's memory is used up; on a CPU PyTorch has no class for that."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def peak_flops_per_second(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large square matrix product, the best that this device shows in half a second."""
    size = 1024 if device.type == "cpu" else 8192
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best, deadline = float("inf"), time.perf_counter() + 0.5
    while time.perf_counter() < deadline:
        wait_for(device)
        started = time.perf_counter()
        left @ right
        wait_for(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def wait_for(device: torch.device) -> None:
    """Return once a GPU has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
