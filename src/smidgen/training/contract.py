"""What bit-identical continuation depends on besides the state of a run."""

from typing import Any

import torch

from smidgen.data.order import ORDER_VERSION
from smidgen.training.acceleration import kernels_in_use
from smidgen.training.documents import BOUNDARIES_VERSION
from smidgen.training.scratch import SCRATCH_VERSION
from smidgen.training.step import Step

# Clauses that tell the version of something we decide, or None where a run does not use it.
VERSIONS = ("order_of_samples", "set_of_document_masks", "kind_of_values_so_far")


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
        "set_of_document_masks": BOUNDARIES_VERSION if step.settings.document_masks else None,
        "kind_of_values_so_far": SCRATCH_VERSION if step.settings.scratch_weight else None,
    }


def broken_clauses(step: Step, saved: dict[str, Any]) -> list[str]:
    """A sentence naming what has changed since ``saved``; nothing where nothing has."""
    current = contract(step)
    # Older checkpoints are those of one rank, of one model alone, and of the first version of whatever they use.
    first = {key: 1 for key in VERSIONS if current[key]}
    saved = {"number_of_ranks": 1, "stack_of_models": "", **first, **saved}
    changed = [key.replace("_", " ") for key, value in current.items() if saved.get(key) != value]
    if not changed:
        return []
    return [f"continuing with another {', '.join(changed)}: the run goes on but will not be bit-identical"]
