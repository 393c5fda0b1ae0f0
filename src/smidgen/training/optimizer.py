"""The optimisers of a decoder's weights, and their state as named tensors that a checkpoint can hold."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from smidgen.errors import BadInput
from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings
from smidgen.training.muon import Muon

ADAMW_STATE, MUON_STATE = ("exp_avg", "exp_avg_sq"), ("momentum_buffer",)


class DecoderOptimizer:
    """AdamW for all weights, or Muon for the matrices of the layers and AdamW for the rest; one step for all."""

    def __init__(self, adamw: torch.optim.AdamW, muon: Muon | None, settings: TrainingSettings) -> None:
        self.adamw, self.muon = adamw, muon
        self._of_muon = {id(matrix) for group in muon.param_groups for matrix in group["params"]} if muon else set()
        self._muon_ratio = settings.muon_learning_rate / settings.peak_learning_rate

    @property
    def parts(self) -> list[torch.optim.Optimizer]:
        return [self.adamw] if self.muon is None else [self.adamw, self.muon]

    @property
    def updates(self) -> int:
        """Steps that changed the weights. Waits for the device."""
        some_state = next(iter(self.adamw.state.values()), None)
        return 0 if some_state is None else int(some_state["step"])

    def set_learning_rate(self, learning_rate: float) -> None:
        """AdamW's learning rate; Muon's follows in the proportion of their peaks."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate * (self._muon_ratio if part is self.muon else 1.0)

    def step(self, *, skip: Tensor | None = None) -> None:
        """Update all weights, or none when ``skip`` holds 1.0: that is decided on the device, without waiting."""
        for part in self.parts:
            # What PyTorch's gradient scaler does with fused optimisers.
            part.found_inf = skip  # type: ignore[attr-defined]
            part.step()

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none=set_to_none)

    def state_of(self, parameter: Tensor) -> dict[str, Any]:
        is_of_muon = self.muon is not None and id(parameter) in self._of_muon
        return (self.muon if is_of_muon else self.adamw).state[parameter]  # type: ignore[union-attr]

    def names_of_state(self, parameter: Tensor) -> Sequence[str]:
        return MUON_STATE if id(parameter) in self._of_muon else ADAMW_STATE


def build_optimizer(decoder: Decoder, settings: TrainingSettings) -> DecoderOptimizer:
    """Fused AdamW, and Muon if the recipe says so.

    Weight decay on matrices and tables only, as GPT-3 (arXiv:2005.14165) and nanoGPT have it; the recipe may leave
    the tables out.
    """
    tables = {id(module.weight) for module in decoder.modules() if isinstance(module, torch.nn.Embedding)}
    groups: dict[str, list[Tensor]] = {"muon": [], "decayed": [], "others": []}
    for name, parameter in decoder.named_parameters():
        if parameter.ndim < 2 or (id(parameter) in tables and not settings.decay_embeddings):
            groups["others"].append(parameter)
        elif settings.optimizer == "muon" and "layers." in name:
            groups["muon"].append(parameter)
        else:
            groups["decayed"].append(parameter)
    adamw = torch.optim.AdamW(
        [
            {"params": groups["decayed"], "weight_decay": settings.weight_decay},
            {"params": groups["others"], "weight_decay": 0.0},
        ],
        lr=settings.peak_learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        fused=True,
    )
    muon = None
    if groups["muon"]:
        muon = Muon(
            groups["muon"],
            lr=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
            momentum=settings.muon_momentum,
            scale=settings.muon_scale,
        )
    return DecoderOptimizer(adamw, muon, settings)


def optimizer_tensors(decoder: Decoder, optimizer: DecoderOptimizer) -> dict[str, Tensor]:
    """The state of every parameter by name: ``exp_avg.NAME`` and ``exp_avg_sq.NAME``, or ``momentum_buffer.NAME``."""
    return {
        f"{key}.{name}": optimizer.state_of(parameter)[key]
        for name, parameter in decoder.named_parameters()
        for key in optimizer.names_of_state(parameter)
    }


def restore_optimizer(
    decoder: Decoder, optimizer: DecoderOptimizer, tensors: dict[str, Tensor], *, step: int
) -> None:
    """Put a saved state back. Raises ``BadInput`` when it belongs to another design or optimiser."""
    for name, parameter in decoder.named_parameters():
        wanted = optimizer.names_of_state(parameter)
        saved = {key: tensors[f"{key}.{name}"] for key in wanted if f"{key}.{name}" in tensors}
        if len(saved) < len(wanted) or any(value.shape != parameter.shape for value in saved.values()):
            raise BadInput(f"the saved optimiser state of {name} does not fit the design; it belongs to another run")
        state = optimizer.state_of(parameter)
        state.update({key: value.to(parameter.device) for key, value in saved.items()})
        if wanted is ADAMW_STATE:
            state["step"] = torch.tensor(float(step), device=parameter.device)
