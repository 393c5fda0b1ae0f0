import mmap

import torch

from smidgen.records.environment import hardware, peak_memory_bytes, reset_peak_memory, versions


def test_versions_name_what_can_change_a_result():
    found = versions()
    assert found["torch"] == torch.__version__
    assert {"python", "smidgen", "numpy", "tokenizers"} <= found.keys()


def test_hardware_is_described_in_plain_values():
    machine = hardware()
    assert machine["processor"]
    assert machine["cores"] >= 1


def test_peak_memory_sees_a_large_allocation():
    reset_peak_memory()
    before = peak_memory_bytes()
    # Mapped, because memory that other tests freed may still belong to the process and be handed out again.
    with mmap.mmap(-1, 200_000_000) as block:
        block[::4096] = b"\x01" * len(block[::4096])
        assert peak_memory_bytes() >= before + 100_000_000
