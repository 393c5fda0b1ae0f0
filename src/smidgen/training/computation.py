"""How a step is computed on this device: as planned on a CPU, as measured on a GPU."""

from collections.abc import Callable
from typing import Any

import torch

from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings
from smidgen.training import autotune
from smidgen.training.acceleration import accelerate, has_own_attention
from smidgen.training.device import should_compile
from smidgen.training.plan import TrainingPlan, micro_batches, uneven_shares
from smidgen.training.ranks import Ranks
from smidgen.training.step import Step


def choose_computation(
    decoder: Decoder,
    settings: TrainingSettings,
    plan: TrainingPlan,
    *,
    device: torch.device,
    dtype: torch.dtype,
    compile: bool,
    end_of_text_id: int | None,
    ranks: Ranks,
    is_stacked: bool,
    on_notice: Callable[[str], None],
) -> tuple[Step, list[str]]:
    """The step of ``decoder``, which is changed to the fastest layers there are here, and what people should know.

    ``compile`` is what is wanted; too short a run is not compiled. ``end_of_text_id`` is there where documents are
    kept apart. Where the model ``is_stacked``, its gradients are computed with those of others, so that nothing is
    compiled or measured. ``on_notice`` is told what the step has to say later.
    """
    compiled, notice = should_compile(compile and not is_stacked, plan.tokens)
    notices = [notice] if notice else []
    if settings.precision == "bf16" and dtype != torch.bfloat16:
        instead = "float32" if dtype == torch.float32 else "float16 with a scaled loss"
        notices.append(f"this device has no fast bfloat16: training runs in {instead}")
    notices += uneven_shares(plan)
    sizes = micro_batches(plan.phases, ranks.rank, ranks.count)
    sizes = [size for size in sizes if size <= plan.micro_batch]
    choice = autotune.Choice(micro_batch=plan.micro_batch, compile_mode="default" if compiled else None)
    way: dict[str, Any] = {"device": device, "dtype": dtype, "end_of_text_id": end_of_text_id, "ranks": ranks}
    if autotune.is_worth_it(device) and not is_stacked:
        cache = autotune.default_cache()
        measured = autotune.autotuned(decoder, settings, **way, sizes=sizes, compiled=compiled, cache=cache)
        notices += [f"fastest on this GPU, as measured: {measured}"] if measured else []
        choice = measured or choice
    notices += accelerate(decoder, device, dtype)
    if end_of_text_id is not None and not has_own_attention(decoder):
        notices.append(
            "training.document_masks runs on PyTorch's attention here, which computes what it then hides: "
            "as exact, but slower than without"
        )
    step = Step(
        decoder,
        settings,
        **way,
        micro_batch=choice.micro_batch,
        compile_mode=choice.compile_mode,
        smaller=[size for size in sizes if size < choice.micro_batch],
        on_notice=on_notice,
    )
    return step, notices
