"""A model that returns NaN cannot be scored: NaN would be right or wrong by accident of ordering."""

import math
from collections.abc import Sequence

from smidgen.errors import CheckFailed


def refuse_nan(task: str, log_probabilities: Sequence[float]) -> None:
    """Raises ``CheckFailed`` with the number of NaN among them."""
    broken = sum(math.isnan(value) for value in log_probabilities)
    if broken:
        raise CheckFailed(
            f"{task}: the model returned NaN for {broken:,} of {len(log_probabilities):,} log-probabilities; "
            "such a model cannot be scored"
        )
