"""The mixture over a run as planned and as dealt, for the report."""

import itertools
from collections import Counter
from typing import Any

from smidgen.data.order import SampleOrder
from smidgen.data.training_data import TrainingData
from smidgen.recipes.recipe import Recipe
from smidgen.training.plan import plan_training

MOST_POINTS = 60


def mixture_over_time(recipe: Recipe, data: TrainingData) -> list[dict[str, Any]]:
    """For equal parts of the run: tokens at the middle, planned shares there, shares of the samples dealt."""
    context = recipe.design.context_length
    # The number of samples is the same on every device.
    total = plan_training(recipe, device_type="cpu").total_sequences
    order = SampleOrder(
        recipe.data, total_samples=total, window_counts=data.window_counts, seed=recipe.training.order_seed
    )
    parts = min(MOST_POINTS, total)
    edges = [total * number // parts for number in range(parts + 1)]
    points = []
    for start, end in itertools.pairwise(edges):
        middle = (start + end) / 2
        dealt = Counter(name for name, _ in order.batch(start, end - start))
        points.append(
            {
                "tokens": round(middle * context),
                "planned": recipe.data.shares_at(middle / total),
                "realised": {name: dealt[name] / (end - start) for name in recipe.data.sources},
            }
        )
    return points
