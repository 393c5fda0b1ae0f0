"""Which way of computing a step is fastest on this GPU: measured once, then remembered."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from smidgen.checkpoints.open_model import config_as_dict
from smidgen.errors import OutOfResources
from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings
from smidgen.records import atomic
from smidgen.records.fingerprint import sha256_of_json
from smidgen.training.device import wait_for
from smidgen.training.ranks import Ranks
from smidgen.training.step import CUDA_GRAPHS, Step
from smidgen.user_cache import user_cache

# The largest sizes of a forward pass that are tried: at 5M parameters a GPU wants 8,000 to 64,000 tokens a launch.
SIZES_TRIED = 5
COMPILE_MODES = ("default", CUDA_GRAPHS)
MEASURED_PASSES = 4


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Sequences of a forward pass, and the mode of ``torch.compile``, None for eager."""

    micro_batch: int
    compile_mode: str | None

    def __str__(self) -> str:
        how = {None: "not compiled", CUDA_GRAPHS: "compiled with CUDA graphs"}.get(self.compile_mode, "compiled")
        return f"{self.micro_batch} sequences a pass, {how}"


def is_worth_it(device: torch.device) -> bool:
    """On a CPU the plan's rule stands: size changes its speed by less than noise, and compiling takes long."""
    return device.type == "cuda"


def fastest(sizes: Sequence[int], *, compiled: bool, seconds_of: Callable[[Choice], float]) -> Choice | None:
    """The choice with the fewest ``seconds_of`` a sequence: first the size, eagerly, then the way to compile it.

    What runs out of memory is passed over; None when everything does.
    """
    measured: dict[Choice, float] = {}
    for size in sizes:
        _measure(Choice(micro_batch=size, compile_mode=None), seconds_of, measured)
    if not measured:
        return None
    best = min(measured, key=lambda choice: measured[choice])
    for mode in COMPILE_MODES if compiled else ():
        _measure(Choice(micro_batch=best.micro_batch, compile_mode=mode), seconds_of, measured)
    return min(measured, key=lambda choice: measured[choice])


def remembered(key: str, cache: Path, find: Callable[[], Choice | None]) -> Choice | None:
    """What the cache file knows under ``key``, else what ``find`` finds, which is then remembered."""
    with suppress(KeyError, TypeError):
        return Choice(**read_cache(cache)[key])
    choice = find()
    if choice is not None:
        add_to_cache(cache, key, asdict(choice))
    return choice


def autotuned(
    decoder: Decoder,
    settings: TrainingSettings,
    *,
    device: torch.device,
    dtype: torch.dtype,
    end_of_text_id: int | None = None,
    sizes: Sequence[int],
    compiled: bool,
    cache: Path,
    ranks: Ranks | None = None,
) -> Choice | None:
    """The fastest choice for this decoder on this device; ``sizes`` are the divisors of a step, rising.

    Of several ``ranks`` the first measures for all.
    """
    tried = list(sizes)[-SIZES_TRIED:]
    key = key_of(decoder, settings, device=device, dtype=dtype, sizes=tried, compiled=compiled)

    def seconds_of(choice: Choice) -> float:
        step = Step(decoder, settings, device=device, dtype=dtype, end_of_text_id=end_of_text_id, **asdict(choice))
        return seconds_per_sequence(step, device)

    def found() -> dict[str, Any] | None:
        choice = remembered(key, cache, lambda: fastest(tried, compiled=compiled, seconds_of=seconds_of))
        return None if choice is None else asdict(choice)

    choice = (ranks or Ranks()).from_first("autotune", found)
    return None if choice is None else Choice(**choice)


def seconds_per_sequence(step: Step, device: torch.device) -> float:
    """Time of forward and backward on random tokens after one pass of warm-up. The gradients are dropped."""
    generator = torch.Generator().manual_seed(1)
    ids_BU = torch.randint(0, step.decoder.config.vocab_size, step.ids_shape(), generator=generator)
    try:
        step.gradients(ids_BU)
        wait_for(device)
        started = time.perf_counter()
        for _ in range(MEASURED_PASSES):
            step.gradients(ids_BU)
        wait_for(device)
        return (time.perf_counter() - started) / (MEASURED_PASSES * step.micro_batch)
    finally:
        step.decoder.zero_grad(set_to_none=True)
        if step.compile_mode is not None:
            # Lets go of the graphs and their memory; the compiled code itself stays in the compiler's cache on disk.
            torch.compiler.reset()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def default_cache() -> Path:
    """Where choices are remembered, for all runs of this user."""
    return user_cache() / "autotune.json"


def read_cache(cache: Path) -> dict[str, Any]:
    """What was measured so far, by key; nothing where the file is missing or damaged."""
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def add_to_cache(cache: Path, key: str, value: Any) -> None:
    # A home that cannot be written to only costs the measurement again.
    with suppress(OSError):
        atomic.write_json(cache, {**read_cache(cache), key: value})


def key_of(decoder: Decoder, settings: TrainingSettings, *, device: torch.device, **more: Any) -> str:
    """Of whatever the speed depends on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    shape = {key: value for key, value in config_as_dict(decoder.config).items() if key != "digit_token_ids"}
    return sha256_of_json(
        {
            "device": name,
            "torch": torch.__version__,
            "design": shape,
            "plain_loss": settings.has_plain_loss,
            "document_masks": settings.document_masks,
            **{key: value if isinstance(value, (list, bool)) else str(value) for key, value in more.items()},
        }
    )


def _measure(choice: Choice, seconds_of: Callable[[Choice], float], measured: dict[Choice, float]) -> None:
    try:
        measured[choice] = seconds_of(choice)
    except OutOfResources:
        return
