"""One step of training on its device: forward and backward passes, then the update. Nothing waits for a GPU.

B sequences of one forward pass    S sequences of the step    U = T + 1 tokens, inputs and targets
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings
from smidgen.training.acceleration import keep_apart, own_cross_entropy
from smidgen.training.device import autocast, is_out_of_memory
from smidgen.training.loss_scale import LossScale
from smidgen.training.loss_weights import loss_weights
from smidgen.training.losses import training_losses
from smidgen.training.optimizer import DecoderOptimizer
from smidgen.training.ranks import Ranks
from smidgen.training.scratch import NO_TARGET

# The mode of torch.compile that records CUDA graphs, whose memory is written again on every replay.
CUDA_GRAPHS = "reduce-overhead"


class Step:
    """Gradients over samples in passes of ``micro_batch`` sequences, and the update they lead to.

    ``smaller`` are the sizes to fall back on when memory runs out, rising, which ``on_notice`` is told then.
    ``compile_mode`` is a mode of ``torch.compile``, None for eager. With an ``end_of_text_id`` no token reads another
    document than its own. ``loss_scale`` is there in float16 only. Where a stack of models computes the gradients,
    which this step then clips and applies, ``stack`` says how.
    """

    def __init__(
        self,
        decoder: Decoder,
        settings: TrainingSettings,
        *,
        device: torch.device,
        dtype: torch.dtype,
        micro_batch: int,
        compile_mode: str | None,
        end_of_text_id: int | None = None,
        smaller: Sequence[int] = (),
        on_notice: Callable[[str], None] = lambda notice: None,
        ranks: Ranks | None = None,
    ) -> None:
        self.ranks = ranks or Ranks()
        self.decoder, self.device, self.dtype = decoder, device, dtype
        self.micro_batch, self.compile_mode, self.stack = micro_batch, compile_mode, ""
        self.loss_scale = LossScale(device) if dtype == torch.float16 else None
        self.settings, self._smaller, self._on_notice = settings, list(smaller), on_notice
        self._keep_apart, self.end_of_text_id = keep_apart(decoder), end_of_text_id
        self._own_cross_entropy = own_cross_entropy(decoder) if settings.has_plain_loss else None
        self._losses = self._compiled()

    def gradients(
        self,
        ids_SU: Tensor,
        sequences: int | None = None,
        place_offset_S: Tensor | None = None,
        scratch_ST: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Mean cross entropy in nats per token and the gradient's norm before clipping, both still on the device.

        ``ids_SU`` are this rank's part of a step of so many ``sequences``; what comes out is of the whole step, the
        same on every rank. ``place_offset_S`` shifts the places of digits in each sequence,
        ``scratch_ST`` are the targets of ``scratch_targets``. Raises ``OutOfResources`` when memory does not hold the
        smallest pass.
        """
        loss = self._own_share(ids_SU, (place_offset_S, scratch_ST), sequences or len(ids_SU))
        self.ranks.add_up([*self._gradients(), loss])
        return loss, self.clip()

    def ids_shape(self) -> tuple[int, ...]:
        """The shape of the ids of one pass."""
        return self.micro_batch, self.decoder.config.context_length + 1

    def clip(self) -> Tensor:
        """Shorten the gradient, once it is complete, to what the recipe allows; return its norm before."""
        if self.loss_scale is not None:
            self.loss_scale.unscale(self._gradients())
        parameters = [parameter for parameter in self.decoder.parameters() if parameter.grad is not None]
        return torch.nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip)

    def _gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self.decoder.parameters() if parameter.grad is not None]

    def _own_share(self, ids_SU: Tensor, besides: Sequence[Tensor | None], sequences: int) -> Tensor:
        """Add this rank's part of the step's gradients up; return its part of the step's loss."""
        while True:
            try:
                return self._passes(ids_SU, besides, sequences)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if not self._smaller:
                    raise OutOfResources(
                        f"memory ran out with {self.micro_batch} x {self.decoder.config.context_length} tokens at a "
                        "time; a smaller design.context_length or design, or a device with more memory would work"
                    ) from error
            # Here, because the error keeps hold of what filled the memory.
            self._take_smaller_passes()

    def _passes(self, ids_SU: Tensor, besides: Sequence[Tensor | None], sequences: int) -> Tensor:
        self.decoder.train()
        total = torch.zeros((), device=self.device)
        parts_of = [None if each is None else self._uploaded(each).split(self.micro_batch) for each in besides]
        for number, ids_BU in enumerate(self._uploaded(ids_SU).split(self.micro_batch)):
            parts = sequences / len(ids_BU)
            objective, cross_entropy = self._losses(ids_BU, *(each and each[number] for each in parts_of))
            # The sum is over the models of a stack; here it is of one.
            self._scaled(objective / parts).sum().backward()
            total = total + cross_entropy / parts
        return total

    def _scaled(self, objective: Tensor) -> Tensor:
        return objective if self.loss_scale is None else self.loss_scale.scaled(objective)

    def update(self, optimizer: DecoderOptimizer, loss: Tensor, gradient_norm: Tensor) -> None:
        """Change the weights, or, decided on the device, nothing when loss or gradient is not finite."""
        skip = (~(loss.isfinite() & gradient_norm.isfinite())).float()
        optimizer.step(skip=skip)
        if self.loss_scale is not None:
            self.loss_scale.adapt(skip)
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Gradients of CUDA graphs stay where they are and become 0, others are released."""
        self.decoder.zero_grad(set_to_none=self.compile_mode != CUDA_GRAPHS)

    def _take_smaller_passes(self) -> None:
        before, self.micro_batch = self.micro_batch, self._smaller.pop()
        self.forget_gradients()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self._on_notice(
            f"memory ran out with {before} sequences a pass: going on with {self.micro_batch}, in steps of the same "
            f"size (training.micro_batch_size={self.micro_batch} avoids the attempt)"
        )

    def _uploaded(self, numbers: Tensor) -> Tensor:
        """The numbers on the device; a GPU fetches them from pinned memory while the host goes on."""
        if self.device.type != "cuda":
            return numbers.to(self.device)
        return numbers.pin_memory().to(self.device, non_blocking=True)

    def _compiled(self) -> Callable[..., tuple[Tensor, Tensor]]:
        if self.compile_mode is None:
            return self._losses_of
        if self.compile_mode == CUDA_GRAPHS:
            # Else the first backward pass would leave gradients in memory that the next replay overwrites.
            for parameter in self.decoder.parameters():
                parameter.grad = torch.zeros_like(parameter)
        mode = None if self.compile_mode == "default" else self.compile_mode
        return torch.compile(self._losses_of, fullgraph=True, dynamic=False, mode=mode)

    def _losses_of(
        self, ids_BU: Tensor, place_offset_B: Tensor | None = None, scratch_BT: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        with autocast(self.device, self.dtype):
            ids_BT, targets_BT = ids_BU[:, :-1], ids_BU[:, 1:]
            mask_B1TS = None if self.end_of_text_id is None else self._keep_apart(ids_BT, self.end_of_text_id)
            x_BTC = self.decoder.hidden_states(ids_BT, mask_B1TS=mask_B1TS, place_offset_B=place_offset_B)
            if self._own_cross_entropy is None:
                logits_BTV, weights_BT = self.decoder.logits(x_BTC), self._weights_of(ids_BU)
                if scratch_BT is None or weights_BT is None:
                    return self._losses_of_logits(logits_BTV, targets_BT, weights_BT)
                is_scratch_BT = scratch_BT != NO_TARGET
                weights_BT = torch.where(is_scratch_BT, self.settings.scratch_weight, weights_BT)
                chosen_BT = torch.where(is_scratch_BT, scratch_BT, targets_BT)
                objective, _ = self._losses_of_logits(logits_BTV, chosen_BT, weights_BT)
                # What is reported is how well the text itself is predicted.
                return objective, self._losses_of_logits(logits_BTV.detach(), targets_BT, None)[1]
            cross_entropy = self._own_cross_entropy(x_BTC, targets_BT)
            return cross_entropy, cross_entropy.detach()

    def _losses_of_logits(
        self, logits_BTV: Tensor, targets_BT: Tensor, weights_BT: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return training_losses(logits_BTV, targets_BT, self.settings.z_loss, weights_BT)

    def _weights_of(self, ids_BU: Tensor) -> Tensor | None:
        """How much each target counts; none where all count alike."""
        features = self.decoder.digit_features
        if features is None or not self.settings.weighs_equations:
            return None
        question, answer = self.settings.question_weight, self.settings.answer_weight
        return loss_weights(ids_BU, features.class_V, question=question, answer=answer)
