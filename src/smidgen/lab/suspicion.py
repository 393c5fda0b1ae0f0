"""Scores that are too round to be believed."""

from collections.abc import Iterator, Mapping
from typing import Any

from smidgen.lab.metric import Metric

# By chance a model that is right on 99% of items gets all of 200 in 13% of tries; on more it hardly happens.
FEW_ITEMS = 200


def suspicious_scores(record: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each accuracy of exactly 0% or 100% on more than 200 items of a score record (its JSON).

    Such a score is as a rule a defect of the scoring or the model: labels shifted, constant log-probabilities, a
    tokenizer that splits the answer, an answer that stands in the question.
    """
    for task, metrics in record["scores"].items():
        for name, score in metrics.items():
            if Metric(name).units is None and score["n"] > FEW_ITEMS and score["value"] in (0, 1):
                yield (
                    f"{task}, {name.replace('_', ' ')}: exactly {100 * score['value']:.0f}% on {score['n']:,} items; "
                    "check the task's data and the model before believing it"
                )
