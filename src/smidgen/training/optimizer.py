"""AdamW over a decoder, and its state as named tensors that a checkpoint can hold."""

import torch
from torch import Tensor

from smidgen.errors import BadInput
from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings

MOMENTS = ("exp_avg", "exp_avg_sq")


def build_optimizer(decoder: Decoder, settings: TrainingSettings) -> torch.optim.AdamW:
    """Fused AdamW; weight decay on matrices and tables only, as GPT-3 (arXiv:2005.14165) and nanoGPT have it."""
    decayed = [parameter for parameter in decoder.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in decoder.parameters() if parameter.ndim < 2]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.peak_learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        fused=True,
    )


def optimizer_tensors(decoder: Decoder, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Both moments of every parameter as ``exp_avg.NAME`` and ``exp_avg_sq.NAME``."""
    return {
        f"{moment}.{name}": optimizer.state[parameter][moment]
        for name, parameter in decoder.named_parameters()
        for moment in MOMENTS
    }


def restore_optimizer(
    decoder: Decoder, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], *, step: int
) -> None:
    """Put saved moments back. Raises ``BadInput`` when they belong to another design."""
    for name, parameter in decoder.named_parameters():
        moments = {moment: tensors[key] for moment in MOMENTS if (key := f"{moment}.{name}") in tensors}
        if len(moments) < len(MOMENTS) or any(value.shape != parameter.shape for value in moments.values()):
            raise BadInput(f"the saved optimiser state of {name} does not fit the design; it belongs to another run")
        optimizer.state[parameter] = {
            "step": torch.tensor(float(step), device=parameter.device),
            **{moment: value.to(parameter.device) for moment, value in moments.items()},
        }
