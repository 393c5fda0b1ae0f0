"""The learning rate of every step, a pure function of the step."""

import math

from smidgen.recipes.training import TrainingSettings

# A shortened run keeps at most this share of its steps for warm-up (GPT-S-5M itself: 1.6%).
LONGEST_WARMUP_SHARE = 0.1


def warmup_steps(settings: TrainingSettings, total_steps: int) -> int:
    """Steps of warm-up: the recipe's, or a tenth of a run that was made too short for them."""
    return min(settings.warmup_steps, int(total_steps * LONGEST_WARMUP_SHARE))


def learning_rate(step: int, total_steps: int, settings: TrainingSettings) -> float:
    """Linear rise from the minimum to the peak, then what the schedule says. ``step`` counts from 0.

    "wsd" (warm-up, stable, decay, arXiv:2404.06395) stays at the peak until ``decay_start`` and falls to the minimum
    by ``decay_shape``: linearly, along half a cosine, or by 1 - sqrt(progress) (arXiv:2405.18392). "cosine"
    (arXiv:1608.03983) and "linear" fall from the end of warm-up on, "constant" never. Equal to
    ``get_wsd_schedule``, ``get_cosine_schedule_with_warmup``, ``get_linear_schedule_with_warmup`` and
    ``get_constant_schedule_with_warmup`` of transformers.
    """
    rising = warmup_steps(settings, total_steps)
    peak, minimum = settings.peak_learning_rate, settings.minimum_learning_rate
    if step < rising:
        return minimum + (peak - minimum) * step / rising
    start, shape = _fall(settings, rising, total_steps)
    if step < start:
        return peak
    progress = min(1.0, (step - start) / max(1, total_steps - start))
    return peak + (minimum - peak) * _fallen(progress, shape)


def _fall(settings: TrainingSettings, rising: int, total_steps: int) -> tuple[int, str]:
    """The step at which the fall begins, and its shape."""
    if settings.schedule == "wsd":
        return max(rising, round(settings.decay_start * total_steps)), settings.decay_shape
    return (total_steps, "linear") if settings.schedule == "constant" else (rising, settings.schedule)


def _fallen(progress: float, shape: str) -> float:
    """The share of the way from peak to minimum that lies behind."""
    if shape == "cosine":
        return 0.5 * (1.0 - math.cos(math.pi * progress))
    return math.sqrt(progress) if shape == "sqrt" else progress
