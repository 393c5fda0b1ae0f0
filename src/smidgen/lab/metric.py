"""From the results of items to the value of a metric, and which way is better."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

# Metrics that come from total nats over a total of units: summed over documents, never averaged.
UNITS = {
    "bits_per_byte": "bytes",
    "byte_perplexity": "bytes",
    "word_perplexity": "words",
    "token_perplexity": "tokens",
}


@dataclass(frozen=True)
class Metric:
    """A metric by its name: accuracies are means over items, the others ratios of sums over documents."""

    name: str

    @property
    def units(self) -> str | None:
        """What total nats are divided by; ``None`` for a mean over items."""
        return UNITS.get(self.name)

    @property
    def lower_is_better(self) -> bool:
        return self.units is not None

    @property
    def noun(self) -> str:
        return "items" if self.units is None else "documents"

    def result_of(self, item: dict[str, Any]) -> tuple[float, float]:
        """An item's credit or nats, and its weight. Raises ``ValueError`` where the item lacks them."""
        try:
            if self.units is None:
                return float(item[self.name]), 1.0
            return float(item["nats"]), float(item[self.units])
        except (KeyError, TypeError) as error:
            raise ValueError(f"the result of item {item.get('item')} holds no {self.name}") from error

    def value(self, mean: np.ndarray | float) -> Any:
        """The metric of a mean credit, or of nats per unit."""
        if self.units is None:
            return mean
        return mean / math.log(2) if self.name == "bits_per_byte" else np.exp(mean)
