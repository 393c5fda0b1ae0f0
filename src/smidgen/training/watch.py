"""Watches the losses of a run: steps that are not finite, spikes, divergence.

Decides on the host and as late as it likes: whether a step touches the weights is decided on the device, before.
"""

import math
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from smidgen.errors import CheckFailed
from smidgen.recipes.training import TrainingSettings

# A step whose loss or gradient is not finite is skipped; this many in a row end the run.
NON_FINITE_STEPS_ALLOWED = 3
# The level of the loss is its mean over so many steps (assumed: ten times fewer are noisy, ten times more are slow).
LEVEL_STEPS = 32
# A spike lies so many standard deviations above the level. Losses of single steps are skewed by their mixture of
# sources, so that three would be reached by chance.
SPIKE_DEVIATIONS = 6.0


class LossWatch:
    """Takes each step's loss and gradient norm as tensors, and reads them when asked to.

    ``samples_of`` names the samples of a step, ``on_event`` is told what people should know, with the step.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        *,
        samples_of: Callable[[int], str],
        on_event: Callable[[int, str], None],
    ) -> None:
        self._settings, self._samples_of, self._on_event = settings, samples_of, on_event
        self._unread: list[tuple[int, Tensor]] = []
        self.since_log: list[float] = []
        self.gradient_norm = 0.0
        self._non_finite_steps = 0
        self._recent: list[float] = []
        self._best_level = math.inf
        self._steps_above = 0

    def add(self, step: int, loss: Tensor, gradient_norm: Tensor, scale: Tensor | None = None) -> None:
        """Note a step without waiting for the device. ``scale`` is the factor on a float16 loss."""
        values = [loss, gradient_norm, torch.ones_like(loss) if scale is None else scale]
        self._unread.append((step, torch.stack([value.detach().float() for value in values])))

    def read(self) -> None:
        """Judge the steps since the last reading.

        Raises ``CheckFailed`` after three steps in a row that were not finite, and on divergence.
        """
        if not self._unread:
            return
        steps = [step for step, _ in self._unread]
        rows = torch.stack([values for _, values in self._unread]).tolist()
        self._unread = []
        for step, (loss, norm, scale) in zip(steps, rows, strict=True):
            if math.isfinite(loss) and math.isfinite(norm):
                self._accept(step, loss, norm)
            elif not math.isfinite(loss) or scale <= 1:
                self._tolerate(step)
            # Else the factor was too large for float16, which is how the right one is found.

    def mean_since_log(self) -> float | None:
        """Mean loss of the steps read since the last call, None without any."""
        losses, self.since_log = self.since_log, []
        return sum(losses) / len(losses) if losses else None

    def state(self) -> dict[str, Any]:
        """Plain data that ``restore`` continues from."""
        return {
            "losses_since_log": self.since_log,
            "non_finite_steps": self._non_finite_steps,
            "recent_losses": self._recent,
            "best_level": None if math.isinf(self._best_level) else self._best_level,
            "steps_above": self._steps_above,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.since_log = state["losses_since_log"]
        self._non_finite_steps = state["non_finite_steps"]
        # Checkpoints from before the watch lack the rest.
        self._recent = state.get("recent_losses", [])
        best = state.get("best_level")
        self._best_level = math.inf if best is None else best
        self._steps_above = state.get("steps_above", 0)

    def _accept(self, step: int, loss: float, norm: float) -> None:
        self._non_finite_steps = 0
        self.since_log.append(loss)
        self.gradient_norm = norm
        self._note_spike(step, loss)
        self._recent = [*self._recent, loss][-LEVEL_STEPS:]
        if len(self._recent) == LEVEL_STEPS:
            self._best_level = min(self._best_level, statistics.fmean(self._recent))
        self._check_divergence(step, loss)

    def _note_spike(self, step: int, loss: float) -> None:
        if len(self._recent) < LEVEL_STEPS:
            return
        level, deviation = statistics.fmean(self._recent), statistics.stdev(self._recent)
        if loss > level + SPIKE_DEVIATIONS * deviation:
            self._on_event(step, f"loss {loss:.3f} is a spike above {level:.3f} ({self._samples_of(step)})")

    def _check_divergence(self, step: int, loss: float) -> None:
        settings = self._settings
        self._steps_above = self._steps_above + 1 if loss > settings.divergence_factor * self._best_level else 0
        if settings.divergence_patience and self._steps_above >= settings.divergence_patience:
            message = (
                f"the loss is {loss:.3f} and was above {settings.divergence_factor:g} times its best "
                f"level, {self._best_level:.3f}, for {self._steps_above} steps: training has diverged"
            )
            self._on_event(step, message)
            raise CheckFailed(
                f"step {step}: {message}; a lower training.peak_learning_rate, a longer training.warmup_steps or a "
                "smaller training.gradient_clip usually helps, and a larger training.divergence_factor allows harder "
                "text late in a curriculum"
            )

    def _tolerate(self, step: int) -> None:
        self._non_finite_steps += 1
        samples = self._samples_of(step)
        self._on_event(step, f"loss or gradient is not finite ({samples}); the step was skipped")
        if self._non_finite_steps >= NON_FINITE_STEPS_ALLOWED:
            raise CheckFailed(
                f"loss or gradient was not finite in {self._non_finite_steps} steps in a row, "
                f"the last with {samples}; a lower training.peak_learning_rate or a smaller "
                "training.gradient_clip usually helps"
            )
