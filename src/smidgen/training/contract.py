"""What bit-identical continuation depends on besides the state of a run."""

from typing import Any

import torch

from smidgen.data.order import ORDER_VERSION
from smidgen.training.acceleration import kernels_in_use
from smidgen.training.step import Step


def contract(step: Step) -> dict[str, Any]:
    """Machine, versions and the way of computing, as a checkpoint keeps them."""
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if step.device.type == "cuda" else step.device.type,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "dtype": str(step.dtype),
        "micro_batch": step.micro_batch,
        "compiled": step.compile_mode is not None,
        "set_of_kernels": kernels_in_use(step.decoder),
        "number_of_ranks": step.ranks.count,
        "stack_of_models": step.stack,
        "order_of_samples": ORDER_VERSION,
    }


def broken_clauses(step: Step, saved: dict[str, Any]) -> list[str]:
    """A sentence naming what has changed since ``saved``; nothing where nothing has."""
    # Older checkpoints are those of one rank, of one model alone and of the first order.
    saved = {"number_of_ranks": 1, "stack_of_models": "", "order_of_samples": 1, **saved}
    changed = [key.replace("_", " ") for key, value in contract(step).items() if saved.get(key) != value]
    if not changed:
        return []
    return [f"continuing with another {', '.join(changed)}: the run goes on but will not be bit-identical"]
