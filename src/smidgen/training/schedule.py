"""The learning rate of every step, a pure function of the step."""

from smidgen.recipes.training import TrainingSettings

# A shortened run keeps at most this share of its steps for warm-up (GPT-S-5M itself: 1.6%).
LONGEST_WARMUP_SHARE = 0.1


def warmup_steps(settings: TrainingSettings, total_steps: int) -> int:
    """Steps of warm-up: the recipe's, or a tenth of a run that was made too short for them."""
    return min(settings.warmup_steps, int(total_steps * LONGEST_WARMUP_SHARE))


def learning_rate(step: int, total_steps: int, settings: TrainingSettings) -> float:
    """Warm-up, stable, decay (WSD, arXiv:2404.06395): linear rise, plateau, linear fall to the minimum.

    ``step`` counts from 0. Equal to ``transformers.get_wsd_schedule`` with ``warmup_type`` and ``decay_type``
    "linear".
    """
    rising = warmup_steps(settings, total_steps)
    decay_start = max(rising, round(settings.decay_start * total_steps))
    peak, minimum = settings.peak_learning_rate, settings.minimum_learning_rate
    if step < rising:
        return minimum + (peak - minimum) * step / rising
    if step < decay_start:
        return peak
    progress = min(1.0, (step - decay_start) / max(1, total_steps - decay_start))
    return peak + (minimum - peak) * progress
