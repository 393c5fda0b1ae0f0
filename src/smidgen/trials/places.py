"""Where workers compute: a GPU each, or a share of the processor's cores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smidgen.errors import BadInput

# Of a compiled training at 5M parameters on a CPU (0.8 to 1.0 GB, src/smidgen/training/plan.py); a GPU's worker holds
# more, but there is one for each GPU only.
WORKER_BYTES = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """``gpu`` is what ``CUDA_VISIBLE_DEVICES`` has to be for it, "" for processor cores; ``threads`` are those of
    torch, 0 as many as it likes."""

    gpu: str = ""
    threads: int

    def __str__(self) -> str:
        cores = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        return f"GPU {self.gpu}" if self.gpu else cores


def find_places(
    machine: Mapping[str, Any], *, workers: int | None, device: str | None, most: int, visible: str | None
) -> tuple[Place, ...]:
    """Places for ``workers``, at most ``most``.

    By default one for each GPU (several workers of one GPU share it), or, on a processor, one for each core as far
    as memory goes: trainings on one thread each disturb each other less than the threads of one training (beside
    other work two ranks of one thread took 0.58 to 0.70 of the time of one of two; docs/distributed.md). ``visible``
    is ``CUDA_VISIBLE_DEVICES``.
    Raises ``BadInput`` for fewer than one.
    """
    if workers is not None and workers < 1:
        raise BadInput(f"--workers {workers} is nobody to do the work; at least 1 works")
    cores = machine["cores"]
    gpus = _gpus(machine["gpus"], visible) if device in (None, "cuda") else []
    if gpus:
        count = max(1, min(workers or len(gpus), most))
        return tuple(Place(gpu=gpus[number % len(gpus)], threads=max(1, cores // count)) for number in range(count))
    memory = machine["memory_bytes"]
    fitting = cores if memory is None else min(cores, memory // WORKER_BYTES)
    # A device by its number is one place.
    by_default = max(1, fitting) if device in (None, "cpu") else 1
    count = max(1, min(workers or by_default, most))
    return tuple(Place(threads=max(1, cores // count)) for _ in range(count))


def _gpus(count: int, visible: str | None) -> list[str]:
    names = [name.strip() for name in visible.split(",") if name.strip()] if visible else map(str, range(count))
    return list(names)[:count]
