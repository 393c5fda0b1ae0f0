"""Which checkpoints of a run stay, what their mean is, and how much disk they take."""

from pathlib import Path
from typing import Any

from torch import Tensor

from smidgen.checkpoints.checkpoint import valid_checkpoint
from smidgen.model.decoder import Decoder
from smidgen.recipes.training import TrainingSettings
from smidgen.training.averages import mean_of
from smidgen.training.optimizer import DecoderOptimizer
from smidgen.training.plan import TrainingPlan


class Keeping:
    """Remembers the best checkpoint so far: of those saved right after a held-out measurement, the lowest."""

    def __init__(self, settings: TrainingSettings, plan: TrainingPlan) -> None:
        self._settings, self._plan = settings, plan
        self.best_step: int | None = None
        self.best_bits_per_byte: float | None = None

    def note(self, step: int, bits_per_byte: float | None) -> None:
        """A checkpoint of ``step`` is about to be saved; ``bits_per_byte`` is None where it was not measured."""
        if bits_per_byte is not None and (self.best_bits_per_byte is None or bits_per_byte < self.best_bits_per_byte):
            self.best_step, self.best_bits_per_byte = step, bits_per_byte

    def steps(self, step: int) -> set[int]:
        """Steps whose checkpoints stay besides the newest ones when that of ``step`` is saved."""
        best = {self.best_step} if self._settings.keep_best and self.best_step is not None else set()
        return best | set(self._averaged(step + 1))

    def mean(self, root: Path, step: int, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean of ``weights``, those of ``step``, and of the last checkpoints before.

        Only checkpoints of the regular interval count, so that a run that was interrupted ends with the same mean.
        """
        earlier = [valid_checkpoint(root, other) for other in self._averaged(step)]
        return mean_of([weights, *(checkpoint.tensors("model") for checkpoint in earlier if checkpoint is not None)])

    def state(self) -> dict[str, Any]:
        return {"best_step": self.best_step, "best_bits_per_byte": self.best_bits_per_byte}

    def restore(self, state: dict[str, Any]) -> None:
        self.best_step = state.get("best_step")
        self.best_bits_per_byte = state.get("best_bits_per_byte")

    def _averaged(self, step: int) -> list[int]:
        """The regular steps before ``step`` that a mean with another one takes in, newest first."""
        interval, count = self._plan.checkpoint_steps, max(0, self._settings.average_checkpoints - 1)
        newest = (step - 1) // interval * interval
        return list(range(newest, 0, -interval)[:count])


def most_bytes(decoder: Decoder, optimizer: DecoderOptimizer, settings: TrainingSettings) -> int:
    """Disk that the checkpoints of a run take at most, the one that is being written included."""
    weights = sum(parameter.nbytes for parameter in decoder.parameters())
    moments = sum(parameter.nbytes * len(optimizer.names_of_state(parameter)) for parameter in decoder.parameters())
    has_average = bool(settings.ema_decay or settings.average_checkpoints)
    averaged = max(0, settings.average_checkpoints - 1)
    return (weights * (1 + has_average) + moments) * (settings.keep_checkpoints + settings.keep_best + averaged + 1)
