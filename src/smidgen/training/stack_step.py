"""The gradients of one training step of several models, in forward and backward passes of all of them together.

M models    B sequences of a model in a pass    S of its step    N = M x B    T tokens    U = T + 1    V vocabulary
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from smidgen.training.losses import losses_of_each
from smidgen.training.stack_decoder import StackedDecoder
from smidgen.training.stack_kernels import accelerate_like
from smidgen.training.step import Step


class StackedStep(Step):
    """A step of the models of ``steps``, which are of one design and differ in nothing that a pass depends on.

    Passes take ``micro_batch`` sequences of each model. The weights of the models move into the stack: what ``steps``
    and their optimisers do to them afterwards, each by itself, is done here too. No model touches another one's loss
    or gradient, not even by numbers that are not finite.
    """

    decoder: StackedDecoder

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        micro_batch: int,
        compile_mode: str | None,
        smaller: Sequence[int] = (),
        on_notice: Callable[[str], None] = lambda notice: None,
    ) -> None:
        first = steps[0]
        stack = StackedDecoder([step.decoder for step in steps])
        accelerate_like(stack, first.decoder)
        super().__init__(
            stack,
            first.settings,
            device=first.device,
            dtype=first.dtype,
            micro_batch=micro_batch,
            compile_mode=compile_mode,
            end_of_text_id=first.end_of_text_id,
            smaller=smaller,
            on_notice=on_notice,
        )
        self._steps = list(steps)

    def gradients(
        self,
        ids_SMU: Tensor,
        sequences: int | None = None,
        place_offset_SM: Tensor | None = None,
        scratch_SMT: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """``Step.gradients`` of each model, (M) and (M); the gradients are with the weights of each, clipped."""
        self.forget_gradients()
        loss_M = self._own_share(ids_SMU, (place_offset_SM, scratch_SMT), sequences or len(ids_SMU))
        self.decoder.hand_out_gradients()
        return loss_M, torch.stack([step.clip() for step in self._steps])

    def ids_shape(self) -> tuple[int, ...]:
        sequences, tokens = super().ids_shape()
        return sequences, self.decoder.models, tokens

    def _scaled(self, objective_M: Tensor) -> Tensor:
        scales = [step.loss_scale.scale for step in self._steps if step.loss_scale is not None]
        return objective_M * torch.stack(scales) if scales else objective_M

    def _losses_of(
        self, ids_BMU: Tensor, place_offset_BM: Tensor | None = None, scratch_BMT: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        # Behind each other, as the models are stacked.
        ids_NU, place_offset_N, scratch_NT = (
            None if each is None else each.transpose(0, 1).flatten(0, 1)
            for each in (ids_BMU, place_offset_BM, scratch_BMT)
        )
        assert ids_NU is not None
        return super()._losses_of(ids_NU, place_offset_N, scratch_NT)

    def _losses_of_logits(
        self, logits_NTV: Tensor, targets_NT: Tensor, weights_NT: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        of_each = self.decoder.of_each
        weights_MBT = None if weights_NT is None else of_each(weights_NT)
        return losses_of_each(of_each(logits_NTV), of_each(targets_NT), self.settings.z_loss, weights_MBT)
