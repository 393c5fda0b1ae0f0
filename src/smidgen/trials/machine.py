"""What this machine has for workers."""

from collections.abc import Callable
from typing import Any

import torch

from smidgen.records.environment import available_memory_bytes
from smidgen.stopping import StopRequest
from smidgen.trials.job import Job


def describe_machine(job: Job, tell: Callable[..., None], stop_requested: StopRequest) -> dict[str, Any]:
    """Numbers of GPUs and of threads that torch would use, and bytes of memory.

    In a process of its own, because asking starts the GPU's library.
    """
    return {
        "gpus": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "cores": torch.get_num_threads(),
        "memory_bytes": available_memory_bytes(),
    }
